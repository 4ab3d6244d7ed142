// udp_input: checks a UDP datagram and reads its ports.
//
// It checks the header, the length against the received bytes, and the checksum unless it is absent
// or verified already.
//
// Expects: a datagram of protocol 17.
// Never:   changes a byte; may make the header contiguous.
// Cost:    a pass over the bytes if it checks the checksum.
// Source:  RFC 768, RFC 1122 section 4.1.3; Linux __udp4_lib_rcv.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/segment_plan.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/udp.hpp>

#include <utility>

namespace sluice::pipeline {

struct udp_decision {
    drop_reason reason = drop_reason::none;
    u32 headers = 0;  // bytes in front of the payload
    u32 end = 0;      // bytes up to the end of the payload
    u16 source_port = 0;
    u16 destination_port = 0;
};

// Uses only the addresses of `info`.
template <packet_buffer Packet, header_sum Sum>
[[nodiscard]] constexpr udp_decision udp_input(basic_datagram<Packet, Sum>& d,
                                               const delivery_info& info) noexcept {
    constexpr u32 header_length = udp::layout::size;
    const u32 start = d.header_size();
    const Packet& p = d.packet();
    if (!d.may_pull(start + header_length)) {
        return {.reason = drop_reason::udp_invalid};
    }
    const udp::const_view header{p.data() + start};
    const u32 length = header[udp::length];
    if (length < header_length || length > d.payload_size()) {
        return {.reason = drop_reason::udp_invalid};
    }
    // A datagram with a pending checksum was never on a wire.
    const bool trusted = p.metadata().checksum != checksum_state::unknown;
    if (!trusted && header[udp::checksum] != 0) {
        const u64 pseudo =
            checksum::pseudo_header(info.source, info.destination, ipv4::protocols::udp, length);
        if (!sums_up(p, start, length, pseudo)) {
            return {.reason = drop_reason::udp_checksum};
        }
    }
    return {drop_reason::none, start + header_length, start + length, header[udp::source_port],
            header[udp::destination_port]};
}

}  // namespace sluice::pipeline
