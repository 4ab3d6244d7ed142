// finish_checksum: computes the transport checksum that a packet's metadata leaves to the device.
//
// If checksum_state is pending, it sums from the transport header to the end and stores the
// complement, a result of zero as 0xffff. The state is unknown afterwards, as for any packet with
// its checksum in place. The checksum of an outer tunnel stays right: the bytes behind the pseudo
// header sum to the same before and after.
//
// Expects: the sum of the pseudo header in the checksum field, and offsets as metadata.hpp defines
//          them; it checks the offsets.
// Never:   looks at the protocol, sums the pseudo header, writes into the IPv4 header or into bytes
//          that other packets share.
// Cost:    each byte once if pending, else a flag.
// Source:  RFC 1071 section 1, RFC 768; Linux skb_checksum_help.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::rewrite {

// network_offset: bytes in front of the IPv4 header (a link header). False, and the packet is
// unchanged: the field lies outside the packet or in the IPv4 header, there is no room to make it
// contiguous, or no memory for a copy of shared bytes.
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
    // At an odd offset from the start of the sum, the field would not be a word of the sum.
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
