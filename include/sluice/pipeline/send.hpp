// send: whether a datagram that this host originates may leave, and with which flags.
// Expects: its size, the MTU of its egress; for one that brings its own header, the packet. Does:
// too big for a total length or, with DF, for the MTU; DF where the sender prefers it and it fits;
// an identification where it may be cut. Never: writes the header: rewrite/originate.hpp does.
// Cost: a few comparisons. RFC 791 section 3.2, RFC 6864 section 4.1. Linux ip_append_data,
// ip_dont_fragment, raw_send_hdrinc.
#pragma once

#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/routing/output_route.hpp>

namespace sluice::pipeline {

struct send_terms {
    u64 size = 0;                    // bytes of the whole datagram
    u32 mtu = 0;                     // of its egress
    bool mtu_locked = false;         // the path cannot be discovered: DF only where insisted on
    bool dont_fragment = false;      // DF; too big for the MTU is refused
    bool prefer_whole = false;       // DF where it fits
    bool always_identified = false;  // also what is never cut
};

struct send_decision {
    bool too_big = false;
    bool dont_fragment = false;
    bool identified = true;
};

[[nodiscard]] constexpr send_decision judge_send(const send_terms& of) noexcept {
    const bool fits = of.size <= of.mtu;
    return {.too_big = of.size > ipv4::max_total_length || (of.dont_fragment && !fits),
            .dont_fragment = of.dont_fragment || (of.prefer_whole && fits && !of.mtu_locked),
            // An atomic datagram needs no identification. RFC 6864 section 4.1
            .identified = !of.dont_fragment || of.always_identified};
}

struct own_header_decision {
    routing::send_error error = routing::send_error::none;
    drop_reason reason = drop_reason::none;
    u32 header = 0;  // bytes
};

// A packet that begins with its own header, which is completed later. Makes the header contiguous.
template <packet_buffer Packet>
[[nodiscard]] constexpr own_header_decision judge_own_header(Packet& packet, u32 mtu) noexcept {
    using enum routing::send_error;
    if (packet.size() > mtu) {
        return {too_big, drop_reason::send_refused};
    }
    if (!packet.may_pull(ipv4::min_header_length)) {
        return {invalid, drop_reason::send_refused};
    }
    const u32 header =
        static_cast<u32>(ipv4::header_length(ipv4::const_view{std::as_const(packet).data()}));
    if (header < ipv4::min_header_length || !packet.may_pull(header)) {
        return {invalid, drop_reason::send_invalid};
    }
    return {.header = header};
}

}  // namespace sluice::pipeline
