// The kernel's switches by name: how each is written into a stack's settings and read from them.
#pragma once

#include <sluice/packet/settings.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace replay {

template <class Owner>
struct named_switch {
    std::string_view name;
    void (*set)(Owner&, std::int64_t);
    std::int64_t (*get)(const Owner&);
};

// A row for a member of any width.
template <auto Member, class Owner>
constexpr named_switch<Owner> row(std::string_view name) {
    return {name,
            [](Owner& owner, std::int64_t value) {
                auto& field = owner.*Member;
                field = static_cast<std::remove_reference_t<decltype(field)>>(value);
            },
            [](const Owner& owner) { return static_cast<std::int64_t>(owner.*Member); }};
}

namespace detail {

using global = sluice::settings;
using conf = sluice::interface_settings;

template <auto Member>
constexpr named_switch<global> of_all(std::string_view name) {
    return row<Member, global>(name);
}
template <auto Member>
constexpr named_switch<conf> of_one(std::string_view name) {
    return row<Member, conf>(name);
}

}  // namespace detail

inline constexpr named_switch<sluice::settings> global_switches[] = {
    {.name = "ip_forward",
     .set = [](sluice::settings& s, std::int64_t on) { s.set_ip_forward(on != 0); },
     .get = [](const sluice::settings& s) { return static_cast<std::int64_t>(s.all.forwarding); }},
    detail::of_all<&detail::global::ip_default_ttl>("ip_default_ttl"),
    detail::of_all<&detail::global::ip_forward_use_pmtu>("ip_forward_use_pmtu"),
    detail::of_all<&detail::global::ip_early_demux>("ip_early_demux"),
    detail::of_all<&detail::global::udp_early_demux>("udp_early_demux"),
    detail::of_all<&detail::global::ip_nonlocal_bind>("ip_nonlocal_bind"),
    detail::of_all<&detail::global::ip_no_pmtu_disc>("ip_no_pmtu_disc"),
    detail::of_all<&detail::global::icmp_echo_ignore_all>("icmp_echo_ignore_all"),
    detail::of_all<&detail::global::icmp_echo_ignore_broadcasts>("icmp_echo_ignore_broadcasts"),
    detail::of_all<&detail::global::icmp_echo_enable_probe>("icmp_echo_enable_probe"),
    detail::of_all<&detail::global::icmp_errors_use_inbound_ifaddr>(
        "icmp_errors_use_inbound_ifaddr"),
    detail::of_all<&detail::global::icmp_errors_extension_mask>("icmp_errors_extension_mask"),
    detail::of_all<&detail::global::icmp_ignore_bogus_error_responses>(
        "icmp_ignore_bogus_error_responses"),
    detail::of_all<&detail::global::icmp_ratelimit>("icmp_ratelimit"),
    detail::of_all<&detail::global::icmp_ratemask>("icmp_ratemask"),
    detail::of_all<&detail::global::icmp_msgs_per_sec>("icmp_msgs_per_sec"),
    detail::of_all<&detail::global::icmp_msgs_burst>("icmp_msgs_burst"),
    detail::of_all<&detail::global::ipfrag_time>("ipfrag_time"),
    detail::of_all<&detail::global::ipfrag_high_thresh>("ipfrag_high_thresh"),
    detail::of_all<&detail::global::ipfrag_max_dist>("ipfrag_max_dist"),
    detail::of_all<&detail::global::route_min_pmtu>("route/min_pmtu"),
    detail::of_all<&detail::global::route_gc_timeout>("route/gc_timeout"),
    detail::of_all<&detail::global::route_mtu_expires>("route/mtu_expires"),
};

inline constexpr named_switch<sluice::interface_settings> interface_switches[] = {
    detail::of_one<&detail::conf::forwarding>("forwarding"),
    detail::of_one<&detail::conf::mc_forwarding>("mc_forwarding"),
    detail::of_one<&detail::conf::bc_forwarding>("bc_forwarding"),
    detail::of_one<&detail::conf::accept_redirects>("accept_redirects"),
    detail::of_one<&detail::conf::secure_redirects>("secure_redirects"),
    detail::of_one<&detail::conf::send_redirects>("send_redirects"),
    detail::of_one<&detail::conf::shared_media>("shared_media"),
    detail::of_one<&detail::conf::accept_source_route>("accept_source_route"),
    detail::of_one<&detail::conf::accept_local>("accept_local"),
    detail::of_one<&detail::conf::route_localnet>("route_localnet"),
    detail::of_one<&detail::conf::drop_unicast_in_l2_multicast>("drop_unicast_in_l2_multicast"),
    detail::of_one<&detail::conf::rp_filter>("rp_filter"),
};

// nullptr: the stack has no such switch.
template <class Owner, std::size_t N>
constexpr const named_switch<Owner>* find_switch(const named_switch<Owner> (&table)[N],
                                                 std::string_view name) {
    for (const auto& row : table)
        if (row.name == name) return &row;
    return nullptr;
}

}  // namespace replay
