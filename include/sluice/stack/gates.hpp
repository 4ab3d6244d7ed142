// gates: the user's hooks and the security policy, asked on a packet's way.
// Expects: the models of both policies. Does: asks one of them, counts and traces what it said.
// Never: asks one when it is asked for the other; changes a packet, but by the hook. Cost: nothing
// with no_hooks and permit_all; else one test and the policy's own. Linux nf_hook,
// xfrm4_policy_check.
#pragma once

#include <sluice/hooks/concept.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/security/concept.hpp>
#include <sluice/stack/books.hpp>

#include <utility>

namespace sluice {

template <class Hooks, class Security>
struct stack_gates {
    using hooks_type = Hooks;
    using security_type = Security;

    [[no_unique_address]] hooks_type hooks{};
    [[no_unique_address]] security_type security{};
};

namespace acts {

// Whether a packet goes on. If not, it is gone, and `gone` says what became of it.
struct passage {
    bool is_open = true;
    fate gone{};

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return is_open; }
};

namespace detail {

// Whether a hook left a datagram behind, where the stack reads on without validating again.
template <class Packet>
[[nodiscard]] constexpr bool is_sound(hook_point point, Packet& packet) noexcept {
    return point == hook_point::prerouting || point == hook_point::local_in ||
           pipeline::validator::check<pipeline::header_sum::ignore>(packet) == drop_reason::none;
}

}  // namespace detail

template <class Gates, class Books, class Packet>
[[nodiscard]] constexpr passage pass_hook(Gates& g, Books& b, hook_point point, Packet& packet,
                                          u16 in, u16 out) noexcept {
    if constexpr (Gates::hooks_type::never_active) {
        return {};
    } else {
        if (!g.hooks.active(point)) {
            return {};
        }
        hook_verdict v = g.hooks.run(point, packet, {in, out});
        if (v == hook_verdict::accept && packet && !detail::is_sound(point, packet)) {
            v = hook_verdict::drop;  // the hook made nothing of it
        }
        const u8 where = static_cast<u8>(point);
        if (v == hook_verdict::accept && packet) {
            b.trace(stage::hook, outcome::proceed, drop_reason::none, in, 0, where);
            return {};
        }
        if (v == hook_verdict::drop) {
            b.trace(stage::hook, outcome::drop, drop_reason::hook, in, 0, where);
            return {false, drop(b, std::move(packet), drop_reason::hook)};
        }
        b.trace(stage::hook, outcome::absorb, drop_reason::none, in, 0, where);
        packet.reset();  // empty already when the hook keeps it, whatever it said
        b.tally(balance::absorbed);
        return {false, fate::absorbed};
    }
}

// drop_reason::none, or why the policy refuses the packet.
template <class Gates, class Packet>
[[nodiscard]] constexpr drop_reason refusal(Gates& g, security_point point, const Packet& packet,
                                            const security_context& c) noexcept {
    if constexpr (Gates::security_type::always_permits) {
        return drop_reason::none;
    } else {
        return g.security.refusal(point, packet, c);
    }
}

template <class Gates, class Books, class Packet>
[[nodiscard]] constexpr passage pass_security(Gates& g, Books& b, security_point point,
                                              Packet& packet, const security_context& c) noexcept {
    const drop_reason why = refusal(g, point, std::as_const(packet), c);
    if (why == drop_reason::none) {
        return {};
    }
    b.trace(stage::hook, outcome::drop, why, c.in, 0, static_cast<u8>(point));
    return {false, drop(b, std::move(packet), why)};
}

}  // namespace acts

}  // namespace sluice
