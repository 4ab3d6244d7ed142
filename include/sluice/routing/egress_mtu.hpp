// egress_mtu, forwarding_mtu: the largest datagram that fits an interface and a route.
//
// Expects: the MTU of the route, or the learned path MTU; 0: none.
// Never:   looks at a packet: pipeline/fit.hpp compares it with the MTU.
// Cost:    finding the interface.
// Source:  RFC 791 section 3.2, RFC 1191 section 6.3; Linux dst_mtu, ip_dst_mtu_maybe_forward.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::routing {

// For a datagram of this host, in bytes: the smaller of the route's and the interface's MTU.
template <class Tables>
[[nodiscard]] constexpr u32 egress_mtu(const Tables& t, u16 interface_index,
                                       u16 route_mtu) noexcept {
    const interface* out = t.interfaces.find(interface_index);
    const u32 own = out != nullptr ? out->mtu : 0;
    return route_mtu != 0 && route_mtu < own ? route_mtu : own;
}

// For a forwarded datagram: the MTU of the route or hop if it has one, else the interface's. Linux
// ip_dst_mtu_maybe_forward with ip_forward_use_pmtu off.
template <class Route>
[[nodiscard]] constexpr u32 forwarding_mtu(const Route& r, u32 interface_mtu) noexcept {
    const u32 mtu = r.mtu != 0 ? r.mtu : interface_mtu;
    return mtu < ipv4::max_total_length ? mtu : static_cast<u32>(ipv4::max_total_length);
}

}  // namespace sluice::routing
