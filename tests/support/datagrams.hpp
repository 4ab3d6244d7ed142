// Datagrams for tests, built from what a test cares about; and packets that hold them, read back.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/udp.hpp>

#include <initializer_list>
#include <vector>

namespace support {

using namespace sluice;
using namespace sluice::literals;

using octets = std::vector<std::byte>;

inline octets list(std::initializer_list<int> values) {
    octets made;
    for (const int v : values)
        made.push_back(static_cast<std::byte>(v));
    return made;
}

// n octets that differ from their neighbours, also 256 and 65536 places away.
inline octets pattern(std::size_t n) {
    octets made(n);
    for (std::size_t i = 0; i < n; ++i)
        made[i] = static_cast<std::byte>((i * 7 + (i >> 8) * 13 + (i >> 16) * 29) & 0xff);
    return made;
}

// Those from one place to another, or to the end.
inline octets part(const octets& whole, std::size_t from, std::size_t to) {
    const std::size_t end = to < whole.size() ? to : whole.size();
    return {whole.begin() + static_cast<std::ptrdiff_t>(from),
            whole.begin() + static_cast<std::ptrdiff_t>(end)};
}

struct datagram_fields {
    ipv4::address source = "10.0.1.2"_ip;
    ipv4::address destination = "10.0.2.2"_ip;
    u8 ttl = 64;
    u8 protocol = ipv4::protocols::experiment1;
    u8 tos = 0;
    u16 identification = 0x1234;
    u16 flags_and_offset = 0;
    octets options = {};  // padded with zeros to 32 bits
    octets payload = pattern(16);
};

// Complete, its checksum right.
inline octets datagram_of(const datagram_fields& f) {
    const std::size_t header = 20 + (f.options.size() + 3) / 4 * 4;
    octets made(header + f.payload.size());
    copy_bytes(made.data() + 20, f.options.data(), f.options.size());
    copy_bytes(made.data() + header, f.payload.data(), f.payload.size());
    const ipv4::view ip{made.data()};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, static_cast<u8>(header / 4));
    ip.set(ipv4::tos, f.tos);
    ip.set(ipv4::total_length, static_cast<u16>(made.size()));
    ip.set(ipv4::identification, f.identification);
    ip.set(ipv4::flags_and_offset, f.flags_and_offset);
    ip.set(ipv4::ttl, f.ttl);
    ip.set(ipv4::protocol, f.protocol);
    ip.set(ipv4::source, f.source);
    ip.set(ipv4::destination, f.destination);
    ipv4::set_checksum(ip);
    return made;
}

inline octets icmp_message(u8 type, u8 code, u32 info, const octets& data = {}) {
    octets made(icmp::header_length + data.size());
    copy_bytes(made.data() + icmp::header_length, data.data(), data.size());
    const icmp::view message{made.data()};
    message.set(icmp::type, type);
    message.set(icmp::code, code);
    message.set(icmp::rest_of_header, info);
    icmp::set_checksum(made);
    return made;
}

inline octets echo_request(std::size_t size = 8) {
    return icmp_message(icmp::types::echo_request, 0, 0x00070001, pattern(size));
}

// Without a checksum, which UDP allows.
inline octets udp_message(u16 from, u16 to, const octets& data) {
    octets made(udp::layout::size + data.size());
    copy_bytes(made.data() + udp::layout::size, data.data(), data.size());
    const udp::view header{made.data()};
    header.set(udp::source_port, from);
    header.set(udp::destination_port, to);
    header.set(udp::length, static_cast<u16>(made.size()));
    return made;
}

// A packet of the source with these octets, as if it came by that interface.
template <class Source>
typename Source::packet_type packet_of(Source& source, const octets& content, u16 interface = 2,
                                       packet_type seen_as = packet_type::host) {
    auto packet = source.take(default_headroom);
    std::byte* to = packet ? packet.put(static_cast<u32>(content.size())) : nullptr;
    if (to == nullptr) return {};
    copy_bytes(to, content.data(), content.size());
    packet.set_interface(interface);
    packet.set_type(seen_as);
    return packet;
}

template <class Packet>
octets content_of(const Packet& packet) {
    octets all;
    if (packet) {
        packet.for_each_piece(
            [&](const_bytes piece) { all.insert(all.end(), piece.begin(), piece.end()); });
    }
    return all;
}

// The octets behind the IPv4 header.
inline octets payload_of(const octets& datagram) {
    const std::size_t header = ipv4::header_length(ipv4::const_view{datagram.data()});
    return {datagram.begin() + static_cast<std::ptrdiff_t>(header), datagram.end()};
}

}  // namespace support
