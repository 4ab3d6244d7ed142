// ethernet: MAC addresses, the Ethernet header, the 802.1Q tag, and the group address of an IPv4
// group.
//
// Preamble, padding and frame check sequence are left to the device.
//
// Expects: views over at least 14 bytes (header) or 4 bytes (tag: the bytes behind the type field
//          of a tagged frame).
// Source:  RFC 894, IEEE 802.1Q section 9, RFC 1112 section 6.4.
#pragma once

#include <array>
#include <compare>
#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::ethernet {

// A 48-bit MAC address; bytes in written and transmitted order.
struct address {
    std::array<u8, 6> parts{};

    [[nodiscard]] static constexpr address from_bits(u64 raw) noexcept {
        return address{{static_cast<u8>(raw >> 40), static_cast<u8>(raw >> 32),
                        static_cast<u8>(raw >> 24), static_cast<u8>(raw >> 16),
                        static_cast<u8>(raw >> 8), static_cast<u8>(raw)}};
    }
    [[nodiscard]] constexpr u64 bits() const noexcept {
        return (u64{parts[0]} << 40) | (u64{parts[1]} << 32) | (u64{parts[2]} << 24) |
               (u64{parts[3]} << 16) | (u64{parts[4]} << 8) | parts[5];
    }

    // Whether it is a group address: multicast or broadcast.
    [[nodiscard]] constexpr bool is_multicast() const noexcept { return (parts[0] & 1) != 0; }
    [[nodiscard]] constexpr bool is_broadcast() const noexcept { return bits() == 0xffffffffffff; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return bits() == 0; }
    // Whether no manufacturer assigned it.
    [[nodiscard]] constexpr bool is_locally_administered() const noexcept {
        return (parts[0] & 2) != 0;
    }
    // Whether an interface may have this address: neither a group nor zero.
    [[nodiscard]] constexpr bool is_valid_unicast() const noexcept {
        return !is_multicast() && !is_zero();
    }

    friend constexpr auto operator<=>(const address&, const address&) noexcept = default;
};

inline constexpr address broadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

// The group address of an IPv4 group: 01:00:5e and the low 23 bits, so 32 groups share one address.
// RFC 1112 section 6.4.
[[nodiscard]] constexpr address multicast_mac(ipv4::address group) noexcept {
    return address::from_bits(0x01005e000000 | (group.value & 0x7fffff));
}

//  +-----------------------+-----------------------+-----------+
//  |  Destination (48)     |  Source (48)          | Type (16) |
//  +-----------------------+-----------------------+-----------+

// clang-format off
inline constexpr struct destination final : field<address, 0, 48, "destination"> {} destination{};
inline constexpr struct source final : field<address, 48, 48, "source"> {} source{};
// Type of the contents; values below 1536 are a length (IEEE 802.3).
inline constexpr struct type final : field<u16, 96, 16, "type"> {} type{};

// The tag: priority code point, drop eligible indicator, VLAN identifier, and the type of the
// contents.
inline constexpr struct tag_priority final : field<u8, 0, 3, "tag_priority"> {} tag_priority{};
inline constexpr struct tag_drop_eligible final
    : field<bool, 3, 1, "tag_drop_eligible"> {} tag_drop_eligible{};
inline constexpr struct tag_vlan final : field<u16, 4, 12, "tag_vlan"> {} tag_vlan{};
inline constexpr struct tag_type final : field<u16, 16, 16, "tag_type"> {} tag_type{};
inline constexpr struct tag_control final : field<u16, 0, 16, "tag_control"> {} tag_control{};
// clang-format on

struct layout final : header_layout<struct destination, struct source, struct type> {};
static_assert(layout::size == 14);

// The four bytes behind a type field of `types::vlan` or `types::service_vlan`.
struct tag_layout final : header_layout<struct tag_priority, struct tag_drop_eligible,
                                        struct tag_vlan, struct tag_type>,
                          alias_fields<struct tag_control> {};
static_assert(tag_layout::size == 4);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;
using tag_view = header_view<tag_layout>;
using const_tag_view = header_view<tag_layout, const std::byte>;

// Values of `type`.
namespace types {
inline constexpr u16 ipv4 = 0x0800;
inline constexpr u16 arp = 0x0806;
inline constexpr u16 vlan = 0x8100;
inline constexpr u16 ipv6 = 0x86dd;
inline constexpr u16 service_vlan = 0x88a8;
inline constexpr u16 old_service_vlan = 0x9100;  // used by switches older than IEEE 802.1ad
}  // namespace types

// Whether this type announces a tag of IEEE 802.1Q or 802.1ad. Linux eth_type_vlan, which does not
// know old_service_vlan either.
[[nodiscard]] constexpr bool is_tag(u16 of_type) noexcept {
    return of_type == types::vlan || of_type == types::service_vlan;
}

// Bytes in front of the contents of a frame: 14, and 4 for each complete tag.
[[nodiscard]] constexpr u32 header_length(const_bytes frame) noexcept {
    u32 length = layout::size;
    while (frame.size() >= length + tag_layout::size &&
           is_tag(load_be<u16>(frame.data() + length - 2))) {
        length += u32{tag_layout::size};
    }
    return length;
}

// An Ethernet header as a value.
struct header {
    using layout = ethernet::layout;

    address destination{};
    address source{};
    u16 type = types::ipv4;

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(ethernet::destination, self.destination);
        visit(ethernet::source, self.source);
        visit(ethernet::type, self.type);
    }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

}  // namespace sluice::ethernet
