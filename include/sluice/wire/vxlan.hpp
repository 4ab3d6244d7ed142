// vxlan: the VXLAN header, and as vxlan_gpe the header of its Generic Protocol Extension.
//
// Both are eight bytes behind a UDP header and have no optional parts: flags say which fields mean
// something. A VXLAN header is followed by an Ethernet frame. A GPE header names what follows in
// its next protocol, read by next_protocol_of().
//
// Source: RFC 7348 section 5; IETF nvo3 draft "Generic Protocol Extension for VXLAN", sections 3.1
//         and 3.2; Linux vxlan_parse_gpe_proto, include/net/tun_proto.h.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::vxlan {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |R|R|R|R|I|R|R|R|            Reserved                           |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                VXLAN Network Identifier (VNI) |   Reserved    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct reserved0 final : field<u8, 0, 4, "reserved0"> {} reserved0{};
inline constexpr struct has_vni final : field<bool, 4, 1, "has_vni"> {} has_vni{};
inline constexpr struct reserved1 final : field<u32, 5, 27, "reserved1"> {} reserved1{};
inline constexpr struct vni final : field<u32, 32, 24, "vni"> {} vni{};
inline constexpr struct reserved2 final : field<u8, 56, 8, "reserved2"> {} reserved2{};
// clang-format on

struct layout final : header_layout<struct reserved0, struct has_vni, struct reserved1, struct vni,
                                    struct reserved2> {};
static_assert(layout::size == 8);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

inline constexpr u16 port = 4789;  // of UDP

// A VXLAN header as a value. A receiver ignores the reserved fields.
struct header {
    using layout = vxlan::layout;

    u32 vni = 0;

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(vxlan::vni, self.vni);
    }

    // `bad_value`: it has no VNI.
    [[nodiscard]] static constexpr wire_error refusal(const_view from) noexcept {
        return from[has_vni] ? wire_error::none : wire_error::bad_value;
    }
    constexpr void complete(view to) const noexcept { to.set(has_vni, true); }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

}  // namespace sluice::vxlan

namespace sluice::vxlan_gpe {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |R|R|Ver|I|P|B|O|       Reserved                |Next Protocol  |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                VXLAN Network Identifier (VNI) |   Reserved    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct reserved0 final : field<u8, 0, 2, "reserved0"> {} reserved0{};
inline constexpr struct version final : field<u8, 2, 2, "version"> {} version{};
inline constexpr struct has_vni final : field<bool, 4, 1, "has_vni"> {} has_vni{};
inline constexpr struct has_next_protocol final
    : field<bool, 5, 1, "has_next_protocol"> {} has_next_protocol{};
// Broadcast, multicast or unknown destination, copied by the sender to each receiver.
inline constexpr struct is_replicated final
    : field<bool, 6, 1, "is_replicated"> {} is_replicated{};
// Operations, administration and maintenance.
inline constexpr struct is_oam final : field<bool, 7, 1, "is_oam"> {} is_oam{};
inline constexpr struct reserved1 final : field<u16, 8, 16, "reserved1"> {} reserved1{};
inline constexpr struct next_protocol final
    : field<u8, 24, 8, "next_protocol"> {} next_protocol{};
inline constexpr struct vni final : field<u32, 32, 24, "vni"> {} vni{};
inline constexpr struct reserved2 final : field<u8, 56, 8, "reserved2"> {} reserved2{};
// clang-format on

struct layout final
    : header_layout<struct reserved0, struct version, struct has_vni, struct has_next_protocol,
                    struct is_replicated, struct is_oam, struct reserved1, struct next_protocol,
                    struct vni, struct reserved2> {};
static_assert(layout::size == 8);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

inline constexpr u16 port = 4790;  // of UDP

namespace next_protocols {
inline constexpr u8 ipv4 = 1;
inline constexpr u8 ipv6 = 2;
inline constexpr u8 ethernet = 3;
inline constexpr u8 nsh = 4;
inline constexpr u8 mpls = 5;
}  // namespace next_protocols

// What follows the header. `absent`: the header does not say; an Ethernet frame follows, as in
// VXLAN (Linux drops such packets).
[[nodiscard]] constexpr result<u8, wire_error> next_protocol_of(const_view header) noexcept {
    if (!header[has_next_protocol]) return failure{wire_error::absent};
    return header[next_protocol];
}

// A VXLAN-GPE header as a value.
struct header {
    using layout = vxlan_gpe::layout;

    u32 vni = 0;
    bool has_next_protocol = true;
    u8 next_protocol = next_protocols::ethernet;
    bool is_replicated = false;
    bool is_oam = false;

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(vxlan_gpe::vni, self.vni);
        visit(vxlan_gpe::has_next_protocol, self.has_next_protocol);
        visit(vxlan_gpe::next_protocol, self.next_protocol);
        visit(vxlan_gpe::is_replicated, self.is_replicated);
        visit(vxlan_gpe::is_oam, self.is_oam);
    }

    // `bad_version`; `bad_value`: it has no VNI.
    [[nodiscard]] static constexpr wire_error refusal(const_view from) noexcept {
        if (from[version] != 0) return wire_error::bad_version;
        return from[has_vni] ? wire_error::none : wire_error::bad_value;
    }
    constexpr void complete(view to) const noexcept { to.set(has_vni, true); }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

}  // namespace sluice::vxlan_gpe
