// reinject: lets a packet that a hook queued go on, by the verdict of the program.
//
// An accepted packet passes the hooks that now stand behind the one that queued it, then the rest
// of its path: routing, delivery, forwarding or output. Its bytes are verified first, because the
// program may have changed them. A packet of this host whose addresses, TOS or mark changed at
// local_out gets another route.
//
// Expects: a packet that was taken out of the queue.
// Never:   passes a hook in front of the one that queued the packet; uses an interface that went
//          down.
// Cost:    that of the rest of the path.
// Source:  Linux nf_reinject, nf_ip_reroute, ip_route_me_harder, nfqnl_dev_drop.
#pragma once

#include <sluice/stack/receive.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// Chooses the route of a packet of this host again if a field changed by which it was chosen.
// false: there is none.
template <class Core>
[[nodiscard]] constexpr bool reroute(Core& c,
                                     queued_packet<typename Core::packet_type>& q) noexcept {
    const flow_fields now = flow_fields_of(std::as_const(q.packet));
    if (now == q.rest.routed_by) {
        return true;
    }
    const route_type from = routing::address_kind(c.tables.look_up(), now.source);
    const bool keeps_source = from == route_type::local || from == route_type::unicast;
    const auto route =
        route_to(c.tables,
                 {.destination = now.destination,
                  .source = keeps_source ? now.source : ipv4::address{},
                  .interface = q.rest.route.bound_interface,
                  .tos = now.tos,
                  .protocol = ipv4::const_view{std::as_const(q.packet).data()}[ipv4::protocol],
                  .any_source = true,
                  .mark = now.mark},
                 c.calls.now.now);
    if (!route.has_value()) {
        return false;
    }
    q.rest.route = *route;
    q.at.out = route->interface;
    return true;
}

// Whether a packet may pass the hooks behind. If not, it has its fate.
template <class Core>
[[nodiscard]] constexpr passage pass_rest(Core& c, queued_packet<typename Core::packet_type>& q,
                                          queue_verdict verdict) noexcept {
    const auto end = [&](drop_reason why) noexcept {
        c.books.trace(stage::hook, decision_kind::drop, why, q.at.in, 0, static_cast<u8>(q.point));
        return passage{false, drop(c.books, std::move(q.packet), why)};
    };
    if (verdict == queue_verdict::drop) {
        return end(drop_reason::hook);
    }
    if (!q.packet) {  // the program kept it
        c.books.tally(balance::absorbed);
        return {false, fate::absorbed};
    }
    if (check_header{}(q.packet) != drop_reason::none) {
        return end(drop_reason::hook);
    }
    if (verdict == queue_verdict::repeat) {
        if (const passage p = pass_same_hook(c.gates, c.books, q); !p) {
            return p;
        }
    }
    if (q.point == hook_point::local_out && !reroute(c, q)) {
        return end(drop_reason::hook);
    }
    return pass_hooks_behind(c.gates, c.books, q);
}

// Takes a datagram that passed the hooks through the rest of its path.
template <class Core>
constexpr fate go_on_as_datagram(Core& c, queued_packet<typename Core::packet_type>& q) noexcept {
    auto valid = pipeline::revalidate(q.packet);
    if (!valid.has_value()) {
        return drop(c.books, std::move(q.packet), valid.error());
    }
    switch (q.point) {
    case hook_point::local_in:
        return deliver_rest(c, std::move(*valid), q.rest.delivered_as, q.at.in);
    case hook_point::forward:
        if constexpr (!Core::multicast_type::never_routes) {
            if (q.rest.is_multicast) {
                return send_multicast_rest(c, std::move(*valid), q.rest.route, q.rest.plan);
            }
        }
        return forward_rest(c, std::move(*valid), q.rest.onward);
    default:
        return receive_rest(c, std::move(*valid), q.at.in,
                            q.rest.is_own ? &q.rest.arrival : nullptr);
    }
}

}  // namespace detail

// Carries out the program's verdict about a packet that was queued.
template <class Core>
[[gnu::noinline]] constexpr fate reinject(Core& c, queued_packet<typename Core::packet_type>&& q,
                                          queue_verdict verdict) noexcept {
    if (const passage p = detail::pass_rest(c, q, verdict); !p) {
        return p.ended_as;
    }
    switch (q.point) {
    case hook_point::local_out:
        return detail::local_out_rest(c, std::move(q.packet), q.rest.route);
    case hook_point::postrouting: {
        if (q.rest.loops_back) {
            detail::receive_copy(c, std::move(q.packet), q.rest.plan.type, q.rest.plan.to.interface,
                                 q.rest.plan.back);
            return fate::absorbed;
        }
        const departure d = depart_rest(c, q.packet, q.rest.plan);
        return d.has_left() ? d.what
                            : refuse(c, std::move(q.packet), d.refused, route_type::unicast);
    }
    default:
        return detail::go_on_as_datagram(c, q);
    }
}

// Lets the packet go on that got its verdict first, from within a call.
template <class Core>
constexpr void reinject_judged(Core& c) noexcept {
    if constexpr (queues_packets<typename Core::gates_type>) {
        queue_verdict verdict{};
        auto q = c.gates.queue.judged(verdict);
        static_cast<void>(reinject(c, std::move(q), verdict));
    }
}

// Drops the queued packets that came by an interface or were to leave by it.
template <class Core>
constexpr void drop_queued_by(Core& c, u16 interface_index) noexcept {
    if constexpr (queues_packets<typename Core::gates_type>) {
        for (auto q = c.gates.queue.take_by(interface_index); q.id != 0;
             q = c.gates.queue.take_by(interface_index)) {
            static_cast<void>(drop(c.books, std::move(q.packet), drop_reason::interface_down));
        }
    }
}

}  // namespace sluice::acts
