// icmp_terms: decides whether this host may send an ICMP message now, and with which IP options.
//
// It asks the icmp policy and the options policy, and counts limited messages.
//
// Expects: the message's route; for options the packet that it answers.
// Cost:    two bucket checks.
// Source:  RFC 1812 section 4.3.2.8, RFC 1122 section 3.2.2.6; Linux icmpv4_xrlim_allow,
//          icmp_global_allow, __ip_options_echo.
#pragma once

#include <sluice/icmp/concept.hpp>
#include <sluice/options/outgoing.hpp>
#include <sluice/rewrite/option_walk.hpp>
#include <sluice/stack/route_lookup.hpp>

namespace sluice::acts {

namespace detail {

template <class Core>
[[nodiscard]] constexpr u16 identification_for(Core& c, const routing::output_route& route,
                                               u8 protocol) noexcept {
    return c.local.identification.next(route.source, route.destination, protocol, 1,
                                       c.calls.now.now);
}

// Counts an ICMP message that this host sends.
template <class Books>
constexpr void count_icmp(Books& b, u8 type) noexcept {
    b.count(mib::icmp_out_msgs);
    b.counters.icmp_out(type);
}

}  // namespace detail

// An ICMP message to be sent, and the packet that causes it.
struct icmp_cause {
    u8 type;  // of the message to be sent
    u8 code = 0;
    // An error about a packet that came in by the loopback interface. Limits apply to replies over
    // loopback too, as in Linux.
    bool is_of_loopback = false;
};

template <class Core>
[[nodiscard]] constexpr bool may_send_icmp(Core& c, const icmp_cause& cause,
                                           const routing::output_route& route) noexcept {
    if constexpr (requires { requires !Core::chosen::icmp::limits_looped; }) {
        if (cause.is_of_loopback) {
            return true;
        }
    }
    const interface* const out = c.tables.interfaces.find(route.interface);
    switch (c.local.icmp_limits.allow_error(
        {.type = cause.type,
         .code = cause.code,
         .to = {route.destination, out != nullptr ? out->master : u16{0}},
         .over_loopback = out != nullptr && out->loopback},
        c.tables.switches, c.calls.now.now)) {
    case icmp_allowance::allowed:
        return true;
    case icmp_allowance::limited_global:
        c.books.count(mib::icmp_out_rate_limit_global);
        return false;
    case icmp_allowance::limited_host:
        c.books.count(mib::icmp_out_rate_limit_host);
        return false;
    default:
        return false;
    }
}

// Writes the options of an answer to `received` into `to`. false: no answer may be sent.
template <class Core>
[[nodiscard]] constexpr bool echo_options(const Core& c, const typename Core::packet_type& received,
                                          const interface* in, route_type type,
                                          ip_options::outgoing& to) noexcept {
    const option_offsets& found = received.metadata().options;
    if (found.length == 0) {
        return true;
    }
    const interface nowhere{};
    const auto t = c.tables.look_up();
    const ipv4::const_view ip{received.data()};
    routing::option_environment env{t, ip, in != nullptr ? *in : nowhere, type,
                                    c.calls.now.midnight_ms};
    return Core::chosen::options::echo(ip, found, to, env);
}

}  // namespace sluice::acts
