// trie_memory: the arrays of a trie, in memory that the program passes.
//
// It computes how many routes fit whatever their prefixes are, and cuts the memory into arrays.
//
// Expects: zeroed memory.
// Never:   allocates, frees; touches memory that the trie does not use.
// Cost:    1 MB and up to 545 bytes a route, with roots of 16 bits and nodes of 4.
#pragma once

#include <sluice/route/trie_arrays.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::detail {

// Cuts an array off the front of the memory, which is aligned for it.
template <class T>
void take_array(std::byte*& next, T*& to, std::size_t count) noexcept {
    to = reinterpret_cast<T*>(next);
    next += count * sizeof(T);
}

template <class Shape>
class trie_memory {
public:
    using shape = Shape;
    using list = typename Shape::list;

    // Without memory: an empty root, and no room for a route.
    trie_memory() noexcept = default;
    // In zeroed memory. Less than memory_for(1) bytes count as no memory.
    explicit trie_memory(std::span<std::byte> memory) noexcept {
        const auto beyond = reinterpret_cast<std::uintptr_t>(memory.data()) % boundary;
        if (beyond != 0 && memory.size() >= boundary) memory = memory.subspan(boundary - beyond);
        std::size_t low = 0;
        std::size_t high = memory.size() / sizeof(route_entry);
        while (low < high) {  // the most routes that fit
            const std::size_t middle = (low + high + 1) / 2;
            if (aligned_memory_for(middle) <= memory.size()) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        if (low == 0) return;
        routes_ = low;
        nodes_ = Shape::nodes_for(low);
        std::byte* next = memory.data();
        take_array(next, root_slots, Shape::root_fan);
        take_array(next, slots, nodes_ + 1);
        take_array(next, bases, nodes_ + 1);
        take_array(next, loads, nodes_ + 1);
        take_array(next, root_lists, std::size_t{2} * Shape::root_fan);
        take_array(next, lists, nodes_ + 1);
        take_array(next, routes, routes_);
        take_array(next, following, routes_);
    }

    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t routes) noexcept {
        return aligned_memory_for(routes) + boundary - 1;
    }

    [[nodiscard]] std::size_t route_capacity() const noexcept { return routes_; }
    [[nodiscard]] std::size_t node_capacity() const noexcept { return nodes_; }

    // Copies the used part: nodes 0 .. touched_nodes, routes 0 .. touched_routes - 1.
    void copy_used(const trie_memory& from, std::size_t touched_nodes,
                   std::size_t touched_routes) noexcept {
        copy(from.root_slots, root_slots, Shape::root_fan);
        copy(from.slots[0], slots[0], (touched_nodes + 1) * Shape::fan);
        copy(from.bases, bases, touched_nodes + 1);
        copy(from.loads, loads, touched_nodes + 1);
        copy(from.root_lists, root_lists, std::size_t{2} * Shape::root_fan);
        copy(from.lists[0], lists[0], (touched_nodes + 1) * 2 * Shape::fan);
        copy(from.routes, routes, touched_routes);
        copy(from.following, following, touched_routes);
    }

private:
    // Never written: without memory there is room for no route.
    inline static constinit trie_slot nothing_below[Shape::root_fan]{};
    inline static constinit list no_lists[2 * Shape::root_fan]{};
    inline static constinit trie_slot no_slots[1][Shape::fan]{};
    inline static constinit list no_node_lists[1][2 * Shape::fan]{};
    inline static constinit u32 no_base{};
    inline static constinit trie_load no_load{};

    static constexpr std::size_t boundary = 4;
    static_assert(alignof(trie_slot) <= boundary && alignof(trie_load) <= boundary &&
                  alignof(route_entry) <= boundary && alignof(list) <= boundary);

    [[nodiscard]] static constexpr std::size_t aligned_memory_for(std::size_t routes) noexcept {
        constexpr std::size_t root = Shape::root_fan * (sizeof(trie_slot) + 2 * sizeof(list));
        constexpr std::size_t node =
            Shape::fan * (sizeof(trie_slot) + 2 * sizeof(list)) + sizeof(u32) + sizeof(trie_load);
        return root + (Shape::nodes_for(routes) + 1) * node +
               routes * (sizeof(route_entry) + sizeof(list));
    }

    template <class T>
    static void copy(const T* from, T* to, std::size_t count) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            to[i] = from[i];
        }
    }

    std::size_t routes_ = 0;
    std::size_t nodes_ = 0;

public:
    trie_slot* root_slots = nothing_below;
    trie_slot (*slots)[Shape::fan] = no_slots;
    u32* bases = &no_base;
    trie_load* loads = &no_load;
    list* root_lists = no_lists;
    list (*lists)[2 * Shape::fan] = no_node_lists;
    route_entry* routes = nullptr;
    list* following = nullptr;
};

}  // namespace sluice::detail
