// The kernel's switches by name.
#include "sluice_subject.hpp"

#include <string_view>

namespace replay {

namespace {

template <class Owner>
struct named_switch {
    std::string_view name;
    void (*set)(Owner&, std::int64_t);
};

// Stores into a member of any width.
template <auto Member>
struct store {
    template <class Owner>
    static void into(Owner& owner, std::int64_t value) {
        auto& field = owner.*Member;
        field = static_cast<std::remove_reference_t<decltype(field)>>(value);
    }
};

using global = sluice::settings;
using conf = sluice::interface_settings;

constexpr named_switch<global> globals[] = {
    {"ip_default_ttl", store<&global::ip_default_ttl>::into},
    {"ip_forward_use_pmtu", store<&global::ip_forward_use_pmtu>::into},
    {"ip_no_pmtu_disc", store<&global::ip_no_pmtu_disc>::into},
    {"icmp_echo_ignore_all", store<&global::icmp_echo_ignore_all>::into},
    {"icmp_echo_ignore_broadcasts", store<&global::icmp_echo_ignore_broadcasts>::into},
    {"icmp_echo_enable_probe", store<&global::icmp_echo_enable_probe>::into},
    {"icmp_errors_use_inbound_ifaddr", store<&global::icmp_errors_use_inbound_ifaddr>::into},
    {"icmp_errors_extension_mask", store<&global::icmp_errors_extension_mask>::into},
    {"icmp_ignore_bogus_error_responses", store<&global::icmp_ignore_bogus_error_responses>::into},
    {"icmp_ratelimit", store<&global::icmp_ratelimit>::into},
    {"icmp_ratemask", store<&global::icmp_ratemask>::into},
    {"icmp_msgs_per_sec", store<&global::icmp_msgs_per_sec>::into},
    {"icmp_msgs_burst", store<&global::icmp_msgs_burst>::into},
    {"ipfrag_time", store<&global::ipfrag_time>::into},
    {"ipfrag_high_thresh", store<&global::ipfrag_high_thresh>::into},
    {"ipfrag_low_thresh", store<&global::ipfrag_low_thresh>::into},
    {"ipfrag_max_dist", store<&global::ipfrag_max_dist>::into},
    {"igmp_qrv", store<&global::igmp_qrv>::into},
    {"igmp_max_memberships", store<&global::igmp_max_memberships>::into},
    {"igmp_max_msf", store<&global::igmp_max_msf>::into},
    {"igmp_link_local_mcast_reports", store<&global::igmp_link_local_mcast_reports>::into},
};

constexpr named_switch<global> of_routes[] = {
    {"min_pmtu", store<&global::route_min_pmtu>::into},
    {"gc_timeout", store<&global::route_gc_timeout>::into},
    {"mtu_expires", store<&global::route_mtu_expires>::into},
    {"min_adv_mss", store<&global::route_min_advmss>::into},
};

constexpr named_switch<conf> of_interfaces[] = {
    {"forwarding", store<&conf::forwarding>::into},
    {"mc_forwarding", store<&conf::mc_forwarding>::into},
    {"bc_forwarding", store<&conf::bc_forwarding>::into},
    {"accept_redirects", store<&conf::accept_redirects>::into},
    {"secure_redirects", store<&conf::secure_redirects>::into},
    {"send_redirects", store<&conf::send_redirects>::into},
    {"shared_media", store<&conf::shared_media>::into},
    {"accept_source_route", store<&conf::accept_source_route>::into},
    {"accept_local", store<&conf::accept_local>::into},
    {"route_localnet", store<&conf::route_localnet>::into},
    {"drop_unicast_in_l2_multicast", store<&conf::drop_unicast_in_l2_multicast>::into},
    {"src_valid_mark", store<&conf::src_valid_mark>::into},
    {"log_martians", store<&conf::log_martians>::into},
    {"rp_filter", store<&conf::rp_filter>::into},
    {"force_igmp_version", store<&conf::force_igmp_version>::into},
    {"igmpv2_unsolicited_report_interval", store<&conf::igmpv2_unsolicited_report_interval>::into},
    {"igmpv3_unsolicited_report_interval", store<&conf::igmpv3_unsolicited_report_interval>::into},
};

template <class Owner, std::size_t N>
auto find(const named_switch<Owner> (&table)[N], std::string_view name) {
    void (*set)(Owner&, std::int64_t) = nullptr;
    for (const auto& row : table)
        if (row.name == name) set = row.set;
    return set;
}

}  // namespace

answer sluice_subject::set_sysctl(const sysctl_line& line) {
    if (line.group == "conf") return set_conf(line);
    if (line.group == "neigh") return set_neighbour_time(line);
    if (line.group.empty() && line.name == "ip_forward") {
        stack_->set_ip_forward(line.value != 0);
        return done();
    }
    const auto set = line.group == "route" ? find(of_routes, line.name) : find(globals, line.name);
    if (set == nullptr) return unsupported("sysctl " + line.name);
    stack_->change([&](sluice::settings& s) { set(s, line.value); });
    return done();
}

answer sluice_subject::set_conf(const sysctl_line& line) {
    const auto set = find(of_interfaces, line.name);
    if (set == nullptr) return unsupported("sysctl conf " + line.name);
    if (line.target == "all" && line.name == "forwarding") {
        stack_->set_ip_forward(line.value != 0);
    } else if (line.target == "all") {
        stack_->change([&](sluice::settings& s) { set(s.all, line.value); });
    } else if (line.target == "default") {
        stack_->change([&](sluice::settings& s) { set(s.defaults, line.value); });
    } else {
        const sluice::u16 index = wires_.index_of(line.target);
        if (!stack_->change_interface(index, [&](conf& own) { set(own, line.value); }))
            return unsupported("interface " + line.target);
    }
    return done();
}

// The library has one set of times for all interfaces.
answer sluice_subject::set_neighbour_time(const sysctl_line& line) {
    sluice::neighbour_times times = wires_.link().neighbours().times();
    const auto milliseconds = sluice::duration::from_milliseconds(line.value);
    if (line.name == "retrans_time_ms")
        times.retransmit = milliseconds;
    else if (line.name == "base_reachable_time_ms")
        times.reachable = milliseconds;
    else if (line.name == "mcast_solicit")
        times.broadcast_requests = static_cast<sluice::u8>(line.value);
    else if (line.name == "ucast_solicit")
        times.unicast_requests = static_cast<sluice::u8>(line.value);
    else
        return unsupported("sysctl neigh " + line.name);
    wires_.link().neighbours().set_times(times);
    return done();
}

}  // namespace replay
