// icmp_input: decides what to do with an ICMP message for this host.
//
// It checks the checksum, the type and the rules for broadcasts. The action is to answer an echo or
// a timestamp, to report an error to its protocol, or none.
//
// Expects: a whole datagram of protocol ICMP.
// Never:   answers: the stack does.
// Cost:    the checksum over the message.
// Source:  RFC 792, RFC 1122 section 3.2.2, RFC 6633, RFC 6918; Linux icmp_rcv.
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
    consumed,   // counted, nothing else to do
    echo,       // answer with an echo reply
    timestamp,  // answer with a timestamp reply
    probe,      // answer with an extended echo reply
    error,      // an error about a packet that this host sent
    endpoint,   // an echo reply or extended echo reply, for the endpoint that asked
};

struct icmp_decision {
    icmp_action action = icmp_action::none;
    drop_reason reason = drop_reason::none;
    bool has_type = false;  // `type` is valid: the message was long enough, its checksum right
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
        // Only about the local interfaces; also for a broadcast or multicast datagram, as in Linux.
        const bool answered =
            s.icmp_echo_enable_probe && !s.icmp_echo_ignore_all && message[icmp::local_bit];
        return act(answered ? icmp_action::probe : icmp_action::consumed);
    }
    if (to == route_type::broadcast || to == route_type::multicast) {
        // RFC 1122 section 3.2.2.6: an echo request to a broadcast may be discarded. Errors are
        // never broadcast or multicast.
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
        // Unassigned, deprecated (RFC 6918) or ignored: counted by type alone.
        return act(icmp_action::consumed);
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

// Whether a plain ICMP packet with a verified header of 20 bytes is a whole, valid echo request. If
// so, and it is sent to a local unicast address while icmp_echo_ignore_all is off, icmp_input()
// returns `echo` for it.
template <packet_buffer Packet>
[[nodiscard, gnu::always_inline]] constexpr bool is_plain_echo_request(const Packet& p) noexcept {
    constexpr u32 start = static_cast<u32>(ipv4::min_header_length);
    return !ipv4::is_fragment(ipv4::const_view{p.data()}) &&
           p.size() >= start + icmp::header_length &&
           icmp::const_view{p.data() + start}[icmp::type] == icmp::types::echo_request &&
           checksum::verify({p.data() + start, p.size() - start});
}

}  // namespace sluice::pipeline
