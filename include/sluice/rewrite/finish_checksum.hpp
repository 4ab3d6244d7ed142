// finish_checksum: computes the transport checksum that a packet's facts leave to the device.
// Expects: where checksum_state is pending, the sum of the pseudo header in the checksum field, and
// the facts' offsets as metadata.hpp says; they are not believed. Does: sums from the transport
// header to the end and stores the complement, a result of zero as 0xffff; the state is then
// unknown, as of any packet with its checksum in place. The checksum of a tunnel around it stays
// right: what is behind the pseudo header sums to the same before and after. Never: looks at what
// protocol it is, sums the pseudo header, writes into the IPv4 header, touches other packets. Cost:
// the bytes once where it is pending, else a flag. RFC 1071 section 1, RFC 768. Linux
// skb_checksum_help.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::rewrite {

// network_offset: bytes in front of the IPv4 header (a link header that is there already). false,
// and the packet as it was: the field is not in the packet behind the IPv4 header, or there is no
// room to make it contiguous or no memory for a copy of bytes that others hold.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool finish_checksum(Packet& packet, u32 network_offset = 0) noexcept {
    const metadata& known = std::as_const(packet).metadata();
    if (known.checksum != checksum_state::pending) {
        return true;
    }
    constexpr u32 least = ipv4::min_header_length;
    if (!packet.may_pull(network_offset + least)) {
        return false;
    }
    const ipv4::const_view ip{std::as_const(packet).data() + network_offset};
    const auto header = static_cast<u32>(ipv4::header_length(ip));
    const u32 start = network_offset + known.checksum_start;
    const u32 field = start + known.checksum_offset;
    // At an odd offset from where the sum begins, the field would not be a word of the sum.
    if ((known.checksum_offset & 1) != 0 ||
        !known.checksum_fits(header > least ? header : least, packet.size() - network_offset) ||
        !packet.unshare() || !packet.may_pull(field + 2)) {
        return false;
    }
    const u16 sum = checksum::finish(packet_sum(packet, start, packet.size() - start));
    store_be<u16>(packet.writable() + field, sum == 0 ? u16{0xffff} : sum);
    packet.writable_metadata().checksum = checksum_state::unknown;
    return true;
}

}  // namespace sluice::rewrite
