// learn: learns a path MTU or another gateway of a destination from an ICMP error.
//
// The stages decide what to learn; the exceptions keep it.
//
// Expects: a notice whose quoted packet its protocol recognizes.
// Never:   sends, except to resolve an unknown neighbour.
// Cost:    a lookup.
// Source:  RFC 1191 section 6, RFC 1122 section 3.3.1; Linux ipv4_update_pmtu, ipv4_redirect.
#pragma once

#include <sluice/pipeline/learn.hpp>
#include <sluice/stack/route_lookup.hpp>

namespace sluice::acts {

namespace detail {

template <class Tables>
constexpr void learn_mtu(Tables& t, const icmp_error_notice& n, const routing::output_route& used,
                         instant now) noexcept {
    const u32 own = routing::egress_mtu(t, used.interface, used.mtu);
    const u32 current = own < ipv4::max_total_length ? own : u32{ipv4::max_total_length};
    const u32 least = t.switches.route_min_pmtu < ipv4::min_link_mtu ? u32{ipv4::min_link_mtu}
                                                                     : t.switches.route_min_pmtu;
    const pipeline::path_mtu_lesson lesson = pipeline::learn_path_mtu(
        n.info, {.current = current, .locked = used.mtu_locked, .least = least});
    if (lesson.mtu == 0) {
        return;
    }
    const exception_key key = key_of(used.destination, t.routes.at(used.route));
    const duration life = duration::from_seconds(t.switches.route_mtu_expires);
    const route_exception* known = t.exceptions.find(key, now);
    if (known != nullptr && known->mtu == lesson.mtu && !lesson.locked &&
        (known->expires - now) * 2 > life) {
        return;  // nothing new, and less than half of its life is over
    }
    t.changed();
    t.exceptions.learn(key, {.mtu = lesson.mtu, .mtu_locked = lesson.locked, .expires = now + life},
                       now);
}

template <class Tables, class Output>
constexpr void learn_gateway(Tables& t, Output& output, const icmp_error_notice& n,
                             const routing::output_route& used, instant now) noexcept {
    const route_entry& r = t.routes.at(used.route);
    const interface* in = t.interfaces.find(n.interface);
    if (in == nullptr || !pipeline::accepts_redirect(t.look_up(), n, r, used, *in)) {
        return;
    }
    const ipv4::address gateway{n.info};
    const exception_key key = key_of(used.destination, r);
    // An unresolved gateway is resolved now, and used when the next redirect names it.
    if (!resolve_by(output, {used.interface, link_destination::unicast, gateway}, now)) {
        return;
    }
    const duration life = duration::from_seconds(t.switches.route_gc_timeout);
    t.changed();
    t.exceptions.learn(key, {.gateway = gateway, .expires = now + life}, now);
}

}  // namespace detail

template <class Tables, class Output>
constexpr void learn(Tables& t, Output& output, const icmp_error_notice& n, instant now) noexcept {
    if constexpr (!Tables::exceptions_type::never_learns) {
        const bool redirect = n.type == icmp::types::redirect;
        if (!redirect && !pipeline::is_fragmentation_needed(n)) {
            return;
        }
        const u8 tos = ipv4::const_view{n.quoted.data()}[ipv4::tos];
        const route_result used = route_to(
            t,
            {.destination = n.destination, .source = n.source, .tos = tos, .protocol = n.protocol},
            now);
        if (!used.has_value() || used->route == next_hop::none) {
            return;
        }
        if (redirect) {
            detail::learn_gateway(t, output, n, *used, now);
        } else {
            detail::learn_mtu(t, n, *used, now);
        }
    }
}

}  // namespace sluice::acts
