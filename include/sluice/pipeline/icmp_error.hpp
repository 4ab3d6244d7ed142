// icmp_error: decides whether an ICMP error may be sent about a packet, and how much it quotes.
//
// It applies every suppression rule, and quotes as much as fits 576 bytes.
//
// Expects: the offending packet with its IPv4 header at data(), as it is when it is refused.
// Never:   limits rates (icmp/ does), routes, writes or sends.
// Cost:    a few loads.
// Source:  RFC 1122 section 3.2.2, RFC 1812 section 4.3.2.3, 4.3.2.5 and 4.3.2.7; Linux
//          __icmp_send.
#pragma once

#include <sluice/packet/decision.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/icmp_input.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/wire/icmp.hpp>

namespace sluice::pipeline {

inline constexpr u32 max_icmp_error = 576;  // bytes of the whole datagram. RFC 1812 section 4.3.2.3
// The source of errors from a host without an address. RFC 7600 section 4.8
inline constexpr ipv4::address dummy_address = ipv4::address::from_bytes(192, 0, 0, 8);

namespace detail {

// Types about which no error is sent: errors, and types that Linux treats as errors because it does
// not implement them (1, 2, 6, 7 and router discovery, 9 and 10).
[[nodiscard]] constexpr bool counts_as_error(u8 type) noexcept {
    return icmp::is_error(type) || type == 1 || type == 2 || type == 6 || type == 7 || type == 9 ||
           type == 10;
}

}  // namespace detail

// Whether an error may be sent about the packet; type: of its route. False for an empty handle.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool may_send_error(const Packet& packet, route_type type,
                                            icmp_request error) noexcept {
    if (packet.addressing() != link_addressing::host || type == route_type::broadcast ||
        type == route_type::multicast || packet.head_size() < ipv4::min_header_length) {
        return false;
    }
    const ipv4::const_view ip{packet.data()};
    if (!ipv4::is_first_fragment(ip)) {
        return false;
    }
    if (ip[ipv4::protocol] != ipv4::protocols::icmp || !icmp::is_error(error.type())) {
        return true;
    }
    // No error about an error: an unknown type counts as an error, and so does a message too short
    // to have a type.
    const auto header = static_cast<u32>(ipv4::header_length(ip));
    if (packet.size() <= header) {
        return false;
    }
    std::byte first{0xff};
    packet_reader<Packet> reader{packet};
    reader.skip(header);
    reader.copy(&first, 1);
    const u8 offending = static_cast<u8>(first);
    return offending <= detail::highest_known_icmp_type && !detail::counts_as_error(offending);
}

// RFC 1812 section 4.3.2.5: errors have precedence 6; the TOS bits are the packet's.
[[nodiscard]] constexpr u8 error_tos(icmp_request error, u8 offending_tos) noexcept {
    return icmp::is_error(error.type()) ? static_cast<u8>((offending_tos & 0x1e) | 0xc0)
                                        : offending_tos;
}

// Bytes of the offending packet to quote, for the MTU of the error's route and the size of its
// options; 0: none fit, send no error.
[[nodiscard]] constexpr u32 quote_size(u32 packet_size, u32 mtu, u32 options_size) noexcept {
    const u32 limit = mtu < max_icmp_error ? mtu : max_icmp_error;
    const u32 own = static_cast<u32>(ipv4::min_header_length + icmp::header_length) + options_size;
    if (limit <= own + ipv4::min_header_length) {
        return 0;
    }
    return packet_size < limit - own ? packet_size : limit - own;
}

}  // namespace sluice::pipeline
