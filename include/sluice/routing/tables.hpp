// tables: the interfaces, routes, groups and settings of a stack, as one argument of the stages.
//
// Expects: tables that outlive the call.
// Cost:    four pointers.
#pragma once

#include <sluice/packet/settings.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::routing {

template <class Interfaces, class Routes, class Groups>
struct tables {
    const Interfaces& interfaces;
    const Routes& routes;
    const Groups& groups;
    const settings& switches;
    // Whether there are local routes that no interface address added. If so, the source rules look
    // up routes, not only addresses. Linux fib_has_custom_local_routes.
    bool custom_local_routes = false;
};

// The bits of a packet's TOS that choose a route: those that Linux compares (RT_TOS within the DSCP
// mask).
[[nodiscard]] constexpr u8 route_tos(u8 tos) noexcept {
    return tos & 0x1c;
}

// The address that the link layer resolves for a route or its hop: the gateway, or on the link the
// destination.
template <class Route>
[[nodiscard]] constexpr ipv4::address neighbour_of(const Route& r,
                                                   ipv4::address destination) noexcept {
    return r.has_gateway() ? r.gateway : destination;
}

[[nodiscard]] constexpr bool is_usable(route_type type) noexcept {
    return type == route_type::unicast || type == route_type::local ||
           type == route_type::broadcast || type == route_type::multicast;
}

// The best route, or nullptr if there is none or it refuses packets. Linux fib_lookup.
template <class Tables>
[[nodiscard]] constexpr const route_entry* usable_route(const Tables& t,
                                                        const route_query& q) noexcept {
    const next_hop id = t.routes.lookup(q);
    if (id == next_hop::none) {
        return nullptr;
    }
    const route_entry& r = t.routes.at(id);
    return is_usable(r.type) ? &r : nullptr;
}

}  // namespace sluice::routing
