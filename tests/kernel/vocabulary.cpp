#include "vocabulary.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace replay {

namespace {

using name = std::string_view;

constexpr name plain_sysctls[] = {
    "ip_forward",
    "ip_default_ttl",
    "ip_forward_use_pmtu",
    "ip_no_pmtu_disc",
    "ip_forward_update_priority",
    "ip_nonlocal_bind",
    "ip_early_demux",
    "ip_dynaddr",
    "ip_unprivileged_port_start",
    "ip_local_port_range",
    "ip_autobind_reuse",
    "fwmark_reflect",
    "icmp_echo_ignore_all",
    "icmp_echo_ignore_broadcasts",
    "icmp_echo_enable_probe",
    "icmp_errors_use_inbound_ifaddr",
    "icmp_errors_extension_mask",
    "icmp_ignore_bogus_error_responses",
    "icmp_ratelimit",
    "icmp_ratemask",
    "icmp_msgs_per_sec",
    "icmp_msgs_burst",
    "igmp_qrv",
    "igmp_max_memberships",
    "igmp_max_msf",
    "igmp_link_local_mcast_reports",
    "ipfrag_time",
    "ipfrag_high_thresh",
    "ipfrag_low_thresh",
    "ipfrag_max_dist",
    "ipfrag_secret_interval",
    "fib_multipath_hash_policy",
    "fib_multipath_use_neigh",
    "fib_multipath_hash_fields",
    "raw_l3mdev_accept",
    "udp_l3mdev_accept",
};

constexpr name conf_sysctls[] = {
    "accept_local",
    "accept_redirects",
    "accept_source_route",
    "arp_accept",
    "arp_announce",
    "arp_evict_nocarrier",
    "arp_filter",
    "arp_ignore",
    "arp_notify",
    "bc_forwarding",
    "bootp_relay",
    "disable_policy",
    "disable_xfrm",
    "drop_gratuitous_arp",
    "drop_unicast_in_l2_multicast",
    "force_igmp_version",
    "forwarding",
    "igmpv2_unsolicited_report_interval",
    "igmpv3_unsolicited_report_interval",
    "ignore_routes_with_linkdown",
    "log_martians",
    "mc_forwarding",
    "medium_id",
    "promote_secondaries",
    "proxy_arp",
    "proxy_arp_pvlan",
    "route_localnet",
    "rp_filter",
    "secure_redirects",
    "send_redirects",
    "shared_media",
    "src_valid_mark",
    "tag",
};

constexpr name neighbour_sysctls[] = {
    "anycast_delay", "app_solicit", "base_reachable_time_ms", "delay_first_probe_time",
    "gc_stale_time", "locktime",    "mcast_resolicit",        "mcast_solicit",
    "proxy_delay",   "proxy_qlen",  "retrans_time",           "retrans_time_ms",
    "ucast_solicit", "unres_qlen",  "unres_qlen_bytes",
};

constexpr name route_sysctls[] = {
    "error_burst", "error_cost",  "gc_timeout",    "max_size",        "min_adv_mss",
    "min_pmtu",    "mtu_expires", "redirect_load", "redirect_number", "redirect_silence",
};

// Settings that /proc/net/snmp shows among the counters.
constexpr name ip_settings[] = {"Forwarding", "DefaultTTL"};

constexpr name ip_counters[] = {
    "InReceives", "InHdrErrors", "InAddrErrors", "ForwDatagrams", "InUnknownProtos", "InDiscards",
    "InDelivers", "OutRequests", "OutDiscards",  "OutNoRoutes",   "ReasmTimeout",    "ReasmReqds",
    "ReasmOKs",   "ReasmFails",  "FragOKs",      "FragFails",     "FragCreates",     "OutTransmits",
};

constexpr name icmp_counters[] = {
    "InMsgs",        "InErrors",           "InCsumErrors",     "InDestUnreachs",  "InTimeExcds",
    "InParmProbs",   "InSrcQuenchs",       "InRedirects",      "InEchos",         "InEchoReps",
    "InTimestamps",  "InTimestampReps",    "InAddrMasks",      "InAddrMaskReps",  "OutMsgs",
    "OutErrors",     "OutRateLimitGlobal", "OutRateLimitHost", "OutDestUnreachs", "OutTimeExcds",
    "OutParmProbs",  "OutSrcQuenchs",      "OutRedirects",     "OutEchos",        "OutEchoReps",
    "OutTimestamps", "OutTimestampReps",   "OutAddrMasks",     "OutAddrMaskReps",
};

constexpr name udp_counters[] = {
    "InDatagrams",  "NoPorts",      "InErrors",     "OutDatagrams", "RcvbufErrors",
    "SndbufErrors", "InCsumErrors", "IgnoredMulti", "MemErrors",
};

constexpr name ip_ext_counters[] = {
    "InNoRoutes",    "InTruncatedPkts", "InMcastPkts",   "OutMcastPkts",  "InBcastPkts",
    "OutBcastPkts",  "InOctets",        "OutOctets",     "InMcastOctets", "OutMcastOctets",
    "InBcastOctets", "OutBcastOctets",  "InCsumErrors",  "InNoECTPkts",   "InECT1Pkts",
    "InECT0Pkts",    "InCEPkts",        "ReasmOverlaps",
};

constexpr name errnos[] = {
    "EACCES",          "EADDRINUSE",   "ENFILE",    "EADDRNOTAVAIL", "EAGAIN",    "ECONNREFUSED",
    "ECONNRESET",      "EDESTADDRREQ", "EEXIST",    "EFAULT",        "EHOSTDOWN", "EHOSTUNREACH",
    "EINVAL",          "EIO",          "EISCONN",   "EMSGSIZE",      "ENETDOWN",  "ENETUNREACH",
    "ENOBUFS",         "ENODEV",       "ENOENT",    "ENOMEM",        "ENONET",    "ENOPROTOOPT",
    "ENOTCONN",        "ENOTSUP",      "ENXIO",     "EOPNOTSUPP",    "EPERM",     "EPROTO",
    "EPROTONOSUPPORT", "ESRCH",        "ETIMEDOUT",
};

template <std::size_t N>
bool among(const name (&table)[N], name wanted) {
    return std::find(std::begin(table), std::end(table), wanted) != std::end(table);
}

bool is_message_counter(name field) {
    if (field.starts_with("InType"))
        field.remove_prefix(6);
    else if (field.starts_with("OutType"))
        field.remove_prefix(7);
    else
        return false;
    unsigned type = 256;
    const auto [end, error] = std::from_chars(field.begin(), field.end(), type);
    return error == std::errc{} && end == field.end() && type < 256;
}

}  // namespace

std::optional<sysctl_line> find_sysctl(std::string_view text) {
    sysctl_line found;
    const std::size_t first = text.find('.');
    if (first == name::npos) {
        if (!among(plain_sysctls, text)) return std::nullopt;
        found.name = text;
        return found;
    }
    found.group = text.substr(0, first);
    text.remove_prefix(first + 1);
    if (found.group == "route") {
        if (!among(route_sysctls, text)) return std::nullopt;
        found.name = text;
        return found;
    }
    const std::size_t second = text.rfind('.');
    if (second == name::npos || second == 0) return std::nullopt;
    found.target = text.substr(0, second);
    found.name = text.substr(second + 1);
    const bool known = (found.group == "conf" && among(conf_sysctls, found.name)) ||
                       (found.group == "neigh" && among(neighbour_sysctls, found.name));
    if (!known) return std::nullopt;
    return found;
}

bool is_counter(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == name::npos) return false;
    const name group = text.substr(0, dot);
    const name field = text.substr(dot + 1);
    if (group == "Ip") return among(ip_counters, field) || among(ip_settings, field);
    if (group == "Icmp") return among(icmp_counters, field);
    if (group == "IcmpMsg") return is_message_counter(field);
    if (group == "Udp" || group == "UdpLite") return among(udp_counters, field);
    return group == "IpExt" && among(ip_ext_counters, field);
}

bool is_setting(std::string_view counter) {
    return counter.starts_with("Ip.") && among(ip_settings, counter.substr(3));
}

bool is_errno(std::string_view text) {
    return among(errnos, text);
}

}  // namespace replay
