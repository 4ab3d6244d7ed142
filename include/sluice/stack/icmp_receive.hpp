// icmp_receive: handles an ICMP message to this host: answers a request, delivers a reply, reports
// an error.
//
// It reports errors to the endpoints and handlers whose packets they quote. The stack learns from
// an error only if one of them recognizes the quoted packet.
//
// Expects: a datagram that passed the local_in hook.
// Never:   answers an error.
// Cost:    that of icmp_input, and of the endpoint or handler.
// Source:  RFC 1122 section 3.2.2; Linux icmp_rcv, ping_rcv, icmp_unreach.
#pragma once

#include <sluice/pipeline/icmp_notice.hpp>
#include <sluice/stack/icmp_answer.hpp>
#include <sluice/stack/learn.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// Delivers an echo reply to the endpoint with its identifier.
template <class Core>
constexpr fate to_ping_endpoint(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                                delivery_info& info) noexcept {
    using packet_type = typename Core::packet_type;
    const u32 start = d.header_size();
    packet_type packet = std::move(d).release();
    if constexpr (answers_pings<typename Core::local_type::delivery_type, packet_type>) {
        info.destination_port =
            icmp::const_view{std::as_const(packet).data() + start}[icmp::identifier];
        info.headers = static_cast<u8>(start);
        static_cast<void>(packet.pull(start));  // contiguous since the ICMP header was read
        const delivery_count n = c.local.delivery.ping(std::move(packet), info);
        c.books.tally(balance::delivered, n.taken);
        if (n.any()) {
            return n.taken != 0 ? fate::delivered
                                : drop(c.books, std::move(packet), drop_reason::ping_full);
        }
    }
    return drop(c.books, std::move(packet), drop_reason::no_endpoint);
}

// Reports an error to the raw endpoints that may have sent the quoted packet, and to the handler of
// its protocol.
template <class Core>
constexpr fate to_error_handler(Core& c,
                                unsummed_datagram<typename Core::packet_type>&& d) noexcept {
    pipeline::notice_decision v = pipeline::icmp_notice(c.tables.look_up(), d);
    if (v.kind == pipeline::notice_kind::invalid) {
        return drop(c.books, std::move(d).release(), v.reason);
    }
    if (v.kind == pipeline::notice_kind::report) {
        v.notice.now = c.calls.now.now;
        auto& delivery = c.local.delivery;
        auto* h = delivery.handler(v.notice.protocol);
        // The stack learns first, so that endpoints and handlers find the new route.
        const pipeline::recognition known_by{.by_handler = h != nullptr && h->believes(v.notice),
                                             .by_endpoint = delivery.believes(v.notice)};
        if (pipeline::may_learn_from(v.notice, known_by, c.tables.switches)) {
            learn(c.tables, c.device.output, v.notice, c.calls.now.now);
        }
        const bool known = delivery.report(v.notice);
        h = delivery.handler(v.notice.protocol);  // an endpoint may have changed it
        if (h != nullptr ? !h->error(v.notice) : !known) {
            c.books.count(mib::icmp_in_errors);
        }
    }
    c.books.tally(balance::delivered);
    return fate::delivered;
}

}  // namespace detail

template <class Core>
constexpr fate receive_icmp(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                            delivery_info& info, route_type type) noexcept {
    c.books.count(mib::icmp_in_msgs);
    const pipeline::icmp_decision v = pipeline::icmp_input(d, type, c.tables.switches);
    if (v.has_type) {
        c.books.counters.icmp_in(v.type);
    }
    c.books.trace(stage::icmp_input,
                  v.action == pipeline::icmp_action::none ? decision_kind::drop
                                                          : decision_kind::deliver,
                  v.reason, d.packet().interface(), 0, v.type);
    switch (v.action) {
    case pipeline::icmp_action::none:
        return drop(c.books, std::move(d).release(), v.reason);
    case pipeline::icmp_action::endpoint:
        return detail::to_ping_endpoint(c, std::move(d), info);
    case pipeline::icmp_action::echo:
    case pipeline::icmp_action::timestamp:
    case pipeline::icmp_action::probe:
        if constexpr (Core::chosen::icmp::answers_echo) {
            return answer(c, std::move(d), type, v.action);
        } else {
            return drop(c.books, std::move(d).release(), drop_reason::icmp_ignored);
        }
    case pipeline::icmp_action::error:
        return detail::to_error_handler(c, std::move(d));
    default:
        c.books.tally(balance::delivered);
        return fate::delivered;
    }
}

}  // namespace sluice::acts
