// igmp: IGMP versions 1 to 3: queries, reports, leaves, group records, and the float codes of
// version 3.
//
// source_at() and record_cursor read lists of sources and records within the bytes present.
// multicast/ keeps the group state.
//
// Expects: views over at least 8 bytes (12 for a version 3 query).
// Source:  RFC 1112 appendix I, RFC 2236 section 2, RFC 3376 section 4.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::igmp {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |     Type      | Max Resp Code |           Checksum            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                         Group Address                         |  queries, v1 and v2 reports
//  |            Reserved           |  Number of Group Records (M)  |  v3 reports; M records
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |  Resv |S| QRV |      QQIC     |     Number of Sources (N)     |  v3 queries; N addresses
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// A group record:
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |  Record Type  |  Aux Data Len |     Number of Sources (N)     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                       Multicast Address                       |  addresses, auxiliary data
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct type final : field<u8, 0, 8, "type"> {} type{};
// Tenths of a second; in version 3 a float code. 0 in a version 1 query.
inline constexpr struct max_response_code final
    : field<u8, 8, 8, "max_response_code"> {} max_response_code{};
inline constexpr struct checksum final : field<u16, 16, 16, "checksum"> {} checksum{};
// 0.0.0.0 in a general query.
inline constexpr struct group final : field<ipv4::address, 32, 32, "group"> {} group{};

inline constexpr struct query_reserved final
    : field<u8, 64, 4, "query_reserved"> {} query_reserved{};
inline constexpr struct suppress final : field<bool, 68, 1, "suppress"> {} suppress{};
// The querier's robustness variable; 0 if above 7.
inline constexpr struct robustness final : field<u8, 69, 3, "robustness"> {} robustness{};
// The querier's query interval in seconds, as a float code.
inline constexpr struct query_interval_code final
    : field<u8, 72, 8, "query_interval_code"> {} query_interval_code{};
inline constexpr struct source_count final : field<u16, 80, 16, "source_count"> {} source_count{};

inline constexpr struct report_reserved final
    : field<u16, 32, 16, "report_reserved"> {} report_reserved{};
inline constexpr struct record_count final : field<u16, 48, 16, "record_count"> {} record_count{};

inline constexpr struct record_type final : field<u8, 0, 8, "record_type"> {} record_type{};
// Length of the auxiliary data in 32-bit words.
inline constexpr struct auxiliary_words final
    : field<u8, 8, 8, "auxiliary_words"> {} auxiliary_words{};
inline constexpr struct record_source_count final
    : field<u16, 16, 16, "record_source_count"> {} record_source_count{};
inline constexpr struct record_group final
    : field<ipv4::address, 32, 32, "record_group"> {} record_group{};
// clang-format on

// Queries and reports of versions 1 and 2, and the first bytes of every message.
struct layout final
    : header_layout<struct type, struct max_response_code, struct checksum, struct group> {};
struct v3_query_layout final
    : header_layout<struct type, struct max_response_code, struct checksum, struct group,
                    struct query_reserved, struct suppress, struct robustness,
                    struct query_interval_code, struct source_count> {};
struct v3_report_layout final
    : header_layout<struct type, struct max_response_code, struct checksum, struct report_reserved,
                    struct record_count> {};
struct record_layout final : header_layout<struct record_type, struct auxiliary_words,
                                           struct record_source_count, struct record_group> {};
static_assert(layout::size == 8);
static_assert(v3_query_layout::size == 12);
static_assert(v3_report_layout::size == 8);
static_assert(record_layout::size == 8);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;
using v3_query_view = header_view<v3_query_layout>;
using const_v3_query_view = header_view<v3_query_layout, const std::byte>;
using v3_report_view = header_view<v3_report_layout>;
using const_v3_report_view = header_view<v3_report_layout, const std::byte>;
using record_view = header_view<record_layout>;
using const_record_view = header_view<record_layout, const std::byte>;

// Values of `type`.
namespace types {
inline constexpr u8 query = 0x11;
inline constexpr u8 v1_report = 0x12;
inline constexpr u8 v2_report = 0x16;
inline constexpr u8 leave = 0x17;
inline constexpr u8 v3_report = 0x22;
}  // namespace types

// Values of `record_type`. RFC 3376 section 4.2.12.
namespace record_types {
inline constexpr u8 mode_is_include = 1;
inline constexpr u8 mode_is_exclude = 2;
inline constexpr u8 change_to_include = 3;
inline constexpr u8 change_to_exclude = 4;
inline constexpr u8 allow_new_sources = 5;
inline constexpr u8 block_old_sources = 6;
}  // namespace record_types

// The value of a version 3 code: below 128 the code itself, else a float 1eeemmmm of 3 exponent and
// 4 mantissa bits. RFC 3376 section 4.1.1.
[[nodiscard]] constexpr u32 decode_float(u8 coded) noexcept {
    if (coded < 128) return coded;
    return ((u32{coded} & 0x0f) | 0x10) << (((u32{coded} >> 4) & 7) + 3);
}

// The largest code whose value does not exceed `value`; 255 (31744) for all larger values.
[[nodiscard]] constexpr u8 encode_float(u32 value) noexcept {
    if (value < 128) return static_cast<u8>(value);
    if (value >= 31744) return 255;
    u32 exponent = 0;
    while ((value >> (exponent + 3)) > 0x1f)
        ++exponent;
    const u32 mantissa = (value >> (exponent + 3)) & 0x0f;
    return static_cast<u8>(0x80 | (exponent << 4) | mantissa);
}

// The version of a query, from its size and code: 1, 2 or 3; 0 for a query to ignore.
// RFC 3376 section 7.1.
[[nodiscard]] constexpr unsigned query_version(const_bytes message) noexcept {
    if (message.size() >= v3_query_layout::size) return 3;
    if (message.size() != layout::size) return 0;
    return const_view{message.data()}[max_response_code] == 0 ? 1 : 2;
}

// Address `index` (from 0) of a list; 0.0.0.0 if the list is shorter.
[[nodiscard]] constexpr ipv4::address source_at(const_bytes list, std::size_t index) noexcept {
    if (index >= list.size() / 4) return ipv4::unspecified;
    return ipv4::address{load_be<u32>(list.data() + 4 * index)};
}

// The sources of a version 3 query: as many as it states, or as are present if these are fewer.
[[nodiscard]] constexpr const_bytes query_sources(const_bytes message) noexcept {
    if (!const_v3_query_view::fits(message)) return {};
    const std::size_t stated = const_v3_query_view{message.data()}[source_count];
    const const_bytes list = message.subspan(v3_query_layout::size);
    const std::size_t present = list.size() / 4;
    return list.first(4 * (stated < present ? stated : present));
}

// Steps through the group records of a version 3 report.
class record_cursor {
public:
    // `message` is the whole IGMP message.
    constexpr explicit record_cursor(const_bytes message) noexcept : message_{message} {
        if (const_v3_report_view::fits(message)) {
            left_ = const_v3_report_view{message.data()}[record_count];
        }
    }

    // Moves to the next record; false after the last, and at a record that exceeds the message.
    [[nodiscard]] constexpr bool next() noexcept {
        offset_ += length_;
        length_ = 0;
        if (left_ == 0) return false;
        const const_bytes rest = message_.subspan(offset_);
        malformed_ = !const_record_view::fits(rest) || record_size(rest) > rest.size();
        if (malformed_) {
            left_ = 0;
            return false;
        }
        length_ = record_size(rest);
        --left_;
        return true;
    }

    // The current record, after next() returned true.
    [[nodiscard]] constexpr const_record_view record() const noexcept {
        return const_record_view{message_.data() + offset_};
    }
    [[nodiscard]] constexpr const_bytes sources() const noexcept {
        return message_.subspan(offset_ + record_layout::size,
                                std::size_t{record()[record_source_count]} * 4);
    }
    [[nodiscard]] constexpr const_bytes auxiliary() const noexcept {
        const std::size_t size = std::size_t{record()[auxiliary_words]} * 4;
        return message_.subspan(offset_ + length_ - size, size);
    }
    // Whether the walk ended at a record that exceeds the message.
    [[nodiscard]] constexpr bool malformed() const noexcept { return malformed_; }

private:
    [[nodiscard]] static constexpr std::size_t record_size(const_bytes rest) noexcept {
        const const_record_view head{rest.data()};
        return record_layout::size + 4 * std::size_t{head[record_source_count]} +
               4 * std::size_t{head[auxiliary_words]};
    }

    const_bytes message_;
    std::size_t offset_ = 0;
    std::size_t length_ = v3_report_layout::size;
    std::size_t left_ = 0;
    bool malformed_ = false;
};

// Computes and stores the checksum of a whole message of at least 8 bytes.
constexpr void set_checksum(bytes message) noexcept {
    const view header{message.data()};
    header.set(checksum, 0);
    header.set(checksum, sluice::checksum::compute(message));
}

[[nodiscard]] constexpr bool checksum_ok(const_bytes message) noexcept {
    return sluice::checksum::verify(message);
}

}  // namespace sluice::igmp
