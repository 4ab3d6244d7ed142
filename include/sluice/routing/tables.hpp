// tables: what the stages look things up in: interfaces, routes, groups, settings, as one argument.
// Expects: references that live during the call. Does: bundles. Never: owns. Cost: four pointers.
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
    // Routes of type local that no address brought along: source rules then look at the table, not
    // at the addresses alone. Linux fib_has_custom_local_routes.
    bool custom_local_routes = false;
};

// The byte by which routes with a tos are chosen: the bits that Linux compares (RT_TOS within the
// DSCP mask).
[[nodiscard]] constexpr u8 route_tos(u8 tos) noexcept {
    return tos & 0x1c;
}

// The address that the link layer is asked for, of a route or of its hop.
template <class Route>
[[nodiscard]] constexpr ipv4::address neighbour_of(const Route& r,
                                                   ipv4::address destination) noexcept {
    return r.has_gateway() ? r.gateway : destination;
}

[[nodiscard]] constexpr bool is_usable(route_type type) noexcept {
    return type == route_type::unicast || type == route_type::local ||
           type == route_type::broadcast || type == route_type::multicast;
}

// The lookup that Linux calls fib_lookup: refusing routes count as failures.
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
