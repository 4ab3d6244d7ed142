// drop_reason: why a packet was dropped.
//
// Each reason has a sentence, its RFC section, the counters that it moves and the kernel's name for
// it (skb_drop_reason). Only the stack counts. Later versions append reasons and never change the
// meaning of one.
//
// Cost: constants.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/mib.hpp>

#include <cstddef>

namespace sluice {

enum class drop_reason : u8 {
    none,
    // received, before routing
    other_host,
    interface_down,
    no_buffer,
    header_truncated,
    header_invalid,
    header_checksum,
    length_beyond_packet,
    length_below_header,
    checksum_misplaced,
    // source and destination rules
    source_invalid,
    source_local,
    loopback_outside,
    reverse_path,
    destination_invalid,
    unicast_in_link_multicast,
    no_multicast_member,
    no_multicast_route,
    // routing
    no_route,
    not_forwarding,
    host_unreachable,
    prohibited,
    blackhole,
    // options
    option_invalid,
    source_route_refused,
    source_route_failed,
    // forwarding
    not_addressed_to_host,
    merged_by_receive_offload,
    ttl_expired,
    too_big,
    // local delivery
    protocol_unknown,
    port_unreachable,
    udp_invalid,
    udp_checksum,
    udp_broadcast_unwanted,
    icmp_invalid,
    icmp_checksum,
    icmp_type_unknown,
    icmp_ignored,
    icmp_to_broadcast,
    no_endpoint,
    igmp_ignored,
    ignored_by_handler,
    endpoint_full,
    tap_full,
    // reassembly
    fragment_invalid,
    fragment_duplicate,
    fragment_overlap,
    fragment_limit,
    fragment_too_far,
    fragment_timeout,
    reassembled_too_long,
    fragment_ecn,
    reassembly_refused,
    fragment_abandoned,
    fragment_evicted,
    // sending
    fragmentation_failed,
    output_refused,
    neighbour_unreachable,
    work_queue_full,
    hook,
    security_policy,
    send_invalid,
    send_unroutable,
    send_refused,
    offload_failed,
    host_only,
    // local delivery, more precise reasons
    icmp_truncated,
    icmp_quote_invalid,
    transport_invalid,
    transport_checksum,
    // security policies
    tiny_fragment,
    option_refused,
    // hooks
    hook_queue_full,
    // multicast routing
    wrong_multicast_interface,
    multicast_too_big,
    multicast_queue_full,
    passed_to_routing_program,
    // UDP-Lite, and ping endpoints
    udplite_port_unreachable,
    udplite_invalid,
    udplite_checksum,
    udplite_broadcast_unwanted,
    udplite_endpoint_full,
    udplite_coverage,
    ping_full,
    // forwarding, more precise reasons
    belongs_to_endpoint,
    // shallow reassembly
    fragment_early,
    count
};

struct drop_info {
    const char* name;
    const char* sentence;
    const char* source;  // RFC section, or Linux where the RFCs are silent
    // The kernel's name without SKB_DROP_REASON_: NOT_SPECIFIED where Linux has none; CONSUMED
    // where Linux does not report a drop.
    const char* kernel;
    mib first = mib::none;  // counters that each drop for this reason increments
    mib second = mib::none;
};

inline constexpr std::size_t drop_reason_count = static_cast<std::size_t>(drop_reason::count);

// Indexed by the enumerator's value.
inline constexpr drop_info drop_table[drop_reason_count] = {
    {"none", "The packet was not dropped.", "", "NOT_DROPPED_YET"},
    {"other_host", "The frame was addressed to another host's link address.",
     "RFC 1122 section 3.3.1", "OTHERHOST"},
    {"interface_down", "The interface is down or unknown.", "Linux", "DEV_READY"},
    {"no_buffer", "No buffer was left for a copy.", "Linux", "NOMEM", mib::ip_in_discards},
    {"header_truncated", "The packet is shorter than its header.", "RFC 1812 section 5.2.2",
     "IP_INHDR", mib::ip_in_hdr_errors},
    {"header_invalid", "The version is not 4 or the header length is under 5.",
     "RFC 1812 section 5.2.2", "IP_INHDR", mib::ip_in_hdr_errors},
    {"header_checksum", "The header checksum is wrong.", "RFC 1812 section 5.2.2", "IP_CSUM",
     mib::ip_in_hdr_errors, mib::ipext_in_csum_errors},
    {"length_beyond_packet", "The total length exceeds the packet.", "RFC 1812 section 5.2.2",
     "PKT_TOO_SMALL", mib::ipext_in_truncated_pkts},
    {"length_below_header", "The total length is less than the header length.",
     "RFC 1812 section 5.2.2", "IP_INHDR", mib::ip_in_hdr_errors},
    {"checksum_misplaced",
     "The checksum left to a device lies in the IPv4 header or beyond the packet.", "Linux",
     "NOT_SPECIFIED", mib::ip_in_discards},
    {"source_invalid", "The source address is not allowed as a source.", "RFC 1812 section 5.3.7",
     "IP_INVALID_SOURCE"},
    {"source_local", "The source address is a local address.", "Linux", "IP_LOCAL_SOURCE"},
    {"loopback_outside", "A loopback address arrived from outside this host.",
     "RFC 1122 section 3.2.1.3", "IP_LOCALNET"},
    {"reverse_path", "The route to the source leaves by another interface.", "RFC 3704 section 2.2",
     "IP_RPFILTER"},
    {"destination_invalid", "The destination address is not allowed as a destination.",
     "RFC 1812 section 5.3.7", "IP_INVALID_DEST"},
    {"unicast_in_link_multicast", "A unicast datagram arrived in a link-layer multicast.",
     "RFC 1122 section 3.3.6", "UNICAST_IN_L2_MULTICAST"},
    {"no_multicast_member", "This host has not joined the group.", "RFC 1112 section 7.2",
     "NOT_SPECIFIED"},
    {"no_multicast_route", "No multicast route forwards the packet.", "RFC 1812 section 5.2.1",
     "NOT_SPECIFIED"},
    {"no_route", "No route leads to the destination.", "RFC 1812 section 5.2.7.1", "IP_INNOROUTES",
     mib::ipext_in_no_routes},
    {"not_forwarding", "The packet is for another host, and the interface does not forward.",
     "RFC 1122 section 3.2.1.3", "IP_INADDRERRORS", mib::ip_in_addr_errors},
    {"host_unreachable", "A route says that the destination is unreachable.",
     "RFC 1812 section 5.2.7.1", "NOT_SPECIFIED"},
    {"prohibited", "A route says that the destination is prohibited.", "RFC 1812 section 5.2.7.1",
     "NOT_SPECIFIED"},
    {"blackhole", "A route drops the packet silently.", "Linux", "NOT_SPECIFIED"},
    {"option_invalid", "An option is malformed.", "RFC 1122 section 3.2.1.8", "IP_INHDR",
     mib::ip_in_hdr_errors},
    {"source_route_refused", "This host does not follow source routes.", "RFC 1812 section 5.2.4.1",
     "NOT_SPECIFIED"},
    {"source_route_failed", "The next listed hop is not on a connected network.",
     "RFC 1812 section 5.2.7.1", "NOT_SPECIFIED"},
    {"not_addressed_to_host", "The stack does not forward a link-layer broadcast or multicast.",
     "RFC 1812 section 5.3.4", "NOT_SPECIFIED"},
    {"merged_by_receive_offload", "The stack does not forward packets that receive offload merged.",
     "Linux", "NOT_SPECIFIED"},
    {"ttl_expired", "The time to live has expired.", "RFC 1812 section 5.3.1", "IP_INHDR",
     mib::ip_in_hdr_errors},
    {"too_big", "The packet exceeds the MTU and has DF set.", "RFC 1812 section 5.2.6",
     "PKT_TOO_BIG", mib::ip_frag_fails},
    {"protocol_unknown", "The protocol has no handler.", "RFC 1122 section 3.2.2.1", "IP_NOPROTO",
     mib::ip_in_unknown_protos},
    {"port_unreachable", "No endpoint is bound to the UDP port.", "RFC 1122 section 4.1.3.1",
     "NO_SOCKET", mib::udp_no_ports},
    {"udp_invalid", "The UDP header or length is wrong.", "RFC 768", "PKT_TOO_SMALL",
     mib::udp_in_errors},
    {"udp_checksum", "The UDP checksum is wrong.", "RFC 1122 section 4.1.3.4", "UDP_CSUM",
     mib::udp_in_errors, mib::udp_in_csum_errors},
    {"udp_broadcast_unwanted",
     "No endpoint is bound to the UDP port of this broadcast or multicast.",
     "RFC 1122 section 4.1.3.1", "NOT_SPECIFIED", mib::udp_ignored_multi},
    {"icmp_invalid", "The ICMP message is malformed.", "RFC 1122 section 3.2.2", "CONSUMED",
     mib::icmp_in_errors},
    {"icmp_checksum", "The ICMP checksum is wrong.", "RFC 1122 section 3.2.2", "ICMP_CSUM",
     mib::icmp_in_errors, mib::icmp_in_csum_errors},
    {"icmp_type_unknown", "The ICMP type is unknown.", "RFC 1122 section 3.2.2", "UNHANDLED_PROTO",
     mib::icmp_in_errors},
    {"icmp_ignored", "This host does not answer the ICMP message.", "RFC 1122 section 3.2.2.6",
     "NOT_SPECIFIED"},
    {"icmp_to_broadcast", "An ICMP message of this type must not be broadcast or multicast.",
     "RFC 1122 section 3.2.2.6", "INVALID_PROTO", mib::icmp_in_errors},
    {"no_endpoint", "No endpoint waits for this reply.", "Linux", "NO_SOCKET"},
    {"igmp_ignored", "This host has no use for the IGMP message.", "RFC 1112 section 7.2",
     "NOT_SPECIFIED"},
    {"ignored_by_handler", "The handler of the protocol ignored the packet.", "Linux",
     "NOT_SPECIFIED"},
    {"endpoint_full", "The endpoint's queue is full.", "Linux", "SOCKET_RCVBUFF",
     mib::udp_rcvbuf_errors, mib::udp_in_errors},
    {"tap_full", "A raw endpoint had no room for its copy.", "Linux", "SOCKET_RCVBUFF"},
    {"fragment_invalid", "The fragment's offset or length is impossible.", "RFC 791 section 3.2",
     "NOT_SPECIFIED", mib::ip_reasm_fails},
    {"fragment_duplicate", "The fragment brings no new bytes.", "RFC 791 section 3.2", "DUP_FRAG"},
    {"fragment_overlap", "The fragment overlaps others: the whole datagram is dropped.",
     "RFC 5722 section 4", "NOT_SPECIFIED", mib::ip_reasm_fails, mib::ipext_reasm_overlaps},
    {"fragment_limit", "The reassembly memory is full.", "RFC 1858 section 3.1", "NOT_SPECIFIED",
     mib::ip_reasm_fails},
    {"fragment_too_far", "Too many other datagrams of the source arrived in between.", "Linux",
     "FRAG_TOO_FAR"},
    {"fragment_timeout", "The rest of the datagram did not arrive in time.",
     "RFC 1122 section 3.3.2", "FRAG_REASM_TIMEOUT"},
    {"reassembled_too_long", "The reassembled datagram would exceed 65535 bytes.",
     "RFC 791 section 3.2", "CONSUMED", mib::ip_reasm_fails},
    {"fragment_ecn", "The fragments' ECN codepoints contradict each other.", "RFC 3168 section 5.3",
     "CONSUMED", mib::ip_reasm_fails},
    {"reassembly_refused", "This host does not reassemble fragments.", "RFC 1122 section 3.3.2",
     "NOT_SPECIFIED", mib::ip_reasm_fails},
    {"fragment_abandoned", "Another fragment made the datagram invalid.", "RFC 5722 section 4",
     "CONSUMED"},
    {"fragment_evicted", "The oldest incomplete datagram made room for a newer one.",
     "RFC 1858 section 3.1", "NOT_SPECIFIED"},
    {"fragmentation_failed", "The packet could not be fragmented.", "RFC 1812 section 4.2.2.7",
     "NOT_SPECIFIED", mib::ip_frag_fails},
    {"output_refused", "The output could not take the packet.", "Linux", "NOT_SPECIFIED"},
    {"neighbour_unreachable", "The next hop did not answer.", "RFC 1812 section 5.2.7.1",
     "NEIGH_FAILED"},
    {"work_queue_full", "The work queue is full.", "", "NOT_SPECIFIED"},
    {"hook", "A hook dropped the packet.", "", "NETFILTER_DROP"},
    {"security_policy", "The security policy refused the packet.", "", "XFRM_POLICY"},
    {"send_invalid", "The packet to send is invalid.", "Linux", "CONSUMED", mib::ip_out_discards},
    {"send_unroutable", "No route leads to the destination of the packet to send.",
     "RFC 1122 section 3.3.1", "IP_OUTNOROUTES", mib::ip_out_no_routes},
    {"send_refused", "The sender got an error: the packet cannot be sent.",
     "RFC 1122 section 3.3.1", "CONSUMED"},
    {"offload_failed", "The stack could not make the segments or the checksum left to a device.",
     "Linux", "SKB_GSO_SEG"},
    {"host_only", "The TTL is 0: the datagram was for this host alone.", "RFC 1112 section 6.1",
     "NOT_SPECIFIED"},
    {"icmp_truncated", "The ICMP message is shorter than its type needs.", "RFC 1122 section 3.2.2",
     "PKT_TOO_SMALL", mib::icmp_in_errors},
    {"icmp_quote_invalid", "The header that the ICMP error quotes is malformed.",
     "RFC 1122 section 3.2.2", "IP_INHDR", mib::icmp_in_errors},
    {"transport_invalid", "The transport header or length is wrong.", "Linux", "PKT_TOO_SMALL"},
    {"transport_checksum", "The transport checksum is wrong.", "RFC 1122 section 4.2.2.7",
     "TCP_CSUM"},
    {"tiny_fragment", "The TCP fragment hides header fields from filters.", "RFC 3128 section 4",
     "NOT_SPECIFIED"},
    {"option_refused", "The option filter refuses an option of this kind.", "RFC 7126 section 3.1",
     "NOT_SPECIFIED"},
    {"hook_queue_full", "A hook queued the packet, and the queue had no room.", "Linux",
     "NOT_SPECIFIED"},
    {"wrong_multicast_interface",
     "The packet came by another interface than its multicast route expects.", "Linux",
     "NOT_SPECIFIED"},
    {"multicast_too_big",
     "The multicast exceeds the MTU and has DF set; nobody is told (RFC 1112 section 7.2).",
     "RFC 1812 section 5.2.6", "NOT_SPECIFIED", mib::ip_frag_fails},
    {"multicast_queue_full", "Too many packets wait for a multicast route.", "Linux",
     "NOT_SPECIFIED"},
    {"passed_to_routing_program",
     "The multicast routing program got the whole packet, to register it with another router.",
     "Linux", "NOT_SPECIFIED"},
    {"udplite_port_unreachable", "No endpoint is bound to the UDP-Lite port.",
     "RFC 1122 section 4.1.3.1", "NO_SOCKET", mib::udplite_no_ports},
    {"udplite_invalid", "The UDP-Lite header or coverage exceeds the datagram.",
     "RFC 3828 section 3.1", "PKT_TOO_SMALL", mib::udplite_in_errors},
    {"udplite_checksum", "The UDP-Lite checksum is wrong or zero, or covers under 8 bytes.",
     "RFC 3828 section 3.1", "UDP_CSUM", mib::udplite_in_errors, mib::udplite_in_csum_errors},
    {"udplite_broadcast_unwanted",
     "No endpoint has the UDP-Lite port of this broadcast or multicast.",
     "RFC 1122 section 4.1.3.1", "NOT_SPECIFIED", mib::udplite_ignored_multi},
    {"udplite_endpoint_full", "The UDP-Lite endpoint's queue is full.", "Linux", "SOCKET_RCVBUFF",
     mib::udplite_rcvbuf_errors, mib::udplite_in_errors},
    {"udplite_coverage", "The checksum covers less than the UDP-Lite endpoint asks for.",
     "RFC 3828 section 3.3", "NOT_SPECIFIED", mib::udplite_in_errors},
    {"ping_full", "The ping endpoint's queue is full.", "Linux", "SOCKET_RCVBUFF"},
    {"belongs_to_endpoint", "An endpoint was chosen for the packet, but its route leads elsewhere.",
     "Linux", "NOT_SPECIFIED"},
    {"fragment_early", "The fragment came before the first one, which has the ports.",
     "RFC 4787 section 11", "NOT_SPECIFIED"},
};

[[nodiscard]] constexpr const drop_info& describe(drop_reason r) noexcept {
    const auto i = static_cast<std::size_t>(r);
    return drop_table[i < drop_reason_count ? i : 0];
}

// The sentence, under the name that all errors use.
[[nodiscard]] constexpr const char* message(drop_reason r) noexcept {
    return describe(r).sentence;
}

}  // namespace sluice
