// udp_input: checks a UDP or UDP-Lite datagram and reads its ports. udp_variant: the drop reasons
// and counters of each.
//
// It checks the header, the length against the received bytes, and the checksum unless it is absent
// or verified already. The checksum of UDP-Lite may cover a part of the datagram and is never
// absent.
//
// Expects: a datagram of protocol 17 or 136.
// Never:   changes a byte; may make the header contiguous.
// Cost:    a pass over the bytes if it checks the checksum.
// Source:  RFC 768, RFC 1122 section 4.1.3, RFC 3828 section 3.1; Linux __udp4_lib_rcv,
//          udplite_checksum_init.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/segment_plan.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/udp.hpp>

#include <utility>

namespace sluice::pipeline {

struct udp_variant {
    drop_reason invalid = drop_reason::udp_invalid;
    drop_reason checksum = drop_reason::udp_checksum;
    drop_reason port_unreachable = drop_reason::port_unreachable;
    drop_reason broadcast_unwanted = drop_reason::udp_broadcast_unwanted;
    drop_reason endpoint_full = drop_reason::endpoint_full;
    mib in_datagrams = mib::udp_in_datagrams;
};
[[nodiscard]] constexpr udp_variant udp_variant_of(u8 protocol) noexcept {
    return protocol != ipv4::protocols::udp_lite
               ? udp_variant{}
               : udp_variant{
                     drop_reason::udplite_invalid,          drop_reason::udplite_checksum,
                     drop_reason::udplite_port_unreachable, drop_reason::udplite_broadcast_unwanted,
                     drop_reason::udplite_endpoint_full,    mib::udplite_in_datagrams};
}

struct udp_decision {
    drop_reason reason = drop_reason::none;
    u32 headers = 0;  // bytes in front of the payload
    u32 end = 0;      // bytes up to the end of the payload
    u16 source_port = 0;
    u16 destination_port = 0;
    u16 coverage = 0;  // UDP-Lite: bytes that the checksum covers; 0: all
};

// Uses only the addresses and the protocol of `info`.
template <packet_buffer Packet, header_sum Sum>
[[nodiscard]] constexpr udp_decision udp_input(basic_datagram<Packet, Sum>& d,
                                               const delivery_info& info) noexcept {
    constexpr u32 header_length = udp::layout::size;
    const u32 start = d.header_size();
    const Packet& p = d.packet();
    const bool lite = info.protocol == ipv4::protocols::udp_lite;
    const udp_variant variant = udp_variant_of(info.protocol);
    if (!d.may_pull(start + header_length)) {
        return {.reason = variant.invalid};
    }
    const udp::const_view header{p.data() + start};
    // UDP-Lite has the coverage where UDP has the length; 0: the whole datagram.
    const u32 field = header[udp::length];
    const u32 length = lite ? d.payload_size() : field;
    const u32 covered = lite && field == 0 ? length : field;
    if (length < header_length || covered > d.payload_size()) {
        return {.reason = variant.invalid};
    }
    const bool has_checksum = header[udp::checksum] != 0;
    if (lite && (!has_checksum || covered < header_length)) {
        return {.reason = variant.checksum};
    }
    // A datagram with a pending checksum was never on a wire.
    const bool trusted = p.metadata().checksum != checksum_state::unknown;
    if (!trusted && has_checksum) {
        const u64 pseudo = checksum::pseudo_header(
            info.source, info.destination, lite ? ipv4::protocols::udp_lite : ipv4::protocols::udp,
            length);
        if (!sums_up(p, start, covered, pseudo)) {
            return {.reason = variant.checksum};
        }
    }
    return {drop_reason::none,
            start + header_length,
            start + length,
            header[udp::source_port],
            header[udp::destination_port],
            static_cast<u16>(covered < length ? covered : 0)};
}

}  // namespace sluice::pipeline
