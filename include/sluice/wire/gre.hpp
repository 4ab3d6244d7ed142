// gre: the GRE header with its optional checksum, key and sequence number.
//
// The checksum covers the payload too, so the caller computes it: checksum::compute over header and
// payload with the field set to 0, then `view->set(gre::checksum, sum)` of a `gre::view::checked`
// view, which is false if the header has no checksum.
//
// Source: RFC 2784 section 2.1, RFC 2890 section 2.
#pragma once

#include <sluice/wire/optional_parts.hpp>

namespace sluice::gre {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |C| |K|S| Reserved0       | Ver |         Protocol Type         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |      Checksum (optional)      |       Reserved1 (Optional)    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                         Key (optional)                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                 Sequence Number (Optional)                    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct has_checksum final : field<bool, 0, 1, "has_checksum"> {} has_checksum{};
// Source routes of an older GRE; a receiver discards packets with this bit. RFC 2784 section 2.3.
inline constexpr struct has_routing final : field<bool, 1, 1, "has_routing"> {} has_routing{};
inline constexpr struct has_key final : field<bool, 2, 1, "has_key"> {} has_key{};
inline constexpr struct has_sequence final : field<bool, 3, 1, "has_sequence"> {} has_sequence{};
inline constexpr struct reserved0 final : field<u16, 4, 9, "reserved0"> {} reserved0{};
inline constexpr struct version final : field<u8, 13, 3, "version"> {} version{};
// An EtherType.
inline constexpr struct protocol_type final
    : field<u16, 16, 16, "protocol_type"> {} protocol_type{};
inline constexpr struct checksum final : field<u16, 0, 16, "checksum"> {} checksum{};
inline constexpr struct reserved1 final : field<u16, 16, 16, "reserved1"> {} reserved1{};
inline constexpr struct key final : field<u32, 0, 32, "key"> {} key{};
inline constexpr struct sequence final : field<u32, 0, 32, "sequence"> {} sequence{};
// clang-format on

struct fixed final
    : header_layout<struct has_checksum, struct has_routing, struct has_key, struct has_sequence,
                    struct reserved0, struct version, struct protocol_type> {};
struct layout final
    : optional_parts<fixed, part_if<struct has_checksum, struct checksum, struct reserved1>,
                     part_if<struct has_key, struct key>,
                     part_if<struct has_sequence, struct sequence>> {};
static_assert(layout::min_size == 4 && layout::max_size == 16);

using view = parts_view<layout>;
using const_view = parts_view<layout, const std::byte>;

// A GRE header as a value.
struct header {
    using layout = gre::layout;

    u16 protocol_type = 0x0800;  // IPv4
    std::optional<u16> checksum{};
    std::optional<u32> key{};
    std::optional<u32> sequence{};

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(gre::protocol_type, self.protocol_type);
        visit(gre::checksum, self.checksum);
        visit(gre::key, self.key);
        visit(gre::sequence, self.sequence);
    }

    // `bad_version`; `bad_value`: one of the bits 1, 4 and 5 is set. RFC 2784 section 2.3.
    [[nodiscard]] static constexpr wire_error refusal(const_view from) noexcept {
        if (from[gre::version] != 0) return wire_error::bad_version;
        return from[gre::has_routing] || (from[gre::reserved0] & 0x180) != 0 ? wire_error::bad_value
                                                                             : wire_error::none;
    }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

}  // namespace sluice::gre
