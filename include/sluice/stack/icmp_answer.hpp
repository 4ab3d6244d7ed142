// icmp_answer: answers ICMP requests to this host: echo, timestamp, extended echo.
//
// It finds the route back, reverses the options, asks the limits, and writes the answer into the
// request's own bytes.
//
// Expects: a datagram that icmp_input classified as a request.
// Cost:    a route lookup; the checksum is updated, for echo without reading the data.
// Source:  RFC 792, RFC 8335, RFC 1122 section 3.2.2.6 and 3.2.2.8; Linux icmp_reply.
#pragma once

#include <sluice/pipeline/delivery_info.hpp>
#include <sluice/pipeline/icmp_input.hpp>
#include <sluice/rewrite/icmp_probe.hpp>
#include <sluice/rewrite/icmp_reply.hpp>
#include <sluice/stack/icmp_send.hpp>
#include <sluice/stack/reply.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// The ICMP type for which the answer is limited.
[[nodiscard]] constexpr u8 type_of_reply(pipeline::icmp_action what) noexcept {
    return what == pipeline::icmp_action::echo        ? icmp::types::echo_reply
           : what == pipeline::icmp_action::timestamp ? icmp::types::timestamp_reply
                                                      : icmp::types::extended_echo_reply;
}

template <class Core>
[[nodiscard]] constexpr bool turn_round(const Core& c, typename Core::packet_type& packet,
                                        pipeline::icmp_action what) noexcept {
    if (what == pipeline::icmp_action::probe) {
        return rewrite::turn_probe_round(c.tables.look_up(), packet);
    }
    return what == pipeline::icmp_action::echo
               ? rewrite::turn_echo_round(packet)
               : rewrite::turn_timestamp_round(packet, c.calls.now.midnight_ms);
}

}  // namespace detail

template <class Core>
constexpr fate answer(Core& c, unsummed_datagram<typename Core::packet_type>&& request,
                      route_type type, pipeline::icmp_action what) noexcept {
    typename Core::packet_type packet = std::move(request).release();
    const ipv4::const_view ip{packet.data()};
    const ipv4::address asker = ip[ipv4::source];
    const ipv4::address asked =
        routing::specific_destination(c.tables.look_up(), ip, packet.interface(), type);
    const u8 tos = ip[ipv4::tos];
    ip_options::outgoing echoed{};
    c.books.tally(balance::delivered);
    if (packet.has_metadata() &&
        !echo_options(c, packet, c.tables.interfaces.find(packet.interface()), type, echoed)) {
        return fate::delivered;
    }
    const auto route = route_back(c.tables, echoed.destination(asker), asked, tos, c.calls.now.now,
                                  reflected_mark(c.tables, std::as_const(packet)));
    if (!route.has_value() || !may_send_icmp(c, {.type = detail::type_of_reply(what)}, *route)) {
        return fate::delivered;
    }
    if (!take_header_off(packet, c.tables.switches.fwmark_reflect) ||
        !detail::turn_round(c, packet, what)) {
        icmp_unsent(c.books);
        return fate::delivered;
    }
    // All answers count as echo replies, as in Linux.
    send_icmp(c, std::move(packet), *route, {tos, icmp::types::echo_reply, echoed, asker});
    return fate::delivered;
}

}  // namespace sluice::acts
