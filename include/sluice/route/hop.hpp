// hop_of, find_hop, reader_of: the hop_entry of a route or of a destination.
//
// find_hop() asks a table for the next hop of a destination by the table's fastest function: tables
// with hop_for() do not read the route.
//
// Cost:    a table without hop_for() looks up the route and reads it.
#pragma once

#include <sluice/route/concept.hpp>

namespace sluice {

// The fields of a route that a hop has.
[[nodiscard]] constexpr hop_entry hop_of(const route_entry& r) noexcept {
    return {.gateway = r.gateway, .interface = r.interface, .mtu = r.mtu, .type = r.type};
}

// The object that a loop calls while the table does not change: the table's reader if it has one,
// else the table.
template <route_policy Routes>
[[nodiscard]] constexpr decltype(auto) reader_of(const Routes& routes) noexcept {
    if constexpr (has_reader<Routes>) {
        return routes.reader();
    } else {
        return (routes);
    }
}

// The hop of the best route under this tos (0: none), or the hop of `nowhere` if there is no route.
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
