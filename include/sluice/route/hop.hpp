// find_hop: looks up the hop_entry of a destination; hop_of: makes the hop_entry of a route;
// reader_of: returns the object for lookups in a loop.
//
// A hop_entry holds those fields of a route that the packet path needs. Tables with hop_for() store
// hops and do not read the route.
//
// Cost:    find_hop(): one hop_for(); without it, one lookup() and one read of the route.
#pragma once

#include <sluice/route/concept.hpp>

namespace sluice {

// The hop_entry of a route.
[[nodiscard]] constexpr hop_entry hop_of(const route_entry& r) noexcept {
    return {.gateway = r.gateway,
            .interface = r.interface,
            .mtu = r.mtu,
            .type = r.type,
            .hop_limit = r.hop_limit};
}

// The table's reader, or the table itself if it has none. The reader is valid until the table
// changes.
template <route_policy Routes>
[[nodiscard]] constexpr decltype(auto) reader_of(const Routes& routes) noexcept {
    if constexpr (has_reader<Routes>) {
        return routes.reader();
    } else {
        return (routes);
    }
}

// The hop_entry of the best route to the destination; that of `nowhere` if there is none. `tos`:
// the route bits of the packet's TOS (route_tos()); 0 matches only routes without a TOS.
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
