// new_header: clears the metadata of a packet's old header when it gets another one.
//
// Use it when a packet is received or sent again, or when an inner packet leaves a tunnel. Metadata
// about the bytes stays (segments, checksum, mark).
//
// Never:   touches the bytes.
// Errors:  false: the metadata is shared and there is no memory for a copy.
// Cost:    a test of the handle for plain packets.
// Source:  Linux memset(IPCB) in ip_rcv_core, skb_scrub_packet.
#pragma once

#include <sluice/packet/metadata.hpp>
#include <sluice/packet/packet_buffer.hpp>

#include <utility>

namespace sluice::rewrite {

// Clears the header's metadata of a packet that is received or sent again. Linux IPCB.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool forget_header(Packet& packet) noexcept {
    packet.set_forwarded(false);
    packet.set_looped(false);
    if (!packet.has_metadata()) {
        return true;
    }
    if (!packet.unshare()) {
        return false;
    }
    metadata& m = packet.writable_metadata();
    m.options = {};
    if (!std::exchange(m.handed_over, false)) {
        m.largest_fragment = 0;
        m.fragment_df = false;
    }
    m.cut_anew = false;
    m.endpoint = {};
    return true;
}

// Clears the outer header's metadata of a packet whose `taken_off` bytes of outer headers were
// removed. A verified checksum, and segments without a pending checksum, belong to the outermost
// transport header. If the outer protocol (carried_by) has no checksum, that is the inner one, and
// they stay.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool enter_inner(Packet& packet, u32 taken_off, u8 carried_by) noexcept {
    constexpr u8 ip_in_ip = 4;
    if (!forget_header(packet)) {
        return false;
    }
    packet.set_addressing(link_addressing::host);
    if (!packet.has_metadata()) {
        return true;
    }
    metadata& m = packet.writable_metadata();
    m.ignore_df = false;
    m.forwarded_in_hardware = false;
    if (m.checksum != checksum_state::pending && carried_by != ip_in_ip) {
        m.checksum = checksum_state::unknown;
        m.segmentation = segmentation_kind::none;
    }
    if (m.checksum == checksum_state::pending) {
        if (m.checksum_start >= taken_off) {
            m.checksum_start = static_cast<u16>(m.checksum_start - taken_off);
        } else {  // the checksum and the segments were the outer header's
            m.checksum = checksum_state::unknown;
            m.segmentation = segmentation_kind::none;
        }
    }
    return true;
}

// Ends of tunnels on this host that one packet may pass, register messages of PIM among them.
inline constexpr u8 most_tunnel_ends = 4;

// Counts a tunnel end in the packet. false: it passed too many, or has no memory of its own.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool pass_tunnel_end(Packet& packet) noexcept {
    if (std::as_const(packet).metadata().tunnels >= most_tunnel_ends || !packet.unshare()) {
        return false;
    }
    ++packet.writable_metadata().tunnels;
    return true;
}

}  // namespace sluice::rewrite
