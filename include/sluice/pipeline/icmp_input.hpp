// icmp_input: what an ICMP message to us asks for.
// Expects: a whole datagram of protocol ICMP. Does: checksum, type, the rules for broadcasts, and
// says what is to be done: answer an echo or a timestamp, tell the protocol of an error, or
// nothing. Never: answers: the stack does. Cost: the checksum over the message. RFC 792, RFC 1122
// section 3.2.2, RFC 6633, RFC 6918. Linux icmp_rcv.
#pragma once

#include <sluice/packet/datagram.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/wire/icmp.hpp>

#include <utility>

namespace sluice::pipeline {

enum class icmp_action : u8 {
    none,       // dropped for `reason`
    consumed,   // counted, nothing to do
    echo,       // answer with an echo reply
    timestamp,  // answer with a timestamp reply
    probe,      // answer with an extended echo reply
    error,      // about a packet of ours
    endpoint,   // an echo reply or an extended one, for the endpoint that asked
};

struct icmp_decision {
    icmp_action action = icmp_action::none;
    drop_reason reason = drop_reason::none;
    bool has_type = false;  // the message was long enough and right: `type` counts
    u8 type = 0;
};

namespace detail {

inline constexpr u8 highest_known_icmp_type = 18;

[[nodiscard]] constexpr icmp_decision icmp_by_type(icmp::const_view message, route_type to,
                                                   u32 size, const settings& s) noexcept {
    namespace t = icmp::types;
    const u8 type = message[icmp::type];
    const auto refuse = [type](drop_reason why) {
        return icmp_decision{icmp_action::none, why, true, type};
    };
    const auto act = [type](icmp_action a) {
        return icmp_decision{a, drop_reason::none, true, type};
    };
    if (type == t::extended_echo_request) {
        // Only about our own interfaces; also when it came to many, as Linux does.
        const bool answered =
            s.icmp_echo_enable_probe && !s.icmp_echo_ignore_all && message[icmp::local_bit];
        return act(answered ? icmp_action::probe : icmp_action::consumed);
    }
    if (to == route_type::broadcast || to == route_type::multicast) {
        // RFC 1122 section 3.2.2.6: an echo request to a broadcast may be discarded; errors never
        // come to many.
        const bool question = type == t::echo_request || type == t::timestamp_request;
        if ((question && s.icmp_echo_ignore_broadcasts) ||
            (!question && type != t::address_mask_request && type != t::address_mask_reply)) {
            return refuse(drop_reason::icmp_to_broadcast);
        }
    }
    if (type == t::extended_echo_reply) {
        return act(icmp_action::endpoint);
    }
    if (type > highest_known_icmp_type) {
        return refuse(drop_reason::icmp_type_unknown);
    }
    switch (type) {
    case t::echo_reply:
        return act(icmp_action::endpoint);
    case t::echo_request:
        return s.icmp_echo_ignore_all ? act(icmp_action::consumed) : act(icmp_action::echo);
    case t::timestamp_request:
        return size < icmp::header_length + 4 ? refuse(drop_reason::icmp_truncated)
                                              : act(icmp_action::timestamp);
    case t::destination_unreachable:
    case t::time_exceeded:
    case t::parameter_problem:
    case t::source_quench:
    case t::redirect:
        return act(icmp_action::error);
    default:
        return act(icmp_action::consumed);  // unassigned, deprecated (RFC 6918) or not for us:
                                            // counted by type alone
    }
}

}  // namespace detail

// May make the ICMP header contiguous.
template <packet_buffer Packet, header_sum Sum>
[[nodiscard, gnu::always_inline]] constexpr icmp_decision
icmp_input(basic_datagram<Packet, Sum>& d, route_type to, const settings& s) noexcept {
    const Packet& p = d.packet();
    const u32 start = d.header_size();
    if (p.metadata().checksum == checksum_state::unknown && !sums_up(p, start, d.payload_size())) {
        return {icmp_action::none, drop_reason::icmp_checksum, false, 0};
    }
    if (d.payload_size() < icmp::header_length ||
        !d.may_pull(start + static_cast<u32>(icmp::header_length))) {
        return {icmp_action::none, drop_reason::icmp_truncated, false, 0};
    }
    const icmp::const_view message{p.data() + start};
    return detail::icmp_by_type(message, to, d.payload_size(), s);
}

}  // namespace sluice::pipeline
