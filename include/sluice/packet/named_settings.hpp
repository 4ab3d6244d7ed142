// named_settings, named_interface_settings: the settings of a stack by the names that the kernel's
// switches have below net.ipv4, with the kernel's bounds.
//
//     const auto* row = find_setting(named_settings, "ip_default_ttl");
//     if (row != nullptr && row->takes({32})) {
//         stack.change([&](settings& s) { row->set(s, {32}); });
//     }
//
// Use them where settings come as text: from a configuration, a command line, an administrator.
//
// Expects:   a value within the bounds (takes()); change() and change_interface() of the stack.
// Never:     has a side effect: the stack compiles a change.
// Deviation: three times of routes are milliseconds; the kernel counts ticks.
// Source:    Linux Documentation/networking/ip-sysctl.rst, net/ipv4/sysctl_net_ipv4.c, devinet.c.
#pragma once

#include <sluice/packet/settings.hpp>
#include <sluice/wire/text.hpp>

#include <array>
#include <cstddef>
#include <type_traits>

namespace sluice {

// One number or two; a setting of one number ignores the second.
struct setting_value {
    u32 first = 0;
    u32 second = 0;

    friend constexpr bool operator==(const setting_value&, const setting_value&) = default;
};

template <class Owner>
struct named_setting {
    const char* name;
    u32 least;
    u32 most;
    u8 numbers;  // 1 or 2
    setting_value (*get)(const Owner&) noexcept;
    void (*set)(Owner&, setting_value) noexcept;

    // Whether the value is within the bounds; of two numbers the first must not exceed the second.
    [[nodiscard]] constexpr bool takes(setting_value v) const noexcept {
        const u32 last = numbers == 2 ? v.second : v.first;
        return v.first >= least && last <= most && v.first <= last;
    }
};

namespace detail {

template <auto Member>
struct setting_member;
template <class Owner, class Value, Value Owner::* Member>
struct setting_member<Member> {
    using owner = Owner;
    using value = Value;
};

template <auto First, auto Second = First>
constexpr auto setting_row(const char* name, u32 least, u32 most) noexcept {
    using owner = typename setting_member<First>::owner;
    using value = typename setting_member<First>::value;
    return named_setting<owner>{
        name,
        least,
        most,
        First == Second ? u8{1} : u8{2},
        [](const owner& o) noexcept { return setting_value{o.*First, o.*Second}; },
        [](owner& o, setting_value v) noexcept {
            o.*Second = static_cast<value>(v.second);
            o.*First = static_cast<value>(v.first);
        }};
}
template <auto Member>
constexpr auto setting_flag(const char* name) noexcept {
    static_assert(std::is_same_v<typename setting_member<Member>::value, bool>);
    return setting_row<Member>(name, 0, 1);
}

inline constexpr u32 any_int = 0x7fffffff;
inline constexpr u32 any_number = 0xffffffff;

}  // namespace detail

// net.ipv4.*
inline constexpr auto named_settings = [] {
    using s = settings;
    using detail::any_int;
    using detail::any_number;
    using detail::setting_flag;
    using detail::setting_row;
    return std::to_array({
        named_setting<s>{
            "ip_forward", 0, 1, 1,
            [](const s& o) noexcept { return setting_value{o.all.forwarding, o.all.forwarding}; },
            [](s& o, setting_value v) noexcept { o.set_ip_forward(v.first != 0); }},
        setting_flag<&s::ip_forward_use_pmtu>("ip_forward_use_pmtu"),
        setting_flag<&s::ip_forward_update_priority>("ip_forward_update_priority"),
        setting_flag<&s::fwmark_reflect>("fwmark_reflect"),
        setting_flag<&s::ip_early_demux>("ip_early_demux"),
        setting_flag<&s::udp_early_demux>("udp_early_demux"),
        setting_flag<&s::tcp_early_demux>("tcp_early_demux"),
        setting_row<&s::ip_local_port_first, &s::ip_local_port_last>("ip_local_port_range", 1,
                                                                     65'535),
        setting_flag<&s::ip_nonlocal_bind>("ip_nonlocal_bind"),
        setting_row<&s::ip_default_ttl>("ip_default_ttl", 1, 255),
        setting_row<&s::ip_no_pmtu_disc>("ip_no_pmtu_disc", 0, 3),
        setting_flag<&s::icmp_echo_ignore_all>("icmp_echo_ignore_all"),
        setting_flag<&s::icmp_echo_ignore_broadcasts>("icmp_echo_ignore_broadcasts"),
        setting_flag<&s::icmp_echo_enable_probe>("icmp_echo_enable_probe"),
        setting_flag<&s::icmp_ignore_bogus_error_responses>("icmp_ignore_bogus_error_responses"),
        setting_flag<&s::icmp_errors_use_inbound_ifaddr>("icmp_errors_use_inbound_ifaddr"),
        setting_row<&s::icmp_errors_extension_mask>("icmp_errors_extension_mask", 0, 1),
        setting_row<&s::icmp_ratelimit>("icmp_ratelimit", 0, any_int),
        setting_row<&s::icmp_ratemask>("icmp_ratemask", 0, any_number),
        setting_row<&s::icmp_msgs_per_sec>("icmp_msgs_per_sec", 0, any_int),
        setting_row<&s::icmp_msgs_burst>("icmp_msgs_burst", 0, any_int),
        setting_row<&s::igmp_max_memberships>("igmp_max_memberships", 0, any_int),
        setting_row<&s::igmp_max_msf>("igmp_max_msf", 0, any_int),
        setting_row<&s::igmp_qrv>("igmp_qrv", 1, 255),
        setting_flag<&s::igmp_link_local_mcast_reports>("igmp_link_local_mcast_reports"),
        setting_row<&s::ipfrag_time>("ipfrag_time", 0, any_int),
        setting_row<&s::ipfrag_high_thresh>("ipfrag_high_thresh", 0, any_number),
        setting_row<&s::ipfrag_max_dist>("ipfrag_max_dist", 0, any_int),
        setting_row<&s::route_min_pmtu>("route.min_pmtu", 68, any_int),
        setting_row<&s::route_mtu_expires>("route.mtu_expires", 0, any_int),
        setting_row<&s::route_gc_timeout>("route.gc_timeout", 0, any_int),
        setting_row<&s::route_error_burst_ms>("route.error_burst", 0, any_int),
        setting_row<&s::route_error_cost_ms>("route.error_cost", 0, any_int),
        setting_row<&s::route_redirect_load_ms>("route.redirect_load", 0, any_int),
        setting_row<&s::route_redirect_number>("route.redirect_number", 0, 255),
    });
}();

// net.ipv4.conf.{all,default,INTERFACE}.*
inline constexpr auto named_interface_settings = [] {
    using s = interface_settings;
    using detail::any_int;
    using detail::setting_flag;
    using detail::setting_row;
    return std::to_array({
        setting_flag<&s::forwarding>("forwarding"),
        setting_flag<&s::mc_forwarding>("mc_forwarding"),
        setting_flag<&s::bc_forwarding>("bc_forwarding"),
        setting_flag<&s::accept_redirects>("accept_redirects"),
        setting_flag<&s::secure_redirects>("secure_redirects"),
        setting_flag<&s::send_redirects>("send_redirects"),
        setting_flag<&s::shared_media>("shared_media"),
        setting_flag<&s::accept_source_route>("accept_source_route"),
        setting_flag<&s::accept_local>("accept_local"),
        setting_flag<&s::route_localnet>("route_localnet"),
        setting_flag<&s::drop_unicast_in_l2_multicast>("drop_unicast_in_l2_multicast"),
        setting_row<&s::rp_filter>("rp_filter", 0, 2),
        setting_row<&s::force_igmp_version>("force_igmp_version", 0, 255),
        setting_row<&s::igmpv2_unsolicited_report_interval>("igmpv2_unsolicited_report_interval", 0,
                                                            any_int),
        setting_row<&s::igmpv3_unsolicited_report_interval>("igmpv3_unsolicited_report_interval", 0,
                                                            any_int),
    });
}();

// Finds a setting by its name; a slash stands for a dot, as in sysctl(8). nullptr when there is
// none.
template <class Owner, std::size_t N>
[[nodiscard]] constexpr const named_setting<Owner>*
find_setting(const std::array<named_setting<Owner>, N>& table, text_view name) noexcept {
    for (const auto& row : table) {
        std::size_t n = 0;
        while (n < name.size() && row.name[n] != '\0' &&
               row.name[n] == (name[n] == '/' ? '.' : name[n])) {
            ++n;
        }
        if (n == name.size() && row.name[n] == '\0') {
            return &row;
        }
    }
    return nullptr;
}

}  // namespace sluice
