// option_walk: the options of a received datagram: checked, recorded, and a source route followed
// one step. Expects: a classified datagram. Does: fills the packet's
// option_offsets, in a copy where others hold the bytes; what the options change in the header is
// changed (the checksum is repaired only when the packet is forwarded, as in Linux); a source route
// that is to be followed names a new destination to classify. Never: sends. Cost: one pass over the
// options; packets without any never come here. RFC 791 section 3.1, RFC 1122 section 3.2.1.8, RFC
// 1812 section 5.2.4.1. Linux ip_rcv_options.
#pragma once

#include <sluice/options/source_route.hpp>
#include <sluice/packet/datagram.hpp>
#include <sluice/pipeline/classify.hpp>
#include <sluice/routing/option_environment.hpp>

namespace sluice::rewrite {

namespace detail {

[[nodiscard]] constexpr ip_options::route_target
target_of(const pipeline::classification& c) noexcept {
    if (c.verdict.kind() == outcome::deliver && c.type == route_type::local) {
        return ip_options::route_target::local;
    }
    // Not the directed broadcast that bc_forwarding lets through.
    if (c.type == route_type::unicast &&
        (c.verdict.kind() == outcome::forward || c.verdict.kind() == outcome::deliver)) {
        return ip_options::route_target::forwardable;
    }
    return ip_options::route_target::other;
}

struct walked_options {
    decision verdict = decision::drop(drop_reason::no_buffer);
    bool is_rerouted = false;
};

// The options of a header that may be written. seen: as what the frame came.
template <class Options, class Tables>
[[nodiscard]] constexpr walked_options
walk_options(const Tables& t, ipv4::view ip, option_offsets& found, const interface& in,
             pipeline::classification& c, packet_type seen, u32 midnight_ms) noexcept {
    routing::option_environment<Tables> env{t, ip, in, c.delivered_as(), midnight_ms};
    const auto compiled = Options::compile(ip, found, env);
    if (!compiled.has_value()) {
        if constexpr (!Options::supported) {
            return {decision::drop(drop_reason::option_invalid)};
        }
        return {decision::reject(drop_reason::option_invalid,
                                 icmp_request::parameter_problem(compiled.error()))};
    }
    if (found.source_route == 0) {
        return {decision::proceed()};
    }
    if (!in.in_force.accept_source_route) {
        return {decision::drop(drop_reason::source_route_refused)};
    }
    pipeline::classification next = c;
    const auto route = [&](ipv4::address hop) noexcept {
        next = pipeline::classify(t, ip, hop, in);
        return target_of(next);
    };
    const auto step = Options::follow(
        ip, found, {.to_host = seen == packet_type::host, .destination = target_of(c)}, route);
    switch (step.kind) {
    case ip_options::source_route_outcome::refused:
        return {decision::drop(drop_reason::source_route_refused)};
    case ip_options::source_route_outcome::problem:
        return {decision::reject(drop_reason::source_route_refused,
                                 icmp_request::parameter_problem(step.pointer))};
    default:
        if (step.rerouted) {
            c = next;
        }
        return {decision::proceed(), step.rerouted};
    }
}

}  // namespace detail

// `c` is the classification by the header's destination, replaced when a source route leads
// elsewhere.
template <class Options, class Tables, packet_buffer Packet>
[[nodiscard]] constexpr decision option_walk(const Tables& t, unsummed_datagram<Packet>& d,
                                             const interface& in, pipeline::classification& c,
                                             u32 midnight_ms) noexcept {
    const packet_type seen = d.packet().type();
    detail::walked_options walked;
    const bool has_own = d.edit_options([&](ipv4::view ip, option_offsets& found) noexcept {
        walked = detail::walk_options<Options>(t, ip, found, in, c, seen, midnight_ms);
    });
    if (has_own && walked.is_rerouted) {
        // What came back to us counts as received by lo once it has a route from there.
        d.set_interface(in.index);
    }
    return walked.verdict;
}

}  // namespace sluice::rewrite
