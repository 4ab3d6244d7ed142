// address_kind: the kind of an address: local, broadcast, multicast or another host's (unicast).
//
// It tests the address itself, then looks up its route. An address without a route, or with a
// refusing one, counts as unicast.
//
// Never:   searches the addresses of the interfaces: the table has routes for them.
// Cost:    at most one lookup.
// Source:  RFC 1122 section 3.2.1.3; Linux inet_addr_type, __ip_dev_find.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/routing/tables.hpp>

namespace sluice::routing {

// local, broadcast, multicast or unicast. "This host" (0.0.0.0) is a broadcast, as in Linux.
template <class Tables>
[[nodiscard]] constexpr route_type address_kind(const Tables& t, ipv4::address a) noexcept {
    if (a.is_unspecified() || a.is_limited_broadcast()) {
        return route_type::broadcast;
    }
    if (a.is_multicast()) {
        return route_type::multicast;
    }
    const route_entry* r = usable_route(t, {.destination = a});
    return r != nullptr ? r->type : route_type::unicast;
}

// The interface that has the address, or the interface of its local route; 0: not local.
template <class Tables>
[[nodiscard]] constexpr u16 interface_of(const Tables& t, ipv4::address own) noexcept {
    if (!t.interfaces.is_own(own)) {
        const route_entry* r = usable_route(t, {.destination = own});
        return r != nullptr && r->type == route_type::local ? r->interface : u16{0};
    }
    u16 found = 0;
    t.interfaces.for_each([&](const interface& i) {
        for (const auto& a : i.addresses) {
            if (a.net.address == own && found == 0) {
                found = i.index;
            }
        }
    });
    return found;
}

}  // namespace sluice::routing
