// new_header: what is known of a header is forgotten when the packet gets another one: it is
// received afresh, sent again, or what was inside it comes out of a tunnel. Expects: a packet.
// Does: keeps what is true of the bytes (segments, checksum, mark); takes a copy where
// others hold the facts, false where there is no memory for it. Never: touches the bytes. Cost: a
// test of the handle for plain packets. Linux memset(IPCB) in ip_rcv_core, skb_scrub_packet.
#pragma once

#include <sluice/packet/metadata.hpp>
#include <sluice/packet/packet_buffer.hpp>

#include <utility>

namespace sluice::rewrite {

// The packet goes the same way again, or another. Linux IPCB.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool forget_header(Packet& packet) noexcept {
    packet.set_forwarded(false);
    if (!packet.has_metadata()) {
        return true;
    }
    if (!packet.unshare()) {
        return false;
    }
    metadata& m = packet.writable_metadata();
    m.options = {};
    m.largest_fragment = 0;
    m.fragment_df = false;
    m.cut_anew = false;
    return true;
}

// Another datagram, that was inside: `taken_off` bytes in front of it went. A checksum that was
// verified, and segments without a pending one, are of the outermost transport: of the inner one,
// when the protocol that carried it has none of its own.
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
        } else {  // it was that of what was taken off, and so were the segments
            m.checksum = checksum_state::unknown;
            m.segmentation = segmentation_kind::none;
        }
    }
    return true;
}

}  // namespace sluice::rewrite
