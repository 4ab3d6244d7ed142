// udp: the UDP header and its checksum.
//
// delivery/ decides which endpoint a port belongs to.
//
// Expects: views over at least 8 bytes.
// Source:  RFC 768.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::udp {

//   0      7 8     15 16    23 24    31
//  +--------+--------+--------+--------+
//  |   Source Port   |Destination Port |
//  +--------+--------+--------+--------+
//  |     Length      |    Checksum     |
//  +--------+--------+--------+--------+

// clang-format off
inline constexpr struct source_port final : field<u16, 0, 16, "source_port"> {} source_port{};
inline constexpr struct destination_port final
    : field<u16, 16, 16, "destination_port"> {} destination_port{};
// Header and data, in bytes: at least 8.
inline constexpr struct length final : field<u16, 32, 16, "length"> {} length{};
// Zero means that the sender computed none.
inline constexpr struct checksum final : field<u16, 48, 16, "checksum"> {} checksum{};
// clang-format on

struct layout final
    : header_layout<struct source_port, struct destination_port, struct length, struct checksum> {};
static_assert(layout::size == 8);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

inline constexpr u8 protocol_number = 17;

// The checksum of the pseudo header and `datagram`, a header and data, whose checksum field is 0.
// Never 0: a computed 0 is sent as all ones. RFC 768.
[[nodiscard]] constexpr u16 compute_checksum(ipv4::address source, ipv4::address destination,
                                             const_bytes datagram) noexcept {
    const u16 computed = sluice::checksum::finish(
        sluice::checksum::transport_sum(source, destination, protocol_number, datagram));
    return computed == 0 ? u16{0xffff} : computed;
}

// Computes and stores the checksum of `datagram`, which is at least a header long.
constexpr void set_checksum(ipv4::address source, ipv4::address destination,
                            bytes datagram) noexcept {
    const view header{datagram.data()};
    header.set(checksum, 0);
    header.set(checksum, compute_checksum(source, destination, datagram));
}

// Whether the checksum of `datagram` (at least a header long) is right, or absent.
// RFC 1122 section 4.1.3.4.
[[nodiscard]] constexpr bool checksum_ok(ipv4::address source, ipv4::address destination,
                                         const_bytes datagram) noexcept {
    if (const_view{datagram.data()}[checksum] == 0) return true;
    return sluice::checksum::fold(sluice::checksum::transport_sum(
               source, destination, protocol_number, datagram)) == 0xffff;
}

// A UDP header as a value.
struct header {
    using layout = udp::layout;

    u16 source_port = 0;
    u16 destination_port = 0;
    u16 length = 8;  // header and data, in bytes
    u16 checksum = 0;

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(udp::source_port, self.source_port);
        visit(udp::destination_port, self.destination_port);
        visit(udp::length, self.length);
        visit(udp::checksum, self.checksum);
    }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

// The data behind the header, up to the length field. A receiver drops the datagram if the length
// is below 8 or beyond the bytes present (`bad_total_length`), and ignores bytes behind the length.
[[nodiscard]] constexpr result<const_bytes, wire_error> payload(const_bytes datagram) noexcept {
    if (!const_view::fits(datagram)) return failure{wire_error::truncated};
    const std::size_t stated = const_view{datagram.data()}[length];
    if (stated < layout::size || stated > datagram.size())
        return failure{wire_error::bad_total_length};
    return datagram.subspan(layout::size, stated - layout::size);
}

}  // namespace sluice::udp
