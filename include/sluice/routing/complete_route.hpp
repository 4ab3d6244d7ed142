// complete_route: checks whether a route may be added, and fills in its scope and interface.
//
// The scope follows from the type, the interface of a gateway from the routes of the table. The
// checks have the order of Linux's fib_create_info: gateway on a link, interface there and up,
// preferred source local. docs/linux.md lists the differences.
//
// Expects: a route as an administrator writes it.
// Never:   changes a table.
// Cost:    a lookup for the gateway and one for the preferred source.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/routing/address_kind.hpp>
#include <sluice/routing/rule_keys.hpp>

namespace sluice::routing {

namespace detail {

// Leaves room for a link header in 65535 bytes. Linux ip_metrics_convert.
inline constexpr u16 max_route_mtu = 65'520;

// With on_link the gateway counts as a neighbour, whatever the routes say. Linux
// fib_check_nh_v4_gw.
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

// The link of r.interface, or any link if it is 0, must lead to the gateway. Sets r.interface to
// that link's. Linux fib_check_nh_v4_gw.
template <class Tables>
[[nodiscard]] constexpr route_error find_gateway(const Tables& t, route_entry& r) noexcept {
    if (r.on_link) {
        return check_gateway_on_link(t, r);
    }
    const u8 nearer = r.scope < scopes::link ? scopes::link : static_cast<u8>(r.scope + 1);
    const route_entry* link =
        usable_route(t, {.destination = r.gateway, .interface = r.interface, .scope = nearer},
                     [&]() noexcept { return own_key(t, {}, r.gateway, r.interface, 0); });
    if (link == nullptr) {
        return route_error::gateway_unreachable;
    }
    // Deviation: Linux accepts a local address as a gateway to its link.
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

// Linux fib_check_nh_nongw; a local route needs only an existing interface.
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

// As `ip route` sets it: the type limits the scope, and a route without a gateway ends on the link.
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
    // Deviation: Linux accepts any MTU, and reports packets over a smaller one as unreachable.
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
    // A local route may name its own address as preferred source. Linux fib_valid_prefsrc.
    const bool names_itself = r.type == route_type::local && r.preferred_source == r.prefix.base;
    if (!r.preferred_source.is_unspecified() && !names_itself &&
        address_kind(t, r.preferred_source) != route_type::local) {
        return failure{route_error::invalid_source};
    }
    return r;
}

}  // namespace sluice::routing
