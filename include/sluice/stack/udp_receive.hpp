// udp_receive: delivers a UDP or UDP-Lite datagram to its endpoints.
//
// It first splits a packet with UDP segments into its datagrams. A datagram to a port without an
// endpoint is answered with port unreachable.
//
// Expects: a datagram that passed the local_in hook.
// Never:   copies bytes.
// Cost:    that of udp_input and of the delivery policy.
// Source:  RFC 1122 section 4.1.3.1, RFC 3828; Linux __udp4_lib_rcv, udp_queue_rcv_skb.
#pragma once

#include <sluice/pipeline/udp_input.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/icmp_send.hpp>

#include <utility>

namespace sluice::acts {

// Refuses a datagram that no endpoint wants, for the given reason.
template <class Core>
constexpr fate refuse_delivery(Core& c, typename Core::packet_type&& packet, const decision& why,
                               route_type type) noexcept {
    c.books.trace(stage::handler, why, packet.interface());
    return refuse(c, std::move(packet), why, type);
}

namespace detail {

template <class Core>
constexpr fate to_udp_endpoints(Core& c, typename Core::packet_type&& packet,
                                const delivery_info& info, route_type type) noexcept {
    const pipeline::udp_variant variant = pipeline::udp_variant_of(info.protocol);
    static_cast<void>(packet.pull(info.headers));  // contiguous since the UDP header was read
    const delivery_count n = c.local.delivery.udp(std::move(packet), info);
    c.books.count(variant.in_datagrams, n.taken);
    c.books.tally(balance::delivered, n.taken);
    if (n.taken != 0) {
        c.books.trace(stage::handler, decision_kind::deliver, drop_reason::none, info.interface,
                      info.destination_port, info.protocol);
    }
    if (info.broadcast_or_multicast) {
        c.books.tally(balance::copied, n.taken + u64{n.full} + n.refused);
        c.books.count_drops(variant.endpoint_full, n.full);
        c.books.count_drops(drop_reason::udplite_coverage, n.refused);
        if (!n.any()) {
            return drop(c.books, std::move(packet), variant.broadcast_unwanted);
        }
        c.books.tally(balance::absorbed);
        return n.taken != 0 ? fate::delivered : fate::absorbed;
    }
    if (n.taken != 0) {
        return fate::delivered;
    }
    if (n.full != 0) {
        return drop(c.books, std::move(packet), variant.endpoint_full);
    }
    if (n.refused != 0) {
        return drop(c.books, std::move(packet), drop_reason::udplite_coverage);
    }
    static_cast<void>(packet.unpull(info.headers));  // whole again, for the quote
    return refuse_delivery(
        c, std::move(packet),
        decision::reject(variant.port_unreachable, icmp_request::port_unreachable()), type);
}

template <class Core>
constexpr fate receive_one_udp(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                               delivery_info info, route_type type) noexcept {
    const pipeline::udp_decision v = pipeline::udp_input(d, info);
    typename Core::packet_type packet = std::move(d).release();
    if (v.reason != drop_reason::none) {
        return drop(c.books, std::move(packet), v.reason);
    }
    info.source_port = v.source_port;
    info.destination_port = v.destination_port;
    info.headers = static_cast<u8>(v.headers);
    info.coverage = v.coverage;
    packet.trim(v.end);
    return to_udp_endpoints(c, std::move(packet), info, type);
}

}  // namespace detail

template <class Core>
constexpr fate receive_udp(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                           const delivery_info& info, route_type type) noexcept {
    using packet_type = typename Core::packet_type;
    if (!pipeline::has_udp_segments(d)) {
        return detail::receive_one_udp(c, std::move(d), info, type);
    }
    const u16 ingress = info.interface;
    const drop_reason invalid = pipeline::udp_variant_of(info.protocol).invalid;
    rewrite::segmenter<true, packet_type> cut{std::move(d).release()};
    while (packet_type piece = cut.next(c.device.buffers)) {
        c.books.tally(balance::copied);
        auto one = pipeline::revalidate(piece);
        static_cast<void>(one.has_value() ? detail::receive_one_udp(c, std::move(*one), info, type)
                                          : drop(c.books, std::move(piece), one.error()));
    }
    if (!cut.is_complete()) {
        c.books.trace(stage::end, decision_kind::drop, invalid, ingress);
        return dropped(c.books, invalid);
    }
    c.books.tally(balance::absorbed);
    return fate::absorbed;
}

}  // namespace sluice::acts
