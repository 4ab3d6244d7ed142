// trie_arrays: the shape of a trie, and the arrays of one that keeps its slots, nodes and routes in
// itself (trie_memory.hpp has those of one in given memory).
// Expects: how many bits the root and each node look at. Does: says how many nodes any number of
// routes takes at most. Never: writes an element before the trie needs it: all of them start as
// zeros, so untouched pages cost nothing.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/route/entry.hpp>

#include <cstddef>

namespace sluice::detail {

struct trie_slot {
    u32 answer = 0;  // of the longest prefix of this node that covers the slot; 0: none
    u32 child = 0;   // number << 5 | shift of the node below; 0: none
};

// What keeps a node: prefixes of its own, or two ways to go on.
struct trie_load {
    u32 prefixes = 0;
    u32 children = 0;
};

template <class List, unsigned RootBits, unsigned Stride>
struct trie_shape {
    static_assert((32 - RootBits) % Stride == 0);
    using list = List;
    static constexpr unsigned root_bits = RootBits;
    static constexpr unsigned stride = Stride;
    static constexpr u32 root_fan = u32{1} << RootBits;
    static constexpr u32 fan = u32{1} << Stride;
    static constexpr std::size_t levels = (32 - RootBits) / Stride;

    // The most nodes that so many routes take, whatever their prefixes are. A node has a prefix of
    // its own or forks into two and more; below a slot of the root they are a tree of that many
    // levels. Of its l leaves, each with a prefix, at most l - 1 are joined by forks, and for l =
    // 2^(levels - 1) by a full tree of them; more leaves than that share forks.
    [[nodiscard]] static constexpr std::size_t nodes_for(std::size_t routes) noexcept {
        constexpr std::size_t leaves = std::size_t{1} << (levels - 1);
        return routes + routes / leaves * (leaves - 1) + routes % leaves * (leaves - 1) / leaves;
    }
};

template <class Shape, std::size_t Routes, std::size_t Nodes>
struct trie_members {
    static_assert(Nodes < (std::size_t{1} << 27));
    using shape = Shape;
    using list = typename Shape::list;

    [[nodiscard]] static constexpr std::size_t route_capacity() noexcept { return Routes; }
    [[nodiscard]] static constexpr std::size_t node_capacity() noexcept { return Nodes; }

    trie_slot root_slots[Shape::root_fan]{};
    trie_slot slots[Nodes + 1][Shape::fan]{};
    // The bits before the node, at the low end; of a free node the next free one.
    u32 bases[Nodes + 1]{};
    trie_load loads[Nodes + 1]{};
    list root_lists[2 * Shape::root_fan]{};
    list lists[Nodes + 1][2 * Shape::fan]{};
    route_entry routes[Routes]{};
    list following[Routes]{};  // the next route of the same prefix, or of the free ones
};

}  // namespace sluice::detail
