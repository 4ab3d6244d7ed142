// metadata: what is known about a packet beside its bytes.
//
// It holds offload state, compiled options and fragment bookkeeping (Linux: sk_buff fields, IPCB
// and FRAG_CB). It lies in the packet's block; packet.metadata() reaches it. Plain packets do not
// touch it: a flag in the handle states whether any member was set. A test fails on a member that
// no header reads.
//
// Never: overlaps packet bytes.
// Cost:  one cache line in the block.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/time.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

// To whom the link layer addressed the frame (Linux PACKET_*). The order counts: an upper layer
// never lowers the value that a lower layer set.
enum class link_addressing : u8 { host, broadcast, multicast, other_host, loopback };

// The state of the transport checksum. pending: the checksum field holds the sum of the pseudo
// header, and a device computes the rest (Linux CHECKSUM_PARTIAL). It must be finished before the
// bytes are cut or are sent by a device that cannot do it.
enum class checksum_state : u8 { unknown, verified, pending };

// tcp_ipv6: inside a tunnel.
enum class segmentation_kind : u8 { none, tcp_ipv4, udp, tcp_ipv6 };

// The options of one header, checked once: offsets from the first byte of the IPv4 header, 0 where
// absent (Linux struct ip_options). options/ fills it, the pipeline reads it.
struct option_offsets {
    u8 length = 0;  // bytes of options: 0 .. 40
    u8 source_route = 0;
    u8 record_route = 0;
    u8 timestamp = 0;
    u8 router_alert = 0;
    u8 security = 0;
    bool strict_route : 1 = false;
    bool route_hit : 1 = false;  // forwarding advances the source route
    bool changed : 1 = false;    // the header checksum must be recomputed
    // The record route slot, or the timestamp slot, before the pointer waits for a local address.
    bool record_address : 1 = false;
    bool stamp_address : 1 = false;
    bool stamp_time : 1 = false;
    ipv4::address next_hop{};  // from a source route: the next listed hop

    friend constexpr bool operator==(const option_offsets&,
                                     const option_offsets&) noexcept = default;
};

// An endpoint that a hook or a handler chose for a received packet before it was routed: the number
// of its registration, modulo 2^32, and its place in its registry. It names no other endpoint, also
// when the chosen one is gone: then the packet is delivered as if none was chosen. Linux skb->sk.
struct chosen_endpoint {
    u32 number = 0;  // 0: none was chosen
    u32 place = 0;

    [[nodiscard]] constexpr bool is_chosen() const noexcept { return number != 0; }
    friend constexpr bool operator==(const chosen_endpoint&,
                                     const chosen_endpoint&) noexcept = default;
};

struct metadata {
    checksum_state checksum = checksum_state::unknown;
    segmentation_kind segmentation = segmentation_kind::none;
    u16 segment_size = 0;  // GSO: payload bytes of each segment
    // pending: offset of the transport header from the IPv4 header; in a tunnel further headers lie
    // between them.
    u16 checksum_start = 0;
    u16 checksum_offset = 0;  // pending: offset of the field from checksum_start
    // Bytes of the largest fragment of a reassembled datagram; 0: not reassembled.
    u16 largest_fragment = 0;
    bool fragment_df = false;  // the largest fragment had DF (Linux IPSKB_FRAG_PMTU)
    bool ignore_df = false;    // Linux ignore_df
    // Another worker reassembled it: received here, it keeps what is known of its fragments.
    bool handed_over = false;
    bool merged_receive = false;         // merged by receive offload (LRO): not forwarded
    bool forwarded_in_hardware = false;  // by the device: not again
    u8 tunnels = 0;                      // tunnel ends of this host that the packet passed
    bool cut_anew = false;  // an answer in the blocks of its request: not cut as the request was
    u32 mark = 0;           // defined by hooks and programs; endpoints report it
    // For the queues of outputs (packet/priority.hpp). Linux skb->priority.
    u32 priority = 0;
    option_offsets options{};
    // When a device received it, since 1970 UT; 0: not asked for. Of a reassembled datagram: when
    // its last fragment came. Cleared on forwarding. Linux skb->tstamp.
    duration received_at{};
    // A packet with an endpoint is delivered to it, and not forwarded.
    chosen_endpoint endpoint{};

    // Whether no checksum is pending, or the pending one lies behind `header` bytes and within
    // `total` bytes.
    [[nodiscard]] constexpr bool checksum_fits(u32 header, u32 total) const noexcept {
        return checksum != checksum_state::pending ||
               (checksum_start >= header && u32{checksum_start} + checksum_offset + 2 <= total);
    }
};

}  // namespace sluice
