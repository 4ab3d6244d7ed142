// forward: decides whether a datagram may be forwarded, and changes its TTL.
//
// It follows Linux's ip_forward in its order: link addressing, receive offload, TTL, strict source
// route, MTU with DF.
//
// Expects: a datagram classified as forward, its options walked.
// Never:   touches the datagram before all checks passed; sends.
// Cost:    a few comparisons; TTL and checksum by increment.
// Source:  RFC 1812 section 5.2.1.2, 5.2.6, 5.3.1, 5.3.4.
#pragma once

#include <sluice/packet/datagram.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/pipeline/fit.hpp>
#include <sluice/routing/egress_mtu.hpp>

namespace sluice::pipeline {

template <packet_buffer Packet, header_sum Sum>
[[nodiscard]] constexpr decision forward(const basic_datagram<Packet, Sum>& d, const route_entry& r,
                                         next_hop hop, u32 interface_mtu) noexcept {
    if (d.packet().addressing() != link_addressing::host) {
        return decision::drop(drop_reason::not_addressed_to_host);
    }
    const metadata& m = d.packet().metadata();
    if (m.merged_receive) {
        return decision::drop(drop_reason::merged_by_receive_offload);
    }
    if (d.header()[ipv4::ttl] <= 1) {
        return decision::reject(drop_reason::ttl_expired, icmp_request::ttl_exceeded());
    }
    if (m.options.strict_route && r.has_gateway()) {
        return decision::reject(drop_reason::source_route_failed,
                                icmp_request::source_route_failed());
    }
    const u32 mtu = routing::forwarding_mtu(r, interface_mtu);
    if (exceeds_mtu(d.packet(), mtu)) {
        return too_big(mtu);
    }
    return decision::forward(hop);
}

}  // namespace sluice::pipeline
