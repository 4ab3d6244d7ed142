// switch_table: the stack's switches by the kernel's names below net.ipv4, and a value as `sysctl`
// is told it.
//
//   net.ipv4.ip_default_ttl=32    net.ipv4.conf.eth1.rp_filter=1    net.ipv4.route.min_pmtu=576
//
// Expects: text. Does: finds the switch, checks the value by the kernel's bounds (a flag is 0 or
// 1), says in plain words what is wrong. Never: has a side effect: who writes a value does what
// goes with it. Two switches of routes count milliseconds, where the kernel counts ticks.
#pragma once

#include <sluice/packet/settings.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace router {

// One value or two; the second of one is not looked at.
struct switch_value {
    std::uint32_t first = 0;
    std::uint32_t second = 0;

    friend bool operator==(const switch_value&, const switch_value&) = default;
};

template <class Owner>
struct switch_row {
    std::string_view name;
    std::uint32_t least;
    std::uint32_t most;
    unsigned values;
    switch_value (*get)(const Owner&);
    void (*set)(Owner&, switch_value);
};

namespace detail {

template <auto Member>
struct owner_of;
template <class Owner, class Value, Value Owner::* Member>
struct owner_of<Member> {
    using owner = Owner;
    using value = Value;
};

template <auto First, auto Second = First>
constexpr auto row(std::string_view name, std::uint32_t least, std::uint32_t most) {
    using owner = typename owner_of<First>::owner;
    using value = typename owner_of<First>::value;
    return switch_row<owner>{name,
                             least,
                             most,
                             First == Second ? 1U : 2U,
                             [](const owner& o) { return switch_value{o.*First, o.*Second}; },
                             [](owner& o, switch_value v) {
                                 o.*Second = static_cast<value>(v.second);
                                 o.*First = static_cast<value>(v.first);
                             }};
}
template <auto Member>
constexpr auto flag(std::string_view name) {
    static_assert(std::is_same_v<typename owner_of<Member>::value, bool>);
    return row<Member>(name, 0, 1);
}

inline constexpr std::uint32_t any = 0xffffffff;
inline constexpr std::uint32_t any_int = 0x7fffffff;

}  // namespace detail

// net.ipv4.*
inline constexpr auto global_switches = [] {
    using s = sluice::settings;
    using detail::any;
    using detail::any_int;
    using detail::flag;
    using detail::row;
    return std::to_array({
        switch_row<s>{"ip_forward", 0, 1, 1,
                      [](const s& o) { return switch_value{o.all.forwarding, o.all.forwarding}; },
                      [](s& o, switch_value v) { o.set_ip_forward(v.first != 0); }},
        flag<&s::ip_forward_use_pmtu>("ip_forward_use_pmtu"),
        flag<&s::ip_early_demux>("ip_early_demux"),
        flag<&s::udp_early_demux>("udp_early_demux"),
        row<&s::ip_local_port_first, &s::ip_local_port_last>("ip_local_port_range", 1, 65'535),
        flag<&s::ip_nonlocal_bind>("ip_nonlocal_bind"),
        row<&s::ip_default_ttl>("ip_default_ttl", 1, 255),
        row<&s::ip_no_pmtu_disc>("ip_no_pmtu_disc", 0, 3),
        flag<&s::icmp_echo_ignore_all>("icmp_echo_ignore_all"),
        flag<&s::icmp_echo_ignore_broadcasts>("icmp_echo_ignore_broadcasts"),
        flag<&s::icmp_echo_enable_probe>("icmp_echo_enable_probe"),
        flag<&s::icmp_ignore_bogus_error_responses>("icmp_ignore_bogus_error_responses"),
        flag<&s::icmp_errors_use_inbound_ifaddr>("icmp_errors_use_inbound_ifaddr"),
        row<&s::icmp_errors_extension_mask>("icmp_errors_extension_mask", 0, 1),
        row<&s::icmp_ratelimit>("icmp_ratelimit", 0, any_int),
        row<&s::icmp_ratemask>("icmp_ratemask", 0, any),
        row<&s::icmp_msgs_per_sec>("icmp_msgs_per_sec", 0, any_int),
        row<&s::icmp_msgs_burst>("icmp_msgs_burst", 0, any_int),
        row<&s::ipfrag_time>("ipfrag_time", 0, any_int),
        row<&s::ipfrag_high_thresh>("ipfrag_high_thresh", 0, any),
        row<&s::ipfrag_max_dist>("ipfrag_max_dist", 0, any_int),
        row<&s::route_min_pmtu>("route.min_pmtu", 68, any_int),
        row<&s::route_mtu_expires>("route.mtu_expires", 0, any_int),
        row<&s::route_gc_timeout>("route.gc_timeout", 0, any_int),
        row<&s::route_error_burst_ms>("route.error_burst", 0, any_int),
        row<&s::route_error_cost_ms>("route.error_cost", 0, any_int),
        row<&s::route_redirect_load_ms>("route.redirect_load", 0, any_int),
        row<&s::route_redirect_number>("route.redirect_number", 0, 255),
    });
}();

// net.ipv4.conf.{all,default,INTERFACE}.*
inline constexpr auto interface_switches = [] {
    using s = sluice::interface_settings;
    using detail::any_int;
    using detail::flag;
    using detail::row;
    return std::to_array({
        flag<&s::forwarding>("forwarding"),
        flag<&s::mc_forwarding>("mc_forwarding"),
        flag<&s::bc_forwarding>("bc_forwarding"),
        flag<&s::accept_redirects>("accept_redirects"),
        flag<&s::secure_redirects>("secure_redirects"),
        flag<&s::send_redirects>("send_redirects"),
        flag<&s::shared_media>("shared_media"),
        flag<&s::accept_source_route>("accept_source_route"),
        flag<&s::accept_local>("accept_local"),
        flag<&s::route_localnet>("route_localnet"),
        flag<&s::drop_unicast_in_l2_multicast>("drop_unicast_in_l2_multicast"),
        row<&s::rp_filter>("rp_filter", 0, 2),
    });
}();

// A switch that was found and what it is to be.
struct switch_setting {
    const switch_row<sluice::settings>* global = nullptr;
    const switch_row<sluice::interface_settings>* of_interface = nullptr;  // or this
    std::string interface;                                                 // all, default or a name
    switch_value value;
};

namespace detail {

template <class Table>
const typename Table::value_type* find_switch(const Table& table, std::string_view name) {
    for (const auto& row : table) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

// One number or two, blanks between them.
template <class Owner>
std::string read_values(const switch_row<Owner>& row, std::string_view text, switch_value& to) {
    constexpr std::string_view blanks = " \t";
    std::uint32_t numbers[2] = {};
    unsigned count = 0;
    bool right = true;
    for (std::string_view rest = text; right && !rest.empty();) {
        const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
        const auto [end, error] =
            std::from_chars(word.data(), word.data() + word.size(), numbers[count < 2 ? count : 1]);
        right = ++count <= row.values && error == std::errc{} && end == word.data() + word.size();
        rest.remove_prefix(word.size());
        rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    }
    to = {numbers[0], row.values == 1 ? numbers[0] : numbers[1]};
    for (const std::uint32_t n : {to.first, to.second}) {
        right = right && count == row.values && n >= row.least && n <= row.most;
    }
    right = right && to.first <= to.second;
    return right
               ? ""
               : std::string{row.values == 1 ? "wants a number from " : "wants two numbers from "} +
                     std::to_string(row.least) + " to " + std::to_string(row.most) +
                     ", not: " + std::string{text};
}

}  // namespace detail

// What is wrong with the text; empty: nothing, and the switch is in `to`.
inline std::string parse_switch(std::string_view text, switch_setting& to) {
    constexpr std::string_view root = "net.ipv4.";
    constexpr std::string_view conf = "conf.";
    const auto equals = text.find('=');
    std::string_view name = text.substr(0, equals);
    if (equals == std::string_view::npos || !name.starts_with(root)) {
        return "wants net.ipv4.NAME=VALUE, not: " + std::string{text};
    }
    const std::string_view value = text.substr(equals + 1);
    name.remove_prefix(root.size());
    to = {};
    if (name.starts_with(conf)) {
        // An interface may have dots in its name, a switch has none.
        const auto dot = name.rfind('.');
        to.interface = dot < conf.size() ? "" : name.substr(conf.size(), dot - conf.size());
        to.of_interface = detail::find_switch(interface_switches, name.substr(dot + 1));
    } else {
        to.global = detail::find_switch(global_switches, name);
    }
    std::string problem;
    if (to.of_interface != nullptr && !to.interface.empty()) {
        problem = detail::read_values(*to.of_interface, value, to.value);
    } else if (to.global != nullptr) {
        problem = detail::read_values(*to.global, value, to.value);
    } else {
        return "knows no switch " + std::string{text.substr(0, equals)};
    }
    return problem.empty() ? "" : std::string{text.substr(0, equals)} + " " + problem;
}

}  // namespace router
