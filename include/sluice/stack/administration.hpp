// administration: interfaces, addresses, routes and switches, as an administrator sets them while
// packets run. Expects: stack_entering below it. Does: changes the tables, with the routes that
// addresses bring along. Never: sends. Cost: a change of an interface compiles the switches of all.
// Linux devinet.c, fib_frontend.c, fib_semantics.c.
#pragma once

#include <sluice/stack/address_routes.hpp>
#include <sluice/stack/entering.hpp>

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

namespace detail {

template <class Policies>
class stack_administration : public stack_entering<Policies> {
    using base = stack_entering<Policies>;

public:
    using typename base::parts;

    constexpr explicit stack_administration(parts p) noexcept : base(std::move(p)) {
        // lo: index 1, 127.0.0.1/8. RFC 1122 section 3.2.1.3 (g)
        interface lo{};
        lo.index = pipeline::loopback_index;
        lo.name = "lo";
        lo.mtu = 65536;
        lo.loopback = true;
        lo.own = this->switches_.defaults;
        static_cast<void>(this->interfaces_.add(lo));
        refresh();
        static_cast<void>(add_address(lo.index, {{ipv4::loopback, 8}, {}, scopes::host, false}));
    }
    [[nodiscard]] constexpr result<void, interface_error>
    add_interface(const interface_request& r) noexcept {
        if (r.mtu < ipv4::min_link_mtu) {
            return failure{interface_error::invalid};
        }
        interface i{};
        i.index = r.index;
        i.mtu = r.mtu;
        i.master = r.master;
        i.name = r.name;
        i.own = this->switches_.defaults;
        if (auto added = this->interfaces_.add(i); !added.has_value()) {
            return added;
        }
        refresh();
        if (r.address.address.is_unspecified()) {
            return {};
        }
        return add_address(r.index, r.address);
    }
    // An address with what it brings along: the local route, the connected route and the broadcast
    // route. Linux fib_add_ifaddr.
    [[nodiscard]] constexpr result<void, interface_error>
    add_address(u16 index, const ipv4::interface_address& net) noexcept {
        return add_address(index, {net, {}, scopes::universe, false});
    }
    [[nodiscard]] constexpr result<void, interface_error>
    add_address(u16 index, const assigned_address& a) noexcept;
    [[nodiscard]] constexpr result<void, interface_error>
    remove_address(u16 index, const ipv4::interface_address& net) noexcept;

    [[nodiscard]] constexpr result<next_hop, route_error> add_route(const route_entry& r) noexcept;
    [[nodiscard]] constexpr result<void, route_error> remove_route(const route_entry& r) noexcept {
        const auto removed = this->routes_.remove(r);
        this->routes_removed();
        return removed;
    }

    // Down: the interface's routes through gateways and to its networks stay, but nothing leaves or
    // comes in. It stays down while its MTU is less than every link must carry.
    constexpr void set_up(u16 index, bool up) noexcept {
        if (interface* i = this->interfaces_.find(index)) {
            i->up = up && i->mtu >= ipv4::min_link_mtu;
            if (!i->up) {
                this->interface_went_down(index);
            }
            refresh();
        }
    }
    // An MTU under 68 octets takes the interface down until set_up(), with a larger one: Linux
    // takes IPv4 off such a device. RFC 791 section 3.2.
    constexpr void set_mtu(u16 index, u32 mtu) noexcept {
        if (interface* i = this->interfaces_.find(index)) {
            this->interface_mtu_changed(index, mtu, std::exchange(i->mtu, mtu));
            set_up(index, i->up);
        }
    }

    // Changes switches while running: change(settings&), and change_interface(index, f) for
    // conf.IF.
    template <class F>
    constexpr void change(F&& f) {
        f(this->switches_);
        refresh();
    }
    template <class F>
    constexpr bool change_interface(u16 index, F&& f) {
        interface* i = this->interfaces_.find(index);
        if (i == nullptr) {
            return false;
        }
        f(i->own);
        refresh();
        return true;
    }
    // net.ipv4.ip_forward: all, default and every interface.
    constexpr void set_ip_forward(bool on) noexcept {
        this->switches_.set_ip_forward(on);
        for_each_index([&](u16 index) { this->interfaces_.find(index)->own.forwarding = on; });
        refresh();
    }

private:
    template <class F>
    constexpr void for_each_index(F&& f) {
        this->interfaces_.for_each([&](const interface& i) { f(i.index); });
    }
    // Compiles the switches into what the packet path reads.
    constexpr void refresh() noexcept {
        this->changed();
        for_each_index([&](u16 index) { this->interfaces_.refresh(index, this->switches_.all); });
    }

    // A route of the stack's own: behind those with the same key, where the table can do that, so
    // that two interfaces may share a network.
    constexpr result<next_hop, route_error> append_route(const route_entry& r) noexcept {
        if constexpr (requires { this->routes_.append(r); }) {
            return this->routes_.append(r);
        } else {
            return this->routes_.add(r);
        }
    }
};

template <class Policies>
constexpr result<void, interface_error>
stack_administration<Policies>::add_address(u16 index, const assigned_address& a) noexcept {
    if (auto added = this->interfaces_.add_address(index, a); !added.has_value()) {
        return added;
    }
    bool ok = true;
    if constexpr (mutable_route_policy<typename base::chosen::routes>) {
        const interface& i = *this->interfaces_.find(index);
        for (const auto& given : i.addresses) {
            if (given.net == a.net) {
                detail::for_each_route_of(i, given, [&](const route_entry& r) {
                    const auto added = append_route(r);
                    ok = (added.has_value() || added.error() == route_error::exists) && ok;
                });
            }
        }
    }
    this->changed();
    if (!ok) {
        return failure{interface_error::full};
    }
    return {};
}

// With the address go the secondaries that the interface room removes along, and the routes of each
// that no address which stays brings as well. Linux fib_del_ifaddr.
template <class Policies>
constexpr result<void, interface_error>
stack_administration<Policies>::remove_address(u16 index,
                                               const ipv4::interface_address& net) noexcept {
    const interface* i = this->interfaces_.find(index);
    const interface before = i != nullptr ? *i : interface{};
    if (auto removed = this->interfaces_.remove_address(index, net); !removed.has_value()) {
        return removed;
    }
    if constexpr (mutable_route_policy<typename base::chosen::routes>) {
        const auto stays = [&](const route_entry& r) {
            bool found = false;
            for (const auto& a : i->addresses) {
                detail::for_each_route_of(
                    *i, a, [&](const route_entry& brought) { found = found || brought == r; });
            }
            return found;
        };
        for (const auto& a : before.addresses) {
            detail::for_each_route_of(before, a, [&](const route_entry& r) {
                if (!stays(r)) {
                    static_cast<void>(this->routes_.remove(r));
                }
            });
        }
        this->routes_removed();
    }
    return {};
}

template <class Policies>
constexpr result<next_hop, route_error>
stack_administration<Policies>::add_route(const route_entry& r) noexcept {
    route_entry e = r;
    if (e.has_gateway() && e.interface == 0) {
        // The device follows from the gateway, which must be on a link of ours. Linux fib_check_nh.
        const auto t = this->tables();
        const route_entry* link =
            pipeline::detail::usable_route(t, {.destination = e.gateway, .scope = scopes::link});
        if (link == nullptr || link->type != route_type::unicast) {
            return failure{route_error::invalid};
        }
        e.interface = link->interface;
    }
    const bool refuses = e.type == route_type::unreachable || e.type == route_type::prohibit ||
                         e.type == route_type::blackhole || e.type == route_type::throw_away;
    if (!refuses && this->interfaces_.find(e.interface) == nullptr) {
        return failure{route_error::invalid};
    }
    if (e.type == route_type::unicast && !e.has_gateway() && e.scope == scopes::universe) {
        e.scope = scopes::link;
    }
    if (e.type == route_type::local) {
        e.scope = scopes::host;
        this->custom_local_routes_ = true;
    }
    this->changed();
    return this->routes_.add(e);
}

}  // namespace detail

}  // namespace sluice
