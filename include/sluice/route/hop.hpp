// hop_entry: what a plain packet needs to know of its route, in 16 bytes that many routes share.
// Expects: nothing. Does: tells the next hop of a route, and asks a table for that of a destination
// in the shortest way that the table has. Never: reads the route where the table keeps hops by
// themselves. Cost: a table without hops looks up the route and reads it.
#pragma once

#include <sluice/route/concept.hpp>

namespace sluice {

// Of each route: how it leaves.
[[nodiscard]] constexpr hop_entry hop_of(const route_entry& r) noexcept {
    return {.gateway = r.gateway, .interface = r.interface, .mtu = r.mtu, .type = r.type};
}

// What a loop asks that does not change the table: its reader where it has one, else the table.
template <route_policy Routes>
[[nodiscard]] constexpr decltype(auto) reader_of(const Routes& routes) noexcept {
    if constexpr (has_reader<Routes>) {
        return routes.reader();
    } else {
        return (routes);
    }
}

// The hop of the best route under that tos (0: none), that of `nowhere` where there is no route.
template <class Routes>
[[nodiscard]] [[gnu::always_inline]] constexpr decltype(auto)
find_hop(const Routes& routes, ipv4::address destination, u8 tos) noexcept {
    if constexpr (has_hops<Routes>) {
        return routes.hop_for(destination, tos);
    } else {
        return hop_of(routes.at(
            tos == 0 ? routes.lookup(destination)
                     : routes.lookup(route_query{.destination = destination, .tos = tos})));
    }
}

}  // namespace sluice
