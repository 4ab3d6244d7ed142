// lpm_table: longest-prefix match for as many routes as the memory holds that the program gives.
// Expects: memory of zeros that outlives the table (fresh pages of the system are), for example
// memory_for(routes) bytes; with none it refuses every route. Does: what lpm_trie does, for a
// number of routes that is known only at run time; move_to(memory) lets it grow while it is used.
// Never: allocates, frees; changes the number of a route when it moves.
// Cost: 1 MB and up to 545 bytes a route, touched as they are used; a lookup is that of lpm_trie
// behind one pointer more. Models mutable_route_policy (route/concept.hpp).
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
    // What a stack's parts give it.
    using parts = std::span<std::byte>;
    // Beside the memory that it was given.
    static constexpr std::size_t memory_limit = sizeof(base);

    lpm_table() noexcept = default;
    explicit lpm_table(std::span<std::byte> memory) noexcept : base(memory_type{memory}) {}
    lpm_table(const lpm_table&) = delete;
    lpm_table& operator=(const lpm_table&) = delete;

    // For any routes, whatever their prefixes are.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t routes) noexcept {
        return memory_type::memory_for(routes);
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return arrays().route_capacity(); }

    // From now on it is in that memory, of zeros, and the memory before is free; false: too small
    // for what is there, and nothing changed.
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
