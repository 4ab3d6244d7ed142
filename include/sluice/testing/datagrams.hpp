// datagram_of, udp_datagram_of, echo_datagram_of: make whole datagrams for tests, from the fields
// that matter to a test. packet_of and content_of convert them to packets and back.
//
//     const auto sent = testing::udp_datagram_of({.ttl = 1}, 4000, 53, testing::pattern(20));
//     auto packet = testing::packet_of(stack.buffers(), sent, 2);  // received by interface 2
//
// Never: refuses fields that no host would send.
// Cost:  a vector each.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/udp.hpp>

#include <vector>

namespace sluice::testing {

using byte_vector = std::vector<std::byte>;

// n bytes, each different from its neighbours, also from those 256 and 65536 places away.
inline byte_vector pattern(std::size_t n) {
    byte_vector made(n);
    for (std::size_t i = 0; i < n; ++i)
        made[i] = static_cast<std::byte>((i * 7 + (i >> 8) * 13 + (i >> 16) * 29) & 0xff);
    return made;
}

struct datagram_fields {
    ipv4::address source = "10.0.1.2"_ip;
    ipv4::address destination = "10.0.2.2"_ip;
    u8 ttl = 64;
    u8 protocol = ipv4::protocols::experiment1;
    u8 tos = 0;
    u16 identification = 0x1234;
    u16 flags_and_offset = 0;
    byte_vector options = {};  // padded with zeros to 32 bits
    byte_vector payload = pattern(16);
};

// A whole datagram with correct length and header checksum.
inline byte_vector datagram_of(const datagram_fields& f) {
    const std::size_t header = 20 + (f.options.size() + 3) / 4 * 4;
    byte_vector made(header + f.payload.size());
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

inline byte_vector icmp_message_of(u8 type, u8 code, u32 info, const byte_vector& data = {}) {
    byte_vector made(icmp::header_length);
    made.insert(made.end(), data.begin(), data.end());
    const icmp::view message{made.data()};
    message.set(icmp::type, type);
    message.set(icmp::code, code);
    message.set(icmp::rest_of_header, info);
    icmp::set_checksum(made);
    return made;
}

inline byte_vector echo_request(std::size_t size = 8) {
    return icmp_message_of(icmp::types::echo_request, 0, 0x00070001, pattern(size));
}

// Without a checksum, as UDP allows.
inline byte_vector udp_message_of(u16 from, u16 to, const_bytes data) {
    byte_vector made(udp::layout::size + data.size());
    copy_bytes(made.data() + udp::layout::size, data.data(), data.size());
    const udp::view header{made.data()};
    header.set(udp::source_port, from);
    header.set(udp::destination_port, to);
    header.set(udp::length, static_cast<u16>(made.size()));
    return made;
}

// A whole UDP datagram with its checksum.
inline byte_vector udp_datagram_of(datagram_fields f, u16 from, u16 to, const byte_vector& data) {
    f.protocol = ipv4::protocols::udp;
    f.payload = udp_message_of(from, to, data);
    udp::set_checksum(f.source, f.destination, f.payload);
    return datagram_of(f);
}

// A whole echo request.
inline byte_vector echo_datagram_of(datagram_fields f, std::size_t size = 8) {
    f.protocol = ipv4::protocols::icmp;
    f.payload = echo_request(size);
    return datagram_of(f);
}

// A packet of the source with these bytes, as if received by this interface.
template <class Source>
typename Source::packet_type packet_of(Source& source, const byte_vector& content,
                                       u16 interface = 2,
                                       link_addressing seen_as = link_addressing::host) {
    auto packet = source.take(default_headroom);
    std::byte* to = packet ? packet.put(static_cast<u32>(content.size())) : nullptr;
    if (to == nullptr) return {};
    copy_bytes(to, content.data(), content.size());
    packet.set_interface(interface);
    packet.set_addressing(seen_as);
    return packet;
}

template <class Packet>
byte_vector content_of(const Packet& packet) {
    byte_vector all;
    if (packet) {
        packet.for_each_piece(
            [&](const_bytes piece) { all.insert(all.end(), piece.begin(), piece.end()); });
    }
    return all;
}

// The bytes behind the IPv4 header.
inline byte_vector payload_of(const byte_vector& datagram) {
    const std::size_t header = ipv4::header_length(ipv4::const_view{datagram.data()});
    return {datagram.begin() + static_cast<std::ptrdiff_t>(header), datagram.end()};
}

}  // namespace sluice::testing
