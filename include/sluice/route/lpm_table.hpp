// lpm_table: longest-prefix match in memory that the program passes.
//
// It is an lpm_trie for a number of routes that is known only at run time. move_to(memory) lets it
// grow while it is in use; ids of routes stay the same.
//
// Expects: zeroed memory that outlives the table (fresh pages of the system are zero), for example
//          memory_for(routes) bytes. Without memory it refuses every route.
// Never:   allocates, frees.
// Cost:    1 MB and up to 545 bytes a route, touched as they are used; a lookup follows one pointer
//          more than that of lpm_trie.
//
// Models mutable_route_policy (route/concept.hpp).
#pragma once

#include <sluice/route/trie_memory.hpp>
#include <sluice/route/trie_table.hpp>

#include <cstddef>
#include <span>

namespace sluice {

class lpm_table
    : public detail::trie_table<detail::trie_memory<detail::trie_shape<u32, 16, 4>>, lpm_table> {
    using memory_type = detail::trie_memory<detail::trie_shape<u32, 16, 4>>;
    using base = lpm_table::trie_table;

public:
    // As a stack's parts pass it.
    using parts = std::span<std::byte>;
    // Without the memory that the program passes.
    static constexpr std::size_t memory_limit = sizeof(base);

    lpm_table() noexcept = default;
    explicit lpm_table(std::span<std::byte> memory) noexcept : base(memory_type{memory}) {}
    lpm_table(const lpm_table&) = delete;
    lpm_table& operator=(const lpm_table&) = delete;

    // Enough for this number of routes, whatever their prefixes.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t routes) noexcept {
        return memory_type::memory_for(routes);
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return arrays().route_capacity(); }

    // Moves the table into other zeroed memory; the old memory is free then. False: it is too small
    // for the routes of the table, and nothing changed.
    [[nodiscard]] bool move_to(std::span<std::byte> memory) noexcept {
        const memory_type wider{memory};
        if (wider.route_capacity() == 0 || wider.route_capacity() < touched_routes() ||
            wider.node_capacity() < touched_nodes()) {
            return false;
        }
        base::move_to(wider);
        return true;
    }
};
static_assert(mutable_route_policy<lpm_table>);

}  // namespace sluice
