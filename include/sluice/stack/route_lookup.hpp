// route_lookup: finds the route of a packet to be sent or forwarded, with learned exceptions.
//
// The route table answers first. Then the exceptions replace the path MTU or the gateway, if this
// host learned another one for the destination.
//
// Never:   changes a table.
// Cost:    a lookup; a test of one word while nothing is learned.
// Source:  Linux __mkroute_output, __mkroute_input, find_exception.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/base/time.hpp>
#include <sluice/route/exceptions.hpp>
#include <sluice/routing/egress_mtu.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/stack/tables.hpp>

namespace sluice::acts {

using route_result = result<routing::output_route, routing::send_error>;

// The exception learned for a destination and its route; nullptr: there is none.
template <class Tables>
[[nodiscard]] constexpr const route_exception*
exception_of(const Tables& t, ipv4::address destination, const route_entry& r,
             instant now) noexcept {
    return t.exceptions.any() ? t.exceptions.find(key_of(destination, r), now) : nullptr;
}

namespace detail {

template <class Tables>
constexpr void apply_exception(const Tables& t, routing::output_route& route,
                               instant now) noexcept {
    const route_entry& r = t.routes.at(route.route);
    if (const route_exception* e = exception_of(t, route.destination, r, now)) {
        if (!e->gateway.is_unspecified()) {
            route.neighbour = e->gateway;
        }
        if (e->mtu != 0) {
            route.mtu = e->mtu;
            route.mtu_locked = e->mtu_locked;
        }
    }
}

}  // namespace detail

// The route of a packet that this host sends.
template <class Tables>
[[nodiscard]] constexpr route_result route_to(const Tables& t, const routing::flow& f,
                                              instant now) noexcept {
    route_result route = routing::route_output(t.look_up(), f);
    if constexpr (!Tables::exceptions_type::never_learns) {
        if (t.exceptions.any() && route.has_value() && route->route != next_hop::none) {
            detail::apply_exception(t, *route, now);
        }
    }
    return route;
}

// The TTL of a unicast datagram whose sender sets none. Linux ip4_dst_hoplimit.
template <class Tables>
[[nodiscard]] constexpr u8 unicast_ttl(const Tables& t, const routing::output_route& r) noexcept {
    return r.hop_limit != 0 ? r.hop_limit : t.switches.ip_default_ttl;
}

// The mark by which the route of an answer to the packet is chosen. Linux IP4_REPLY_MARK.
template <class Tables, class Packet>
[[nodiscard]] constexpr u32 reflected_mark(const Tables& t, const Packet& packet) noexcept {
    if constexpr (routing::tables_ask_rules<Tables>) {
        return t.switches.fwmark_reflect ? packet.metadata().mark : 0;
    } else {
        return 0;
    }
}

// The route of an ICMP message to `destination`, the sender of the packet that it answers.
// `source`: of the message; unspecified: the route chooses it. `mark`: reflected_mark(). Flattened,
// because it runs for each reply.
template <class Tables>
[[nodiscard, gnu::flatten]] constexpr route_result
route_back(const Tables& t, ipv4::address destination, ipv4::address source, u8 tos, instant now,
           u32 mark = 0) noexcept {
    return route_to(t,
                    {.destination = destination,
                     .source = source,
                     .tos = tos,
                     .protocol = ipv4::protocols::icmp,
                     .mark = mark},
                    now);
}

// Applies the exception of a forwarded packet: a learned gateway always, a learned MTU with
// ip_forward_use_pmtu or if it is locked. Linux ip_dst_mtu_maybe_forward.
template <class Tables>
constexpr void use_exception(const Tables& t, route_entry& r, ipv4::address destination,
                             instant now) noexcept {
    if (const route_exception* e = exception_of(t, destination, r, now)) {
        if (!e->gateway.is_unspecified()) {
            r.gateway = e->gateway;
        }
        if (e->mtu != 0 && (t.switches.ip_forward_use_pmtu || e->mtu_locked)) {
            r.mtu = e->mtu;
        }
    }
}

}  // namespace sluice::acts
