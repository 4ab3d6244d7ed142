// mib: the counters of /proc/net/snmp and of the IpExt group of /proc/net/netstat, by the kernel's
// names.
//
// stats/ stores and prints them, drop_reason.hpp refers to them.
//
// Cost:   constants.
// Source: RFC 4293 for most of the names.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>

namespace sluice {

enum class mib : u8 {
    none,
    // Ip
    ip_in_receives,
    ip_in_hdr_errors,
    ip_in_addr_errors,
    ip_forw_datagrams,
    ip_in_unknown_protos,
    ip_in_discards,
    ip_in_delivers,
    ip_out_requests,
    ip_out_discards,
    ip_out_no_routes,
    ip_reasm_timeout,
    ip_reasm_reqds,
    ip_reasm_oks,
    ip_reasm_fails,
    ip_frag_oks,
    ip_frag_fails,
    ip_frag_creates,
    ip_out_transmits,
    // Icmp
    icmp_in_msgs,
    icmp_in_errors,
    icmp_in_csum_errors,
    icmp_in_dest_unreachs,
    icmp_in_time_excds,
    icmp_in_parm_probs,
    icmp_in_src_quenchs,
    icmp_in_redirects,
    icmp_in_echos,
    icmp_in_echo_reps,
    icmp_in_timestamps,
    icmp_in_timestamp_reps,
    icmp_in_addr_masks,
    icmp_in_addr_mask_reps,
    icmp_out_msgs,
    icmp_out_errors,
    icmp_out_rate_limit_global,
    icmp_out_rate_limit_host,
    icmp_out_dest_unreachs,
    icmp_out_time_excds,
    icmp_out_parm_probs,
    icmp_out_src_quenchs,
    icmp_out_redirects,
    icmp_out_echos,
    icmp_out_echo_reps,
    icmp_out_timestamps,
    icmp_out_timestamp_reps,
    icmp_out_addr_masks,
    icmp_out_addr_mask_reps,
    // Udp
    udp_in_datagrams,
    udp_no_ports,
    udp_in_errors,
    udp_out_datagrams,
    udp_rcvbuf_errors,
    udp_sndbuf_errors,
    udp_in_csum_errors,
    udp_ignored_multi,
    udp_mem_errors,
    // UdpLite, in the order of Udp
    udplite_in_datagrams,
    udplite_no_ports,
    udplite_in_errors,
    udplite_out_datagrams,
    udplite_rcvbuf_errors,
    udplite_sndbuf_errors,
    udplite_in_csum_errors,
    udplite_ignored_multi,
    udplite_mem_errors,
    // IpExt
    ipext_in_no_routes,
    ipext_in_truncated_pkts,
    ipext_in_mcast_pkts,
    ipext_out_mcast_pkts,
    ipext_in_bcast_pkts,
    ipext_out_bcast_pkts,
    ipext_in_octets,
    ipext_out_octets,
    ipext_in_mcast_octets,
    ipext_out_mcast_octets,
    ipext_in_bcast_octets,
    ipext_out_bcast_octets,
    ipext_in_csum_errors,
    // In the order of the ECN codepoints 0 to 3.
    ipext_in_no_ect_pkts,
    ipext_in_ect1_pkts,
    ipext_in_ect0_pkts,
    ipext_in_ce_pkts,
    ipext_reasm_overlaps,
    count
};

inline constexpr std::size_t mib_count = static_cast<std::size_t>(mib::count);

struct mib_name {
    const char* group;
    const char* field;
};

// Indexed by the enumerator's value; [0] is "none".
inline constexpr mib_name mib_names[mib_count] = {
    {"", ""},
    {"Ip", "InReceives"},
    {"Ip", "InHdrErrors"},
    {"Ip", "InAddrErrors"},
    {"Ip", "ForwDatagrams"},
    {"Ip", "InUnknownProtos"},
    {"Ip", "InDiscards"},
    {"Ip", "InDelivers"},
    {"Ip", "OutRequests"},
    {"Ip", "OutDiscards"},
    {"Ip", "OutNoRoutes"},
    {"Ip", "ReasmTimeout"},
    {"Ip", "ReasmReqds"},
    {"Ip", "ReasmOKs"},
    {"Ip", "ReasmFails"},
    {"Ip", "FragOKs"},
    {"Ip", "FragFails"},
    {"Ip", "FragCreates"},
    {"Ip", "OutTransmits"},
    {"Icmp", "InMsgs"},
    {"Icmp", "InErrors"},
    {"Icmp", "InCsumErrors"},
    {"Icmp", "InDestUnreachs"},
    {"Icmp", "InTimeExcds"},
    {"Icmp", "InParmProbs"},
    {"Icmp", "InSrcQuenchs"},
    {"Icmp", "InRedirects"},
    {"Icmp", "InEchos"},
    {"Icmp", "InEchoReps"},
    {"Icmp", "InTimestamps"},
    {"Icmp", "InTimestampReps"},
    {"Icmp", "InAddrMasks"},
    {"Icmp", "InAddrMaskReps"},
    {"Icmp", "OutMsgs"},
    {"Icmp", "OutErrors"},
    {"Icmp", "OutRateLimitGlobal"},
    {"Icmp", "OutRateLimitHost"},
    {"Icmp", "OutDestUnreachs"},
    {"Icmp", "OutTimeExcds"},
    {"Icmp", "OutParmProbs"},
    {"Icmp", "OutSrcQuenchs"},
    {"Icmp", "OutRedirects"},
    {"Icmp", "OutEchos"},
    {"Icmp", "OutEchoReps"},
    {"Icmp", "OutTimestamps"},
    {"Icmp", "OutTimestampReps"},
    {"Icmp", "OutAddrMasks"},
    {"Icmp", "OutAddrMaskReps"},
    {"Udp", "InDatagrams"},
    {"Udp", "NoPorts"},
    {"Udp", "InErrors"},
    {"Udp", "OutDatagrams"},
    {"Udp", "RcvbufErrors"},
    {"Udp", "SndbufErrors"},
    {"Udp", "InCsumErrors"},
    {"Udp", "IgnoredMulti"},
    {"Udp", "MemErrors"},
    {"UdpLite", "InDatagrams"},
    {"UdpLite", "NoPorts"},
    {"UdpLite", "InErrors"},
    {"UdpLite", "OutDatagrams"},
    {"UdpLite", "RcvbufErrors"},
    {"UdpLite", "SndbufErrors"},
    {"UdpLite", "InCsumErrors"},
    {"UdpLite", "IgnoredMulti"},
    {"UdpLite", "MemErrors"},
    {"IpExt", "InNoRoutes"},
    {"IpExt", "InTruncatedPkts"},
    {"IpExt", "InMcastPkts"},
    {"IpExt", "OutMcastPkts"},
    {"IpExt", "InBcastPkts"},
    {"IpExt", "OutBcastPkts"},
    {"IpExt", "InOctets"},
    {"IpExt", "OutOctets"},
    {"IpExt", "InMcastOctets"},
    {"IpExt", "OutMcastOctets"},
    {"IpExt", "InBcastOctets"},
    {"IpExt", "OutBcastOctets"},
    {"IpExt", "InCsumErrors"},
    {"IpExt", "InNoECTPkts"},
    {"IpExt", "InECT1Pkts"},
    {"IpExt", "InECT0Pkts"},
    {"IpExt", "InCEPkts"},
    {"IpExt", "ReasmOverlaps"},
};

// The counter of received packets with this ECN codepoint (0 .. 3).
[[nodiscard]] constexpr mib ecn_counter(u8 codepoint) noexcept {
    return static_cast<mib>(static_cast<u8>(mib::ipext_in_no_ect_pkts) + (codepoint & 3));
}

}  // namespace sluice
