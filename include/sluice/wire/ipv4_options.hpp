// IPv4 options: kinds, their three parts, and the layouts of the options that a router or host
// handles.
//
// option_cursor (wire/option_list.hpp) over options_of(ip) walks a list. options/ decides what to
// do with an option.
//
// Expects: views over as many bytes as the layout has; `route_*` functions take one whole option of
//          any length.
// Source:  RFC 791 section 3.1, RFC 2113 (router alert), RFC 1108 (security), RFC 7126 (an
//          inventory with current status).
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/layout.hpp>
#include <sluice/wire/option_list.hpp>

namespace sluice::ipv4 {

// Option kinds: copied flag (0x80), class (0x60), number (0x1f).
namespace option_kinds {
inline constexpr u8 end_of_list = 0;
inline constexpr u8 no_operation = 1;
inline constexpr u8 record_route = 7;
inline constexpr u8 experimental_measurement = 10;
inline constexpr u8 mtu_probe = 11;  // obsoleted by RFC 1191
inline constexpr u8 mtu_reply = 12;  // obsoleted by RFC 1191
inline constexpr u8 quick_start = 25;
inline constexpr u8 timestamp = 68;
inline constexpr u8 traceroute = 82;
inline constexpr u8 security = 130;
inline constexpr u8 loose_source_route = 131;
inline constexpr u8 extended_security = 133;
inline constexpr u8 cipso = 134;
inline constexpr u8 stream_id = 136;
inline constexpr u8 strict_source_route = 137;
inline constexpr u8 router_alert = 148;
inline constexpr u8 selective_directed_broadcast = 149;
inline constexpr u8 upstream_multicast = 152;
}  // namespace option_kinds

// Whether every fragment carries the option, not only the first. RFC 791 section 3.1.
[[nodiscard]] constexpr bool is_copied(u8 kind) noexcept {
    return (kind & 0x80) != 0;
}
// 0: control, 2: debugging and measurement.
[[nodiscard]] constexpr u8 option_class(u8 kind) noexcept {
    return (kind >> 5) & 3;
}
[[nodiscard]] constexpr u8 option_number(u8 kind) noexcept {
    return kind & 0x1f;
}
// Whether the option is one of the two without a length byte.
[[nodiscard]] constexpr bool is_single_byte(u8 kind) noexcept {
    return kind <= option_kinds::no_operation;
}
[[nodiscard]] constexpr bool is_source_route(u8 kind) noexcept {
    return kind == option_kinds::loose_source_route || kind == option_kinds::strict_source_route;
}

//  +--------+--------+--------+---------//--------+
//  |  kind  | length | pointer|     addresses     |  record route, loose and strict source route
//  +--------+--------+--------+---------//--------+
//  +--------+--------+--------+----+----+
//  |01000100| length | pointer|oflw|flag|  timestamp; entries of 4 or 8 bytes follow
//  +--------+--------+--------+----+----+
//  +--------+--------+--------+--------+
//  |10010100|00000100|      value      |  router alert
//  +--------+--------+--------+--------+

// clang-format off
inline constexpr struct option_kind final : field<u8, 0, 8, "option_kind"> {} option_kind{};
// Length of the whole option in bytes.
inline constexpr struct option_length final : field<u8, 8, 8, "option_length"> {} option_length{};
// Counted from 1: the smallest legal value is 4 in a route option, 5 in a timestamp option.
inline constexpr struct option_pointer final
    : field<u8, 16, 8, "option_pointer"> {} option_pointer{};
// The number of nodes that had no room to stamp.
inline constexpr struct timestamp_overflow final
    : field<u8, 24, 4, "timestamp_overflow"> {} timestamp_overflow{};
inline constexpr struct timestamp_flag final
    : field<u8, 28, 4, "timestamp_flag"> {} timestamp_flag{};
// 0: every router examines the packet. RFC 2113 section 2.1.
inline constexpr struct router_alert_value final
    : field<u16, 16, 16, "router_alert_value"> {} router_alert_value{};
// clang-format on

struct option_layout final : header_layout<struct option_kind, struct option_length> {};
struct route_option_layout final
    : header_layout<struct option_kind, struct option_length, struct option_pointer> {};
struct timestamp_option_layout final
    : header_layout<struct option_kind, struct option_length, struct option_pointer,
                    struct timestamp_overflow, struct timestamp_flag> {};
struct router_alert_layout final
    : header_layout<struct option_kind, struct option_length, struct router_alert_value> {};

using option_view = header_view<option_layout>;
using const_option_view = header_view<option_layout, const std::byte>;
using route_option_view = header_view<route_option_layout>;
using const_route_option_view = header_view<route_option_layout, const std::byte>;
using timestamp_option_view = header_view<timestamp_option_layout>;
using const_timestamp_option_view = header_view<timestamp_option_layout, const std::byte>;
using router_alert_view = header_view<router_alert_layout>;
using const_router_alert_view = header_view<router_alert_layout, const std::byte>;

inline constexpr std::size_t route_header_length = 3;
inline constexpr std::size_t timestamp_header_length = 4;
inline constexpr u8 first_route_pointer = 4;
inline constexpr u8 first_timestamp_pointer = 5;

// Values of `timestamp_flag`.
namespace timestamp_flags {
inline constexpr u8 only = 0;
inline constexpr u8 with_address = 1;
inline constexpr u8 prespecified = 3;
}  // namespace timestamp_flags

// Set in a timestamp that is not milliseconds since midnight UT. RFC 791 section 3.1.
inline constexpr u32 nonstandard_time = 0x80000000;

// The number of addresses that a route option has room for.
[[nodiscard]] constexpr std::size_t route_slots(const_bytes option) noexcept {
    return option.size() < route_header_length ? 0 : (option.size() - route_header_length) / 4;
}

// Address `slot` (from 0) of a route option; 0.0.0.0 if the option has fewer slots.
[[nodiscard]] constexpr address route_address(const_bytes option, std::size_t slot) noexcept {
    if (slot >= route_slots(option)) return unspecified;
    return address{load_be<u32>(option.data() + route_header_length + 4 * slot)};
}

// Writes address `slot` of a route option; false, without a change, if the option has fewer slots.
constexpr bool set_route_address(bytes option, std::size_t slot, address value) noexcept {
    if (slot >= route_slots(option)) return false;
    store_be<u32>(option.data() + route_header_length + 4 * slot, value.value);
    return true;
}

}  // namespace sluice::ipv4
