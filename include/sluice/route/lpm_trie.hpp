// lpm_trie<N, Nodes>: longest-prefix match for up to N routes, in place.
//
// Use it for more routes than linear_routes can scan, when lookups outnumber changes.
// Up to N = 1024, a direct table of 8 bits stands over nodes of 6 bits; larger tables have 12 or 16
// bits over nodes of 4. A path skips nodes that do not fork. `lookup(address)` reads one slot of
// each node on its path: 4 dependent reads for a host among a dozen networks, 3 or 4 for the
// prefixes of the internet (up to 24 bits), at most 6.
// By default the nodes suffice for any N routes (nodes_for: almost two a route). A table like the
// internet's uses one node for every second route and may be given fewer.
//
// Never:   allocates; leaves a change half done.
// Errors:  add returns full when routes or nodes are used up.
// Cost:    1 KB a node up to 1024 routes, 192 to 272 bytes above; all of it starts as zeros, so a
//          static table costs only the used part. lpm_trie<131072> is 71 MB, with N / 2 nodes 24
//          MB. A change rewrites the slots that its prefix covers in one node. A query with an
//          interface, a scope, or a TOS while some route has one, walks the covering prefixes, as
//          fib_table_lookup does.
// Source:  RFC 1812 section 5.2.4.3.
//
// Models mutable_route_policy (route/concept.hpp).
#pragma once

#include <sluice/route/trie_table.hpp>

#include <cstddef>
#include <type_traits>

namespace sluice {

namespace detail {

template <std::size_t N>
using lpm_trie_shape = trie_shape<std::conditional_t<(N < 0xffff), u16, u32>,
                                  (N <= 1024    ? 8
                                   : N <= 65536 ? 12
                                                : 16),
                                  (N <= 1024 ? 6 : 4)>;

}  // namespace detail

namespace detail {

template <std::size_t N>
consteval bool is_lpm_trie_size() {
    constexpr bool has_room = N > 0;
    static_assert(has_room, "sluice: lpm_trie<N>: N is the number of routes, at least 1");
    return true;
}

}  // namespace detail

template <std::size_t N, std::size_t Nodes = detail::lpm_trie_shape<N>::nodes_for(N)>
class lpm_trie
    : public detail::trie_table<detail::trie_members<detail::lpm_trie_shape<N>, N, Nodes>,
                                lpm_trie<N, Nodes>> {
    static_assert(detail::is_lpm_trie_size<N>());

public:
    static constexpr std::size_t memory_limit = sizeof(typename lpm_trie::trie_table);
};

}  // namespace sluice
