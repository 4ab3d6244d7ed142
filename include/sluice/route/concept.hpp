// # route_policy
//
// Finds the route of a destination. One lookup finds local, broadcast, unicast and refusing routes
// alike.
//
// `lookup(address)` returns the id of the best route, or `next_hop::none`. The longest prefix wins;
// of equal prefixes the one with a tos, then the smaller metric. `lookup(query)` does the same
// under a tos, an interface and a scope. A `throw` route that answers means `next_hop::none`.
// `route/selection.hpp` has these rules as functions: `answers`, `is_tried_before`,
// `has_same_key`. `at(id)` returns the entry, which stays valid until the table changes; an id
// without a route, also one that was removed, names `nowhere`. `add` and `remove` change the
// table and return an error if they cannot. `version()` changes with every change of the table.
//
// A table that needs an argument names its type `parts` and has a constructor from it:
// `stack<edge>{{.routes = parts, .seed = seed}}` passes it.
//
// Constants: `has_local_routes`: the table holds the local and broadcast addresses; otherwise the
// stack keeps those of its interfaces in front of it (`with_local_routes`). `memory_limit`.
//
// Exemplar:
//
//     struct table {
//         static constexpr bool has_local_routes = true;
//         static constexpr std::size_t memory_limit = sizeof(route_entry);
//         next_hop lookup(ipv4::address destination) const noexcept;
//         next_hop lookup(const route_query& query) const noexcept;
//         const route_entry& at(next_hop id) const noexcept;
//         u32 version() const noexcept;
//         result<next_hop, route_error> add(const route_entry& route) noexcept;
//         result<void, route_error> remove(const route_entry& route) noexcept;
//     };
//
// Optional members: `has_gateway(address, interface)`: whether some route uses this gateway;
// without it the stack ignores redirects that must name a gateway (conf.secure_redirects).
// `append(route)`: adds behind routes of the same key, so that two interfaces may share a network.
// `remove_if(f)`: removes each route for which f(const route_entry&) is true; without it a route
// outlives its interface and its preferred source. `for_each(f)`: visits all.
//
// A table may answer faster for forwarded packets. `hop_for(address, tos)` returns the route of
// `lookup` and `at` as a `hop_entry` (route/entry.hpp) of 16 bytes, which routes share and which
// stays in the cache; without a route it returns the hop of `nowhere`. Without it the stack reads
// the entry. `prefetch(address)` fetches the memory that the next lookup of this address reads
// first. `reader()` returns a small object with both functions, valid until the table changes: a
// loop keeps it in registers across its stores.
//
// A policy with rules (`with_rules`) has `lookup(query, rule_key)`, which asks them, and
// `has_custom_rules()`. While that is true, `hop_for` returns the hop of `nowhere`: the accept
// branch asks no rules. `for_each_answer(address, f)` calls f(next_hop) for the best route of each
// of its tables; an exception is kept while one of them has its next hop.
//
// A table that never changes may omit add and remove: it models `route_policy` but not
// `mutable_route_policy`.
//
// Models: `linear_routes` (the reference, a scan), `lpm_trie`, `lpm_table` (in memory that the
// program passes), `direct_table` (the same, with a hop for each network of 24 bits),
// `with_local_routes<Table>`, `with_rules<Table>`.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/packet/routing_rule.hpp>
#include <sluice/route/entry.hpp>

#include <concepts>
#include <cstddef>

namespace sluice {

template <class R>
concept has_lookup = requires(const R& r, ipv4::address d, const route_query& q) {
    { r.lookup(d) } noexcept -> std::same_as<next_hop>;
    { r.lookup(q) } noexcept -> std::same_as<next_hop>;
};

// The entry of an id: returned by reference, because the packet path reads it.
template <class R>
concept has_entries = requires(const R& r, next_hop id) {
    { r.at(id) } noexcept -> std::same_as<const route_entry&>;
};

// The stack drops cached ids when it changes.
template <class R>
concept has_version = requires(const R& r) {
    { r.version() } noexcept -> std::same_as<u32>;
};

template <class R>
concept states_route_constants = requires {
    { R::has_local_routes } -> std::convertible_to<bool>;
    { R::memory_limit } -> std::convertible_to<std::size_t>;
};

template <class R>
concept route_policy =
    has_lookup<R> && has_entries<R> && has_version<R> && states_route_constants<R>;

// Optional: the short answer for forwarded packets.
template <class R>
concept has_hops = requires(const R& r, ipv4::address d, u8 tos) {
    { r.hop_for(d, tos) } noexcept -> std::convertible_to<const hop_entry&>;
};

// Optional: fetches memory some packets ahead, for tables larger than the cache.
template <class R>
concept has_prefetch = requires(const R& r, ipv4::address d) {
    { r.prefetch(d) } noexcept;
};

// Optional: an object that answers for the table until the table changes.
template <class R>
concept has_reader = has_hops<R> && requires(const R& r) {
    { r.reader() } noexcept -> has_hops;
};

// Optional: rules choose among several tables.
template <class R>
concept asks_rules =
    has_hops<R> && requires(const R& r, const route_query& q, const rule_key& k, ipv4::address d) {
        { r.lookup(q, k) } noexcept -> std::same_as<next_hop>;
        { r.has_custom_rules() } noexcept -> std::same_as<bool>;
        r.for_each_answer(d, [](next_hop) {});
    };

template <class R>
concept mutable_route_policy = route_policy<R> && requires(R& r, const route_entry& e) {
    { r.add(e) } noexcept -> std::same_as<result<next_hop, route_error>>;
    { r.remove(e) } noexcept -> std::same_as<result<void, route_error>>;
};

class lpm_table;     // route/lpm_table.hpp
class direct_table;  // route/direct_table.hpp

}  // namespace sluice
