// source_rules: decides whether a datagram with this source address may come in by an interface.
//
// It refuses local addresses, checks the strict or loose reverse path, and finds whether the source
// is on the link of the interface (for redirects).
//
// Expects: a source that is neither multicast nor the limited broadcast.
// Never:   checks loopback and zero sources: classify does.
// Cost:    one probe of the local addresses with rp_filter off; one or two lookups otherwise.
// Source:  RFC 1812 section 5.3.8, RFC 3704 section 2.2; Linux fib_validate_source.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/routing/rule_keys.hpp>
#include <sluice/routing/tables.hpp>

namespace sluice::pipeline {

struct source_decision {
    drop_reason reason = drop_reason::none;
    bool on_link = false;  // the route to the source has no gateway
};

namespace detail {

template <class Tables>
[[nodiscard]] constexpr source_decision look_back(const Tables& t, ipv4::address source, u8 tos,
                                                  const interface& in,
                                                  routing::key_for_rules<Tables> key) noexcept {
    const u8 filter = in.in_force.rp_filter;
    const drop_reason otherwise = filter != 0 ? drop_reason::reverse_path : drop_reason::none;
    const route_entry* back = routing::usable_route(t, {.destination = source, .tos = tos},
                                                    [&]() noexcept { return key; });
    if (back == nullptr) {
        return {otherwise, false};
    }
    if (back->type != route_type::unicast) {
        if (back->type != route_type::local) {
            return {drop_reason::source_invalid, false};
        }
        if (!in.in_force.accept_local) {
            return {drop_reason::source_local, false};
        }
    }
    if (back->interface == in.index || (back->type == route_type::local && in.loopback)) {
        return {drop_reason::none, back->next_hop_scope() >= scopes::host};
    }
    if (in.addresses.empty()) {
        return {otherwise, false};
    }
    if (filter == 1) {
        return {drop_reason::reverse_path, false};
    }
    const route_entry* here =
        routing::usable_route(t, {.destination = source, .interface = in.index, .tos = tos},
                              [&]() noexcept { return routing::key_by(key, in.index); });
    return {drop_reason::none, here != nullptr && here->type == route_type::unicast &&
                                   here->next_hop_scope() >= scopes::host};
}

}  // namespace detail

// out: the egress of a datagram to forward, 0 for one to deliver. back: routing::key_back(), for
// tables that ask rules.
template <class Tables>
[[nodiscard]] constexpr source_decision
check_source(const Tables& t, ipv4::address source, u8 tos, const interface& in, u16 out,
             routing::key_for_rules<Tables> back = {}) noexcept {
    if (in.in_force.rp_filter == 0 && (out != in.index || !in.in_force.send_redirects)) {
        if (in.in_force.accept_local) {
            return {};
        }
        if (!t.custom_local_routes) {
            return {t.interfaces.is_own(source) ? drop_reason::source_local : drop_reason::none,
                    false};
        }
    }
    return detail::look_back(t, source, tos, in, back);
}

}  // namespace sluice::pipeline
