// output_route: the route and the source address of a datagram that this host originates.
//
// Its input is a flow: a destination, and source, interface and tos if the sender fixes them. It
// takes Linux's steps in Linux's order: check that the source is local, require an interface for
// limited broadcast and multicast, look up the route, send local destinations to the loopback
// interface.
//
// Never:   changes tables; lets a source of 127/8 leave.
// Cost:    one lookup.
// Source:  RFC 1122 section 3.2.1.3, 3.3.1 and 3.3.4.3; Linux ip_route_output_key_hash.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/interface/interface.hpp>
#include <sluice/routing/address_kind.hpp>
#include <sluice/routing/rule_keys.hpp>
#include <sluice/routing/source_address.hpp>

namespace sluice::routing {

// Why a datagram cannot be sent, with the errno of Linux.
enum class send_error : u8 {
    none,
    invalid,              // EINVAL: impossible source, header or argument
    network_unreachable,  // ENETUNREACH
    host_unreachable,     // EHOSTUNREACH
    prohibited,           // EACCES
    too_big,              // EMSGSIZE
    no_buffer,            // ENOBUFS
    no_interface,         // ENODEV
    not_permitted,        // EPERM: a hook or a security policy dropped it
};

// The error as a sentence.
[[nodiscard]] constexpr const char* message(send_error error) noexcept {
    using enum send_error;
    switch (error) {
    case none:
        return "no error";
    case invalid:
        return "the source, a header field or an argument is impossible";
    case network_unreachable:
        return "no route leads to the destination";
    case host_unreachable:
        return "a route says that the host is unreachable";
    case prohibited:
        return "a route forbids the packet";
    case too_big:
        return "the datagram exceeds the path MTU and must not be fragmented";
    case no_buffer:
        return "no buffer is free, or the device is full; send later, or name more in "
               "buffers<fixed_pool<Bytes, Count>>";
    case no_interface:
        return "there is no such interface";
    case not_permitted:
        return "a hook or a security policy refused the packet";
    }
    return "unknown send error";
}

struct flow {
    ipv4::address destination{};
    ipv4::address source{};  // unspecified: chosen by the route
    u16 interface = 0;       // 0: chosen by the route
    u8 tos = 0;
    u8 protocol = 0;
    u8 scope = scopes::universe;  // link: no gateway
    bool any_source = false;      // the source need not be local (a raw header)
    u32 mark = 0;                 // for rules

    friend constexpr bool operator==(const flow&, const flow&) noexcept = default;
};

struct output_route {
    route_type type = route_type::unicast;  // unicast, local, broadcast or multicast
    bool mtu_locked = false;                // sent without DF unless the sender demands it
    u16 interface = 0;
    u16 mtu = 0;  // bytes; of the route or the learned path; 0: the interface's
    // For a local destination: the interface that counts as the ingress. It has the address, or the
    // flow names it; 0: `interface`.
    u16 address_interface = 0;
    u16 bound_interface = 0;          // the flow's: a route chosen again has to keep it
    u8 hop_limit = 0;                 // of the route; 0: ip_default_ttl
    bool loops_back = true;           // a multicast: this host joined the group
    next_hop route = next_hop::none;  // none: sent without a route
    ipv4::address source{};
    ipv4::address destination{};
    ipv4::address neighbour{};
};

namespace detail {

[[nodiscard]] constexpr send_error refusal(const route_entry* r) noexcept {
    if (r == nullptr) {
        return send_error::network_unreachable;
    }
    switch (r->type) {
    case route_type::unreachable:
        return send_error::host_unreachable;
    case route_type::prohibit:
        return send_error::prohibited;
    case route_type::blackhole:
        return send_error::invalid;
    default:
        return send_error::network_unreachable;
    }
}

// The caller sets `to.destination`; these functions fill in the rest. In place, because a copy of
// the small members costs more than a lookup.

// Fills in a route through the interface without a lookup.
constexpr send_error direct(u16 interface_index, ipv4::address source, output_route& to) noexcept {
    to.interface = interface_index;
    to.source = source;
    to.neighbour = to.destination;
    if (to.destination.is_limited_broadcast()) {
        to.type = route_type::broadcast;
    } else if (to.destination.is_multicast()) {
        to.type = route_type::multicast;
    }
    return send_error::none;
}

// Fills in a route to this host: the source, or 127.0.0.1, is also the destination.
constexpr send_error to_own(const flow& f, output_route& to) noexcept {
    const ipv4::address own = f.source.is_unspecified() ? ipv4::loopback : f.source;
    to.type = route_type::local;
    to.interface = loopback_index;
    to.address_interface = f.interface;
    to.source = own;
    to.destination = own;
    to.neighbour = own;
    return send_error::none;
}

template <class Tables>
[[gnu::always_inline]] constexpr send_error by_route(const Tables& t, const flow& f,
                                                     const route_entry& r, next_hop id,
                                                     output_route& to) noexcept {
    to.type = r.type;
    to.interface = r.interface;
    to.mtu = r.mtu;
    to.mtu_locked = r.mtu_locked;
    to.hop_limit = r.hop_limit;
    to.route = id;
    to.source = f.source;
    to.neighbour = neighbour_of(r, f.destination);
    // A broadcast or multicast datagram goes through no gateway: a route of fewer than 4 bits, such
    // as the default route, does not count.
    const bool to_all = f.destination.is_limited_broadcast();
    if (to_all || f.destination.is_multicast()) {
        to.type = to_all ? route_type::broadcast : route_type::multicast;
        if (to_all || r.prefix.length < 4) {
            to.neighbour = f.destination;
            to.mtu = 0;
            to.mtu_locked = false;
            to.hop_limit = 0;
            to.route = next_hop::none;
        }
    }
    if (r.type == route_type::local) {
        to.address_interface = r.interface;
        to.interface = loopback_index;
        if (f.source.is_unspecified()) {
            to.source = r.preferred_source.is_unspecified() ? f.destination : r.preferred_source;
        }
    } else if (f.source.is_unspecified()) {
        to.source = source_for_route(t, r);
    }
    return send_error::none;
}

template <class Tables>
[[nodiscard, gnu::always_inline]] constexpr send_error by_table(const Tables& t, const flow& f,
                                                                output_route& to) noexcept {
    const next_hop id = find_route(
        t,
        {.destination = f.destination,
         .interface = f.interface,
         .tos = route_tos(f.tos),
         .scope = f.scope},
        [&]() noexcept { return own_key(t, f.source, f.destination, f.interface, f.tos, f.mark); });
    const route_entry* r = id == next_hop::none ? nullptr : &t.routes.at(id);
    if (r != nullptr && is_usable(r->type)) {
        return by_route(t, f, *r, id, to);
    }
    if (f.interface == 0) {
        return refusal(r);
    }
    // The flow names an interface: its link is assumed to reach the destination.
    return direct(
        f.interface,
        f.source.is_unspecified() ? select_source(t, f.interface, {}, scopes::link) : f.source, to);
}

// Fills in a route through the flow's interface, with an address of it as source unless the flow
// has one.
template <class Tables>
[[nodiscard, gnu::noinline]] constexpr send_error by_interface(const Tables& t, flow f,
                                                               output_route& to) noexcept {
    const interface* out = t.interfaces.find(f.interface);
    if (out == nullptr) {
        return send_error::no_interface;
    }
    if (!out->up) {
        return send_error::network_unreachable;
    }
    const bool is_of_link = f.destination.is_link_local_multicast() ||
                            f.destination.is_limited_broadcast() ||
                            f.protocol == ipv4::protocols::igmp;
    if (f.source.is_unspecified()) {
        if (is_of_link) {
            f.source = select_source(t, f.interface, {}, scopes::link);
        } else if (f.destination.is_multicast()) {
            f.source = select_source(t, f.interface, {}, f.scope);
        } else if (f.destination.is_unspecified()) {
            f.source = select_source(t, f.interface, {}, scopes::host);
        }
    }
    if (is_of_link) {
        return direct(f.interface, f.source, to);
    }
    return f.destination.is_unspecified() ? to_own(f, to) : by_table(t, f, to);
}

// In the order of Linux ip_route_output_key_hash_rcu.
template <class Tables>
[[nodiscard, gnu::always_inline]] constexpr send_error choose_output(const Tables& t, const flow& f,
                                                                     output_route& to) noexcept {
    to.destination = f.destination;
    to.bound_interface = f.interface;
    if (!f.source.is_unspecified()) {
        if (f.source.is_multicast() || f.source.is_limited_broadcast()) {
            return send_error::invalid;
        }
        if (f.interface == 0 &&
            (f.destination.is_multicast() || f.destination.is_limited_broadcast())) {
            const u16 own = interface_of(t, f.source);
            return own == 0 ? send_error::network_unreachable : direct(own, f.source, to);
        }
        if (!f.any_source && !t.interfaces.is_own(f.source) &&
            address_kind(t, f.source) != route_type::local) {
            return send_error::network_unreachable;
        }
    }
    if (f.interface != 0) {
        return by_interface(t, f, to);
    }
    return f.destination.is_unspecified() ? to_own(f, to) : by_table(t, f, to);
}

// A source of 127/8 must not leave this host. RFC 1122 section 3.2.1.3 (g).
template <class Tables>
[[nodiscard]] constexpr bool keeps_loopback_inside(const Tables& t,
                                                   const output_route& r) noexcept {
    if (!r.source.is_loopback()) {
        return true;
    }
    const interface* out = t.interfaces.find(r.interface);
    return out != nullptr && (out->loopback || out->in_force.route_localnet);
}

}  // namespace detail

template <class Tables>
[[nodiscard]] constexpr result<output_route, send_error> route_output(const Tables& t,
                                                                      const flow& f) noexcept {
    result<output_route, send_error> chosen{output_route{}};
    send_error error = detail::choose_output(t, f, *chosen);
    if (error == send_error::none && !detail::keeps_loopback_inside(t, *chosen)) {
        error = send_error::invalid;
    }
    if (error != send_error::none) {
        chosen = failure{error};
    }
    return chosen;
}

}  // namespace sluice::routing
