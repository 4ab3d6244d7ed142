// administration: interfaces, addresses and routes, set while packets run.
// Expects: stack_switching below it. Does: changes the tables, with the routes that addresses bring
// along. Never: sends. Cost: a change of an interface compiles the switches of all.
// Linux devinet.c, fib_frontend.c, fib_semantics.c.
#pragma once

#include <sluice/pipeline/complete_route.hpp>
#include <sluice/stack/address_routes.hpp>
#include <sluice/stack/switching.hpp>

#include <utility>

namespace sluice {

// What add_interface() is told.
struct interface_request {
    u16 index = 0;
    ipv4::interface_address address{};  // length 32 and 0.0.0.0: none yet
    u32 mtu = 1500;                     // octets, at least 68
    u16 master = 0;                     // the routing domain's interface
    interface_name name{};              // what probes ask for and ICMP extensions tell
};

// State and MTU of an interface, as set_link() sets both at once.
struct link_settings {
    bool up = true;
    u32 mtu = 1500;  // octets
};

namespace detail {

template <class Policies>
class stack_administration : public stack_switching<Policies> {
    using base = stack_switching<Policies>;

public:
    using typename base::parts;

    constexpr explicit stack_administration(parts p) noexcept : base(std::move(p)) {
        // lo: index 1, 127.0.0.1/8. RFC 1122 section 3.2.1.3 (g)
        interface lo{};
        lo.index = pipeline::loopback_index;
        lo.name = "lo";
        lo.mtu = 65536;
        lo.loopback = true;
        this->inherit_defaults(lo);
        static_cast<void>(this->interfaces_.add(lo));
        this->refresh();
        static_cast<void>(add_address(lo.index, {{ipv4::loopback, 8}, {}, scopes::host, false}));
    }

    // All or nothing, as everything here: what is refused leaves no trace.
    [[nodiscard]] constexpr result<void, interface_error>
    add_interface(const interface_request& r) noexcept;
    // With its addresses, routes and groups. lo stays.
    [[nodiscard]] constexpr result<void, interface_error> remove_interface(u16 index) noexcept;

    // An address with what it brings along (address_routes.hpp).
    [[nodiscard]] constexpr result<void, interface_error>
    add_address(u16 index, const ipv4::interface_address& net) noexcept {
        return add_address(index, {net, {}, scopes::universe, false});
    }
    [[nodiscard]] constexpr result<void, interface_error>
    add_address(u16 index, const assigned_address& a) noexcept;
    // With it go the secondaries of its network, the routes that it brought and those that name it
    // as their source; with the last one of an interface all routes by that interface.
    [[nodiscard]] constexpr result<void, interface_error>
    remove_address(u16 index, const ipv4::interface_address& net) noexcept;

    // The routes that there are decide what can be added (pipeline/complete_route.hpp).
    [[nodiscard]] constexpr result<next_hop, route_error> add_route(const route_entry& r) noexcept {
        const auto complete = pipeline::complete_route(this->tables(), r);
        if (!complete.has_value()) {
            return failure{complete.error()};
        }
        const auto added = this->routes_.add(*complete);
        this->changed();
        this->custom_local_routes_ =
            this->custom_local_routes_ || (added.has_value() && r.type == route_type::local);
        return added;
    }
    // The first route that is meant: prefix, type and tos agree, and what else r gives.
    [[nodiscard]] constexpr result<void, route_error> remove_route(const route_entry& r) noexcept {
        const auto removed = this->routes_.remove(r);
        this->routes_removed();
        return removed;
    }

    // All routes for which f(const route_entry&) says so, where the table can do that; how many.
    template <class F>
    constexpr u32 remove_routes(F&& f) noexcept
        requires requires(typename base::routes_type& r) { r.remove_if(f); }
    {
        const u32 removed = this->routes_.remove_if(f);
        this->routes_removed();
        return removed;
    }
    // The table from now on in that memory, where the program gives it (lpm_table): it may hold
    // more. False: too small for what is there, and nothing changed.
    template <class Memory>
    [[nodiscard]] constexpr bool move_routes(Memory memory) noexcept
        requires requires(typename base::routes_type& r) { r.move_to(memory); }
    {
        this->changed();
        return this->routes_.move_to(memory);
    }

    // Down: its routes go, those to its own addresses and other local ones excepted; nothing leaves
    // or comes in. Up: those that its addresses bring come back. Not up with an MTU under 68.
    [[nodiscard]] constexpr result<void, interface_error> set_link(u16 index,
                                                                   link_settings to) noexcept;
    [[nodiscard]] constexpr result<void, interface_error> set_up(u16 index, bool up) noexcept {
        const interface* i = this->interfaces_.find(index);
        return set_link(index, {up, i != nullptr ? i->mtu : 0});
    }
    // An MTU under 68 octets takes the interface down: Linux takes IPv4 off such a device. RFC 791
    // section 3.2.
    [[nodiscard]] constexpr result<void, interface_error> set_mtu(u16 index, u32 mtu) noexcept {
        const interface* i = this->interfaces_.find(index);
        return set_link(index, {i != nullptr && i->up && mtu >= ipv4::min_link_mtu, mtu});
    }

private:
    using routes_type = typename base::routes_type;

    [[nodiscard]] constexpr bool
    bring_routes(const interface& i, const ipv4::interface_address* only = nullptr) noexcept;
    // Behind those with the same key, where the table can do that: two interfaces may share a
    // network.
    constexpr result<next_hop, route_error> append_route(const route_entry& r) noexcept {
        if constexpr (requires { this->routes_.append(r); }) {
            return this->routes_.append(r);
        } else {
            return this->routes_.add(r);
        }
    }
    // A table that cannot tell what it holds keeps routes when their interface goes.
    template <class F>
    constexpr void flush_routes(F&& goes) noexcept {
        if constexpr (requires { this->remove_routes(goes); }) {
            this->remove_routes(goes);
        } else {
            this->routes_removed();
        }
    }
    constexpr void address_went(const interface& before, const assigned_address& a,
                                const interface& now) noexcept;
    constexpr void link_went_down(const interface& i) noexcept;
};

template <class Policies>
constexpr result<void, interface_error>
stack_administration<Policies>::add_interface(const interface_request& r) noexcept {
    if (r.mtu < ipv4::min_link_mtu) {
        return failure{interface_error::invalid};
    }
    interface i{};
    i.index = r.index;
    i.mtu = r.mtu;
    i.master = r.master;
    i.name = r.name;
    this->inherit_defaults(i);
    if (auto added = this->interfaces_.add(i); !added.has_value()) {
        return added;
    }
    result<void, interface_error> done{};
    if (!r.address.address.is_unspecified()) {
        done = add_address(r.index, r.address);
    }
    if (!done.has_value()) {
        this->interfaces_.remove(r.index);
    }
    this->refresh();
    return done;
}

template <class Policies>
constexpr result<void, interface_error>
stack_administration<Policies>::remove_interface(u16 index) noexcept {
    const interface* i = this->interfaces_.find(index);
    if (i == nullptr) {
        return failure{interface_error::not_found};
    }
    if (i->loopback) {
        return failure{interface_error::invalid};
    }
    while (!i->addresses.empty()) {
        static_cast<void>(remove_address(index, i->addresses[0].net));
    }
    flush_routes([index](const route_entry& r) { return r.interface == index; });
    this->interface_went_down(index);
    if constexpr (requires { this->groups_.forget(index); }) {
        this->groups_.forget(index);
    }
    this->interfaces_.remove(index);
    this->refresh();
    return {};
}

// The routes of the interface's addresses, or of one; false, and none of them, when they do not
// fit. Behind those with the same key, where the table can do that: two interfaces may share a
// network.
template <class Policies>
constexpr bool
stack_administration<Policies>::bring_routes(const interface& i,
                                             const ipv4::interface_address* only) noexcept {
    bool fits = true;
    if constexpr (mutable_route_policy<routes_type>) {
        bounded_vector<route_entry, max_address_routes * max_interface_addresses> added;
        for (const auto& a : i.addresses) {
            if (only != nullptr && a.net != *only) {
                continue;
            }
            for_each_route_of(i, a, [&](const route_entry& r) {
                const auto done = append_route(r);
                fits = fits && (done.has_value() || done.error() == route_error::exists);
                if (done.has_value()) {
                    static_cast<void>(added.push_back(r));
                }
            });
        }
        if (!fits) {
            for (const auto& r : added) {
                static_cast<void>(this->routes_.remove(r));
            }
        }
    }
    this->changed();
    return fits;
}

template <class Policies>
constexpr result<void, interface_error>
stack_administration<Policies>::add_address(u16 index, const assigned_address& a) noexcept {
    if (auto added = this->interfaces_.add_address(index, a); !added.has_value()) {
        return added;
    }
    if (!bring_routes(*this->interfaces_.find(index), &a.net)) {
        static_cast<void>(this->interfaces_.remove_address(index, a.net));
        return failure{interface_error::full};
    }
    this->choose_all(index);
    return {};
}

template <class Policies>
constexpr result<void, interface_error>
stack_administration<Policies>::remove_address(u16 index,
                                               const ipv4::interface_address& net) noexcept {
    const interface* i = this->interfaces_.find(index);
    const interface before = i != nullptr ? *i : interface{};
    if (auto removed = this->interfaces_.remove_address(index, net); !removed.has_value()) {
        return removed;
    }
    for (const auto& a : before.addresses) {
        address_went(before, a, *i);
    }
    if (i->addresses.empty()) {
        flush_routes([index](const route_entry& r) { return r.interface == index; });
    }
    return {};
}
// What a brought goes, unless an address that stays brings it as well; and when a is local no more,
// so do the routes that name it as their source, those to local addresses excepted. Linux
// fib_del_ifaddr, fib_sync_down_addr.
template <class Policies>
constexpr void stack_administration<Policies>::address_went(const interface& before,
                                                            const assigned_address& a,
                                                            const interface& now) noexcept {
    for (const auto& left : now.addresses) {
        if (left.net == a.net) {
            return;
        }
    }
    if constexpr (mutable_route_policy<routes_type>) {
        for_each_route_of(before, a, [&](const route_entry& r) {
            bool stays = false;
            for (const auto& left : now.addresses) {
                for_each_route_of(now, left,
                                  [&](const route_entry& other) { stays = stays || other == r; });
            }
            if (!stays) {
                static_cast<void>(this->routes_.remove(r));
            }
        });
    }
    const ipv4::address gone = a.net.address;
    if (pipeline::detail::is_local_address(this->tables(), gone)) {
        this->routes_removed();
        return;
    }
    flush_routes([gone](const route_entry& r) {
        return r.preferred_source == gone && !is_in_local_table(r);
    });
}

template <class Policies>
constexpr result<void, interface_error>
stack_administration<Policies>::set_link(u16 index, link_settings to) noexcept {
    interface* i = this->interfaces_.find(index);
    if (i == nullptr) {
        return failure{interface_error::not_found};
    }
    if (to.up && to.mtu < ipv4::min_link_mtu) {
        return failure{interface_error::invalid};
    }
    const bool was_up = std::exchange(i->up, to.up);
    if (to.up && !was_up && !bring_routes(*i)) {
        i->up = false;
        return failure{interface_error::full};
    }
    if (i->mtu != to.mtu) {
        this->interface_mtu_changed(index, to.mtu, std::exchange(i->mtu, to.mtu));
    }
    if (was_up && !to.up) {
        link_went_down(*i);
    }
    this->refresh();
    return {};
}

// Linux fib_sync_down_dev.
template <class Policies>
constexpr void stack_administration<Policies>::link_went_down(const interface& i) noexcept {
    this->interface_went_down(i.index);
    flush_routes([&i](const route_entry& r) {
        return r.interface == i.index && r.next_hop_scope() != scopes::nowhere;
    });
}

}  // namespace detail

}  // namespace sluice
