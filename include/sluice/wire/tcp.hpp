// tcp: the TCP header, its checksum, and the kinds of its options.
//
// The network layer needs ports, flags and sizes of segments; it keeps no connections.
// option_cursor over options_of() walks the options.
//
// Expects: views over at least 20 bytes.
// Source:  RFC 9293 section 3.1, RFC 3168 section 6.1 (ECE and CWR; NS was the nonce sum).
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/layout.hpp>
#include <sluice/wire/option_list.hpp>

namespace sluice::tcp {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |          Source Port          |       Destination Port        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                        Sequence Number                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                    Acknowledgment Number                      |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  | Offset| Rsv |N|C|E|U|A|P|R|S|F|            Window             |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |           Checksum            |         Urgent Pointer        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct source_port final : field<u16, 0, 16, "source_port"> {} source_port{};
inline constexpr struct destination_port final
    : field<u16, 16, 16, "destination_port"> {} destination_port{};
inline constexpr struct sequence final : field<u32, 32, 32, "sequence"> {} sequence{};
inline constexpr struct acknowledgment final
    : field<u32, 64, 32, "acknowledgment"> {} acknowledgment{};
// Header length in 32-bit words, 5 to 15.
inline constexpr struct data_offset final : field<u8, 96, 4, "data_offset"> {} data_offset{};
inline constexpr struct reserved final : field<u8, 100, 3, "reserved"> {} reserved{};
inline constexpr struct ns final : field<bool, 103, 1, "ns"> {} ns{};
inline constexpr struct cwr final : field<bool, 104, 1, "cwr"> {} cwr{};
inline constexpr struct ece final : field<bool, 105, 1, "ece"> {} ece{};
inline constexpr struct urg final : field<bool, 106, 1, "urg"> {} urg{};
inline constexpr struct ack final : field<bool, 107, 1, "ack"> {} ack{};
inline constexpr struct psh final : field<bool, 108, 1, "psh"> {} psh{};
inline constexpr struct rst final : field<bool, 109, 1, "rst"> {} rst{};
inline constexpr struct syn final : field<bool, 110, 1, "syn"> {} syn{};
inline constexpr struct fin final : field<bool, 111, 1, "fin"> {} fin{};
inline constexpr struct window final : field<u16, 112, 16, "window"> {} window{};
inline constexpr struct checksum final : field<u16, 128, 16, "checksum"> {} checksum{};
inline constexpr struct urgent_pointer final
    : field<u16, 144, 16, "urgent_pointer"> {} urgent_pointer{};
// The nine flags from NS to FIN as one number.
inline constexpr struct flags final : field<u16, 103, 9, "flags"> {} flags{};
// clang-format on

struct layout final
    : header_layout<struct source_port, struct destination_port, struct sequence,
                    struct acknowledgment, struct data_offset, struct reserved, struct ns,
                    struct cwr, struct ece, struct urg, struct ack, struct psh, struct rst,
                    struct syn, struct fin, struct window, struct checksum, struct urgent_pointer>,
      alias_fields<struct flags> {};
static_assert(layout::size == 20);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

inline constexpr u8 protocol_number = 6;
inline constexpr std::size_t min_header_length = 20;

// Option kinds. RFC 9293 section 3.2.
namespace option_kinds {
inline constexpr u8 end_of_list = 0;
inline constexpr u8 no_operation = 1;
inline constexpr u8 maximum_segment_size = 2;
inline constexpr u8 window_scale = 3;
inline constexpr u8 sack_permitted = 4;
inline constexpr u8 sack = 5;
inline constexpr u8 timestamps = 8;
}  // namespace option_kinds

// Header length in bytes as the header states it: 0 to 60, not checked.
[[nodiscard]] constexpr std::size_t header_length(const_view header) noexcept {
    return std::size_t{header[data_offset]} * 4;
}

// The option bytes of a segment that are present.
[[nodiscard]] constexpr const_bytes options_of(const_bytes segment) noexcept {
    if (!const_view::fits(segment)) return {};
    const std::size_t stated = header_length(const_view{segment.data()});
    const std::size_t present = stated < segment.size() ? stated : segment.size();
    if (present <= min_header_length) return {};
    return segment.subspan(min_header_length, present - min_header_length);
}

// Computes and stores the checksum of `segment`, which is at least a header long.
constexpr void set_checksum(ipv4::address source, ipv4::address destination,
                            bytes segment) noexcept {
    const view header{segment.data()};
    header.set(checksum, 0);
    header.set(checksum, sluice::checksum::finish(sluice::checksum::transport_sum(
                             source, destination, protocol_number, segment)));
}

[[nodiscard]] constexpr bool checksum_ok(ipv4::address source, ipv4::address destination,
                                         const_bytes segment) noexcept {
    return sluice::checksum::fold(sluice::checksum::transport_sum(
               source, destination, protocol_number, segment)) == 0xffff;
}

// A TCP header as a value. The data offset is not a member: it follows from the options.
struct header {
    using layout = tcp::layout;

    u16 source_port = 0;
    u16 destination_port = 0;
    u32 sequence = 0;
    u32 acknowledgment = 0;
    u8 reserved = 0;
    u16 flags = 0;
    u16 window = 0;
    u16 checksum = 0;
    u16 urgent_pointer = 0;
    option_block options{};

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(tcp::source_port, self.source_port);
        visit(tcp::destination_port, self.destination_port);
        visit(tcp::sequence, self.sequence);
        visit(tcp::acknowledgment, self.acknowledgment);
        visit(tcp::reserved, self.reserved);
        visit(tcp::flags, self.flags);
        visit(tcp::window, self.window);
        visit(tcp::checksum, self.checksum);
        visit(tcp::urgent_pointer, self.urgent_pointer);
    }

    // `bad_header_length` (data offset below 5).
    [[nodiscard]] static constexpr wire_error refusal(const_view from) noexcept {
        return header_length(from) < min_header_length ? wire_error::bad_header_length
                                                       : wire_error::none;
    }
    constexpr void complete(view to) const noexcept {
        to.set(data_offset, static_cast<u8>(length_of(*this) / 4));
    }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

}  // namespace sluice::tcp
