// option_rules: decides about the options of a received datagram.
//
// It refuses a bad option, a source route that this host does not follow, and a step along it that
// cannot be taken.
//
// Expects: the result of the options policy.
// Never:   writes: in rewrite/option_walk.hpp the policy records and takes the step.
// Cost:    a few comparisons.
// Source:  RFC 791 section 3.1, RFC 1122 section 3.2.1.8; Linux ip_rcv_options, ip_options_rcv_srr.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/interface/interface.hpp>
#include <sluice/options/source_route.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/pipeline/classify.hpp>

namespace sluice::pipeline {

// The kind of target that a hop of a source route is, by its classification.
[[nodiscard]] constexpr ip_options::route_target target_of(const classification& c) noexcept {
    if (c.decided.kind() == decision_kind::deliver && c.type == route_type::local) {
        return ip_options::route_target::local;
    }
    // Without the directed broadcasts that bc_forwarding lets through.
    if (c.type == route_type::unicast && (c.decided.kind() == decision_kind::forward ||
                                          c.decided.kind() == decision_kind::deliver)) {
        return ip_options::route_target::forwardable;
    }
    return ip_options::route_target::other;
}

// compiled: its error is the offset of the bad byte.
template <class Options>
[[nodiscard]] constexpr decision judge_options(const result<void, u8>& compiled,
                                               const option_offsets& found,
                                               const interface& in) noexcept {
    if (!compiled.has_value()) {
        return Options::supported
                   ? decision::reject(drop_reason::option_invalid,
                                      icmp_request::parameter_problem(compiled.error()))
                   : decision::drop(drop_reason::option_invalid);
    }
    const bool follows = found.source_route == 0 || in.in_force.accept_source_route;
    return follows ? decision::proceed() : decision::drop(drop_reason::source_route_refused);
}

[[nodiscard]] constexpr decision judge_step(const ip_options::source_route_step& step) noexcept {
    switch (step.kind) {
    case ip_options::source_route_result::refused:
        return decision::drop(drop_reason::source_route_refused);
    case ip_options::source_route_result::problem:
        return decision::reject(drop_reason::source_route_refused,
                                icmp_request::parameter_problem(step.pointer));
    default:
        return decision::proceed();
    }
}

}  // namespace sluice::pipeline
