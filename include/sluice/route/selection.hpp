// The rules by which a table orders, chooses and finds routes, for whoever writes a table.
// Expects: entries as entry.hpp documents them. Does: what Linux's fib_find_alias, fib_table_lookup
// and fib_table_delete decide about one prefix. Never: searches: longest prefix first is the
// table's work. Cost: compares. Routes of type local and broadcast stand before all others of their
// prefix: they live in the kernel's local table, which is asked first (the two are searched as one
// trie). Source: Linux fib_trie.c, fib_semantics.c.
#pragma once

#include <sluice/route/entry.hpp>

namespace sluice {

// What `at` gives for next_hop::none and for ids that name no route.
inline constexpr route_entry nowhere{.type = route_type::blackhole, .scope = scopes::nowhere};

// The bits of a packet's TOS that a route's tos is compared with. Linux INET_DSCP_LEGACY_TOS_MASK.
inline constexpr u8 route_tos_mask = 0x1c;

// Whether a table may take it: prefix without host bits, a known type, a scope, no ECN bits in tos
// (RFC 3168 section 5).
[[nodiscard]] constexpr bool is_valid_route(const route_entry& r) noexcept {
    return r.prefix == ipv4::prefix(r.prefix.base, r.prefix.length) &&
           r.type <= route_type::throw_away && r.scope < scopes::nowhere && (r.tos & 3) == 0;
}

[[nodiscard]] constexpr bool is_in_local_table(const route_entry& r) noexcept {
    return r.type == route_type::local || r.type == route_type::broadcast;
}

// Of two routes to one prefix: whether a is tried before b. Neither of two equal ones: the older is
// tried first.
[[nodiscard]] constexpr bool is_tried_before(const route_entry& a, const route_entry& b) noexcept {
    if (is_in_local_table(a) != is_in_local_table(b)) return is_in_local_table(a);
    if (a.tos != b.tos) return a.tos > b.tos;
    return a.metric < b.metric;
}

// What makes two routes the same one to `ip route add`: prefix, table, tos and metric.
[[nodiscard]] constexpr bool has_same_key(const route_entry& a, const route_entry& b) noexcept {
    return a.prefix == b.prefix && !is_tried_before(a, b) && !is_tried_before(b, a);
}

[[nodiscard]] constexpr bool is_refusal(route_type t) noexcept {
    return t == route_type::blackhole || t == route_type::unreachable ||
           t == route_type::prohibit || t == route_type::throw_away;
}

// Whether r, whose prefix covers the destination, answers the query; if not, the next of its prefix
// and then shorter prefixes are tried. A refusal has no interface, so it answers for every one.
[[nodiscard]] constexpr bool answers(const route_entry& r, const route_query& q) noexcept {
    if (r.tos != 0 && r.tos != (q.tos & route_tos_mask)) return false;
    if (r.scope < q.scope) return false;
    return q.interface == 0 || q.interface == r.interface || is_refusal(r.type);
}

// Whether `remove(wanted)` means r: prefix, type and tos agree, and so do scope, metric, interface,
// gateway, preferred source and MTU where wanted gives them (not zero). Linux fib_table_delete,
// fib_metrics_match.
[[nodiscard]] constexpr bool is_meant(const route_entry& r, const route_entry& wanted) noexcept {
    return r.prefix == wanted.prefix && r.type == wanted.type && r.tos == wanted.tos &&
           (wanted.scope == scopes::universe || r.scope == wanted.scope) &&
           (wanted.metric == 0 || r.metric == wanted.metric) &&
           (wanted.interface == 0 || r.interface == wanted.interface) &&
           (!wanted.has_gateway() || r.gateway == wanted.gateway) &&
           (wanted.preferred_source.is_unspecified() ||
            r.preferred_source == wanted.preferred_source) &&
           (wanted.mtu == 0 || r.mtu == wanted.mtu) && (!wanted.mtu_locked || r.mtu_locked);
}

}  // namespace sluice
