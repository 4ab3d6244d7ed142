// learning: what a stack learns about the way to single destinations, and uses: path MTUs and
// redirected gateways. Expects: stack_state below it; notices that the protocol they quote
// believes. Does: asks the stages what a message teaches, keeps it in the exceptions room, applies
// it to routes. Never: sends. Cost: a test of one word while nothing was learned. RFC 1191
// section 6, RFC 1122 section 3.3.1. Linux ipv4_update_pmtu, ipv4_redirect, rt_bind_exception.
#pragma once

#include <sluice/pipeline/learn.hpp>
#include <sluice/stack/state.hpp>

namespace sluice::detail {

template <class Policies>
class stack_learning : public stack_state<Policies> {
    using base = stack_state<Policies>;
    using kept = typename base::chosen::exceptions;

public:
    using base::base;
    using route_result = result<pipeline::output_route, pipeline::send_error>;

    [[nodiscard]] constexpr const kept& exceptions() const noexcept { return exceptions_; }
    // Linux `ip route flush cache`.
    constexpr void forget_exceptions() noexcept {
        exceptions_.keep_if([](const exception_key&, route_exception&) { return false; });
        this->changed();
    }

protected:
    using base::exceptions_;
    using base::interfaces_;
    using base::now_;
    using base::switches_;
    using base::tables;

    [[nodiscard]] constexpr u32 mtu_of(u16 interface_index, u16 route_mtu) const noexcept {
        const interface* out = interfaces_.find(interface_index);
        const u32 own = out != nullptr ? out->mtu : 0;
        return route_mtu != 0 && route_mtu < own ? route_mtu : own;
    }

    // nullptr: the route is used as it is.
    [[nodiscard]] constexpr const route_exception*
    exception_of(ipv4::address destination, const route_entry& r) const noexcept {
        return exceptions_.any() ? exceptions_.find(key_of(destination, r), now_.now) : nullptr;
    }

    // The way of what this host originates, with what was learned. Linux __mkroute_output.
    [[nodiscard]] constexpr route_result route_to(const pipeline::flow& f) const noexcept {
        route_result route = pipeline::route_output(tables(), f);
        if constexpr (!kept::never_learns) {
            if (exceptions_.any() && route.has_value() && route->route != next_hop::none) {
                apply_to(*route);
            }
        }
        return route;
    }

    // The way of what is forwarded: a learned gateway always, a learned MTU by ip_forward_use_pmtu
    // or when it is locked. Linux __mkroute_input, ip_dst_mtu_maybe_forward.
    constexpr void use_exception(route_entry& r, ipv4::address destination) const noexcept {
        if (const route_exception* e = exception_of(destination, r)) {
            if (!e->gateway.is_unspecified()) {
                r.gateway = e->gateway;
            }
            if (e->mtu != 0 && (switches_.ip_forward_use_pmtu || e->mtu_locked)) {
                r.mtu = e->mtu;
            }
        }
    }

    // What an ICMP error says of the way to what it quotes. Linux ipv4_update_pmtu, ipv4_redirect.
    constexpr void learn(const icmp_error_notice& n) noexcept {
        if constexpr (!kept::never_learns) {
            const bool redirect = n.type == icmp::types::redirect;
            if (!redirect && !pipeline::is_fragmentation_needed(n)) {
                return;
            }
            const u8 tos = ipv4::const_view{n.quoted.data()}[ipv4::tos];
            const route_result used = route_to({.destination = n.destination,
                                                .source = n.source,
                                                .tos = tos,
                                                .protocol = n.protocol});
            if (!used.has_value() || used->route == next_hop::none) {
                return;
            }
            if (redirect) {
                learn_gateway(n, *used);
            } else {
                learn_mtu(n, *used);
            }
        }
    }

    // -- changes of what the exceptions stand on. Linux fib_flush, fib_sync_mtu --

    // After a route went: what was learned of its next hop goes, unless another route leads there.
    constexpr void routes_removed() noexcept {
        this->changed();
        if (exceptions_.any()) {
            exceptions_.keep_if([this](const exception_key& k, route_exception&) {
                const next_hop id = this->routes_.lookup(k.destination);
                return id != next_hop::none && key_of(k.destination, this->routes_.at(id)) == k;
            });
        }
    }
    constexpr void interface_went_down(u16 index) noexcept {
        exceptions_.keep_if(
            [index](const exception_key& k, route_exception&) { return k.interface != index; });
    }
    // Linux fib_nhc_update_mtu. Above the largest datagram an MTU limits nothing.
    constexpr void interface_mtu_changed(u16 index, u32 mtu, u32 before) noexcept {
        const auto limit = [](u32 m) {
            return static_cast<u16>(m < ipv4::max_total_length ? m : ipv4::max_total_length);
        };
        const u16 fits = limit(mtu);
        const u16 fitted = limit(before);
        exceptions_.keep_if([=](const exception_key& k, route_exception& e) {
            if (k.interface != index || e.mtu == 0) {
                return true;
            }
            if (e.mtu_locked ? fits <= e.mtu : fits < e.mtu || e.mtu == fitted) {
                e.mtu = fits;
                e.mtu_locked = false;
            }
            return true;
        });
    }

private:
    constexpr void apply_to(pipeline::output_route& route) const noexcept {
        const route_entry& r = this->routes_.at(route.route);
        if (const route_exception* e = exception_of(route.destination, r)) {
            if (!e->gateway.is_unspecified()) {
                route.neighbour = e->gateway;
            }
            if (e->mtu != 0) {
                route.mtu = e->mtu;
                route.mtu_locked = e->mtu_locked;
            }
        }
    }

    constexpr void learn_mtu(const icmp_error_notice& n,
                             const pipeline::output_route& used) noexcept {
        const u32 own = mtu_of(used.interface, used.mtu);
        const u32 current = own < ipv4::max_total_length ? own : u32{ipv4::max_total_length};
        const u32 least = switches_.route_min_pmtu < ipv4::min_link_mtu ? u32{ipv4::min_link_mtu}
                                                                        : switches_.route_min_pmtu;
        const pipeline::path_mtu_lesson lesson =
            pipeline::learn_path_mtu(n.info, current, used.mtu_locked, least);
        if (lesson.mtu == 0) {
            return;
        }
        const exception_key key = key_of(used.destination, this->routes_.at(used.route));
        const duration life = duration::from_seconds(switches_.route_mtu_expires);
        const route_exception* known = exceptions_.find(key, now_.now);
        if (known != nullptr && known->mtu == lesson.mtu && !lesson.locked &&
            (known->expires - now_.now) * 2 > life) {
            return;  // nothing new, and still young
        }
        this->changed();
        exceptions_.learn(
            key, {.mtu = lesson.mtu, .mtu_locked = lesson.locked, .expires = now_.now + life},
            now_.now);
    }

    constexpr void learn_gateway(const icmp_error_notice& n,
                                 const pipeline::output_route& used) noexcept {
        const route_entry& r = this->routes_.at(used.route);
        const interface* in = interfaces_.find(n.interface);
        if (in == nullptr || !pipeline::accepts_redirect(tables(), n, r, used, *in)) {
            return;
        }
        const ipv4::address gateway{n.info};
        const exception_key key = key_of(used.destination, r);
        // A gateway that nobody has heard of is asked for, and used once it is named again.
        if (!resolve_by(this->output_, {used.interface, link_destination::unicast, gateway})) {
            return;
        }
        const duration life = duration::from_seconds(switches_.route_gc_timeout);
        this->changed();
        exceptions_.learn(key, {.gateway = gateway, .expires = now_.now + life}, now_.now);
    }
};

}  // namespace sluice::detail
