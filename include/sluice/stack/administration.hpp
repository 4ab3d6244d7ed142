// administration: adds, changes and removes interfaces, addresses and routes while packets run.
//
// It keeps the routes that addresses create up to date. A refused change leaves no trace.
//
// Expects: stack_tables.
// Cost:    a change of an interface recompiles the switches of all interfaces.
// Source:  Linux devinet.c, fib_frontend.c, fib_semantics.c.
#pragma once

#include <sluice/routing/complete_route.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/stack/address_routes.hpp>
#include <sluice/stack/switches.hpp>

#include <utility>

namespace sluice {

// The arguments of add_interface().
struct interface_request {
    u16 index = 0;
    ipv4::interface_address address{};  // length 32 and 0.0.0.0: none
    u32 mtu = 1500;                     // bytes, at least 68
    u16 master = 0;         // the interface of its routing domain, which names itself; 0: none
    interface_name name{};  // for extended echo requests and ICMP extensions
};

// State and MTU of an interface; set_link() sets both at once.
struct link_settings {
    bool up = true;
    u32 mtu = 1500;  // bytes
};

namespace acts {

namespace detail {

// Appends the route to those with the same key if the table can: two interfaces may share a
// network.
template <class Tables>
constexpr result<next_hop, route_error> append_route(Tables& t, const route_entry& r) noexcept {
    if constexpr (requires { t.routes.append(r); }) {
        return t.routes.append(r);
    } else {
        return t.routes.add(r);
    }
}

// Removes all routes for which f(const route_entry&) is true. A table without remove_if keeps
// routes when their interface is removed.
template <class Tables, class F>
constexpr void flush_routes(Tables& t, F&& goes) noexcept {
    if constexpr (requires { t.routes.remove_if(goes); }) {
        t.routes.remove_if(goes);
    }
    routes_removed(t);
}

// Adds the routes of the interface's addresses, or of one of them. false: they do not fit, and none
// is added.
template <class Tables>
constexpr bool bring_routes(Tables& t, const interface& i,
                            const ipv4::interface_address* only = nullptr) noexcept {
    bool fits = true;
    if constexpr (mutable_route_policy<typename Tables::routes_type>) {
        bounded_vector<route_entry, max_address_routes * max_interface_addresses> added;
        for (const auto& a : i.addresses) {
            if (only != nullptr && a.net != *only) {
                continue;
            }
            for_each_route_of(i, a, [&](const route_entry& r) {
                const auto done = append_route(t, r);
                fits = fits && (done.has_value() || done.error() == route_error::exists);
                if (done.has_value()) {
                    static_cast<void>(added.push_back(r));
                }
            });
        }
        if (!fits) {
            for (const auto& r : added) {
                static_cast<void>(t.routes.remove(r));
            }
        }
    }
    t.changed();
    return fits;
}

// Removes the routes that `a` created, unless a remaining address creates them too. If `a` is no
// longer local, it also removes the routes with `a` as their source, except those of the local
// table. Linux fib_del_ifaddr, fib_sync_down_addr.
template <class Tables>
constexpr void address_removed(Tables& t, const interface& before, const assigned_address& a,
                               const interface& now) noexcept {
    for (const auto& left : now.addresses) {
        if (left.net == a.net) {
            return;
        }
    }
    if constexpr (mutable_route_policy<typename Tables::routes_type>) {
        for_each_route_of(before, a, [&](const route_entry& r) {
            bool stays = false;
            for (const auto& left : now.addresses) {
                for_each_route_of(now, left,
                                  [&](const route_entry& other) { stays = stays || other == r; });
            }
            if (!stays) {
                static_cast<void>(t.routes.remove(r));
            }
        });
    }
    const ipv4::address removed = a.net.address;
    if (routing::address_kind(t.look_up(), removed) == route_type::local) {
        routes_removed(t);
        return;
    }
    flush_routes(t, [removed](const route_entry& r) {
        return r.preferred_source == removed && !is_in_local_table(r);
    });
}

// Linux fib_sync_down_dev.
template <class Tables>
constexpr void link_went_down(Tables& t, const interface& i) noexcept {
    interface_went_down(t, i.index);
    flush_routes(t, [&i](const route_entry& r) {
        return r.interface == i.index && r.next_hop_scope() != scopes::nowhere;
    });
}

}  // namespace detail

// Adds an address with its routes (address_routes.hpp).
template <class Tables>
[[nodiscard]] constexpr result<void, interface_error>
add_address(Tables& t, u16 index, const assigned_address& a) noexcept {
    if (auto added = t.interfaces.add_address(index, a); !added.has_value()) {
        return added;
    }
    if (!detail::bring_routes(t, *t.interfaces.find(index), &a.net)) {
        static_cast<void>(t.interfaces.remove_address(index, a.net));
        return failure{interface_error::full};
    }
    choose_all(t, index);
    return {};
}

// Removes an address, the secondary addresses of its network, their routes, and routes with one of
// them as source; with the last address of an interface all routes by that interface.
template <class Tables>
[[nodiscard]] constexpr result<void, interface_error>
remove_address(Tables& t, u16 index, const ipv4::interface_address& net) noexcept {
    const interface* i = t.interfaces.find(index);
    const interface before = i != nullptr ? *i : interface{};
    if (auto removed = t.interfaces.remove_address(index, net); !removed.has_value()) {
        return removed;
    }
    for (const auto& a : before.addresses) {
        detail::address_removed(t, before, a, *i);
    }
    if (i->addresses.empty()) {
        detail::flush_routes(t, [index](const route_entry& r) { return r.interface == index; });
    }
    return {};
}

template <class Tables>
[[nodiscard]] constexpr result<void, interface_error>
add_interface(Tables& t, const interface_request& r) noexcept {
    if (r.mtu < ipv4::min_link_mtu) {
        return failure{interface_error::invalid};
    }
    interface i{};
    i.index = r.index;
    i.mtu = r.mtu;
    i.master = r.master;
    i.name = r.name;
    inherit_defaults(t, i);
    if (auto added = t.interfaces.add(i); !added.has_value()) {
        return added;
    }
    result<void, interface_error> done{};
    if (!r.address.address.is_unspecified()) {
        done = add_address(t, r.index, {r.address, {}, scopes::universe, false});
    }
    if (!done.has_value()) {
        t.interfaces.remove(r.index);
    }
    refresh(t);
    return done;
}

// Adds lo, with which every stack starts: index 1, 127.0.0.1/8. RFC 1122 section 3.2.1.3 (g)
template <class Tables>
constexpr void add_loopback(Tables& t) noexcept {
    t.switches.settle();
    interface lo{};
    lo.index = routing::loopback_index;
    lo.name = "lo";
    lo.mtu = 65536;
    lo.loopback = true;
    inherit_defaults(t, lo);
    static_cast<void>(t.interfaces.add(lo));
    refresh(t);
    static_cast<void>(add_address(t, lo.index, {{ipv4::loopback, 8}, {}, scopes::host, false}));
}

// Removes an interface with its addresses, routes and groups. lo stays.
template <class Tables>
[[nodiscard]] constexpr result<void, interface_error> remove_interface(Tables& t,
                                                                       u16 index) noexcept {
    const interface* i = t.interfaces.find(index);
    if (i == nullptr) {
        return failure{interface_error::not_found};
    }
    if (i->loopback) {
        return failure{interface_error::invalid};
    }
    while (!i->addresses.empty()) {
        static_cast<void>(remove_address(t, index, i->addresses[0].net));
    }
    detail::flush_routes(t, [index](const route_entry& r) { return r.interface == index; });
    interface_went_down(t, index);
    if constexpr (requires { t.groups.forget(index); }) {
        t.groups.forget(index);
    }
    t.interfaces.remove(index);
    refresh(t);
    return {};
}

// Sets state and MTU at once. Down: removes the interface's routes, except local ones; the
// interface sends and receives no packet. Up: adds the routes of its addresses again.
template <class Tables>
[[nodiscard]] constexpr result<void, interface_error> set_link(Tables& t, u16 index,
                                                               link_settings to) noexcept {
    interface* i = t.interfaces.find(index);
    if (i == nullptr) {
        return failure{interface_error::not_found};
    }
    if (to.up && to.mtu < ipv4::min_link_mtu) {
        return failure{interface_error::invalid};
    }
    const bool was_up = std::exchange(i->up, to.up);
    if (to.up && !was_up && !detail::bring_routes(t, *i)) {
        i->up = false;
        return failure{interface_error::full};
    }
    if (i->mtu != to.mtu) {
        interface_mtu_changed(t, index, to.mtu, std::exchange(i->mtu, to.mtu));
    }
    if (was_up && !to.up) {
        detail::link_went_down(t, *i);
    }
    refresh(t);
    return {};
}

// The existing routes decide whether `r` is valid (routing/complete_route.hpp).
template <class Tables>
[[nodiscard]] constexpr result<next_hop, route_error> add_route(Tables& t,
                                                                const route_entry& r) noexcept {
    const auto complete = routing::complete_route(t.look_up(), r);
    if (!complete.has_value()) {
        return failure{complete.error()};
    }
    const auto added = t.routes.add(*complete);
    t.changed();
    t.custom_local_routes =
        t.custom_local_routes || (added.has_value() && r.type == route_type::local);
    return added;
}

// A route of a table of its own. Linux fib_table_insert.
template <class Tables>
    requires asks_rules<typename Tables::routes_type>
[[nodiscard]] constexpr result<next_hop, route_error> add_route(Tables& t, const route_entry& r,
                                                                u32 table) noexcept {
    const auto complete = routing::complete_route(t.look_up(), r);
    if (!complete.has_value()) {
        return failure{complete.error()};
    }
    const auto added = t.routes.add(*complete, table);
    t.changed();
    t.custom_local_routes =
        t.custom_local_routes || (added.has_value() && r.type == route_type::local);
    return added;
}

}  // namespace acts

}  // namespace sluice
