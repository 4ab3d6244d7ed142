// classify: decides whether a received datagram is delivered locally, forwarded or refused.
//
// It follows Linux's ip_route_input in its order: multicast membership, martian sources, limited
// broadcast, martian destinations, the lookup, source rules.
//
// Expects: a validated datagram and its ingress.
// Never:   looks at the TTL (RFC 1812 section 5.2.1: a datagram for this host may have any), sends,
//          counts.
// Cost:    one lookup for most, and the source rule.
// Source:  RFC 1812 section 5.2.1 to 5.2.3 and 5.3.7, RFC 1122 section 3.2.1.3.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/pipeline/source_rules.hpp>
#include <sluice/routing/tables.hpp>

#include <type_traits>

namespace sluice::pipeline {

struct classification {
    decision decided = decision::drop(drop_reason::no_route);
    route_type type =
        route_type::unicast;  // local, broadcast, multicast: for this host; unreachable: no route
    // Refused by the routes, not by an address rule. The drop follows only after the options are
    // read, as in Linux, where the route exists and its input function refuses.
    bool unroutable = false;
    bool redirect = false;  // a better first hop exists on the sender's own link
    // The multicast routes decide about forwarding; `decided` only whether this host gets it too.
    bool multicast_routed = false;
    bool sent_here = false;  // by this host, to a group: the ingress is the egress

    // The type for delivery: a datagram that came in by lo with a unicast route is delivered as if
    // its destination were local.
    [[nodiscard]] constexpr route_type delivered_as() const noexcept {
        return decided.kind() == decision_kind::deliver && type == route_type::unicast
                   ? route_type::local
                   : type;
    }
};

namespace detail {

[[nodiscard]] constexpr classification martian(drop_reason why) noexcept {
    return {.decided = decision::drop(why)};
}

// The decision without a usable route, as in Linux's ip_error: it depends on whether the interface
// forwards. RFC 1812 section 5.2.7.1, RFC 1122 section 3.2.1.3.
[[nodiscard]] constexpr classification unroutable(const interface& in,
                                                  const route_entry* r) noexcept {
    classification c{.decided = decision::drop(drop_reason::not_forwarding),
                     .type = route_type::unreachable,
                     .unroutable = true};
    if (!in.in_force.forwarding) {
        return c;
    }
    const route_type type = r == nullptr ? route_type::throw_away : r->type;
    if (type == route_type::unreachable) {
        c.decided =
            decision::reject(drop_reason::host_unreachable, icmp_request::host_unreachable());
    } else if (type == route_type::prohibit) {
        c.decided = decision::reject(drop_reason::prohibited, icmp_request::prohibited());
    } else if (type == route_type::blackhole) {
        c.decided = decision::drop(drop_reason::blackhole);
    } else {
        c.decided = decision::reject(drop_reason::no_route, icmp_request::net_unreachable());
    }
    return c;
}

template <class Tables>
[[nodiscard]] constexpr classification for_us(const Tables& t, ipv4::address source, u8 tos,
                                              const interface& in, route_type type, next_hop hop,
                                              routing::key_for_rules<Tables> back) noexcept {
    if (type == route_type::local || !source.is_unspecified()) {
        const source_decision s = check_source(t, source, tos, in, 0, back);
        if (s.reason != drop_reason::none) {
            return martian(s.reason);
        }
    }
    return {.decided = decision::deliver(hop), .type = type};
}

// IGMP is for every member, whatever its sources. Linux ip_check_mc_rcu.
template <class Groups>
[[nodiscard]] constexpr bool is_heard(const Groups& groups, u16 interface, ipv4::const_view ip,
                                      ipv4::address group, ipv4::address source) noexcept {
    if constexpr (requires { groups.has_group(interface, group); }) {
        if (ip[ipv4::protocol] == ipv4::protocols::igmp) {
            return groups.has_group(interface, group);
        }
    }
    return groups.is_member(interface, group, source);
}

template <class Tables>
[[nodiscard]] constexpr classification multicast(const Tables& t, ipv4::const_view ip,
                                                 const interface& in) noexcept {
    const ipv4::address source = ip[ipv4::source];
    const ipv4::address group = ip[ipv4::destination];
    const bool is_member = is_heard(t.groups, in.index, ip, group, source) ||
                           (in.master != 0 && is_heard(t.groups, in.master, ip, group, source));
    const bool forwarded = !group.is_link_local_multicast() && in.in_force.mc_forwarding;
    if (!is_member && !forwarded) {
        return martian(drop_reason::no_multicast_member);
    }
    if (source.is_multicast() || source.is_limited_broadcast()) {
        return martian(drop_reason::source_invalid);
    }
    if (source.is_loopback() && !in.in_force.route_localnet) {
        return martian(drop_reason::loopback_outside);
    }
    if (source.is_unspecified()) {
        // Only a datagram that asks for an address or reports a membership may have the source
        // 0.0.0.0. RFC 1122 section 3.2.1.3 (a).
        if (!group.is_link_local_multicast() && ip[ipv4::protocol] != ipv4::protocols::igmp) {
            return martian(drop_reason::source_invalid);
        }
    } else {
        const u8 tos = routing::route_tos(ip[ipv4::tos]);
        const source_decision s =
            check_source(t, source, tos, in, 0, routing::key_back(t, source, {}, tos, in, 0));
        if (s.reason != drop_reason::none) {
            return martian(s.reason);
        }
    }
    if (!is_member) {
        return {.decided = decision::drop(drop_reason::no_multicast_route),
                .type = route_type::multicast,
                .unroutable = true,
                .multicast_routed = true};
    }
    return {.decided = decision::deliver(),
            .type = route_type::multicast,
            .multicast_routed = forwarded};
}

// drop_reason::none if both addresses are permitted in a unicast datagram.
[[nodiscard]] constexpr drop_reason address_rules(ipv4::address source, ipv4::address destination,
                                                  const interface& in) noexcept {
    if (source.is_unspecified()) {
        return drop_reason::source_invalid;  // only valid to the limited broadcast, handled before
    }
    if (destination.is_unspecified()) {
        return drop_reason::destination_invalid;
    }
    if ((destination.is_loopback() || source.is_loopback()) && !in.in_force.route_localnet) {
        return drop_reason::loopback_outside;
    }
    return drop_reason::none;
}

template <class Tables>
[[nodiscard]] constexpr classification
through(const Tables& t, ipv4::address source, u8 tos, const interface& in, const route_entry& r,
        next_hop hop, routing::key_for_rules<Tables> back) noexcept {
    const source_decision s = check_source(t, source, tos, in, r.interface, back);
    if (s.reason != drop_reason::none) {
        return martian(s.reason);
    }
    classification c{.decided = decision::forward(hop), .type = r.type};
    if (r.interface == in.index && s.on_link && in.in_force.send_redirects) {
        c.redirect = in.in_force.shared_media || in.on_link(source, r.gateway);
    }
    return c;
}

}  // namespace detail

// destination: the header's, or the next listed hop of a source route. mark: that of the packet
// (routing::mark_for_rules), for tables that ask rules.
template <class Tables, class Mark = routing::not_asked>
[[nodiscard]] constexpr classification classify(const Tables& t, ipv4::const_view ip,
                                                ipv4::address destination, const interface& in,
                                                Mark mark = {}) noexcept {
    if (destination.is_multicast()) {
        return detail::multicast(t, ip, in);
    }
    const ipv4::address source = ip[ipv4::source];
    const u8 tos = routing::route_tos(ip[ipv4::tos]);
    if (source.is_multicast() || source.is_limited_broadcast()) {
        return detail::martian(drop_reason::source_invalid);
    }
    if (destination.is_limited_broadcast() ||
        (source.is_unspecified() && destination.is_unspecified())) {
        return detail::for_us(t, source, tos, in, route_type::broadcast, next_hop::none,
                              routing::key_back(t, source, {}, tos, in, 0));
    }
    if (const drop_reason why = detail::address_rules(source, destination, in);
        why != drop_reason::none) {
        return detail::martian(why);
    }
    const next_hop hop =
        routing::find_route(t, {.destination = destination, .tos = tos}, [&]() noexcept {
            if constexpr (std::is_same_v<Mark, u32>) {
                return routing::received_key(ip, destination, in, mark);
            } else {
                return routing::received_key(ip, destination, in);
            }
        });
    if (hop == next_hop::none) {
        return detail::unroutable(in, nullptr);
    }
    const route_entry& r = t.routes.at(hop);
    if (!routing::is_usable(r.type)) {
        return detail::unroutable(in, &r);
    }
    if (r.type == route_type::broadcast && !in.in_force.bc_forwarding) {
        return detail::for_us(t, source, tos, in, route_type::broadcast, hop,
                              routing::key_back(t, source, {}, tos, in, 0));
    }
    if (r.type == route_type::local) {
        return detail::for_us(t, source, tos, in, route_type::local, hop,
                              routing::key_back(t, source, destination, tos, in, 0));
    }
    if (r.type == route_type::unicast && !in.in_force.forwarding) {
        return detail::unroutable(in, nullptr);
    }
    if (r.type == route_type::multicast) {
        return detail::martian(drop_reason::destination_invalid);
    }
    return detail::through(t, source, tos, in, r, hop,
                           routing::key_back(t, source, destination, tos, in, r.interface));
}

}  // namespace sluice::pipeline
