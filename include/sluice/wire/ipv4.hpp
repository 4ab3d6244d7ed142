// ipv4: the IPv4 header: fields, views, and the few operations that every part needs.
//
// wire/ipv4_header.hpp has the whole header as a struct, wire/ipv4_options.hpp the options. The
// pipeline decides which headers a receiver accepts.
//
// Expects: views over at least 20 bytes (`view::checked`, or a datagram). Functions that use the
//          header length also need header_length(ip) bytes.
// Source:  RFC 791 section 3.1, RFC 2474 section 3 (DSCP), RFC 3168 section 5 (ECN).
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::ipv4 {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Version|  IHL  |   DSCP    |ECN|          Total Length         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |         Identification        |R|D|M|      Fragment Offset    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |  Time to Live |    Protocol   |         Header Checksum       |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                         Source Address                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                       Destination Address                     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct version final : field<u8, 0, 4, "version"> {} version{};
// Header length in 32-bit words, 5 to 15.
inline constexpr struct ihl final : field<u8, 4, 4, "ihl"> {} ihl{};
inline constexpr struct dscp final : field<u8, 8, 6, "dscp"> {} dscp{};
inline constexpr struct ecn final : field<u8, 14, 2, "ecn"> {} ecn{};
// Header and data, in bytes.
inline constexpr struct total_length final : field<u16, 16, 16, "total_length"> {} total_length{};
inline constexpr struct identification final
    : field<u16, 32, 16, "identification"> {} identification{};
inline constexpr struct reserved_flag final
    : field<bool, 48, 1, "reserved_flag"> {} reserved_flag{};
inline constexpr struct dont_fragment final
    : field<bool, 49, 1, "dont_fragment"> {} dont_fragment{};
inline constexpr struct more_fragments final
    : field<bool, 50, 1, "more_fragments"> {} more_fragments{};
// In units of 8 bytes.
inline constexpr struct fragment_offset final
    : field<u16, 51, 13, "fragment_offset"> {} fragment_offset{};
inline constexpr struct ttl final : field<u8, 64, 8, "ttl"> {} ttl{};
inline constexpr struct protocol final : field<u8, 72, 8, "protocol"> {} protocol{};
inline constexpr struct header_checksum final
    : field<u16, 80, 16, "header_checksum"> {} header_checksum{};
inline constexpr struct source final : field<address, 96, 32, "source"> {} source{};
inline constexpr struct destination final : field<address, 128, 32, "destination"> {} destination{};

// The whole type-of-service byte, as RFC 791 and the kernel's routing rules use it.
inline constexpr struct tos final : field<u8, 8, 8, "tos"> {} tos{};
inline constexpr struct precedence final : field<u8, 8, 3, "precedence"> {} precedence{};
// The four bits delay, throughput, reliability and cost. RFC 1349 section 3.
inline constexpr struct tos_bits final : field<u8, 11, 4, "tos_bits"> {} tos_bits{};
// The 16-bit word of the three flags and the fragment offset; its bits are in `words`.
inline constexpr struct flags_and_offset final
    : field<u16, 48, 16, "flags_and_offset"> {} flags_and_offset{};
// clang-format on

struct layout final
    : header_layout<struct version, struct ihl, struct dscp, struct ecn, struct total_length,
                    struct identification, struct reserved_flag, struct dont_fragment,
                    struct more_fragments, struct fragment_offset, struct ttl, struct protocol,
                    struct header_checksum, struct source, struct destination>,
      alias_fields<struct tos, struct precedence, struct tos_bits, struct flags_and_offset> {};
static_assert(layout::size == 20);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

inline constexpr std::size_t min_header_length = 20;
inline constexpr std::size_t max_header_length = 60;
inline constexpr std::size_t max_options_length = 40;
inline constexpr std::size_t max_total_length = 65535;
// Every link carries a datagram of this size unfragmented. RFC 791 section 3.2.
inline constexpr std::size_t min_link_mtu = 68;
// Every host accepts a datagram of this size, whole or in fragments. RFC 791 section 3.1.
inline constexpr std::size_t min_reassembly_size = 576;

// Bits of `flags_and_offset`.
namespace words {
inline constexpr u16 reserved = 0x8000;
inline constexpr u16 dont_fragment = 0x4000;
inline constexpr u16 more_fragments = 0x2000;
inline constexpr u16 offset = 0x1fff;
}  // namespace words

// Values of `ecn`. RFC 3168 section 5.
namespace ecn_codepoints {
inline constexpr u8 not_ect = 0;
inline constexpr u8 ect1 = 1;
inline constexpr u8 ect0 = 2;
inline constexpr u8 ce = 3;
}  // namespace ecn_codepoints

// Assigned protocol numbers.
namespace protocols {
inline constexpr u8 hop_by_hop = 0;
inline constexpr u8 icmp = 1;
inline constexpr u8 igmp = 2;
inline constexpr u8 ipip = 4;
inline constexpr u8 tcp = 6;
inline constexpr u8 egp = 8;
inline constexpr u8 udp = 17;
inline constexpr u8 dccp = 33;
inline constexpr u8 ipv6 = 41;
inline constexpr u8 rsvp = 46;
inline constexpr u8 gre = 47;
inline constexpr u8 esp = 50;
inline constexpr u8 ah = 51;
inline constexpr u8 ospf = 89;
inline constexpr u8 pim = 103;
inline constexpr u8 vrrp = 112;
inline constexpr u8 sctp = 132;
inline constexpr u8 udp_lite = 136;
inline constexpr u8 experiment1 = 253;
inline constexpr u8 experiment2 = 254;
inline constexpr u8 raw = 255;
}  // namespace protocols

// Header length in bytes as the header states it: 0 to 60, not checked.
[[nodiscard]] constexpr std::size_t header_length(const_view ip) noexcept {
    return std::size_t{ip[ihl]} * 4;
}

// Whether the datagram is a fragment: it has an offset, or more fragments follow.
[[nodiscard]] constexpr bool is_fragment(const_view ip) noexcept {
    return (ip[flags_and_offset] & (words::more_fragments | words::offset)) != 0;
}

// Whether it is a first fragment or a whole datagram, with the transport header.
[[nodiscard]] constexpr bool is_first_fragment(const_view ip) noexcept {
    return (ip[flags_and_offset] & words::offset) == 0;
}

// The offset of this fragment in the datagram's data, in bytes.
[[nodiscard]] constexpr std::size_t offset_in_bytes(const_view ip) noexcept {
    return std::size_t{ip[fragment_offset]} * 8;
}

// The option bytes of a header whose header_length(ip) bytes are all present; empty if the stated
// length is too small.
[[nodiscard]] constexpr const_bytes options_of(const_view ip) noexcept {
    const std::size_t length = header_length(ip);
    if (length <= min_header_length) return {};
    return const_bytes{ip.data() + min_header_length, length - min_header_length};
}
[[nodiscard]] constexpr bytes options_of(view ip) noexcept {
    const std::size_t length = header_length(ip);
    if (length <= min_header_length) return {};
    return bytes{ip.data() + min_header_length, length - min_header_length};
}

// The difference between the first word and that of a plain header: 20 bytes, datagram of `size`
// bytes (24 bits). 0: none. Ignores the TOS. Needs 4 bytes.
[[nodiscard]] constexpr u32 differs_from_plain(const std::byte* first, u32 size) noexcept {
    return (load_be<u32>(first) & 0xff00ffff) ^ (0x45000000 | size);
}

// Whether the header checksum is right. Needs an IHL of at least 5 and the whole header.
[[nodiscard]] constexpr bool checksum_ok(const_view ip) noexcept {
    return checksum::verify_header(ip.data(), ip[ihl]);
}

// Computes and stores the header checksum. Needs an IHL of at least 5 and the whole header.
constexpr void set_checksum(view ip) noexcept {
    ip.set(header_checksum, 0);
    ip.set(header_checksum, checksum::compute_header(ip.data(), ip[ihl]));
}

// Decrements the TTL, which is not 0, and updates the checksum by the difference; returns the new
// TTL.
//
// It adds as Linux does, so that both representations of zero become the bytes that Linux sends.
// RFC 1141.
constexpr u8 decrement_ttl(view ip) noexcept {
    // In the machine's byte order, as in Linux: with its carry, the sum is the same in both orders.
    using sluice::detail::network_order;
    const u32 sum = u32{network_order(ip[header_checksum])} + network_order(u16{0x0100});
    ip.set(header_checksum, network_order(static_cast<u16>(sum + ((sum + 1) >> 16))));
    const u8 left = static_cast<u8>(ip[ttl] - 1);
    ip.set(ttl, left);
    return left;
}

// Replaces the type-of-service byte and updates the checksum. RFC 1624 section 3.
constexpr void change_tos(view ip, u8 value) noexcept {
    const u16 before = load_be<u16>(ip.data());
    ip.set(tos, value);
    ip.set(header_checksum, checksum::update(ip[header_checksum], before, load_be<u16>(ip.data())));
}

}  // namespace sluice::ipv4
