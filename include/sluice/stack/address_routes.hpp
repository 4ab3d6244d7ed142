// address_routes: the routes that an interface's address creates: to the address itself and, while
// the interface is up, to its network and its broadcast addresses.
//
// Expects: the address as the interface keeps it, with its `secondary` mark.
// Cost:    at most four calls.
// Source:  Linux fib_add_ifaddr.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/route/entry.hpp>

#include <cstddef>

namespace sluice::acts::detail {

inline constexpr std::size_t max_address_routes = 4;

// Calls f(route) for each route.
template <class F>
constexpr void for_each_route_of(const interface& i, const assigned_address& a, F&& f) noexcept {
    const ipv4::prefix network = a.net.network();
    // Routes of a secondary address have the primary address of the network as source.
    ipv4::address source = a.net.address;
    for (const auto& other : i.addresses) {
        if (a.secondary && !other.secondary && other.net.network() == network) {
            source = other.net.address;
        }
    }
    const auto route = [&](ipv4::prefix to, route_type type, u8 scope) {
        f(route_entry{.prefix = to,
                      .type = type,
                      .scope = scope,
                      .interface = i.index,
                      .preferred_source = source});
    };
    route({a.net.address, 32}, route_type::local, scopes::host);
    if (!i.up) {
        return;
    }
    if (!a.broadcast.is_unspecified() && !a.broadcast.is_limited_broadcast()) {
        route({a.broadcast, 32}, route_type::broadcast, scopes::link);
    }
    if (a.secondary || a.net.length >= 32 || network.base.is_unspecified()) {
        return;
    }
    route(network, i.loopback ? route_type::local : route_type::unicast,
          i.loopback ? scopes::host : scopes::link);
    if (a.net.has_broadcast()) {
        route({network.broadcast(), 32}, route_type::broadcast, scopes::link);
    }
}

}  // namespace sluice::acts::detail
