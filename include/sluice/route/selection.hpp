// Rules by which a route table orders, chooses and finds routes, for authors of tables.
//
// They are the decisions of Linux's fib_find_alias, fib_table_lookup and fib_table_delete about one
// prefix; the table itself finds the longest prefix. Routes of type local and broadcast precede all
// others of their prefix, because Linux keeps them in the local table and looks there first (it
// searches both as one trie).
//
// Expects: entries as entry.hpp documents them.
// Source:  Linux fib_trie.c, fib_semantics.c.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/route/entry.hpp>

namespace sluice {

// The entry that `at` returns for next_hop::none and for ids without a route.
inline constexpr route_entry nowhere{.type = route_type::blackhole, .scope = scopes::nowhere};

// The bits of a packet's TOS that a route's tos is compared with. Linux INET_DSCP_LEGACY_TOS_MASK.
inline constexpr u8 route_tos_mask = 0x1c;

// Whether a table accepts the route: no host bits in the prefix, a known type, a scope, no ECN bits
// in tos (RFC 3168 section 5).
[[nodiscard]] constexpr bool is_valid_route(const route_entry& r) noexcept {
    return r.prefix == ipv4::prefix(r.prefix.base, r.prefix.length) &&
           r.type <= route_type::throw_away && r.scope < scopes::nowhere && (r.tos & 3) == 0;
}

[[nodiscard]] constexpr bool is_in_local_table(const route_entry& r) noexcept {
    return r.type == route_type::local || r.type == route_type::broadcast;
}

// Whether a lookup tries a before b, two routes to one prefix. False both times for equal keys: the
// older route is tried first.
[[nodiscard]] constexpr bool is_tried_before(const route_entry& a, const route_entry& b) noexcept {
    if (is_in_local_table(a) != is_in_local_table(b)) return is_in_local_table(a);
    if (a.tos != b.tos) return a.tos > b.tos;
    return a.metric < b.metric;
}

// Whether `ip route add` takes two routes for the same: prefix, table, tos and metric.
[[nodiscard]] constexpr bool has_same_key(const route_entry& a, const route_entry& b) noexcept {
    return a.prefix == b.prefix && !is_tried_before(a, b) && !is_tried_before(b, a);
}

// Which routes a new one clashes with: under `ip route add`, and under `ip route append`.
[[nodiscard]] constexpr auto has_key_of(const route_entry& route) noexcept {
    return [&route](const route_entry& r) { return has_same_key(r, route); };
}
[[nodiscard]] constexpr auto equals(const route_entry& route) noexcept {
    return [&route](const route_entry& r) { return r == route; };
}

[[nodiscard]] constexpr bool is_refusal(route_type t) noexcept {
    return t == route_type::blackhole || t == route_type::unreachable ||
           t == route_type::prohibit || t == route_type::throw_away;
}

// Whether r, whose prefix covers the destination, answers the query. If not, the lookup tries the
// next route of the prefix, then shorter prefixes. A refusal has no interface, so it answers for
// every interface.
[[nodiscard]] constexpr bool answers(const route_entry& r, const route_query& q) noexcept {
    if (r.tos != 0 && r.tos != (q.tos & route_tos_mask)) return false;
    if (r.scope < q.scope) return false;
    return q.interface == 0 || q.interface == r.interface || is_refusal(r.type);
}

// Whether `remove(wanted)` means r: prefix, type and tos are equal, and also scope, metric,
// interface, gateway, preferred source, MTU and hop limit where they are set (not zero) in wanted.
// Linux fib_table_delete, fib_metrics_match.
[[nodiscard]] constexpr bool is_meant(const route_entry& r, const route_entry& wanted) noexcept {
    return r.prefix == wanted.prefix && r.type == wanted.type && r.tos == wanted.tos &&
           (wanted.scope == scopes::universe || r.scope == wanted.scope) &&
           (wanted.metric == 0 || r.metric == wanted.metric) &&
           (wanted.interface == 0 || r.interface == wanted.interface) &&
           (!wanted.has_gateway() || r.gateway == wanted.gateway) &&
           (wanted.preferred_source.is_unspecified() ||
            r.preferred_source == wanted.preferred_source) &&
           (wanted.mtu == 0 || r.mtu == wanted.mtu) && (!wanted.mtu_locked || r.mtu_locked) &&
           (wanted.hop_limit == 0 || r.hop_limit == wanted.hop_limit);
}

// Base of a table that has two functions: insert(route, clashes) adds a route unless a route of the
// table clashes; any(f) calls f(const route_entry&) for the routes, in no order, until f returns
// true.
template <class Table>
class route_administration {
public:
    // As `ip route add`: refuses a route whose prefix, table, tos and metric are taken.
    [[nodiscard]] constexpr result<next_hop, route_error> add(const route_entry& route) noexcept {
        return static_cast<Table&>(*this).insert(route, has_key_of(route));
    }
    // As `ip route append`, and as the kernel adds its own routes: behind those with the same key.
    [[nodiscard]] constexpr result<next_hop, route_error>
    append(const route_entry& route) noexcept {
        return static_cast<Table&>(*this).insert(route, equals(route));
    }
    // Whether some route uses this gateway: looks at all routes.
    [[nodiscard]] constexpr bool has_gateway(ipv4::address gateway, u16 interface) const noexcept {
        return static_cast<const Table&>(*this).any(
            [&](const route_entry& r) { return r.gateway == gateway && r.interface == interface; });
    }
    // Calls f(const route_entry&) for every route, in no order.
    template <class F>
    constexpr void for_each(F&& f) const {
        static_cast<void>(static_cast<const Table&>(*this).any([&f](const route_entry& r) {
            f(r);
            return false;
        }));
    }
};

}  // namespace sluice
