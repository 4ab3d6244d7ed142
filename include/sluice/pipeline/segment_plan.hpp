// segment_plan: the common headers of the datagrams that a packet with segmentation metadata stands
// for, and their lengths.
//
// Expects: a packet that begins with a valid IPv4 header. `valid` tells whether its metadata fits
//          the bytes.
// Never:   changes a byte: rewrite/segment_headers.hpp finishes the headers of the segments.
// Cost:    a copy of the headers, up to 512 bytes.
// Source:  Linux skb_gso_network_seglen, tcp_gso_segment, __udp_gso_segment.
#pragma once

#include <sluice/packet/datagram.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/tunnel_headers.hpp>
#include <sluice/wire/tcp.hpp>

#include <array>
#include <cstddef>

namespace sluice::pipeline {

// Bounds on the datagrams of one packet. UDP: Linux UDP_MAX_SEGMENTS. TCP: Linux allows 65,535 for
// a device; this is a packet of 64 KB in segments of 8 bytes (TCP_MIN_GSO_SIZE).
inline constexpr u32 most_tcp_segments = 8192;
inline constexpr u32 most_udp_segments = 128;

// The number of segments, at least one. room: not zero.
[[nodiscard]] constexpr u32 segments_of(u32 payload, u32 room) noexcept {
    return payload == 0 ? 1 : (payload + room - 1) / room;
}

// Offset of the transport header at which to cut: behind the IPv4 header, or the start of a pending
// checksum.
[[nodiscard]] constexpr u32 transport_offset(const metadata& known, u32 header) noexcept {
    return known.checksum == checksum_state::pending ? known.checksum_start : header;
}

struct segment_plan {
    // Room for two IPv4 headers and a TCP header with all options, Ethernet, GENEVE with options.
    static constexpr u32 longest = 512;

    std::array<std::byte, longest> header{};
    u32 network = 0;    // bytes of the outer IPv4 header
    u32 transport = 0;  // bytes up to the transport header
    u32 headers = 0;    // bytes of all headers, transport included
    u32 room = 0;       // payload bytes of a segment
    u32 payload = 0;    // payload bytes of all segments
    tunnel_headers tunnel{};
    bool tcp = false;
    bool sums = true;    // compute the transport checksum
    bool valid = false;  // the metadata fits the bytes

    template <class Packet>
    constexpr explicit segment_plan(const Packet& whole) noexcept {
        const metadata& known = whole.metadata();
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

    // The total length of the longest segment.
    [[nodiscard]] constexpr u32 longest_length() const noexcept {
        return headers + (room < payload ? room : payload);
    }

private:
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
};

// The total length of the longest segment, to compare with an MTU; the size of a packet without
// fitting segmentation metadata. Linux skb_gso_network_seglen.
template <packet_buffer Packet>
[[nodiscard, gnu::noinline]] constexpr u32 segmented_length(const Packet& packet) noexcept {
    if (packet.metadata().segmentation == segmentation_kind::none) {
        return packet.size();
    }
    const segment_plan plan{packet};
    return plan.valid ? plan.longest_length() : packet.size();
}

// The number of datagrams that the packet stands for, where Linux counts gso_segs.
template <packet_buffer Packet>
[[nodiscard]] constexpr u32 segment_count(const Packet& packet) noexcept {
    if (packet.metadata().segmentation == segmentation_kind::none) {
        return 1;
    }
    const segment_plan plan{packet};
    return plan.valid ? segments_of(plan.payload, plan.room) : 1;
}

// The segments of a payload that has no IPv4 header yet.
struct payload_segments {
    u32 longest = 0;  // total length of the longest, with a header of `header` bytes
    u32 count = 1;
};
template <packet_buffer Packet>
[[nodiscard]] constexpr payload_segments payload_segments_of(const Packet& payload,
                                                             u32 header) noexcept {
    const metadata& known = payload.metadata();
    const payload_segments whole{payload.size() + header, 1};
    if (known.segmentation == segmentation_kind::none || known.segment_size == 0) {
        return whole;
    }
    const bool is_udp = known.segmentation == segmentation_kind::udp;
    std::byte first[tcp::min_header_length]{};
    const u32 least = is_udp ? u32{udp::layout::size} : u32{tcp::min_header_length};
    // A tunnel has further headers in front of the transport header.
    const u32 start = transport_offset(known, header) - header;
    if (transport_offset(known, header) < header || payload.size() < start + least) {
        return whole;
    }
    packet_reader<Packet> reader{payload};
    reader.skip(start);
    reader.copy(first, least);
    const u32 transport =
        is_udp ? least : static_cast<u32>(tcp::header_length(tcp::const_view{first}));
    if (transport < least || start + transport > payload.size()) {
        return whole;
    }
    const u32 data = payload.size() - start - transport;
    const u32 room = known.segment_size;
    return {header + start + transport + (room < data ? room : data), segments_of(data, room)};
}

// Whether the packet is cut into UDP datagrams, perhaps those of a tunnel.
template <packet_buffer Packet, header_sum Sum>
[[nodiscard]] constexpr bool has_udp_segments(const basic_datagram<Packet, Sum>& d) noexcept {
    const metadata& known = d.packet().metadata();
    return known.segmentation == segmentation_kind::udp ||
           (known.segmentation != segmentation_kind::none &&
            transport_offset(known, d.header_size()) != d.header_size());
}

// Whether a device that cuts may take the packet whole: its segments are TCP or UDP outside a
// tunnel, and its total length fits the field. Linux netif_skb_features, gso_features_check.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool is_plain_to_device(const Packet& packet) noexcept {
    const metadata& known = packet.metadata();
    const u32 header = 4 * (static_cast<u32>(packet.data()[0]) & 0x0f);
    return known.segmentation == segmentation_kind::none ||
           (packet.size() <= ipv4::max_total_length && transport_offset(known, header) == header);
}

}  // namespace sluice::pipeline
