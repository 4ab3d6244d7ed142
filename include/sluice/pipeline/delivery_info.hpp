// delivery_info_of: fills the delivery_info of a datagram for this host from its header;
// early_route_of: finds where the route of an established UDP flow is kept.
//
// Expects: a validated datagram, the type of its route.
// Never:   delivers.
// Cost:    the header's fields; a lookup of the flow among the endpoints.
// Source:  RFC 1122 section 3.4; Linux ip_cmsg_recv_pktinfo, udp_v4_early_demux.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/routing/address_kind.hpp>
#include <sluice/routing/source_address.hpp>
#include <sluice/wire/udp.hpp>

#include <utility>

namespace sluice::pipeline {

// ingress: the interface whose rules the datagram met.
template <class Tables, class Packet, header_sum Sum>
[[nodiscard, gnu::always_inline]] constexpr delivery_info
delivery_info_of(const Tables& t, const basic_datagram<Packet, Sum>& d, u16 ingress,
                 route_type type) noexcept {
    const ipv4::const_view ip = d.header();
    return {.source = ip[ipv4::source],
            .destination = ip[ipv4::destination],
            .local = routing::specific_destination(t, ip, ingress, type),
            .interface = d.packet().interface(),
            .protocol = ip[ipv4::protocol],
            .broadcast_or_multicast = type != route_type::local,
            .ttl = ip[ipv4::ttl],
            .tos = ip[ipv4::tos],
            .chosen = d.packet().metadata().endpoint};
}

// The route type of the inner datagram of a tunnel that ends here.
template <class Tables>
[[nodiscard]] constexpr route_type type_inside(const Tables& t, ipv4::address to) noexcept {
    const route_type kind = routing::address_kind(t, to);
    const bool broadcast_or_multicast =
        kind == route_type::multicast || kind == route_type::broadcast;
    return broadcast_or_multicast && !to.is_unspecified() ? kind : route_type::local;
}

// The cached route of the datagram's flow; nullptr: no connected endpoint has the flow. Makes the
// UDP header contiguous.
template <class Delivery, class Packet, header_sum Sum>
[[nodiscard]] constexpr early_route* early_route_of(Delivery& endpoints,
                                                    basic_datagram<Packet, Sum>& d) noexcept {
    const u32 start = d.header_size();
    const Packet& p = d.packet();
    if (d.header()[ipv4::protocol] != ipv4::protocols::udp || ipv4::is_fragment(d.header()) ||
        p.addressing() != link_addressing::host ||
        !d.may_pull(start + static_cast<u32>(udp::layout::size))) {
        return nullptr;
    }
    const ipv4::const_view ip = d.header();
    const udp::const_view ports{p.data() + start};
    return endpoints.flow_of({.source = ip[ipv4::source],
                              .destination = ip[ipv4::destination],
                              .interface = p.interface(),
                              .source_port = ports[udp::source_port],
                              .destination_port = ports[udp::destination_port]});
}

}  // namespace sluice::pipeline
