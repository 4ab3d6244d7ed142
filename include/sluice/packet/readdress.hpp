// readdress: puts another source or destination address into an IPv4 header and mends the checksums
// that cover it.
// Expects: a packet that begins with a whole IPv4 header. Does: writes the address; mends the
// header checksum, and that of TCP, UDP, UDP-Lite or DCCP, whose pseudo header holds the address,
// by the difference: a right checksum stays right, a wrong one wrong. Takes a copy where others
// hold the bytes. Never: changes a quoted header or a later fragment's data. Cost: a few loads and
// stores. RFC 1624 section 3, RFC 768. Linux inet_proto_csum_replace4.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::detail {

// From the transport header; 0: none that covers the addresses.
[[nodiscard]] constexpr u32 transport_checksum_offset(u8 protocol) noexcept {
    switch (protocol) {
    case ipv4::protocols::tcp:
        return 16;
    case ipv4::protocols::udp:
    case ipv4::protocols::udp_lite:
    case ipv4::protocols::dccp:
        return 6;
    default:
        return 0;
    }
}

// Where the checksum of the transport lies from the start of the packet; 0: it is not in there.
template <class Packet>
[[nodiscard]] constexpr u32 transport_checksum_at(const Packet& p) noexcept {
    const ipv4::const_view ip{p.data()};
    const u32 offset = transport_checksum_offset(ip[ipv4::protocol]);
    const u32 at = static_cast<u32>(ipv4::header_length(ip)) + offset;
    return offset != 0 && ipv4::is_first_fragment(ip) && at + 2 <= p.size() ? at : 0;
}

// The checksum field of the transport after an address in the pseudo header changed.
[[nodiscard]] constexpr u16 mended_transport_checksum(u16 field, bool is_pending, u8 protocol,
                                                      ipv4::address from,
                                                      ipv4::address to) noexcept {
    if (is_pending) {  // the field holds the sum of the pseudo header, not its complement
        return static_cast<u16>(~checksum::update(static_cast<u16>(~field), from.value, to.value));
    }
    const bool is_udp = protocol == ipv4::protocols::udp;
    if (is_udp && field == 0) {
        return 0;  // the sender computed none
    }
    const u16 sum = checksum::update(field, from.value, to.value);
    return sum == 0 && (is_udp || protocol == ipv4::protocols::udp_lite) ? u16{0xffff} : sum;
}

// False, and as it was: there is no buffer for a copy, or no room to make the headers contiguous.
template <packet_buffer Packet, class Field>
[[nodiscard]] constexpr bool readdress(Packet& p, Field field, ipv4::address to) noexcept {
    const u32 at = transport_checksum_at(std::as_const(p));
    if (!p.unshare() || (at != 0 && !p.may_pull(at + 2))) {
        return false;
    }
    const ipv4::view ip{p.writable()};
    const ipv4::address from = ip[field];
    ip.set(field, to);
    ip.set(ipv4::header_checksum,
           checksum::update(ip[ipv4::header_checksum], from.value, to.value));
    if (at != 0) {
        const metadata& known = std::as_const(p).facts();
        const bool is_pending = known.checksum == checksum_state::pending &&
                                known.checksum_start == ipv4::header_length(ip);
        std::byte* const sum = p.writable() + at;
        store_be<u16>(sum, mended_transport_checksum(load_be<u16>(sum), is_pending,
                                                     ip[ipv4::protocol], from, to));
    }
    return true;
}

}  // namespace sluice::detail
