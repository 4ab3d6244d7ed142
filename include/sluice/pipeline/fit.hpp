// fit: decides whether a packet is sent over a link whole, in segments, in fragments, or not at
// all, by the MTU.
//
// Expects: a datagram after its last hook.
// Never:   changes a byte.
// Cost:    a comparison for a plain packet.
// Source:  RFC 791 section 3.2, RFC 1812 section 5.2.6; Linux ip_finish_output, ip_fragment.
#pragma once

#include <sluice/packet/decision.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/pipeline/segment_plan.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::pipeline {

enum class fitting : u8 { whole, segments, fragments, too_big };

// Whether DF forbids to cut the packet to this MTU: it does if the packet was never cut, or was
// reassembled from a larger fragment. Linux ip_fragment.
template <packet_buffer Packet>
[[nodiscard, gnu::noinline]] constexpr bool must_stay_whole(const Packet& packet,
                                                            u32 mtu) noexcept {
    const metadata& known = packet.metadata();
    return ipv4::const_view{packet.data()}[ipv4::dont_fragment] &&
           (!known.ignore_df || known.largest_fragment > mtu);
}

// Whether a packet to be forwarded can neither be sent whole nor be fragmented. For a packet with
// segmentation metadata the segments count. RFC 1812 section 5.2.6. Linux ip_exceeds_mtu.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool exceeds_mtu(const Packet& packet, u32 mtu) noexcept {
    return packet.size() > mtu && must_stay_whole(packet, mtu) &&
           (packet.metadata().largest_fragment > mtu || segmented_length(packet) > mtu);
}

// The decision about a packet that does not fit: reports the MTU, in bytes, to its sender. RFC 1191
// section 4.
[[nodiscard]] constexpr decision too_big(u32 mtu) noexcept {
    return decision::reject(drop_reason::too_big,
                            icmp_request::fragmentation_needed(static_cast<u16>(mtu)));
}

// Decides for a link with this MTU, in bytes.
// Deviation: one error for a packet with segmentation metadata; Linux sends one for each segment.
template <packet_buffer Packet>
[[nodiscard, gnu::always_inline]] constexpr fitting fit(const Packet& packet, u32 mtu) noexcept {
    if (packet.size() <= mtu && !packet.has_metadata()) {
        return fitting::whole;
    }
    const metadata& known = packet.metadata();
    const bool in_segments = known.segmentation != segmentation_kind::none;
    if (in_segments ? segmented_length(packet) <= mtu
                    : packet.size() <= mtu && known.largest_fragment == 0) {
        return fitting::whole;
    }
    if (must_stay_whole(packet, mtu)) {
        return fitting::too_big;
    }
    return in_segments ? fitting::segments : fitting::fragments;
}

}  // namespace sluice::pipeline
