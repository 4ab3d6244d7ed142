// icmp: the ICMP header: type, code, checksum, and 32 bits whose meaning depends on the type.
//
// wire/icmp_messages.hpp has layouts of messages with more fixed fields, wire/icmp_extensions.hpp
// the extensions of RFC 4884. Other parts decide whether to answer and whether an error may be
// sent.
//
// Expects: views over at least 8 bytes.
// Source:  RFC 792, RFC 950 appendix I, RFC 1191 section 4, RFC 1812 section 5.2.7,
//          RFC 4884 section 4, RFC 8335 section 2.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::icmp {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |     Type      |     Code      |          Checksum             |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                         Rest of Header                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// The rest of the header by type:
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |           Identifier          |        Sequence Number        |  echo and other queries
//  |                    Gateway Internet Address                   |  redirect
//  |     unused    |     Length    |          Next-Hop MTU         |  unreachable
//  |    Pointer    |     Length    |             unused            |  parameter problem
//  |     unused    |     Length    |             unused            |  time exceeded
//  |           Identifier          | Sequence Num. |   Reserved  |L|  extended echo request
//  |           Identifier          | Sequence Num. |State|Res|A|4|6|  extended echo reply
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct type final : field<u8, 0, 8, "type"> {} type{};
inline constexpr struct code final : field<u8, 8, 8, "code"> {} code{};
inline constexpr struct checksum final : field<u16, 16, 16, "checksum"> {} checksum{};
inline constexpr struct rest_of_header final
    : field<u32, 32, 32, "rest_of_header"> {} rest_of_header{};

inline constexpr struct identifier final : field<u16, 32, 16, "identifier"> {} identifier{};
inline constexpr struct sequence final : field<u16, 48, 16, "sequence"> {} sequence{};
inline constexpr struct gateway final : field<ipv4::address, 32, 32, "gateway"> {} gateway{};
// With code 4, fragmentation needed: the MTU in bytes; 0 from routers older than RFC 1191.
inline constexpr struct next_hop_mtu final : field<u16, 48, 16, "next_hop_mtu"> {} next_hop_mtu{};
// Offset of the bad byte in the quoted datagram.
inline constexpr struct pointer final : field<u8, 32, 8, "pointer"> {} pointer{};
// Length of the quoted datagram in 32-bit words when extensions follow it, else 0.
// RFC 4884 section 4.
inline constexpr struct quote_words final : field<u8, 40, 8, "quote_words"> {} quote_words{};

inline constexpr struct extended_sequence final
    : field<u8, 48, 8, "extended_sequence"> {} extended_sequence{};
// The probed interface is one of the probed node. RFC 8335 section 2.
inline constexpr struct local_bit final : field<bool, 63, 1, "local_bit"> {} local_bit{};
// State of the neighbour entry, if the probed interface is not local. RFC 8335 section 3.
inline constexpr struct neighbor_state final
    : field<u8, 56, 3, "neighbor_state"> {} neighbor_state{};
inline constexpr struct active_bit final : field<bool, 61, 1, "active_bit"> {} active_bit{};
inline constexpr struct ipv4_bit final : field<bool, 62, 1, "ipv4_bit"> {} ipv4_bit{};
inline constexpr struct ipv6_bit final : field<bool, 63, 1, "ipv6_bit"> {} ipv6_bit{};
// clang-format on

struct layout final
    : header_layout<struct type, struct code, struct checksum, struct rest_of_header>,
      alias_fields<struct identifier, struct sequence, struct gateway, struct next_hop_mtu,
                   struct pointer, struct quote_words, struct extended_sequence, struct local_bit,
                   struct neighbor_state, struct active_bit, struct ipv4_bit, struct ipv6_bit> {};
static_assert(layout::size == 8);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

inline constexpr std::size_t header_length = 8;

// Message types.
namespace types {
inline constexpr u8 echo_reply = 0;
inline constexpr u8 destination_unreachable = 3;
inline constexpr u8 source_quench = 4;  // deprecated by RFC 6633
inline constexpr u8 redirect = 5;
inline constexpr u8 echo_request = 8;
inline constexpr u8 router_advertisement = 9;
inline constexpr u8 router_solicitation = 10;
inline constexpr u8 time_exceeded = 11;
inline constexpr u8 parameter_problem = 12;
inline constexpr u8 timestamp_request = 13;
inline constexpr u8 timestamp_reply = 14;
inline constexpr u8 information_request = 15;   // deprecated by RFC 6918
inline constexpr u8 information_reply = 16;     // deprecated by RFC 6918
inline constexpr u8 address_mask_request = 17;  // deprecated by RFC 6918
inline constexpr u8 address_mask_reply = 18;    // deprecated by RFC 6918
inline constexpr u8 extended_echo_request = 42;
inline constexpr u8 extended_echo_reply = 43;
}  // namespace types

// Codes of destination unreachable. RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1.
namespace unreachable {
inline constexpr u8 network = 0;
inline constexpr u8 host = 1;
inline constexpr u8 protocol = 2;
inline constexpr u8 port = 3;
inline constexpr u8 fragmentation_needed = 4;
inline constexpr u8 source_route_failed = 5;
inline constexpr u8 network_unknown = 6;
inline constexpr u8 host_unknown = 7;
inline constexpr u8 host_isolated = 8;
inline constexpr u8 network_prohibited = 9;
inline constexpr u8 host_prohibited = 10;
inline constexpr u8 network_for_tos = 11;
inline constexpr u8 host_for_tos = 12;
inline constexpr u8 filtered = 13;  // communication administratively prohibited
inline constexpr u8 precedence_violation = 14;
inline constexpr u8 precedence_cutoff = 15;
}  // namespace unreachable

// Codes of redirect.
namespace redirects {
inline constexpr u8 network = 0;
inline constexpr u8 host = 1;
inline constexpr u8 network_for_tos = 2;
inline constexpr u8 host_for_tos = 3;
}  // namespace redirects

// Codes of time exceeded.
namespace exceeded {
inline constexpr u8 ttl = 0;
inline constexpr u8 reassembly = 1;
}  // namespace exceeded

// Codes of parameter problem. RFC 792, RFC 1108, RFC 1812 section 5.2.7.
namespace problems {
inline constexpr u8 pointer = 0;  // `pointer` is the offset of the bad byte
inline constexpr u8 option_missing = 1;
inline constexpr u8 bad_length = 2;
}  // namespace problems

// Codes of extended echo reply. RFC 8335 section 3.
namespace extended {
inline constexpr u8 no_error = 0;
inline constexpr u8 malformed_query = 1;
inline constexpr u8 no_such_interface = 2;
inline constexpr u8 no_such_entry = 3;
inline constexpr u8 multiple_interfaces = 4;
}  // namespace extended

// Whether a message of this type reports an error: no error may answer it. RFC 1122 section 3.2.2.
[[nodiscard]] constexpr bool is_error(u8 message) noexcept {
    return message == types::destination_unreachable || message == types::source_quench ||
           message == types::redirect || message == types::time_exceeded ||
           message == types::parameter_problem;
}

// Whether a message of this type requests an answer.
[[nodiscard]] constexpr bool is_query(u8 message) noexcept {
    return message == types::echo_request || message == types::router_solicitation ||
           message == types::timestamp_request || message == types::information_request ||
           message == types::address_mask_request || message == types::extended_echo_request;
}

// Whether extensions may follow the quoted datagram in a message of this type. RFC 4884 section 4.
[[nodiscard]] constexpr bool may_be_extended(u8 message) noexcept {
    return message == types::destination_unreachable || message == types::time_exceeded ||
           message == types::parameter_problem;
}

// Computes and stores the checksum of `message`, which is a header (at least 8 bytes) and data.
constexpr void set_checksum(bytes message) noexcept {
    const view header{message.data()};
    header.set(checksum, 0);
    header.set(checksum, sluice::checksum::compute(message));
}

// Whether the checksum of `message`, which is a header and data, is right.
[[nodiscard]] constexpr bool checksum_ok(const_bytes message) noexcept {
    return sluice::checksum::verify(message);
}

}  // namespace sluice::icmp
