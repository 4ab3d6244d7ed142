// judge_send: decides whether a datagram that this host originates may leave, and with which flags.
//
// It refuses a datagram too long for the total length field or, with DF, for the MTU. It sets DF if
// the sender prefers it and the datagram fits, and asks for an identification unless the sender
// demands DF. judge_own_header() checks a packet that brings its own header.
//
// Expects: the size of the datagram and the MTU of its egress.
// Never:   writes the header: rewrite/originate.hpp does.
// Cost:    a few comparisons.
// Source:  RFC 791 section 3.2, RFC 6864 section 4.1; Linux ip_append_data, ip_dont_fragment,
//          raw_send_hdrinc.
#pragma once

#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/routing/output_route.hpp>

namespace sluice::pipeline {

struct send_terms {
    u64 size = 0;                    // bytes of the whole datagram
    u32 mtu = 0;                     // of its egress, bytes
    bool mtu_locked = false;         // path MTU discovery is off: DF only if demanded
    bool dont_fragment = false;      // demand DF: refuse a datagram too big for the MTU
    bool prefer_whole = false;       // set DF if the datagram fits
    bool always_identified = false;  // identify datagrams with demanded DF too
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
            // A datagram with demanded DF needs none. RFC 6864 section 4.1
            .identified = !of.dont_fragment || of.always_identified};
}

struct own_header_decision {
    routing::send_error error = routing::send_error::none;
    drop_reason reason = drop_reason::none;
};

// Judges a packet with its own header, which is completed later. Makes the header contiguous.
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
    return {};
}

}  // namespace sluice::pipeline
