// complete_route: may this route be added, and what does it leave open? Its scope and the interface
// of its gateway follow from its type and from the routes that there are.
// Expects: a route as an administrator gives it. Does: asks what Linux's fib_create_info asks, in
// its order: gateway on a link, interface there and up, preferred source local. Never: changes a
// table. Cost: a lookup for the gateway and one for the preferred source. Differences:
// docs/linux.md.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/routing/address_kind.hpp>

namespace sluice::routing {

namespace detail {

// Linux ip_metrics_convert: a route's MTU leaves room for a header of the link.
inline constexpr u16 max_route_mtu = 65'520;

// The gateway is taken for a neighbour although no route says so. Linux fib_check_nh_v4_gw.
template <class Tables>
[[nodiscard]] constexpr route_error check_gateway_on_link(const Tables& t,
                                                          const route_entry& r) noexcept {
    if (r.scope >= scopes::link) {
        return route_error::invalid;
    }
    const interface* out = t.interfaces.find(r.interface);
    if (out == nullptr) {
        return route_error::no_interface;
    }
    if (!out->up) {
        return route_error::interface_down;
    }
    return address_kind(t, r.gateway) == route_type::unicast ? route_error::none
                                                             : route_error::invalid_gateway;
}

// A link of that interface, or of any if none is given, must lead to the gateway: r.interface is
// then the link's. Linux fib_check_nh_v4_gw.
template <class Tables>
[[nodiscard]] constexpr route_error find_gateway(const Tables& t, route_entry& r) noexcept {
    if (r.on_link) {
        return check_gateway_on_link(t, r);
    }
    const u8 nearer = r.scope < scopes::link ? scopes::link : static_cast<u8>(r.scope + 1);
    const route_entry* link =
        usable_route(t, {.destination = r.gateway, .interface = r.interface, .scope = nearer});
    if (link == nullptr) {
        return route_error::gateway_unreachable;
    }
    // Deviation: Linux takes one of our own addresses for a way to its link.
    if (link->type != route_type::unicast || address_kind(t, r.gateway) == route_type::local) {
        return route_error::invalid_gateway;
    }
    const interface* out = t.interfaces.find(link->interface);
    if (out == nullptr || !out->up) {
        return route_error::interface_down;
    }
    r.interface = link->interface;
    return route_error::none;
}

// Linux fib_check_nh_nongw; a local route asks for the interface alone.
template <class Tables>
[[nodiscard]] constexpr route_error check_link(const Tables& t, const route_entry& r) noexcept {
    const interface* out = t.interfaces.find(r.interface);
    if (out == nullptr) {
        return route_error::no_interface;
    }
    if (r.scope == scopes::host) {
        return route_error::none;
    }
    if (r.on_link) {
        return route_error::invalid;
    }
    return out->up ? route_error::none : route_error::interface_down;
}

// As `ip route` gives it: the type says how far a route reaches at most, and without a gateway it
// ends on the link.
[[nodiscard]] constexpr u8 scope_of(const route_entry& r) noexcept {
    u8 least = scopes::universe;
    if (r.type == route_type::local) {
        least = scopes::host;
    } else if (r.type == route_type::broadcast || r.type == route_type::multicast ||
               !r.has_gateway()) {
        least = scopes::link;
    }
    return r.scope < least ? least : r.scope;
}

}  // namespace detail

template <class Tables>
[[nodiscard]] constexpr result<route_entry, route_error> complete_route(const Tables& t,
                                                                        route_entry r) noexcept {
    if (!is_valid_route(r)) {
        return failure{route_error::invalid};
    }
    // Deviation: Linux takes any, and finds what is sent by less than 68 bytes unreachable.
    if (r.mtu != 0 && r.mtu < ipv4::min_link_mtu) {
        return failure{route_error::invalid_mtu};
    }
    r.mtu = r.mtu < detail::max_route_mtu ? r.mtu : detail::max_route_mtu;
    if (is_refusal(r.type)) {
        if (r.has_gateway() || r.interface != 0) {
            return failure{route_error::invalid};
        }
        return r;
    }
    r.scope = detail::scope_of(r);
    route_error wrong = route_error::none;
    if (!r.has_gateway()) {
        wrong = detail::check_link(t, r);
    } else if (r.scope == scopes::host) {
        wrong = route_error::invalid_gateway;
    } else {
        wrong = detail::find_gateway(t, r);
    }
    if (wrong != route_error::none) {
        return failure{wrong};
    }
    // A local route to one address may name that address itself. Linux fib_valid_prefsrc.
    const bool names_itself = r.type == route_type::local && r.preferred_source == r.prefix.base;
    if (!r.preferred_source.is_unspecified() && !names_itself &&
        address_kind(t, r.preferred_source) != route_type::local) {
        return failure{route_error::invalid_source};
    }
    return r;
}

}  // namespace sluice::routing
