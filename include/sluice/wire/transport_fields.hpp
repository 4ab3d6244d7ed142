// transport_fields: what filters, translators and schedulers ask of a transport header: ports, TCP
// flags, the type and identifier of ICMP messages.
//
// Expects: the bytes behind the header of a whole datagram or a first fragment.
// Never:   verifies a checksum, reads beyond the bytes.
// Cost:    a few loads.
// Source:  RFC 768, RFC 792, RFC 950, RFC 3828, RFC 4340 section 5.1, RFC 8335 section 2,
//          RFC 9260 section 3.1, RFC 9293 section 3.1; Linux skb_flow_get_icmp_tci.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

struct transport_fields {
    u16 source_port = 0;  // host byte order. ICMP queries: their identifier, in both members
    u16 destination_port = 0;
    u8 type_or_flags = 0;    // ICMP: the type; TCP: the flags from CWR to FIN; others: 0
    bool has_ports = false;  // or the identifier

    friend constexpr bool operator==(const transport_fields&,
                                     const transport_fields&) noexcept = default;
};

// Whether the header of the protocol begins with two ports.
[[nodiscard]] constexpr bool has_ports(u8 protocol) noexcept {
    return protocol == ipv4::protocols::tcp || protocol == ipv4::protocols::udp ||
           protocol == ipv4::protocols::udp_lite || protocol == ipv4::protocols::sctp ||
           protocol == ipv4::protocols::dccp;
}

// How many bytes behind the IPv4 header read_transport() needs; 0: it reads nothing of the
// protocol. Every first fragment that is not the whole datagram has 8.
[[nodiscard]] constexpr std::size_t transport_bytes(u8 protocol) noexcept {
    return protocol == ipv4::protocols::tcp    ? 14
           : protocol == ipv4::protocols::icmp ? 6
           : has_ports(protocol)               ? 4
                                               : 0;
}

// Whether ICMP messages of the type have an identifier: echo, timestamp, information, address mask,
// extended echo, each with its reply.
[[nodiscard]] constexpr bool has_identifier(u8 icmp_type) noexcept {
    return icmp_type == 0 || icmp_type == 8 || (icmp_type >= 13 && icmp_type <= 18) ||
           icmp_type == 42 || icmp_type == 43;
}

// Errors: truncated.
[[nodiscard]] constexpr result<transport_fields, wire_error>
read_transport(u8 protocol, const_bytes behind_header) noexcept {
    const std::size_t needed = transport_bytes(protocol);
    if (behind_header.size() < needed) {
        return failure{wire_error::truncated};
    }
    const std::byte* const at = behind_header.data();
    transport_fields read;
    if (protocol == ipv4::protocols::icmp) {
        read.type_or_flags = static_cast<u8>(at[0]);
        read.has_ports = has_identifier(read.type_or_flags);
        read.source_port = read.destination_port = read.has_ports ? load_be<u16>(at + 4) : u16{0};
    } else if (needed != 0) {
        read = {.source_port = load_be<u16>(at),
                .destination_port = load_be<u16>(at + 2),
                .has_ports = true};
        if (protocol == ipv4::protocols::tcp) {
            read.type_or_flags = static_cast<u8>(at[13]);
        }
    }
    return read;
}

}  // namespace sluice
