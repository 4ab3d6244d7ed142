// Packets for examples without a device: from 192.0.2.2 to 192.0.2.1, received by interface 2.
//
// Each function writes payload, header and checksums.
//
// Expects: an empty packet with headroom.
#pragma once

#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4_header.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/udp.hpp>

#include <cstdlib>

namespace examples {

inline constexpr sluice::ipv4::interface_address own_address{sluice::ipv4::address{0xc0000201}, 24};
inline constexpr sluice::ipv4::address peer_address{0xc0000202};

template <class Packet>
void push_header(Packet& to, sluice::u8 protocol) {
    namespace ipv4 = sluice::ipv4;
    const sluice::u32 behind = to.size();
    std::byte* const at = to.push(ipv4::min_header_length);
    if (at == nullptr) {
        std::abort();  // the examples' buffers are larger
    }
    const ipv4::header ip{.total_length =
                              static_cast<sluice::u16>(behind + ipv4::min_header_length),
                          .protocol = protocol,
                          .source = peer_address,
                          .destination = own_address.address};
    static_cast<void>(sluice::emit_value(ip, {at, ipv4::min_header_length}));
    ipv4::set_checksum(ipv4::view{to.data()});
    to.set_interface(2);
}

template <class Packet>
sluice::bytes put_filled(Packet& to, sluice::u32 size, std::byte with) {
    std::byte* const at = to.put(size);
    if (at == nullptr) {
        std::abort();  // the examples' buffers are larger
    }
    sluice::fill_bytes(at, size, with);
    return {at, size};
}

template <class Packet>
void write_echo_request(Packet& to) {
    namespace icmp = sluice::icmp;
    const sluice::bytes message = put_filled(to, 12, std::byte{0});
    icmp::view{message.data()}.set(icmp::type, icmp::types::echo_request).set(icmp::sequence, 1);
    icmp::view{message.data()}.set(icmp::checksum, sluice::checksum::compute(message));
    push_header(to, sluice::ipv4::protocols::icmp);
}

// A UDP datagram of four bytes from port 50000 to `port`.
template <class Packet>
void write_udp(Packet& to, sluice::u16 port) {
    namespace udp = sluice::udp;
    constexpr sluice::u16 size = udp::layout::size + 4;
    const sluice::bytes datagram = put_filled(to, size, std::byte{0x61});
    const udp::view header{datagram.data()};
    header.set(udp::source_port, 50000).set(udp::destination_port, port).set(udp::length, size);
    header.set(udp::checksum, 0);
    header.set(udp::checksum, udp::compute_checksum(peer_address, own_address.address, datagram));
    push_header(to, sluice::ipv4::protocols::udp);
}

}  // namespace examples
