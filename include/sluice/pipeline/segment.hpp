// segment: cuts a packet with segmentation facts (GSO) into the datagrams that it stands for.
// Expects: a packet that begins with a valid IPv4 header (a datagram's), whose facts give the kind
// and the payload octets of a segment; the facts are not believed. Does: the headers in front of
// each piece; identification counted up; TCP: sequence counted on, FIN and PSH in the last alone,
// CWR in the first alone; UDP: a datagram of its own length each; lengths and checksums, the
// transport's too, whether it was pending or not (a UDP checksum of zero that is not pending
// stays). Never: looks at the MTU (segmented_length() tells what a segment will need), sends: each
// piece goes to the sink, which says whether to go on. Cost: headers, and the bytes copied and
// summed once; where blocks are counted they may be referred to. RFC 9293 section 3.4, RFC 3168
// section 6.1.2, RFC 768. Linux tcp_gso_segment, __udp_gso_segment, inet_gso_segment.
#pragma once

#include <sluice/pipeline/fragment.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/udp.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace sluice::pipeline {

// What keeps a packet from becoming very many: the least payload of a TCP segment (Linux
// TCP_MIN_GSO_SIZE), and the most datagrams of a UDP packet (Linux UDP_MAX_SEGMENTS).
inline constexpr u16 least_tcp_segment = 8;
inline constexpr u32 most_udp_segments = 128;

struct segment_result {
    u32 created = 0;        // pieces that the sink took
    bool complete = false;  // all of them
};

namespace detail {

struct segment_plan {
    static constexpr u32 longest = 60 + 60;  // both with all their options

    std::array<std::byte, longest> header{};
    u32 network = 0;  // octets of the IPv4 header, and with the transport header
    u32 headers = 0;
    u32 room = 0;     // payload octets of a segment
    u32 payload = 0;  // of all
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
        room = known.segment_size;
        tcp = known.segmentation == segmentation_kind::tcp_ipv4;
        const u32 least = tcp ? u32{tcp::min_header_length} : u32{udp::layout::size};
        if (known.segmentation == segmentation_kind::none || ip[ipv4::version] != 4 ||
            network < ipv4::min_header_length || network + least > present ||
            ipv4::is_fragment(ip) ||
            ip[ipv4::protocol] != (tcp ? ipv4::protocols::tcp : ipv4::protocols::udp)) {
            return;
        }
        headers = network + (tcp ? static_cast<u32>(tcp::header_length(transport())) : least);
        if (headers < network + least || headers > present) {
            return;
        }
        payload = whole.size() - headers;
        sums = tcp || known.checksum == checksum_state::pending ||
               udp::const_view{header.data() + network}[udp::checksum] != 0;
        valid =
            tcp ? room >= least_tcp_segment : room > 0 && u64{room} * most_udp_segments >= payload;
    }

    [[nodiscard]] constexpr tcp::const_view transport() const noexcept {
        return tcp::const_view{header.data() + network};
    }

    // Makes the header at piece.data() that of `length` payload octets, `done` after the first.
    template <class Packet>
    constexpr void finish(Packet& piece, u32 length, u32 done, u32 index) const noexcept {
        std::byte* const to = piece.writable();
        copy_bytes(to, header.data(), headers);
        const ipv4::view ip{to};
        ip.set(ipv4::total_length, static_cast<u16>(headers + length));
        ip.set(ipv4::identification, static_cast<u16>(ip[ipv4::identification] + index));
        ipv4::set_checksum(ip);
        std::byte* const behind = to + network;
        if (tcp) {
            change_tcp(tcp::view{behind}, done, done + length == payload);
        } else {
            udp::view{behind}.set(udp::length, static_cast<u16>(headers - network + length));
        }
        std::byte* const field = behind + (tcp ? checksum_of_tcp : checksum_of_udp);
        if (!sums) {
            return;
        }
        store_be<u16>(field, 0);
        const u32 transport_size = headers - network + length;
        const u64 pseudo = checksum::pseudo_header(ip[ipv4::source], ip[ipv4::destination],
                                                   ip[ipv4::protocol], transport_size);
        const u16 sum = checksum::finish(packet_sum(piece, network, transport_size, pseudo));
        store_be<u16>(field, sum == 0 && !tcp ? u16{0xffff} : sum);
    }

private:
    static constexpr std::size_t checksum_of_tcp = 16;
    static constexpr std::size_t checksum_of_udp = 6;

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

// Room for the headers and the payload octets; false when the piece has no room for them.
template <bool References, class Packet>
[[nodiscard]] constexpr bool fill_segment(Packet& piece, Packet& whole,
                                          packet_reader<Packet>& reader, const segment_plan& plan,
                                          u32 done, u32 length) noexcept {
    if constexpr (References && Packet::ownership::counts_references) {
        if (!whole.is_segmented()) {
            return piece.put(plan.headers) != nullptr &&
                   (length == 0 || piece.attach(whole, plan.headers + done, length));
        }
    }
    std::byte* const to = piece.put(plan.headers + length);
    if (to != nullptr) {
        reader.copy(to + plan.headers, length);
    }
    return to != nullptr;
}

// A piece is a plain packet with its checksum in place; the rest of what is known stays known.
template <class Packet>
constexpr void copy_segment_facts(const Packet& from, Packet& to) noexcept {
    copy_marks(from, to);
    metadata& known = to.writable_facts();
    known.segmentation = segmentation_kind::none;
    known.segment_size = 0;
    known.checksum = checksum_state::unknown;
}

}  // namespace detail

// The total length of the longest segment of a packet with segmentation facts, or its own size
// where it has none or they do not fit it: what is held against an MTU. Linux
// skb_gso_network_seglen.
template <packet_buffer Packet>
[[nodiscard]] constexpr u32 segmented_length(const Packet& packet) noexcept {
    if (packet.facts().segmentation == segmentation_kind::none) {
        return packet.size();
    }
    const detail::segment_plan plan{packet};
    return plan.valid && plan.room < plan.payload ? plan.headers + plan.room : packet.size();
}

// How many packets it stands for: what is counted where the kernel counts gso_segs.
template <packet_buffer Packet>
[[nodiscard]] constexpr u32 segment_count(const Packet& packet) noexcept {
    if (packet.facts().segmentation == segmentation_kind::none) {
        return 1;
    }
    const detail::segment_plan plan{packet};
    return plan.valid && plan.payload > 0 ? (plan.payload + plan.room - 1) / plan.room : 1;
}

// Cuts whole and gives the pieces to sink(Packet&&) -> bool in order, until it says false. Nothing
// is created when the facts do not fit the bytes. The packet is used up. References: where blocks
// are counted, a piece refers to the octets of a plain packet instead of copying them; the sink
// must take segmented packets then.
template <bool References = false, class Packet, class Source, class Sink>
constexpr segment_result segment(Packet&& whole, Source& source, Sink&& sink) noexcept {
    Packet used = std::move(whole);
    const detail::segment_plan plan{used};
    segment_result r;
    if (!plan.valid) {
        return r;
    }
    packet_reader<Packet> reader{used};
    reader.skip(plan.headers);
    u32 done = 0;
    do {  // a packet without payload is one segment
        const u32 left = plan.payload - done;
        const u32 length = left < plan.room ? left : plan.room;
        Packet piece = source.take(default_headroom);
        if (!piece || !detail::fill_segment<References>(piece, used, reader, plan, done, length)) {
            return r;
        }
        detail::copy_segment_facts(used, piece);
        plan.finish(piece, length, done, r.created);
        done += length;
        if (!sink(std::move(piece))) {
            return r;
        }
        ++r.created;
    } while (done < plan.payload);
    r.complete = true;
    return r;
}

}  // namespace sluice::pipeline
