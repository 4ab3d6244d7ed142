// hardware_type: the kernel's number for the kind of a network interface. name_of_hardware() names
// it, link_header_of() returns the header with which its packets begin.
//
// A kind that is not listed has an unknown header.
//
// Expects: numbers and flags as ioctl(2) returns them (SIOCGIFHWADDR, SIOCGIFFLAGS).
// Source:  Linux include/uapi/linux/if_arp.h; tests/unit/port/abi.cpp compares the two.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/interface_request.hpp>
#include <sluice/port/link_header.hpp>

#include <cerrno>
#include <cstdio>
#include <string_view>

namespace sluice::port {

namespace detail {

struct named_hardware {
    u16 number;
    link_header header;
    const char* name;
};

inline constexpr named_hardware named_hardware_types[] = {
    {1, link_header::ethernet, "ETHER"},
    {3, link_header::unknown, "AX25"},
    {7, link_header::unknown, "ARCNET"},
    {24, link_header::unknown, "IEEE1394"},
    {32, link_header::unknown, "INFINIBAND"},
    {256, link_header::none, "SLIP"},
    {257, link_header::none, "CSLIP"},
    {258, link_header::none, "SLIP6"},
    {259, link_header::none, "CSLIP6"},
    {271, link_header::unknown, "X25"},
    {280, link_header::unknown, "CAN"},
    {290, link_header::unknown, "MCTP"},
    {512, link_header::none, "PPP"},
    {513, link_header::unknown, "HDLC"},
    {518, link_header::none, "RAWHDLC"},
    {519, link_header::none, "RAWIP"},
    {768, link_header::none, "TUNNEL"},
    {769, link_header::none, "TUNNEL6"},
    {772, link_header::ethernet, "LOOPBACK"},
    {774, link_header::unknown, "FDDI"},
    {776, link_header::none, "SIT"},
    {778, link_header::none, "IPGRE"},
    {779, link_header::unknown, "PIMREG"},
    {801, link_header::unknown, "IEEE80211"},
    {802, link_header::unknown, "IEEE80211_PRISM"},
    {803, link_header::unknown, "IEEE80211_RADIOTAP"},
    {804, link_header::unknown, "IEEE802154"},
    {805, link_header::unknown, "IEEE802154_MONITOR"},
    {820, link_header::unknown, "PHONET"},
    {823, link_header::none, "IP6GRE"},
    {824, link_header::unknown, "NETLINK"},
    {825, link_header::unknown, "6LOWPAN"},
    {826, link_header::unknown, "VSOCKMON"},
    {0xfffe, link_header::none, "NONE"},
};

[[nodiscard]] constexpr const named_hardware* find_hardware(u16 number) noexcept {
    for (const auto& row : named_hardware_types) {
        if (row.number == number) {
            return &row;
        }
    }
    return nullptr;
}

}  // namespace detail

// The name after ARPHRD_ in the kernel's header; nullptr for a number that is not in the table.
[[nodiscard]] constexpr const char* name_of_hardware(u16 number) noexcept {
    const auto* const row = detail::find_hardware(number);
    return row != nullptr ? row->name : nullptr;
}

// A point-to-point GRE interface has no header; packets of others begin with the tunnel's header
// (Linux ipgre_header_ops, ip6gre_header_ops).
[[nodiscard]] constexpr link_header link_header_of(u16 number, u16 flags) noexcept {
    constexpr u16 gre = 778, gre_over_ipv6 = 823;
    constexpr u16 one_host = interface_flags::point_to_point;
    const auto* const row = detail::find_hardware(number);
    if (row == nullptr) {
        return link_header::unknown;
    }
    const bool is_gre = number == gre || number == gre_over_ipv6;
    return is_gre && (flags & (one_host | interface_flags::broadcast)) != one_host
               ? link_header::unknown
               : row->header;
}

// "open ib0, of type 32 (INFINIBAND): Protocol not supported: ...".
[[nodiscard]] inline port_error unknown_link_header(std::string_view interface,
                                                    u16 number) noexcept {
    char object[sizeof port_error::object];
    const char* const name = name_of_hardware(number);
    std::snprintf(object, sizeof object, "%.*s, of type %u%s%s%s",
                  static_cast<int>(interface.size()), interface.data(), unsigned{number},
                  name != nullptr ? " (" : "", name != nullptr ? name : "",
                  name != nullptr ? ")" : "");
    return port_error::make("open", object, EPROTONOSUPPORT,
                            "its packets begin with neither an Ethernet nor an IP header; use "
                            "another interface");
}

}  // namespace sluice::port
