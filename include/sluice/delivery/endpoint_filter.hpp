// endpoint_filter: what an endpoint wants to receive, whether a datagram fits it, and how it ranks
// among other filters. Unspecified addresses, port 0 and interface 0 mean any.
//
// Source: Linux compute_score, raw_v4_match, inet_rcv_saddr_equal.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

// Raw endpoints have no ports.
struct endpoint_filter {
    u8 protocol = 0;  // raw endpoints: the protocol number; UDP ones: 17
    ipv4::address local{};
    ipv4::address peer{};
    u16 local_port = 0;
    u16 peer_port = 0;
    u16 interface = 0;
    bool reuse = false;  // others that say so too may have the same port. Linux SO_REUSEADDR

    // Both address and both ports are fixed.
    [[nodiscard]] constexpr bool is_flow() const noexcept {
        return !local.is_unspecified() && !peer.is_unspecified() && local_port != 0 &&
               peer_port != 0;
    }
    [[nodiscard]] constexpr bool matches(const delivery_info& info) const noexcept {
        return (local.is_unspecified() || local == info.destination) &&
               (peer.is_unspecified() || peer == info.source) &&
               (interface == 0 || interface == info.interface);
    }
    [[nodiscard]] constexpr bool matches_ports(const delivery_info& info) const noexcept {
        return (local_port == 0 || local_port == info.destination_port) &&
               (peer_port == 0 || peer_port == info.source_port);
    }
    [[nodiscard]] constexpr bool matches_alert(u8 number, u16 ingress) const noexcept {
        return protocol == number && (interface == 0 || interface == ingress);
    }
    // Whether a datagram may fit both by address and interface. Linux inet_rcv_saddr_equal.
    [[nodiscard]] constexpr bool meets(const endpoint_filter& o) const noexcept {
        return (local.is_unspecified() || o.local.is_unspecified() || local == o.local) &&
               (interface == 0 || o.interface == 0 || interface == o.interface);
    }
    [[nodiscard]] constexpr bool clashes_with(const endpoint_filter& o) const noexcept {
        return o.local_port == local_port && !(reuse && o.reuse);
    }
    // A port or a local address counts more than all that follows, as Linux asks for them first.
    [[nodiscard]] constexpr int specificity() const noexcept {
        return (local_port == 0 ? 0 : 8) + (local.is_unspecified() ? 0 : 4) +
               (peer.is_unspecified() ? 0 : 1) + (peer_port == 0 ? 0 : 1) +
               (interface == 0 ? 0 : 1);
    }
    // The parts that count for a ping endpoint.
    [[nodiscard]] constexpr endpoint_filter of_ping() const noexcept {
        return {.protocol = ipv4::protocols::icmp,
                .local = local,
                .local_port = local_port,
                .interface = interface,
                .reuse = reuse};
    }
};

}  // namespace sluice
