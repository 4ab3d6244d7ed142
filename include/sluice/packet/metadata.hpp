// metadata: what is known of a packet beside its bytes.
// Expects: to live in the packet's block, reached by packet.metadata(). Does: keeps offload facts,
// compiled options and fragment bookkeeping (Linux: sk_buff fields, IPCB and FRAG_CB). Every member
// is read by a header: a test fails on one that is not.
// Never: lies over packet bytes, and is not touched for plain packets: a flag in the handle tells
// whether anything here was set. Cost: one cache line in the block.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

// To whom the link layer addressed the frame (Linux PACKET_*). In this order: what a lower layer
// said never becomes a lesser one above.
enum class link_addressing : u8 { host, broadcast, multicast, other_host, loopback };

// The state of the transport checksum. pending: the sum of the pseudo header is in the checksum
// field and the rest is left to the device (Linux CHECKSUM_PARTIAL); it must be finished before the
// bytes are cut or leave a device that cannot.
enum class checksum_state : u8 { unknown, verified, pending };

// tcp_ipv6: inside a tunnel.
enum class segmentation_kind : u8 { none, tcp_ipv4, udp, tcp_ipv6 };

// The options of one header, checked once: offsets from the first byte of the IPv4 header, 0 where
// absent (Linux struct ip_options). Filled by options/, read by the pipeline.
struct option_offsets {
    u8 length = 0;  // bytes of options: 0 .. 40
    u8 source_route = 0;
    u8 record_route = 0;
    u8 timestamp = 0;
    u8 router_alert = 0;
    u8 security = 0;
    bool strict_route : 1 = false;
    bool route_hit : 1 = false;  // we are the listed hop: advance the route when forwarding
    bool changed : 1 = false;    // the header checksum must be redone
    bool record_address : 1 =
        false;  // the record route slot before the pointer waits for our address
    bool stamp_address : 1 = false;  // so does the timestamp's
    bool stamp_time : 1 = false;
    ipv4::address next_hop{};  // from a source route: the next listed hop

    friend constexpr bool operator==(const option_offsets&,
                                     const option_offsets&) noexcept = default;
};

struct metadata {
    checksum_state checksum = checksum_state::unknown;
    segmentation_kind segmentation = segmentation_kind::none;
    u16 segment_size = 0;  // GSO: payload bytes a segment
    // pending: offset of the transport header from the IPv4 header; of a packet in a tunnel it lies
    // behind further headers.
    u16 checksum_start = 0;
    u16 checksum_offset = 0;  // pending: of the field from checksum_start
    u16 largest_fragment =
        0;  // the largest fragment that a reassembled datagram came in, bytes; 0: not reassembled
    bool fragment_df = false;  // the largest fragment with DF set decides (Linux IPSKB_FRAG_PMTU)
    bool ignore_df = false;    // Linux ignore_df
    bool merged_receive = false;         // merged by receive offload (LRO): must not be forwarded
    bool forwarded_in_hardware = false;  // by the device, already: not once more
    bool cut_anew = false;  // an answer in the list of its request: not fragmented as that came
    u32 mark = 0;           // a hook's or a program's own word about the packet; endpoints tell it
    option_offsets options{};

    // Whether no checksum is pending, or its field lies behind a header of that length and within
    // the total length.
    [[nodiscard]] constexpr bool checksum_fits(u32 header, u32 total) const noexcept {
        return checksum != checksum_state::pending ||
               (checksum_start >= header && u32{checksum_start} + checksum_offset + 2 <= total);
    }
};

}  // namespace sluice
