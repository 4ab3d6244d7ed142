// receive_plain: receives the packets of a batch that forward_plain does not take.
//
// It passes plain packets for this host to deliver with the result of the accept branch, plain
// packets with hooks to forward_hooked, and all others to receive. Consecutive packets share a
// lookup while its result is valid.
//
// Expects: packets of one interface for which the accept branch is enabled.
// Never:   uses a lookup's result after a handler or output changed the stack, queued work or added
//          a hook.
// Cost:    the accept branch. The packet at which a run of forwarded or local packets ends is
//          judged again as the first of the next.
// Source:  Linux ip_list_rcv, ip_extract_route_hint.
#pragma once

#include <sluice/stack/answer_plain.hpp>

#include <span>
#include <utility>

namespace sluice::acts {

namespace detail {

// Receives a packet through all stages. Not inlined: it would take registers from the calling
// loops.
template <class Core>
[[gnu::noinline]] constexpr fate receive_slow(Core& c,
                                              typename Core::packet_type&& packet) noexcept {
    if (!packet) {
        return fate::dropped;  // empty handle
    }
    c.books.tally(balance::received);
    return receive(c, std::move(packet));
}

// Delivers a packet to this host. Its header was verified; the only rule left for its source is
// that it must not be a local address.
template <class Core>
[[gnu::noinline]] constexpr fate deliver_at_once(Core& c,
                                                 typename Core::packet_type& packet) noexcept {
    const ipv4::const_view ip{std::as_const(packet).data()};
    if (c.tables.interfaces.is_own(ip[ipv4::source])) {
        return receive_slow(c, std::move(packet));
    }
    c.books.tally(balance::received);
    c.books.count(mib::ip_in_receives);
    c.books.count(mib::ipext_in_octets, packet.size());
    c.books.count(ecn_counter(ip[ipv4::ecn]));
    if (ip[ipv4::protocol] == ipv4::protocols::icmp && answer_plain(c, packet)) {
        return fate::delivered;
    }
    const interface& in = *c.tables.interfaces.find(packet.interface());
    unsummed_datagram<typename Core::packet_type> d = pipeline::acceptor::take(packet);
    if (keeps_flows(c)) {
        keep_route(c, d, in);
    }
    return deliver(c, std::move(d), route_type::local, in);
}

// Checks a packet of rules.in. If it is to be forwarded, its hop is then in the hint.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr pipeline::accepted
judge(const Core& c, const accept_rules<Core>& rules, const typename Core::packet_type& packet,
      pipeline::route_hint& hint) noexcept {
    const auto as = pipeline::judge_fast(look_up_by(c, rules), packet, rules.in, hint);
    return as != pipeline::accepted::forward || is_without_exception(c, rules, packet, hint.hop)
               ? as
               : pipeline::accepted::no;
}

// Delivers a packet, or forwards it through the forward hook, as the check decided.
template <class Core>
constexpr fate receive_judged(Core& c, typename Core::packet_type& packet, pipeline::accepted as,
                              [[maybe_unused]] const hop_entry& hop) noexcept {
    if constexpr (!Core::gates_type::hooks_type::never_active) {
        if (as == pipeline::accepted::forward) {
            return forward_hooked(c, packet, hop);
        }
    }
    return as == pipeline::accepted::local ? deliver_at_once(c, packet)
                                           : receive_slow(c, std::move(packet));
}

// Handles packets of a batch until one has another ingress or is for forward_plain, or until a
// table or hook may have changed. Returns the packet at which it stopped. `due`: see fetch_ahead.
// `hint`: that of the run before, and for the next one.
template <class Core, class Packet>
[[nodiscard, gnu::noinline]] constexpr Packet*
receive_plain(Core& c, accept_rules<Core> rules, std::span<Packet> batch, const Packet*& due,
              pipeline::route_hint& hint) noexcept {
    Packet* at = batch.data();
    Packet* const end = at + batch.size();
    const u32 seen = c.tables.touched;
    const bool hooked = meets_hooks(c);
    do {
        if (at == due) {
            fetch_ahead(c.tables.routes, at, end, due);
        }
        const pipeline::accepted as = judge(c, rules, *at, hint);
        if (as == pipeline::accepted::forward && !hooked) {
            break;
        }
        static_cast<void>(receive_judged(c, *at, as, hint.hop));
        ++at;
        // A handler or output may have added hooks.
    } while (at != end && at->interface() == rules.in && seen == c.tables.touched && !has_work(c) &&
             !has_hooks(c.gates, hook_point::prerouting) && hooked == meets_hooks(c));
    return at;
}

}  // namespace detail

}  // namespace sluice::acts
