// source_address: chooses the source address of a packet by its destination, its route, or the
// datagram that it answers.
//
// The order is Linux's: the preferred source of the route; the interface's primary address on the
// next hop's subnet; the interface's first primary address whose scope reaches far enough; such an
// address of another interface.
//
// Never:   returns a secondary address unless a route prefers it.
// Cost:    a few comparisons; one lookup for a reply to a broadcast.
// Source:  RFC 1122 section 3.3.4.3, RFC 1812 section 4.3.2.4; Linux inet_select_addr,
//          fib_result_prefsrc, fib_compute_spec_dst.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/routing/rule_keys.hpp>
#include <sluice/routing/tables.hpp>

namespace sluice::routing {

// A primary address whose scope is `scope` or wider: of interface `index`, else of another
// interface. Unspecified if there is none.
template <class Tables>
[[nodiscard]] constexpr ipv4::address select_source(const Tables& t, u16 index,
                                                    ipv4::address destination, u8 scope) noexcept {
    if (const interface* i = t.interfaces.find(index)) {
        const ipv4::address own = i->source_for(destination, scope);
        if (!own.is_unspecified()) {
            return own;
        }
    }
    ipv4::address other{};
    t.interfaces.for_each([&](const interface& i) {
        if (!other.is_unspecified()) {
            return;
        }
        for (const auto& a : i.addresses) {
            if (!a.secondary && a.scope != scopes::link && a.scope <= scope) {
                other = a.net.address;
                return;
            }
        }
    });
    return other;
}

// The source of packets that leave by this route.
template <class Tables>
[[nodiscard]] constexpr ipv4::address source_for_route(const Tables& t,
                                                       const route_entry& r) noexcept {
    if (!r.preferred_source.is_unspecified()) {
        return r.preferred_source;
    }
    return select_source(t, r.interface, r.gateway, r.scope);
}

namespace detail {

// The source address of a reply to a broadcast or multicast datagram. Takes the tables by value, so
// that the compiler builds them only on this path.
template <class Tables>
[[nodiscard, gnu::noinline]] constexpr ipv4::address
answers_for(const Tables t, ipv4::const_view ip, u16 interface_index) noexcept {
    const ipv4::address source = ip[ipv4::source];
    u8 scope = scopes::link;
    if (!source.is_unspecified()) {
        scope = scopes::universe;
        if (const route_entry* back =
                usable_route(t, {.destination = source, .tos = route_tos(ip[ipv4::tos])},
                             [&]() noexcept { return own_key(t, {}, source, 0, ip[ipv4::tos]); })) {
            return source_for_route(t, *back);
        }
    }
    return select_source(t, interface_index, source, scope);
}

}  // namespace detail

// The specific destination of a received datagram (RFC 1122 section 3.2.1.3): its destination
// address if `type` is local, else the source address of a reply to it.
template <class Tables>
[[nodiscard, gnu::always_inline]] constexpr ipv4::address
specific_destination(const Tables& t, ipv4::const_view ip, u16 interface_index,
                     route_type type) noexcept {
    return type == route_type::local ? ip[ipv4::destination]
                                     : detail::answers_for(t, ip, interface_index);
}

}  // namespace sluice::routing
