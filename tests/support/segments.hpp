// Packets with segmentation metadata, and the segments that they stand for, built one by one.
#pragma once

#include <sluice/wire/tcp.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace support {

namespace tcp_flags {
inline constexpr u16 fin = 1, psh = 8, ack = 16, cwr = 128, ece = 64;
}

// A TCP segment or UDP datagram in its IPv4 header, with right checksums.
struct flow {
    bool tcp = true;
    byte_vector options = {};      // of IPv4
    byte_vector tcp_options = {};  // a multiple of 4
    u16 identification = 0xfffe;
    u16 fragment_word = ipv4::words::dont_fragment;
    u32 sequence = 0xfffff000;
    bool udp_sum = true;
    u8 ttl = 64;

    [[nodiscard]] byte_vector datagram(u16 id, u32 seq, u16 flags,
                                       const byte_vector& payload) const {
        const std::size_t head = tcp ? 20 + tcp_options.size() : 8;
        byte_vector transport(head);
        if (tcp) {
            const tcp::header h{.source_port = 4242,
                                .destination_port = 80,
                                .sequence = seq,
                                .acknowledgment = 7,
                                .flags = flags,
                                .window = 512};
            CHECK(emit_value(h, transport).has_value());
            tcp::view{transport.data()}.set(tcp::data_offset, static_cast<u8>(head / 4));
            copy_bytes(transport.data() + 20, tcp_options.data(), tcp_options.size());
        } else {
            const udp::view h{transport.data()};
            h.set(udp::source_port, 4242);
            h.set(udp::destination_port, 53);
            h.set(udp::length, static_cast<u16>(8 + payload.size()));
        }
        transport.insert(transport.end(), payload.begin(), payload.end());
        const datagram_fields f{.ttl = ttl,
                                .protocol = tcp ? ipv4::protocols::tcp : ipv4::protocols::udp,
                                .identification = id,
                                .flags_and_offset = fragment_word,
                                .options = options,
                                .payload = {}};
        if (tcp) {
            tcp::set_checksum(f.source, f.destination, transport);
        } else if (udp_sum) {
            udp::set_checksum(f.source, f.destination, transport);
        }
        datagram_fields whole = f;
        whole.payload = transport;
        return datagram_of(whole);
    }
    [[nodiscard]] std::size_t headers() const {
        return 20 + options.size() + (tcp ? 20 + tcp_options.size() : 8);
    }
};

// The segments of a packet, built one by one.
inline std::vector<byte_vector> naive(const flow& f, u16 flags, const byte_vector& payload,
                                      std::size_t each) {
    std::vector<byte_vector> made;
    const std::size_t count = payload.empty() ? 1 : (payload.size() + each - 1) / each;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t from = i * each;
        const std::size_t to = std::min(payload.size(), from + each);
        u16 own = flags;
        if (i + 1 < count) own = static_cast<u16>(own & ~(tcp_flags::fin | tcp_flags::psh));
        if (i > 0) own = static_cast<u16>(own & ~tcp_flags::cwr);
        made.push_back(f.datagram(static_cast<u16>(f.identification + i),
                                  f.sequence + static_cast<u32>(from), own,
                                  {payload.begin() + static_cast<std::ptrdiff_t>(from),
                                   payload.begin() + static_cast<std::ptrdiff_t>(to)}));
    }
    return made;
}

template <class Packet>
void set_metadata(Packet& p, const flow& f, u16 each) {
    p.writable_metadata().segmentation =
        f.tcp ? segmentation_kind::tcp_ipv4 : segmentation_kind::udp;
    p.writable_metadata().segment_size = each;
    p.writable_metadata().checksum_start = static_cast<u16>(20 + f.options.size());
    p.writable_metadata().checksum_offset = f.tcp ? 16 : 6;
}

// As a program leaves it to a device: the pseudo header's sum in the checksum field.
template <class Packet>
void make_pending(Packet& p) {
    metadata& m = p.writable_metadata();
    m.checksum = checksum_state::pending;
    const ipv4::const_view ip{p.data()};
    const u64 sum = checksum::pseudo_header(ip[ipv4::source], ip[ipv4::destination],
                                            ip[ipv4::protocol], p.size() - m.checksum_start);
    store_be<u16>(p.writable() + m.checksum_start + m.checksum_offset, checksum::fold(sum));
}

}  // namespace support
