// follow: takes a packet with a source route one step along it.
//
// It consumes the listed hops that are local addresses by making each the destination, and notes
// the next hop in option_offsets. The caller routes through the function that it passes.
//
// Expects: a compiled header whose source route is to be followed (accept_source_route), the kind
//          of the route to its destination, and a function that routes a listed hop.
// Never:   advances the pointer (forward.hpp does), sends, or looks up a route itself.
// Cost:    one lookup for each consumed hop, at most ten.
// Source:  RFC 791 section 3.1, RFC 1812 section 5.2.4.1; Linux ip_options_rcv_srr.
#pragma once

#include <concepts>
#include <cstddef>

#include <sluice/options/option_bytes.hpp>
#include <sluice/packet/metadata.hpp>

namespace sluice::ip_options {

// The kind of the route to an address.
enum class route_target : u8 {
    local,        // a local address
    forwardable,  // unicast, to another host
    other,        // broadcast, multicast, refused or none
};

enum class source_route_result : u8 {
    passed_by,  // addressed to another host: the option has no effect at this host
    arrived,    // no hop is left: deliver locally; the destination may have changed
    advanced,   // the packet goes to option_offsets::next_hop
    refused,    // drop without an ICMP error
    problem,    // drop with a parameter problem at `pointer`; not counted as a header error
};

struct source_route_step {
    source_route_result kind = source_route_result::passed_by;
    u8 pointer = 0;         // of a problem
    bool rerouted = false;  // the last looked up route replaces that of the original destination

    friend constexpr bool operator==(const source_route_step&,
                                     const source_route_step&) noexcept = default;
};

// How a packet with a source route arrived.
struct route_arrival {
    bool to_host = true;  // the link layer addressed the frame to this host alone
    route_target destination = route_target::other;  // kind of the route to the header's
                                                     // destination
};

// A function that looks up the route from the packet's source to a listed hop and returns its kind.
template <class F>
concept hop_router = requires(F& f, ipv4::address hop) {
    { f(hop) } noexcept -> std::same_as<route_target>;
};

template <hop_router Router>
[[nodiscard]] constexpr source_route_step follow(ipv4::view ip, option_offsets& options,
                                                 const route_arrival& arrival,
                                                 Router&& route) noexcept {
    using enum source_route_result;
    if (!arrival.to_host) return {refused};
    if (arrival.destination == route_target::forwardable) {
        // A strict route permits no hop that it does not list; the fault lies in the destination
        // bytes.
        if (options.strict_route) return {problem, 16};
        return {passed_by};
    }
    if (arrival.destination != route_target::local) return {refused};

    const bytes listed = detail::option_at(ip, options.source_route);
    bool rerouted = false;
    for (std::size_t pointer = detail::byte(listed, 2); pointer <= listed.size(); pointer += 4) {
        if (pointer + 3 > listed.size()) {
            return {problem, static_cast<u8>(options.source_route + 2), rerouted};
        }
        const ipv4::address hop{detail::word(listed, pointer - 1)};
        const route_target target = route(hop);
        if (target == route_target::other) return {refused};
        rerouted = true;
        options.changed = true;
        if (target == route_target::forwardable) {
            options.route_hit = true;
            options.next_hop = hop;
            return {advanced, 0, true};
        }
        ip.set(ipv4::destination, hop);
    }
    return {arrived, 0, rerouted};
}

}  // namespace sluice::ip_options
