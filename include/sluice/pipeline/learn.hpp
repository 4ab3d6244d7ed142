// learn: decides what to learn from an ICMP error: a path MTU from fragmentation needed
// (pipeline/path_mtu.hpp), a gateway from a redirect.
//
// It applies Linux's rules (__ip_rt_update_pmtu, __ip_do_redirect).
//
// Expects: a notice that the quoted protocol accepts, and the route to the destination in use now.
// Never:   stores: an exceptions_policy does; resolves link addresses.
// Cost:    a few compares, one lookup for a redirect.
// Source:  RFC 1191 section 6.3, RFC 1122 section 3.2.2.2 and 3.3.3; Linux route.c.
#pragma once

#include <sluice/pipeline/icmp_notice.hpp>
#include <sluice/pipeline/path_mtu.hpp>
#include <sluice/routing/output_route.hpp>

namespace sluice::pipeline {

// Who recognizes the quoted packet as sent by this host.
struct recognition {
    bool by_handler = false;   // of the quoted protocol
    bool by_endpoint = false;  // of this protocol or port
};

// Whether to learn from the error. In the strict form (ip_no_pmtu_disc 3) an MTU counts only if the
// handler of the protocol confirms the quote; what else any host could quote counts without: the
// ports of an endpoint, the protocol of a raw endpoint, an echo reply.
// Deviation: Linux also learns what a raw socket of TCP reports (raw_err).
[[nodiscard]] constexpr bool may_learn_from(const icmp_error_notice& n, const recognition& known,
                                            const settings& s) noexcept {
    if (is_fragmentation_needed(n) && s.ip_no_pmtu_disc == 3) {
        return known.by_handler;
    }
    return known.by_handler || known.by_endpoint || quotes_echo_reply(n);
}

namespace detail {

// Whether some route uses this gateway. Linux ip_fib_check_default. False if the route policy
// cannot answer.
template <class Routes>
[[nodiscard]] constexpr bool is_known_gateway(const Routes& routes, ipv4::address gateway,
                                              u16 interface_index) noexcept {
    if constexpr (requires { routes.has_gateway(gateway, interface_index); }) {
        return routes.has_gateway(gateway, interface_index);
    } else {
        return false;
    }
}

}  // namespace detail

// Whether to follow the redirect: it must come from the gateway in use and name another one on the
// same link. RFC 1122 section 3.2.2.2. A redirect for a network counts for the host alone.
template <class Tables>
[[nodiscard]] constexpr bool
accepts_redirect(const Tables& t, const icmp_error_notice& n, const route_entry& r,
                 const routing::output_route& used, const interface& in) noexcept {
    constexpr u8 highest_redirect_code = 3;
    const ipv4::address gateway{n.info};
    const interface_settings& s = in.in_force;
    if ((n.code & 7) > highest_redirect_code || !r.has_gateway() || used.neighbour != n.offender ||
        gateway == n.offender || !s.accept_redirects || gateway.is_multicast() ||
        gateway.is_limited_broadcast() || gateway.is_unspecified()) {
        return false;
    }
    if (s.shared_media) {
        return routing::address_kind(t, gateway) == route_type::unicast;
    }
    return in.on_link(gateway, n.offender) &&
           (!s.secure_redirects || detail::is_known_gateway(t.routes, gateway, in.index));
}

}  // namespace sluice::pipeline
