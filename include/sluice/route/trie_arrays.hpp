// trie_arrays: the shape of a trie, and its slots, nodes and routes as arrays in the object.
//
// trie_memory.hpp has the same arrays in memory that the program passes. nodes_for() computes the
// most nodes that a number of routes can need.
//
// Expects: the number of bits that the root and each node look at.
// Never:   writes an element before the trie needs it. All elements start as zeros, so untouched
//          pages cost nothing.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/route/entry.hpp>

#include <cstddef>

namespace sluice::detail {

struct trie_slot {
    u32 answer = 0;  // of the longest prefix in this node that covers the slot; 0: none
    u32 child = 0;   // node number << 5 | shift of the node below; 0: none
};

// A node stays while it has prefixes, or two children.
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

    // The most nodes that this number of routes needs, whatever their prefixes. A node has a prefix
    // or forks into two and more; below a slot of the root the nodes are a tree of that many
    // levels. A tree with l leaves, each with a prefix, needs at most l - 1 forks, and reaches that
    // with l = 2^(levels - 1) leaves in a full tree; more leaves share forks.
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
    // The address bits before the node, at the low end; of a free node, the next free node.
    u32 bases[Nodes + 1]{};
    trie_load loads[Nodes + 1]{};
    list root_lists[2 * Shape::root_fan]{};
    list lists[Nodes + 1][2 * Shape::fan]{};
    route_entry routes[Routes]{};
    list following[Routes]{};  // by route: the next route of the same prefix, or the next free one
};

}  // namespace sluice::detail
