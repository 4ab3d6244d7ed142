// enter: how packets come into a stack: one, a batch, one that the link hands back; and the time.
// Expects: a core. Does: the accept branch for plain packets that are merely forwarded, the whole
// way for others. A nested call does its own work at once but for packets: those wait in the work
// queue until the packet at hand is done, so nothing recurses. A batch is one pass: a plain packet
// is judged, looked up, rewritten and given to the output before the next is touched, while the
// headers and table slots of later ones are fetched; where forward or postrouting hooks are active
// it meets them next (forward_hooked). Never: moves a plain packet that no hook sees before the
// output takes it. Cost: the accept branch. Linux net_rx_action, ip_list_rcv.
#pragma once

#include <sluice/pipeline/accept_fast.hpp>
#include <sluice/stack/drain.hpp>

#include <span>
#include <type_traits>
#include <utility>

namespace sluice::acts {

namespace detail {

// What the accept branch counts, gathered in registers and added once a batch.
struct fast_counts {
    u64 packets = 0;
    u64 refused = 0;  // of them, by the output
    u64 octets = 0;
    u64 ecn[4] = {};
};

// By value: what is counted into stays in registers.
template <class Books>
constexpr void commit(Books& b, fast_counts n) noexcept {
    if (n.packets == 0) {
        return;
    }
    b.count(mib::ip_in_receives, n.packets);
    b.count(mib::ipext_in_octets, n.octets);
    for (u8 i = 0; i < 4; ++i) {
        b.count(ecn_counter(i), n.ecn[i]);
    }
    b.count(mib::ip_forw_datagrams, n.packets);
    b.count(mib::ip_out_transmits, n.packets);
    b.count(mib::ipext_out_octets, n.octets);
    b.tally(balance::received, n.packets);
    b.tally(balance::transmitted, n.packets - n.refused);
}

// Whether plain packets of that interface take the accept branch: it forwards, and nobody asks more
// of the packets that are merely forwarded, or sees them before they are routed.
template <class Core>
[[nodiscard]] constexpr bool may_go_fast(const Core& c, u16 in) noexcept {
    if constexpr (Core::books_type::is_observed ||
                  !Core::gates_type::security_type::always_permits) {
        return false;
    } else {
        return c.tables.interfaces.path_of(in).accept_fast && !c.tables.custom_local_routes &&
               !has_hooks(c.gates, hook_point::prerouting);
    }
}

// Whether hooks see them on their way.
template <class Core>
[[nodiscard]] constexpr bool meets_hooks(const Core& c) noexcept {
    return has_hooks(c.gates, hook_point::forward) || has_hooks(c.gates, hook_point::postrouting);
}

// Whether something was learned about the destination of a plain packet, by its hop.
// Apart from the loop that asks, which runs without it until something is learned.
template <class Core>
[[nodiscard, gnu::noinline]] constexpr bool has_exception(const Core& c,
                                                          exception_key key) noexcept {
    return c.tables.exceptions.find(key, c.calls.now.now) != nullptr;
}

// Whether a packet that came by `in` is a plain one to be forwarded; by which hop is in the hint.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool
accepts(const Core& c, const typename Core::packet_type& packet, u16 in,
        pipeline::route_hint& hint) noexcept {
    if (!pipeline::accept_fast(c.tables.look_up(), packet, in, hint)) [[unlikely]] {
        return false;
    }
    return !c.tables.exceptions.any() ||
           !has_exception(c, key_of(ipv4::const_view{packet.data()}[ipv4::destination], hint.hop));
}

// Apart from the loop that calls it.
template <class Core>
[[gnu::noinline]] constexpr void refused(Core& c, typename Core::packet_type& packet) noexcept {
    static_cast<void>(drop(c.books, std::move(packet), drop_reason::output_refused));
}

// Forwards a plain packet at once. False: the output refused it.
template <class Core>
[[gnu::always_inline]] constexpr bool forward_at_once(Core& c, typename Core::packet_type& packet,
                                                      const hop_entry& hop,
                                                      fast_counts& fast) noexcept {
    const ipv4::view ip{packet.writable()};
    ++fast.packets;
    fast.octets += packet.size();
    ++fast.ecn[ip[ipv4::ecn]];
    const egress to{hop.interface, link_destination::unicast,
                    routing::neighbour_of(hop, ip[ipv4::destination])};
    ipv4::decrement_ttl(ip);
    if (!c.device.output.transmit(packet, to)) [[unlikely]] {
        ++fast.refused;
        refused(c, packet);
        return false;
    }
    return true;
}

// How many packets ahead a header is fetched, and what the table will be asked for.
inline constexpr std::size_t headers_ahead = 16;
inline constexpr std::size_t slots_ahead = 6;

template <class Core>
[[gnu::always_inline]] constexpr void
fetch_ahead(const Core& c, std::span<typename Core::packet_type> batch, std::size_t at) noexcept {
    using routes_type = typename Core::tables_type::routes_type;
    if (std::is_constant_evaluated()) {
        return;
    }
    if (at + headers_ahead < batch.size()) [[likely]] {
        __builtin_prefetch(std::as_const(batch[at + headers_ahead]).data());
    }
    if constexpr (has_prefetch<routes_type>) {
        if (at + slots_ahead < batch.size()) [[likely]] {
            const auto& packet = std::as_const(batch[at + slots_ahead]);
            if (packet.is_plain_host_of(ipv4::min_header_length)) [[likely]] {
                c.tables.routes.prefetch(ipv4::const_view{packet.data()}[ipv4::destination]);
            }
        }
    }
}

// Apart from the loop that calls it, whose registers it would take.
template <class Core>
[[gnu::noinline]] constexpr fate receive_slow(Core& c,
                                              typename Core::packet_type&& packet) noexcept {
    if (!packet) {
        return fate::dropped;  // nothing came
    }
    c.books.tally(balance::received);
    return receive(c, std::move(packet));
}

template <class Core>
constexpr fate receive_later(Core& c, typename Core::packet_type&& packet,
                             work_kind kind) noexcept {
    if (!packet) {
        return fate::dropped;
    }
    c.books.tally(balance::received);
    return put_off(c, {.packet = std::move(packet), .kind = kind});
}

}  // namespace detail

// One packet that came by packet.interface(), its IPv4 header at data(), its type as the link layer
// saw it. From within a call: held, until the packet at hand is done.
template <class Core>
constexpr fate enter(Core& c, typename Core::packet_type&& packet, moment now) noexcept {
    const entrance<Core> here{c, now};
    if (c.calls.is_nested()) {
        return detail::receive_later(c, std::move(packet), work_kind::receive);
    }
    const u16 in = packet.interface();
    pipeline::route_hint hint;
    if (!detail::may_go_fast(c, in) || !detail::accepts(c, packet, in, hint)) {
        return detail::receive_slow(c, std::move(packet));
    }
    if (detail::meets_hooks(c)) {
        return forward_hooked(c, packet, hint.hop);
    }
    detail::fast_counts fast;
    const bool left = detail::forward_at_once(c, packet, hint.hop, fast);
    detail::commit(c.books, fast);
    return left ? fate::forwarded : fate::dropped;
}

// A batch in order of arrival. Equal to entering each alone, but that outputs are flushed once.
template <class Core>
constexpr void enter(Core& c, std::span<typename Core::packet_type> batch, moment now) noexcept {
    const entrance<Core> here{c, now};
    if (c.calls.is_nested()) {
        for (auto& p : batch) {
            static_cast<void>(detail::receive_later(c, std::move(p), work_kind::receive));
        }
        return;
    }
    constexpr u32 no_interface = 0x10000;  // no packet has that index
    detail::fast_counts fast;
    pipeline::route_hint hint;
    u32 fast_in = no_interface;
    bool hooked = false;
    u32 seen = c.tables.touched;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        detail::fetch_ahead(c, batch, i);
        auto& p = batch[i];
        const u16 in = p.interface();
        if (in != fast_in || seen != c.tables.touched) [[unlikely]] {
            // Another interface, or somebody touched the stack since: hooks, routes, switches.
            if (has_work(c)) {
                std::size_t budget = work_budget;
                drain(c, budget);
            }
            hint = {};
            fast_in = detail::may_go_fast(c, in) ? in : no_interface;
            hooked = detail::meets_hooks(c);
            seen = c.tables.touched;
        }
        const bool accepted = in == fast_in && detail::accepts(c, p, in, hint);
        if (accepted && !hooked) [[likely]] {
            static_cast<void>(detail::forward_at_once(c, p, hint.hop, fast));
            continue;
        }
        static_cast<void>(accepted ? forward_hooked(c, p, hint.hop)
                                   : detail::receive_slow(c, std::move(p)));
        fast_in = no_interface;
    }
    detail::commit(c.books, fast);
}

// The link could not deliver: the next hop of this packet (its IPv4 header at data()) did not
// answer.
template <class Core>
constexpr void enter_failed(Core& c, typename Core::packet_type&& packet, moment now) noexcept {
    const entrance<Core> here{c, now};
    if (c.calls.is_nested()) {
        static_cast<void>(detail::receive_later(c, std::move(packet), work_kind::link_failure));
    } else if (packet) {
        c.books.tally(balance::received);  // handed back by the link, after it was transmitted once
        fail_link(c, std::move(packet));
    }
}

// Does what is due; when to come again at the latest (instant::never(): nothing waits; now: work is
// left, or the call at hand will do it).
template <class Core>
[[nodiscard]] constexpr instant poll(Core& c, moment now) noexcept {
    {
        const entrance<Core> here{c, now};
        c.calls.wants_poll = true;
    }
    if (has_work(c)) {
        return c.calls.now.now;
    }
    const instant forgets = c.tables.exceptions.expire(c.calls.now.now);
    const instant gives_up = c.local.reassembly.next_deadline();
    return forgets < gives_up ? forgets : gives_up;
}

}  // namespace sluice::acts
