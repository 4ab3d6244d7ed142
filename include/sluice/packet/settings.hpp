// settings, interface_settings: the kernel's switches (sysctls), with the kernel's names and
// defaults.
//
// Only switches that a header reads are here. Times have the unit of the kernel's documentation,
// stated behind the member. effective() combines "all" and an interface by the kernel's rules.
// settle() changes the switches that Linux changes along with another.
//
// Never:  acts; the stack compiles a change into the words that the packet path reads.
// Source: Linux Documentation/networking/ip-sysctl.rst, devinet.c.
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice {

// net.ipv4.conf.{all,default,IF}.*
struct interface_settings {
    bool forwarding = false;
    bool mc_forwarding = false;
    bool bc_forwarding = false;
    bool accept_redirects = true;
    bool secure_redirects = true;
    bool send_redirects = true;
    bool shared_media = true;
    bool accept_source_route = true;
    bool accept_local = false;
    bool route_localnet = false;
    bool drop_unicast_in_l2_multicast = false;
    u8 rp_filter = 0;           // 0: off, 1: strict, 2: loose (RFC 3704)
    u8 force_igmp_version = 0;  // 1, 2: speak this version whatever is heard; others: do not
    u32 igmpv2_unsolicited_report_interval = 10'000;  // milliseconds; 0 is taken as 1
    u32 igmpv3_unsolicited_report_interval = 1'000;

    friend constexpr bool operator==(const interface_settings&,
                                     const interface_settings&) noexcept = default;
};

// Calls f with each member that interfaces inherit from conf.default: new interfaces, and those on
// which the program did not set the member. forwarding is not among them (settings::settle).
template <class F>
constexpr void for_each_inherited(F&& f) noexcept {
    using conf = interface_settings;
    f(&conf::mc_forwarding);
    f(&conf::bc_forwarding);
    f(&conf::accept_redirects);
    f(&conf::secure_redirects);
    f(&conf::send_redirects);
    f(&conf::shared_media);
    f(&conf::accept_source_route);
    f(&conf::accept_local);
    f(&conf::route_localnet);
    f(&conf::drop_unicast_in_l2_multicast);
    f(&conf::rp_filter);
    f(&conf::force_igmp_version);
    f(&conf::igmpv2_unsolicited_report_interval);
    f(&conf::igmpv3_unsolicited_report_interval);
}

// A bit for each member that for_each_inherited names, in its order. Linux ipv4_devconf.state.
using inherited_mask = u16;
inline constexpr inherited_mask all_inherited = 0xffff;

[[nodiscard]] constexpr inherited_mask differing(const interface_settings& a,
                                                 const interface_settings& b) noexcept {
    u32 found = 0;
    u32 bit = 1;
    for_each_inherited([&](auto member) {
        found |= a.*member != b.*member ? bit : 0;
        bit <<= 1;
    });
    return static_cast<inherited_mask>(found);
}
constexpr void inherit(interface_settings& to, const interface_settings& defaults,
                       inherited_mask which) noexcept {
    u32 bit = 1;
    for_each_inherited([&](auto member) {
        to.*member = (which & bit) != 0 ? defaults.*member : to.*member;
        bit <<= 1;
    });
}

// net.ipv4.*
class settings {
public:
    constexpr settings() noexcept = default;
    // Linux's defaults, except net.ipv4.ip_forward = 1.
    [[nodiscard]] static constexpr settings of_router() noexcept {
        settings s;
        s.set_ip_forward(true);
        return s;
    }

    bool ip_forward_use_pmtu = false;
    bool ip_forward_update_priority = true;
    bool fwmark_reflect = false;
    bool ip_early_demux = true;
    bool udp_early_demux = true;
    bool tcp_early_demux = true;
    u16 ip_local_port_first = 32'768;  // ip_local_port_range: ports chosen for endpoints
    u16 ip_local_port_last = 60'999;
    bool ip_nonlocal_bind = false;
    u8 ip_default_ttl = 64;
    u8 ip_no_pmtu_disc = 0;

    bool icmp_echo_ignore_all = false;
    bool icmp_echo_ignore_broadcasts = true;
    bool icmp_echo_enable_probe = false;
    bool icmp_ignore_bogus_error_responses = true;
    bool icmp_errors_use_inbound_ifaddr = false;
    u8 icmp_errors_extension_mask = 0;
    u32 icmp_ratelimit = 1000;  // milliseconds between messages to one host; 0: no limit
    u32 icmp_ratemask = 6168;   // bit N: ICMP type N is limited
    u32 icmp_msgs_per_sec = 1000;
    u32 icmp_msgs_burst = 50;

    u32 igmp_max_memberships = 20;              // groups of an endpoint
    u32 igmp_max_msf = 10;                      // sources of an endpoint in one group
    u8 igmp_qrv = 2;                            // robustness: how often a change is reported
    bool igmp_link_local_mcast_reports = true;  // reports for groups of 224.0.0.0/24

    u32 ipfrag_time = 30;                      // seconds
    u32 ipfrag_high_thresh = 4 * 1024 * 1024;  // bytes
    u32 ipfrag_max_dist = 64;

    u32 route_min_pmtu = 552;     // bytes
    u32 route_mtu_expires = 600;  // seconds
    u32 route_gc_timeout = 300;   // seconds that a redirect stays valid
    u32 route_error_burst_ms = 5000;
    u32 route_error_cost_ms = 1000;
    u32 route_redirect_load_ms = 20;
    u8 route_redirect_number = 9;

    interface_settings all{.accept_source_route = false};
    interface_settings defaults{};  // conf.default: the values of a new interface

    // net.ipv4.ip_forward is another name of conf.all.forwarding.
    constexpr void set_ip_forward(bool on) noexcept {
        all.forwarding = on;
        settle();
    }
    // Makes the changes that follow a change of conf.all.forwarding: a router ignores redirects,
    // unless the switch is set again afterwards. The stack changes every interface likewise. Linux
    // inet_forward_change.
    constexpr void settle() noexcept {
        if (all.forwarding != settled_forwarding_) {
            settled_forwarding_ = all.forwarding;
            defaults.forwarding = all.forwarding;
            all.accept_redirects = !all.forwarding;
        }
    }

private:
    bool settled_forwarding_ = false;  // the value at the last settle()
};

// The effective values of an interface: "all" and its own combined. Linux IN_DEV_ANDCONF, ORCONF,
// MAXCONF.
[[nodiscard]] constexpr interface_settings effective(const interface_settings& all,
                                                     const interface_settings& own) noexcept {
    interface_settings e = own;
    e.accept_source_route = all.accept_source_route && own.accept_source_route;
    e.bc_forwarding = all.bc_forwarding && own.bc_forwarding;
    e.mc_forwarding = all.mc_forwarding && own.mc_forwarding;
    e.accept_redirects = own.forwarding ? all.accept_redirects && own.accept_redirects
                                        : all.accept_redirects || own.accept_redirects;
    e.send_redirects = all.send_redirects || own.send_redirects;
    e.secure_redirects = all.secure_redirects || own.secure_redirects;
    e.shared_media = all.shared_media || own.shared_media;
    e.accept_local = all.accept_local || own.accept_local;
    e.route_localnet = all.route_localnet || own.route_localnet;
    e.drop_unicast_in_l2_multicast =
        all.drop_unicast_in_l2_multicast || own.drop_unicast_in_l2_multicast;
    e.rp_filter = all.rp_filter > own.rp_filter ? all.rp_filter : own.rp_filter;
    // The oldest version that either forces. Linux IGMP_V1_SEEN, IGMP_V2_SEEN.
    const auto forced = [&](u8 version) {
        return all.force_igmp_version == version || own.force_igmp_version == version;
    };
    e.force_igmp_version = forced(1) ? u8{1} : forced(2) ? u8{2} : own.force_igmp_version;
    return e;
}

}  // namespace sluice
