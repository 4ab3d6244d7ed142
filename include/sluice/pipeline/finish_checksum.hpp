// finish_checksum: computes the transport checksum that a packet's facts leave to the device.
// Expects: where checksum_state is pending, the sum of the pseudo header in the checksum field, and
// the facts' offsets as metadata.hpp says; they are not believed. Does: sums from the transport
// header to the end and stores the complement, a result of zero as 0xffff; the state is then
// unknown, as of any packet with its checksum in place. Never: looks at what protocol it is, sums
// the pseudo header, touches other packets. Cost: the bytes once where it is pending, else a flag.
// RFC 1071 section 1, RFC 768. Linux skb_checksum_help.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>

#include <utility>

namespace sluice::pipeline {

// network_offset: octets in front of the IPv4 header (a link header that is there already). false,
// and the packet as it was: the field is not in the packet, or there is no room to make it
// contiguous or no memory for a copy of bytes that others hold.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool finish_checksum(Packet& packet, u32 network_offset = 0) noexcept {
    const metadata& known = std::as_const(packet).facts();
    if (known.checksum != checksum_state::pending) {
        return true;
    }
    const u32 start = network_offset + known.checksum_start;
    const u32 field = start + known.checksum_offset;
    // At an odd offset from where the sum begins, the field would not be a word of the sum.
    if ((known.checksum_offset & 1) != 0 || field + 2 > packet.size() || !packet.unshare() ||
        !packet.may_pull(field + 2)) {
        return false;
    }
    const u16 sum = checksum::finish(packet_sum(packet, start, packet.size() - start));
    store_be<u16>(packet.writable() + field, sum == 0 ? u16{0xffff} : sum);
    packet.writable_facts().checksum = checksum_state::unknown;
    return true;
}

}  // namespace sluice::pipeline
