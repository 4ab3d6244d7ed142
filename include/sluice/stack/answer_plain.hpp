// answer_plain: answers plain echo requests to this host at once, in their own bytes.
//
// If only the stack sees an echo request and its reply (no hook, raw endpoint or ICMP handler
// does), it does in one step what deliver, receive_icmp, answer and local_out do: the same reply,
// the same counters. It leaves all other requests to them: fragments, wrong checksums, replies
// larger than the MTU, and routes back that are not plain unicast or have an exception.
//
// Expects: a plain packet of ICMP whose route is local, counted as received.
// Never:   changes a packet that it leaves to the full path.
// Cost:    the message's checksum, one lookup, one identification.
// Source:  Linux icmp_echo, icmp_reply. tests/unit/stack/acts/answer_plain.cpp holds it equal to
//          the full path.
#pragma once

#include <sluice/pipeline/icmp_input.hpp>
#include <sluice/rewrite/plain_echo.hpp>
#include <sluice/route/hop.hpp>
#include <sluice/stack/forward_plain.hpp>
#include <sluice/stack/icmp_terms.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// Whether echo requests to this host are answered, and only the stack sees them and their replies.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool answers_unseen(const Core& c) noexcept {
    if constexpr (!Core::chosen::icmp::answers_echo ||
                  !knows_listeners<typename Core::local_type::delivery_type>) {
        return false;
    } else {
        return sends_unseen(c) && !c.local.delivery.has_listener(ipv4::protocols::icmp) &&
               !has_hooks(c.gates, hook_point::local_in) && !c.tables.switches.icmp_echo_ignore_all;
    }
}

// Whether `size` bytes can leave unfragmented by this hop, over a link, and no exception is known
// for `to`.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool
leaves_whole(const Core& c, ipv4::address to, const hop_entry& hop, u32 size) noexcept {
    const u32 own = c.tables.interfaces.path_of(hop.interface).output_mtu;
    return hop.type == route_type::unicast && size <= own && (hop.mtu == 0 || size <= hop.mtu) &&
           (!c.tables.exceptions.any() || !has_exception(c, key_of(to, hop)));
}

template <class Core>
constexpr void send_plain_reply(Core& c, typename Core::packet_type& reply,
                                const egress& to) noexcept {
    auto& books = c.books;
    count_icmp(books, icmp::types::echo_reply);
    books.tally(balance::originated);
    books.count(mib::ip_out_requests);
    books.count(mib::ip_out_transmits);
    books.count(mib::ipext_out_octets, reply.size());
    if (c.device.output.transmit(reply, to, c.calls.now.now)) [[likely]] {
        books.tally(balance::transmitted);
        return;
    }
    refused(c, std::move(reply));
    books.count(mib::ip_out_discards);
}

}  // namespace detail

// true: the packet was a plain echo request, and is consumed.
template <class Core>
[[nodiscard, gnu::noinline]] constexpr bool
answer_plain(Core& c, typename Core::packet_type& packet) noexcept {
    if (!detail::answers_unseen(c) || !pipeline::is_plain_echo_request(std::as_const(packet))) {
        return false;
    }
    const ipv4::const_view ip{std::as_const(packet).data()};
    const ipv4::address asker = ip[ipv4::source];
    const ipv4::address asked = ip[ipv4::destination];
    const auto& back = find_hop(c.tables.routes, asker, routing::route_tos(ip[ipv4::tos]));
    if (!detail::leaves_whole(c, asker, back, packet.size())) {
        return false;
    }
    typename Core::packet_type reply = std::move(packet);
    const egress to{back.interface, link_destination::unicast, routing::neighbour_of(back, asker)};
    c.books.count(mib::ip_in_delivers);
    c.books.count(mib::icmp_in_msgs);
    c.books.counters.icmp_in(icmp::types::echo_request);
    c.books.tally(balance::delivered);
    if (!may_send_icmp(c, {.type = icmp::types::echo_reply},
                       {.interface = to.interface, .destination = asker})) {
        return true;
    }
    rewrite::turn_plain_echo_round(
        reply, {.identification = c.local.identification.next(asked, asker, ipv4::protocols::icmp,
                                                              1, c.calls.now.now),
                .ttl = back.hop_limit != 0 ? back.hop_limit : c.tables.switches.ip_default_ttl});
    reply.set_interface(0);
    detail::send_plain_reply(c, reply, to);
    return true;
}

}  // namespace sluice::acts
