// segment_plan: what the datagrams have in common that a packet with segmentation facts stands for:
// their headers, and how each is finished.
//
// Expects: a packet that begins with a valid IPv4 header (a datagram's). The facts are not
//          believed: `valid` says whether they fit the bytes.
// Does:    headers of pieces: identification counted up, in a tunnel that of the outer header too;
//          TCP: sequence counted on, FIN and PSH in the last alone, CWR in the first alone; UDP: a
//          length of its own each; the checksums of all of them.
// Cost:    the headers copied, up to 512 octets.
// Source:  RFC 9293 section 3.4, RFC 3168 section 6.1.2, RFC 768. Linux tcp_gso_segment,
//          __udp_gso_segment, inet_gso_segment.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/tunnel_headers.hpp>
#include <sluice/wire/tcp.hpp>

#include <array>
#include <cstddef>

namespace sluice::pipeline {

// What keeps one packet from becoming very many. UDP: Linux UDP_MAX_SEGMENTS. TCP: Linux allows
// 65,535 for a device; this is a packet of 64 KB in segments of 8 octets (TCP_MIN_GSO_SIZE).
inline constexpr u32 most_tcp_segments = 8192;
inline constexpr u32 most_udp_segments = 128;

// How many segments that makes, at least one. room: not zero.
[[nodiscard]] constexpr u32 segments_of(u32 payload, u32 room) noexcept {
    return payload == 0 ? 1 : (payload + room - 1) / room;
}

// Offset of the transport header that a packet with segmentation facts is cut by: behind the IPv4
// header, or where its checksum begins when that is pending.
[[nodiscard]] constexpr u32 transport_offset(const metadata& known, u32 header) noexcept {
    return known.checksum == checksum_state::pending ? known.checksum_start : header;
}

namespace detail {

struct segment_plan {
    // Two IPv4 headers and a TCP header with all their options, Ethernet, GENEVE with its own.
    static constexpr u32 longest = 512;

    std::array<std::byte, longest> header{};
    u32 network = 0;    // octets of the outer IPv4 header,
    u32 transport = 0;  // up to the transport header,
    u32 headers = 0;    // and with it
    u32 room = 0;       // payload octets of a segment
    u32 payload = 0;    // of all
    tunnel_headers tunnel{};
    bool tcp = false;
    bool sums = true;    // the transport checksum is wanted
    bool valid = false;  // else the facts do not fit the bytes

    template <class Packet>
    constexpr explicit segment_plan(const Packet& whole) noexcept {
        const metadata& known = whole.facts();
        const u32 present = whole.size() < longest ? whole.size() : longest;
        packet_reader<Packet>{whole}.copy(header.data(), present);
        const ipv4::const_view ip{header.data()};
        network = static_cast<u32>(ipv4::header_length(ip));
        transport = transport_offset(known, network);
        room = known.segment_size;
        tcp = known.segmentation != segmentation_kind::udp;
        const u32 least = tcp ? u32{tcp::min_header_length} : u32{udp::layout::size};
        if (known.segmentation == segmentation_kind::none || room == 0 || ip[ipv4::version] != 4 ||
            network < ipv4::min_header_length || transport < network ||
            transport + least > present || ipv4::is_fragment(ip) ||
            !find_inner(whole.size(), known.segmentation)) {
            return;
        }
        headers =
            transport + (tcp ? static_cast<u32>(tcp::header_length(transport_header())) : least);
        if (headers < transport + least || headers > present) {
            return;
        }
        payload = whole.size() - headers;
        sums = tcp || known.checksum == checksum_state::pending ||
               udp::const_view{header.data() + transport}[udp::checksum] != 0;
        valid = longest_length() <= ipv4::max_total_length &&
                segments_of(payload, room) <= (tcp ? most_tcp_segments : most_udp_segments);
    }

    // The total length of the longest piece.
    [[nodiscard]] constexpr u32 longest_length() const noexcept {
        return headers + (room < payload ? room : payload);
    }

    // Makes the header of the piece that of `length` payload octets, `done` after the first.
    template <class Packet>
    constexpr void finish(Packet& piece, u32 length, u32 done, u32 index) const noexcept {
        std::byte* const to = piece.writable();
        copy_bytes(to, header.data(), headers);
        const u32 size = transport - tunnel.inner + (headers - transport) + length;
        finish_ip(to + tunnel.inner, tunnel.is_ipv6, size, index);
        if (tcp) {
            change_tcp(tcp::view{to + transport}, done, done + length == payload);
        } else {
            udp::view{to + transport}.set(udp::length,
                                          static_cast<u16>(headers - transport + length));
        }
        if (sums) {
            store_sum(piece, transport, transport + (tcp ? checksum_of_tcp : checksum_of_udp),
                      pseudo_header(to + tunnel.inner, headers - transport + length), !tcp);
        }
        if (tunnel.kind != tunnel_kind::none) {
            finish_ip(to, false, headers + length, index);
            finish_tunnel(piece, network, tunnel);
        }
    }

private:
    static constexpr u32 checksum_of_tcp = 16;
    static constexpr u32 checksum_of_udp = 6;

    [[nodiscard]] constexpr tcp::const_view transport_header() const noexcept {
        return tcp::const_view{header.data() + transport};
    }

    // The IP header in front of the transport header: the outer one, or one inside a tunnel.
    [[nodiscard]] constexpr bool find_inner(u32 size, segmentation_kind kind) noexcept {
        if (transport == network) {
            return kind != segmentation_kind::tcp_ipv6 &&
                   ipv4::const_view{header.data()}[ipv4::protocol] ==
                       (tcp ? ipv4::protocols::tcp : ipv4::protocols::udp);
        }
        tunnel = find_tunnel(const_bytes{header}.first(transport), network, transport, size, kind);
        return tunnel.kind != tunnel_kind::none;
    }

    // size: of the header and all behind it.
    static constexpr void finish_ip(std::byte* to, bool is_ipv6, u32 size, u32 index) noexcept {
        if (is_ipv6) {
            store_be<u16>(to + 4, static_cast<u16>(size - tunnels::ipv6_header_length));
            return;
        }
        const ipv4::view ip{to};
        ip.set(ipv4::total_length, static_cast<u16>(size));
        ip.set(ipv4::identification, static_cast<u16>(ip[ipv4::identification] + index));
        ipv4::set_checksum(ip);
    }

    [[nodiscard]] constexpr u64 pseudo_header(const std::byte* ip_header,
                                              u32 length) const noexcept {
        const u8 protocol = tcp ? ipv4::protocols::tcp : ipv4::protocols::udp;
        if (tunnel.is_ipv6) {  // RFC 8200 section 8.1
            return checksum::partial({ip_header + 8, 32}, u64{length} + protocol);
        }
        const ipv4::const_view ip{ip_header};
        return checksum::pseudo_header(ip[ipv4::source], ip[ipv4::destination], protocol, length);
    }

    static constexpr void change_tcp(tcp::view segment, u32 done, bool last) noexcept {
        segment.set(tcp::sequence, segment[tcp::sequence] + done);
        if (!last) {
            segment.set(tcp::fin, false);
            segment.set(tcp::psh, false);
        }
        // CWR answers one congestion signal; the receiver must see it once. RFC 3168 section 6.1.2.
        if (done != 0) {
            segment.set(tcp::cwr, false);
        }
    }
};

}  // namespace detail

}  // namespace sluice::pipeline
