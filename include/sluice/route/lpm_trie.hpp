// lpm_trie<N, Nodes>: longest-prefix match for up to N routes.
// Expects: more lookups than changes. Does: what linear_routes does, fast. Up to N = 1024 a direct
// table of 8 bits stands over nodes of 6 bits, larger tables have 12 or 16 bits over nodes of 4;
// nodes where no way forks are skipped. `lookup(address)` reads one place of each on the way:
// 4 reads, one after the other, for a host among a dozen networks, 3 or 4 for the prefixes of the
// internet (up to 24 bits), never more than 6.
// Never: allocates; leaves a change half done: add says full when routes or nodes are used up. By
// default the nodes suffice for any N routes up to 65536, and above for tables like the internet's
// (a node for every second route; state Nodes otherwise, 2 * N suffice for any).
// Cost: 1 KB a node up to 1024 routes, 192 to 256 octets above. A change rewrites the slots its
// prefix covers in one node. A query with an interface, a scope, or a TOS while some route has one,
// walks the covering prefixes, as fib_table_lookup does.
// Models mutable_route_policy (route/concept.hpp). RFC 1812 section 5.2.4.3.
#pragma once

#include <sluice/route/concept.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/route/trie_nodes.hpp>

#include <cstddef>
#include <type_traits>

namespace sluice {

namespace detail {

template <std::size_t N, std::size_t Nodes>
struct lpm_trie_state {
    using list = std::conditional_t<(N < 0xffff), u16, u32>;  // a route's number + 1; 0: none
    using skeleton = trie_nodes<list, Nodes,
                                (N <= 1024    ? 8
                                 : N <= 65536 ? 12
                                              : 16),
                                (N <= 1024 ? 6 : 4)>;

    skeleton nodes{};
    route_entry routes[N]{};
    list following[N]{};  // the next route of the same prefix, or of the free ones
    list first_free = 0;
    u32 touched = 0;  // routes 0 .. touched - 1 were in use at some time
    u32 tos_routes = 0;
    u32 version = 0;
};

}  // namespace detail

template <std::size_t N, std::size_t Nodes = (N <= 65536 ? 2 * N : N / 2)>
class lpm_trie {
    static_assert(N > 0, "sluice: lpm_trie<N>: N is the number of routes, at least 1");
    using state = detail::lpm_trie_state<N, Nodes>;
    using list = typename state::list;

public:
    static constexpr bool has_local_routes = true;
    static constexpr std::size_t memory_limit = sizeof(state);

    [[nodiscard]] constexpr next_hop lookup(ipv4::address destination) const noexcept {
        return static_cast<next_hop>(state_.nodes.answer(destination, no_route) - first_id);
    }

    [[nodiscard]] constexpr next_hop lookup(const route_query& query) const noexcept {
        if (query.interface == 0 && query.scope == scopes::universe &&
            (state_.tos_routes == 0 || (query.tos & route_tos_mask) == 0)) {
            return lookup(query.destination);
        }
        u32 found = no_route;
        state_.nodes.visit_covering(query.destination, [&](list head) {
            for (list r = head; r != 0; r = state_.following[r - 1U]) {
                if (answers(state_.routes[r - 1U], query)) {
                    found = answer_of_route(r);
                    return true;
                }
            }
            return false;
        });
        return static_cast<next_hop>(found - first_id);
    }

    // The route behind an id; `nowhere` for an id that names none.
    [[nodiscard]] constexpr const route_entry& at(next_hop id) const noexcept {
        const auto i = static_cast<u32>(id);
        return i < state_.touched ? state_.routes[i] : nowhere;
    }

    [[nodiscard]] constexpr u32 version() const noexcept { return state_.version; }

    // Whether some route goes by that gateway: looks at all of them.
    [[nodiscard]] constexpr bool has_gateway(ipv4::address gateway, u16 interface) const noexcept {
        for (u32 i = 0; i < state_.touched; ++i) {
            if (state_.routes[i].gateway == gateway && state_.routes[i].interface == interface) {
                return true;
            }
        }
        return false;
    }

    // As `ip route add`: refused when prefix, table, tos and metric are taken.
    [[nodiscard]] constexpr result<next_hop, route_error> add(const route_entry& route) noexcept {
        return insert(route, [&](const route_entry& r) { return has_same_key(r, route); });
    }

    // As `ip route append`, and as the kernel adds routes of its own: behind those with the same
    // key.
    [[nodiscard]] constexpr result<next_hop, route_error>
    append(const route_entry& route) noexcept {
        return insert(route, [&](const route_entry& r) { return r == route; });
    }

    // Takes away the route that would be tried first of those that are meant (selection.hpp,
    // is_meant).
    [[nodiscard]] constexpr result<void, route_error> remove(const route_entry& wanted) noexcept {
        const ipv4::prefix prefix =
            wanted.prefix;  // wanted may be what at() gave, which ends below
        const place at = state_.nodes.find(prefix);
        list before = 0;
        list r = at.cell != 0 ? state_.nodes.list(at) : list{0};
        while (r != 0 && !is_meant(state_.routes[r - 1U], wanted)) {
            before = r;
            r = state_.following[r - 1U];
        }
        if (r == 0) return failure{route_error::not_found};
        unlink(at, before, r, prefix);
        return {};
    }

    // Takes away every route for which f(const route_entry&) says so; how many.
    template <class F>
    constexpr u32 remove_if(F&& f) noexcept {
        u32 removed = 0;
        for (u32 i = 0; i < state_.touched; ++i) {
            const route_entry& route = state_.routes[i];
            if (route == nowhere || !f(route)) continue;
            const ipv4::prefix prefix = route.prefix;
            const place at = state_.nodes.find(prefix);
            list before = 0;
            for (list r = state_.nodes.list(at); r != i + 1U; r = state_.following[r - 1U]) {
                before = r;
            }
            unlink(at, before, static_cast<list>(i + 1U), prefix);
            ++removed;
        }
        return removed;
    }

    // Calls f(const route_entry&) for every route, in no order.
    template <class F>
    constexpr void for_each(F&& f) const {
        for (u32 i = 0; i < state_.touched; ++i) {
            if (state_.routes[i] != nowhere) f(state_.routes[i]);
        }
    }

    // Of Nodes, for whoever chooses that number.
    [[nodiscard]] constexpr std::size_t nodes_in_use() const noexcept {
        return state_.nodes.nodes_in_use();
    }

private:
    using place = typename state::skeleton::place;

    // What slots hold beside 0: "no route, and no shorter prefix either" (throw), or a route's id
    // + 2.
    static constexpr u32 no_route = 1;
    static constexpr u32 first_id = 2;
    static_assert(static_cast<next_hop>(no_route - first_id) == next_hop::none);

    [[nodiscard]] constexpr u32 answer_of_route(list r) const noexcept {
        return state_.routes[r - 1U].type == route_type::throw_away ? no_route : r - 1U + first_id;
    }

    constexpr void refresh(place at) noexcept {
        state_.nodes.refresh(at, [this](list head) {
            for (list r = head; r != 0; r = state_.following[r - 1U]) {
                if (state_.routes[r - 1U].tos == 0) return answer_of_route(r);
            }
            return u32{0};
        });
    }

    constexpr void link(place at, list before, list to) noexcept {
        if (before == 0) {
            state_.nodes.set_list(at, to);
        } else {
            state_.following[before - 1U] = to;
        }
    }

    // Takes r, which stands behind `before` in the list at the prefix's place, out of the table.
    constexpr void unlink(place at, list before, list r, const ipv4::prefix& prefix) noexcept {
        link(at, before, state_.following[r - 1U]);
        give_back(r);
        refresh(at);
        if (state_.nodes.list(at) == 0) state_.nodes.tidy(prefix);
        ++state_.version;
    }

    [[nodiscard]] constexpr bool is_full() const noexcept {
        return state_.first_free == 0 && state_.touched == N;
    }
    [[nodiscard]] constexpr list take(const route_entry& route) noexcept {
        list r = state_.first_free;
        if (r != 0) {
            state_.first_free = state_.following[r - 1U];
        } else {
            r = static_cast<list>(++state_.touched);
        }
        state_.routes[r - 1U] = route;
        state_.tos_routes += route.tos != 0 ? 1 : 0;
        return r;
    }
    constexpr void give_back(list r) noexcept {
        state_.tos_routes -= state_.routes[r - 1U].tos != 0 ? 1 : 0;
        state_.routes[r - 1U] = nowhere;
        state_.following[r - 1U] = state_.first_free;
        state_.first_free = r;
    }

    template <class Clashes>
    constexpr result<next_hop, route_error> insert(const route_entry& route,
                                                   Clashes&& clashes) noexcept {
        if (!is_valid_route(route)) return failure{route_error::invalid};
        place at = state_.nodes.find(route.prefix);
        list before = 0;
        list after = at.cell != 0 ? state_.nodes.list(at) : list{0};
        for (list r = after; r != 0; r = state_.following[r - 1U]) {
            if (clashes(state_.routes[r - 1U])) return failure{route_error::exists};
        }
        for (; after != 0 && !is_tried_before(route, state_.routes[after - 1U]);
             after = state_.following[after - 1U]) {
            before = after;
        }
        if (is_full()) return failure{route_error::full};
        if (at.cell == 0) at = state_.nodes.make(route.prefix);
        if (at.cell == 0) return failure{route_error::full};
        const list r = take(route);
        state_.following[r - 1U] = after;
        link(at, before, r);
        refresh(at);
        ++state_.version;
        return static_cast<next_hop>(r - 1U);
    }

    state state_{};
};

}  // namespace sluice
