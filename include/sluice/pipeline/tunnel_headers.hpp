// tunnel_headers: finds the headers of a tunnel between an IPv4 header and the transport header of
// a packet that is cut inside.
//
// The metadata gives the place of the transport header (metadata::checksum_start). find_tunnel()
// searches backwards from there for the IP header, so the tunnel's own header (VXLAN, GENEVE, any
// port) need not be known. It supports IPv4 and IPv6 in IP-in-IP, GRE and UDP.
//
// Expects: the contiguous bytes from the outer IPv4 header up to the transport header. It checks
//          version, protocol, length and checksum of the inner header.
// Never:   finds a tunnel inside a tunnel, or GRE with a routing field or sequence numbers, which
//          cannot be cut. Linux sends neither as one packet.
// Source:  RFC 2003, RFC 2784, RFC 2890, RFC 4213 section 3, RFC 7348; Linux gre_gso_segment,
//          __skb_udp_tunnel_segment.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/packet/metadata.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/udp.hpp>

namespace sluice::pipeline {

enum class tunnel_kind : u8 { none, ip, gre, udp };

struct tunnel_headers {
    tunnel_kind kind = tunnel_kind::none;
    bool is_ipv6 = false;  // the inner packet
    bool sums = false;     // the tunnel's header has a checksum
    u32 inner = 0;         // offset of the inner packet, from the outer IPv4 header
};

namespace tunnels {

inline constexpr u32 ipv6_header_length = 40;
inline constexpr u32 gre_checksum = 4;  // offset of the field

// A TCP packet too long for the field has a length of zero. Linux iph_totlen.
[[nodiscard]] constexpr bool is_length(u32 field, u32 length, u8 protocol) noexcept {
    return field == length || (field == 0 && protocol == ipv4::protocols::tcp);
}

// Offset of the IPv4 header that ends at `transport`; 0: there is none behind `outer`. size: bytes
// of the whole packet.
[[nodiscard]] constexpr u32 find_ipv4(const_bytes headers, u32 outer, u32 transport, u32 size,
                                      u8 protocol) noexcept {
    for (u32 ihl = 5; ihl <= 15 && outer + 4 * ihl <= transport; ++ihl) {
        const u32 at = transport - 4 * ihl;
        const ipv4::const_view ip{headers.data() + at};
        if (ip[ipv4::version] == 4 && ip[ipv4::ihl] == ihl && ip[ipv4::protocol] == protocol &&
            is_length(ip[ipv4::total_length], size - at, protocol) && !ipv4::is_fragment(ip) &&
            ipv4::checksum_ok(ip)) {
            return at;
        }
    }
    return 0;
}

// Offset of the IPv6 header, without extension headers, that ends at `transport`; 0: there is none.
[[nodiscard]] constexpr u32 find_ipv6(const_bytes headers, u32 outer, u32 transport, u32 size,
                                      u8 protocol) noexcept {
    if (outer + ipv6_header_length > transport) {
        return 0;
    }
    const u32 at = transport - ipv6_header_length;
    const std::byte* const ip = headers.data() + at;
    const bool right = (ip[0] >> 4) == std::byte{6} && static_cast<u8>(ip[6]) == protocol &&
                       is_length(load_be<u16>(ip + 4), size - transport, protocol);
    return right ? at : 0;
}

// Whether `header` begins with a GRE header that segments can carry; if the inner packet follows at
// once, it must also end there. RFC 2784 section 2, RFC 2890 section 2.
[[nodiscard]] constexpr bool is_gre(const_bytes header, bool is_ipv6) noexcept {
    constexpr u16 has_checksum = 0x8000;
    constexpr u16 has_key = 0x2000;
    constexpr u16 others = 0x5007;  // routing, sequence number, version
    if (header.size() < 4) {
        return false;
    }
    const u16 flags = load_be<u16>(header.data());
    const u16 type = load_be<u16>(header.data() + 2);
    const std::size_t length =
        4 + ((flags & has_checksum) != 0 ? 4u : 0u) + ((flags & has_key) != 0 ? 4u : 0u);
    const bool is_ip = type == 0x0800 || type == 0x86dd;
    return (flags & others) == 0 && header.size() >= length &&
           (!is_ip || (header.size() == length && (type == 0x86dd) == is_ipv6));
}

}  // namespace tunnels

// The tunnel of a packet whose outer IPv4 header has `outer` bytes; none: the metadata does not
// fit.
[[nodiscard]] constexpr tunnel_headers find_tunnel(const_bytes headers, u32 outer, u32 transport,
                                                   u32 size, segmentation_kind kind) noexcept {
    const bool udp = kind == segmentation_kind::udp;
    const u8 protocol = udp ? ipv4::protocols::udp : ipv4::protocols::tcp;
    tunnel_headers found;
    if (kind != segmentation_kind::tcp_ipv6) {
        found.inner = tunnels::find_ipv4(headers, outer, transport, size, protocol);
    }
    if (found.inner == 0 && kind != segmentation_kind::tcp_ipv4) {
        found.inner = tunnels::find_ipv6(headers, outer, transport, size, protocol);
        found.is_ipv6 = true;
    }
    if (found.inner == 0) {
        return {};
    }
    const const_bytes own = headers.subspan(outer, found.inner - outer);
    switch (ipv4::const_view{headers.data()}[ipv4::protocol]) {
    case ipv4::protocols::ipip:
    case ipv4::protocols::ipv6: {
        const bool says_ipv6 = headers[9] == std::byte{ipv4::protocols::ipv6};
        found.kind =
            own.empty() && says_ipv6 == found.is_ipv6 ? tunnel_kind::ip : tunnel_kind::none;
        return found;
    }
    case ipv4::protocols::gre:
        found.kind = tunnels::is_gre(own, found.is_ipv6) ? tunnel_kind::gre : tunnel_kind::none;
        found.sums = found.kind != tunnel_kind::none && (own[0] & std::byte{0x80}) != std::byte{};
        return found;
    case ipv4::protocols::udp:
        found.kind = own.size() >= udp::layout::size ? tunnel_kind::udp : tunnel_kind::none;
        found.sums =
            found.kind != tunnel_kind::none && udp::const_view{own.data()}[udp::checksum] != 0;
        return found;
    default:
        return {};
    }
}

}  // namespace sluice::pipeline
