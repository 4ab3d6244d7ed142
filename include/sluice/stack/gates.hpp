// gates: asks the hooks and the security policy about a packet, and counts and traces the answer.
//
// A packet that a hook queues is held (hold.hpp); pass_hooks_behind lets it go on.
//
// Expects: the models of both policies.
// Never:   changes a packet; only hooks do.
// Cost:    nothing with no_hooks and permit_all; else one test and the policy's own.
// Source:  Linux nf_hook, nf_queue, nf_reinject, xfrm4_policy_check.
#pragma once

#include <sluice/hooks/concept.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/security/concept.hpp>
#include <sluice/stack/books.hpp>
#include <sluice/stack/hold.hpp>

#include <utility>

namespace sluice {

template <class Hooks, class Security>
struct stack_gates {
    using hooks_type = Hooks;
    using security_type = Security;

    [[no_unique_address]] hooks_type hooks{};
    [[no_unique_address]] security_type security{};
    [[no_unique_address]] hook_queue<typename hooks_type::packet_type,
                                     hook_queue_capacity<hooks_type>> queue{};
};

namespace acts {

// Whether a hook point has hooks.
template <class Gates>
[[nodiscard]] constexpr bool has_hooks(const Gates& g, hook_point point) noexcept {
    if constexpr (Gates::hooks_type::never_active) {
        return false;
    } else {
        return g.hooks.active(point);
    }
}

// Whether hooks may queue packets.
template <class Gates>
inline constexpr bool queues_packets = hook_queue_capacity<typename Gates::hooks_type> > 0;

// Whether a queued packet that got its verdict from within a call waits to go on.
template <class Gates>
[[nodiscard, gnu::always_inline]] constexpr bool has_judged(const Gates& g) noexcept {
    if constexpr (queues_packets<Gates>) {
        return g.queue.has_judged();
    } else {
        return false;
    }
}

// Whether no observer, policy or hook sees the packets that this host sends.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool sends_unseen(const Core& c) noexcept {
    if constexpr (Core::books_type::is_observed ||
                  !Core::gates_type::security_type::always_permits) {
        return false;
    } else {
        return !has_hooks(c.gates, hook_point::local_out) &&
               !has_hooks(c.gates, hook_point::postrouting);
    }
}

// Whether a packet passes. If not, the handle is empty, and `ended_as` is the packet's fate.
struct passage {
    bool is_open = true;
    fate ended_as{};

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return is_open; }
};

namespace detail {

// Hook points where a header that a hook broke is dropped for its own fault; at the others the drop
// reason is `hook`.
[[nodiscard]] constexpr bool names_the_fault(hook_point point) noexcept {
    return point == hook_point::prerouting || point == hook_point::local_in;
}

// Whether a packet is a datagram still.
struct check_header {
    template <class Packet>
    [[nodiscard]] constexpr drop_reason operator()(Packet& packet) const noexcept {
        return pipeline::validator::check<header_sum::unknown>(packet);
    }
};

// Holds a packet that a hook queued: for_later() returns what it needs to go on. Linux nf_queue.
template <class Gates, class Books, class Packet, class Rest>
[[nodiscard, gnu::noinline]] constexpr passage
hold_queued(Gates& g, Books& b, hook_point point, Packet& packet, const hook_context& at,
            [[maybe_unused]] Rest&& for_later) noexcept {
    const u8 where = static_cast<u8>(point);
    if constexpr (queues_packets<Gates>) {
        if (may_wait(packet) && g.queue.has_room(packet)) {
            b.trace(stage::hook, decision_kind::hold, drop_reason::none, at.in, 0, where);
            behind_hooks rest = for_later();
            rest.routed_by = flow_fields_of(std::as_const(packet));
            g.queue.put(std::move(packet), point, at, g.hooks.queued_at(), rest);
            return {false, fate::held};
        }
    }
    b.trace(stage::hook, decision_kind::drop, drop_reason::hook_queue_full, at.in, 0, where);
    return {false, drop(b, std::move(packet), drop_reason::hook_queue_full)};
}

// Carries out the verdict of hooks. judge(Packet&) returns a drop reason if the packet is no valid
// datagram any more; else it may take the packet.
template <class Gates, class Books, class Packet, class Judge, class Rest>
[[nodiscard]] constexpr passage follow_hooks(Gates& g, Books& b, hook_verdict v, hook_point point,
                                             Packet& packet, const hook_context& at, Judge&& judge,
                                             Rest&& for_later) noexcept {
    if (v == hook_verdict::queue && packet) {
        return hold_queued(g, b, point, packet, at, for_later);
    }
    const bool stays = v == hook_verdict::accept && packet;
    const drop_reason bad = stays ? judge(packet) : drop_reason::none;
    const u8 where = static_cast<u8>(point);
    if (stays && (bad == drop_reason::none || names_the_fault(point))) {
        b.trace(stage::hook, decision_kind::proceed, drop_reason::none, at.in, 0, where);
        return bad == drop_reason::none ? passage{}
                                        : passage{false, drop(b, std::move(packet), bad)};
    }
    if (stays || v == hook_verdict::drop) {
        b.trace(stage::hook, decision_kind::drop, drop_reason::hook, at.in, 0, where);
        return {false, drop(b, std::move(packet), drop_reason::hook)};
    }
    b.trace(stage::hook, decision_kind::absorb, drop_reason::none, at.in, 0, where);
    packet.reset();  // the handle is empty already if the hook keeps the packet
    b.tally(balance::absorbed);
    return {false, fate::absorbed};
}

}  // namespace detail

// Runs the hooks of a point, if it has some; afterwards the datagram has their changes and is
// verified again. Without hooks the datagram stays unchanged. If a hook queues the packet,
// for_later() returns the `behind_hooks` with which it is held. Always inlined, so that no code is
// left where hooks cannot exist.
template <class Gates, class Books, class Packet, class Rest>
[[nodiscard, gnu::always_inline]] constexpr passage
pass_hook(Gates& g, Books& b, hook_point point, unsummed_datagram<Packet>& d, u16 in, u16 out,
          [[maybe_unused]] Rest&& for_later) noexcept {
    if constexpr (Gates::hooks_type::never_active) {
        return {};
    } else {
        if (!g.hooks.active(point)) {
            return {};
        }
        Packet packet = std::move(d).release();
        const hook_context at{in, out};
        const hook_verdict v = g.hooks.run(point, packet, at);
        return detail::follow_hooks(
            g, b, v, point, packet, at,
            [&d](Packet& left) noexcept {
                auto again = pipeline::revalidate(left);
                if (again.has_value()) {
                    d = std::move(*again);
                }
                return again.error();
            },
            for_later);
    }
}

// Runs the hooks of a point for a packet that this host sends.
template <class Gates, class Books, packet_buffer Packet, class Rest>
[[nodiscard, gnu::always_inline]] constexpr passage
pass_hook(Gates& g, Books& b, hook_point point, Packet& packet, u16 in, u16 out,
          [[maybe_unused]] Rest&& for_later) noexcept {
    if constexpr (Gates::hooks_type::never_active) {
        return {};
    } else {
        if (!g.hooks.active(point)) {
            return {};
        }
        const hook_context at{in, out};
        const hook_verdict v = g.hooks.run(point, packet, at);
        return detail::follow_hooks(g, b, v, point, packet, at, detail::check_header{}, for_later);
    }
}

namespace detail {

// Runs one hook, or the rest of them, for a packet that was queued at its point.
template <class Gates, class Books, class Packet, class Run>
[[nodiscard]] constexpr passage run_again(Gates& g, Books& b, queued_packet<Packet>& q,
                                          Run&& run) noexcept {
    const hook_verdict v = run();
    return follow_hooks(g, b, v, q.point, q.packet, q.at, check_header{},
                        [&q]() noexcept { return q.rest; });
}

}  // namespace detail

// Calls the hook that queued the packet once more, if it is still there.
template <class Gates, class Books, class Packet>
[[nodiscard]] constexpr passage pass_same_hook(Gates& g, Books& b,
                                               queued_packet<Packet>& q) noexcept {
    return detail::run_again(
        g, b, q, [&]() noexcept { return g.hooks.run_again(q.point, q.packet, q.at, q.hook); });
}

// Runs the hooks behind the one that queued the packet. Linux nf_iterate.
template <class Gates, class Books, class Packet>
[[nodiscard]] constexpr passage pass_hooks_behind(Gates& g, Books& b,
                                                  queued_packet<Packet>& q) noexcept {
    return detail::run_again(
        g, b, q, [&]() noexcept { return g.hooks.run_behind(q.point, q.packet, q.at, q.hook); });
}

// The security policy's drop reason, or drop_reason::none.
template <class Gates, class Packet>
[[nodiscard]] constexpr drop_reason refusal(Gates& g, security_point point, const Packet& packet,
                                            const security_context& c) noexcept {
    if constexpr (Gates::security_type::always_permits) {
        return drop_reason::none;
    } else {
        return g.security.refusal(point, packet, c);
    }
}

namespace detail {

template <class Books, class Packet>
constexpr passage end_by_policy(Books& b, security_point point, Packet&& packet, drop_reason why,
                                u16 in) noexcept {
    b.trace(stage::hook, decision_kind::drop, why, in, 0, static_cast<u8>(point));
    return {false, drop(b, std::move(packet), why)};
}

}  // namespace detail

template <class Gates, class Books, class Packet>
[[nodiscard]] constexpr passage pass_security(Gates& g, Books& b, security_point point,
                                              unsummed_datagram<Packet>& d,
                                              const security_context& c) noexcept {
    const drop_reason why = refusal(g, point, d.packet(), c);
    return why == drop_reason::none
               ? passage{}
               : detail::end_by_policy(b, point, std::move(d).release(), why, c.in);
}

// Asks the security policy about a packet that this host sends.
template <class Gates, class Books, packet_buffer Packet>
[[nodiscard]] constexpr passage pass_security(Gates& g, Books& b, security_point point,
                                              Packet& packet, const security_context& c) noexcept {
    const drop_reason why = refusal(g, point, std::as_const(packet), c);
    return why == drop_reason::none ? passage{}
                                    : detail::end_by_policy(b, point, std::move(packet), why, c.in);
}

}  // namespace acts

}  // namespace sluice
