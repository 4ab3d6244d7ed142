// segment_headers: writes the headers of the segments of a packet with segmentation metadata.
//
// Identifications count up, in a tunnel also the outer header's. TCP: sequence numbers count on,
// FIN and PSH only in the last segment, CWR only in the first. UDP: each segment has its own
// length. All checksums are computed.
//
// Expects: a valid plan (pipeline/segment_plan.hpp); a segment with its payload behind room for the
//          headers.
// Cost:    a copy of the headers, up to 512 bytes; the sum over the segment, in a tunnel perhaps
//          twice.
// Source:  RFC 9293 section 3.4, RFC 3168 section 6.1.2, RFC 768; Linux tcp_gso_segment,
//          __udp_gso_segment, inet_gso_segment.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/segment_plan.hpp>

namespace sluice::rewrite {

// A part of the payload: `length` bytes, `done` bytes after its start; the index-th segment.
struct segment_position {
    u32 length = 0;
    u32 done = 0;
    u32 index = 0;
};

namespace detail {

struct sum_place {
    u32 start = 0;  // the first summed byte; the sum runs to the end
    u32 field = 0;  // offset of the checksum
    u64 pseudo = 0;
    bool zero_is_none = false;  // stores a sum of zero as all ones
};

template <class Packet>
constexpr void store_sum(Packet& packet, const sum_place& at) noexcept {
    store_be<u16>(packet.writable() + at.field, 0);
    const u16 sum =
        checksum::finish(packet_sum(packet, at.start, packet.size() - at.start, at.pseudo));
    store_be<u16>(packet.writable() + at.field, sum == 0 && at.zero_is_none ? u16{0xffff} : sum);
}

// size: bytes of the header and everything behind it.
constexpr void finish_ipv4(std::byte* to, u32 size, u32 index) noexcept {
    const ipv4::view ip{to};
    ip.set(ipv4::total_length, static_cast<u16>(size));
    ip.set(ipv4::identification, static_cast<u16>(ip[ipv4::identification] + index));
    ipv4::set_checksum(ip);
}

constexpr void finish_ipv6(std::byte* to, u32 size) noexcept {
    store_be<u16>(to + 4, static_cast<u16>(size - pipeline::tunnels::ipv6_header_length));
}

constexpr void finish_tcp(tcp::view segment, const segment_position& at, u32 payload) noexcept {
    segment.set(tcp::sequence, segment[tcp::sequence] + at.done);
    if (at.done + at.length != payload) {
        segment.set(tcp::fin, false);
        segment.set(tcp::psh, false);
    }
    // CWR answers one congestion signal; the receiver must see it once. RFC 3168 section 6.1.2.
    if (at.done != 0) {
        segment.set(tcp::cwr, false);
    }
}

[[nodiscard]] constexpr u64 pseudo_header(const std::byte* ip_header,
                                          const pipeline::segment_plan& plan, u32 length) noexcept {
    const u8 protocol = plan.tcp ? ipv4::protocols::tcp : ipv4::protocols::udp;
    if (plan.tunnel.is_ipv6) {  // RFC 8200 section 8.1
        return checksum::partial({ip_header + 8, 32}, u64{length} + protocol);
    }
    const ipv4::const_view ip{ip_header};
    return checksum::pseudo_header(ip[ipv4::source], ip[ipv4::destination], protocol, length);
}

// Sets length and checksum of the tunnel's header, `outer` bytes into the segment. The segment is
// complete behind it.
template <class Packet>
constexpr void finish_tunnel(Packet& piece, u32 outer,
                             const pipeline::tunnel_headers& tunnel) noexcept {
    const u32 size = piece.size() - outer;
    if (tunnel.kind == pipeline::tunnel_kind::udp) {
        udp::view{piece.writable() + outer}.set(udp::length, static_cast<u16>(size));
        if (tunnel.sums) {
            const ipv4::const_view ip{std::as_const(piece).data()};
            store_sum(piece,
                      {.start = outer,
                       .field = outer + 6,
                       .pseudo = checksum::pseudo_header(ip[ipv4::source], ip[ipv4::destination],
                                                         ipv4::protocols::udp, size),
                       .zero_is_none = true});
        }
    } else if (tunnel.sums) {
        store_sum(piece, {.start = outer, .field = outer + pipeline::tunnels::gre_checksum});
    }
}

}  // namespace detail

template <class Packet>
constexpr void finish_headers(Packet& piece, const pipeline::segment_plan& plan,
                              const segment_position& at) noexcept {
    constexpr u32 checksum_of_tcp = 16;
    constexpr u32 checksum_of_udp = 6;
    std::byte* const to = piece.writable();
    copy_bytes(to, plan.header.data(), plan.headers);
    const u32 length = plan.headers - plan.transport + at.length;  // with the transport header
    const u32 size = plan.transport - plan.tunnel.inner + length;
    if (plan.tunnel.is_ipv6) {
        detail::finish_ipv6(to + plan.tunnel.inner, size);
    } else {
        detail::finish_ipv4(to + plan.tunnel.inner, size, at.index);
    }
    if (plan.tcp) {
        detail::finish_tcp(tcp::view{to + plan.transport}, at, plan.payload);
    } else {
        udp::view{to + plan.transport}.set(udp::length, static_cast<u16>(length));
    }
    if (plan.sums) {
        const u32 field = plan.tcp ? checksum_of_tcp : checksum_of_udp;
        detail::store_sum(piece,
                          {.start = plan.transport,
                           .field = plan.transport + field,
                           .pseudo = detail::pseudo_header(to + plan.tunnel.inner, plan, length),
                           .zero_is_none = !plan.tcp});
    }
    if (plan.tunnel.kind != pipeline::tunnel_kind::none) {
        detail::finish_ipv4(to, plan.headers + at.length, at.index);
        detail::finish_tunnel(piece, plan.network, plan.tunnel);
    }
}

}  // namespace sluice::rewrite
