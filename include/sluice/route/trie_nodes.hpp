// trie_nodes: the skeleton of lpm_trie: the place of each prefix, and the answer of each address.
//
// A direct table of the first bits stands over nodes of some bits each; a path skips nodes that do
// not fork (trie_arrays.hpp has the shape and the memory). The lists of a node's prefixes lie as a
// heap (the prefix of l bits with value v in cell 2^l + v). Their answers are spread over the
// node's slots, so that a lookup reads slots only.
//
// Expects: an owner that keeps a list of routes for each prefix and computes the answer of a list.
// Never:   allocates: the number of nodes is fixed.
// Cost:    a lookup reads a slot of the root and one of each node on its path, at most 1 + (32 -
//          root_bits) / stride.
#pragma once

#include <sluice/route/trie_arrays.hpp>
#include <sluice/wire/address.hpp>

#include <bit>
#include <cstddef>

namespace sluice::detail {

template <class Arrays>
class trie_nodes {
    using list_type = typename Arrays::list;
    using shape = typename Arrays::shape;
    static constexpr unsigned root_bits = shape::root_bits;
    static constexpr unsigned stride = shape::stride;

public:
    constexpr trie_nodes() noexcept : arrays_{} {}
    constexpr explicit trie_nodes(const Arrays& arrays) noexcept : arrays_(arrays) {}

    // A cell of a node; node 0 is the root.
    struct place {
        u32 node = 0;
        u32 cell = 0;
    };

    [[nodiscard]] constexpr u32 answer(ipv4::address to, u32 otherwise) const noexcept {
        return walk(to, otherwise, [](u32, u32) noexcept {});
    }

    // The answer of an address, and an address up to which all have the same answer.
    struct run {
        u32 answer;
        u32 last;
    };
    [[nodiscard]] constexpr run run_from(ipv4::address to, u32 otherwise) const noexcept {
        unsigned free_bits = 32 - root_bits;
        const u32 best = walk(to, otherwise, [&free_bits](u32 child, u32 apart) noexcept {
            free_bits =
                (child & 31) +
                (apart != 0 ? static_cast<unsigned>(std::bit_width(apart)) - 1 + stride : 0);
        });
        return {best, to.value | ((u32{1} << free_bits) - 1)};
    }

    // Calls accept(list) for the lists of all prefixes that cover the address, longest first, until
    // accept returns true.
    template <class Accept>
    constexpr void visit_covering(ipv4::address to, Accept&& accept) const noexcept {
        place path[levels + 1];
        std::size_t steps = 0;
        const u32 first = to.value >> (32 - root_bits);
        path[steps++] = {0, root_fan | first};
        for (u32 child = arrays_.root_slots[first].child; child != 0;) {
            const u32 rest = to.value >> (child & 31);
            if (rest >> stride != arrays_.bases[child >> 5]) break;
            path[steps++] = {child >> 5, fan | (rest & (fan - 1))};
            child = arrays_.slots[child >> 5][rest & (fan - 1)].child;
        }
        while (steps > 0) {
            for (place at = path[--steps]; at.cell > 0; at.cell >>= 1) {
                if (list(at) != 0 && accept(list(at))) return;
            }
        }
    }

    [[nodiscard]] constexpr list_type list(place at) const noexcept {
        return at.node == 0 ? arrays_.root_lists[at.cell] : arrays_.lists[at.node][at.cell];
    }
    constexpr void set_list(place at, list_type to) noexcept {
        list_type& cell =
            at.node == 0 ? arrays_.root_lists[at.cell] : arrays_.lists[at.node][at.cell];
        arrays_.loads[at.node].prefixes += static_cast<u32>(to != 0) - static_cast<u32>(cell != 0);
        cell = to;
    }

    // The place of a prefix; cell 0 if its node does not exist.
    [[nodiscard]] constexpr place find(const ipv4::prefix& p) const noexcept {
        if (p.length <= root_bits) return {0, cell_of(p, 0)};
        for (u32 child = arrays_.root_slots[p.base.value >> (32 - root_bits)].child; child != 0;) {
            const u32 rest = p.base.value >> (child & 31);
            if (start_of(child) > start_of(p) || rest >> stride != arrays_.bases[child >> 5]) break;
            if (start_of(child) == start_of(p)) return {child >> 5, cell_of(p, start_of(p))};
            child = arrays_.slots[child >> 5][rest & (fan - 1)].child;
        }
        return {};
    }

    // As find(), but makes missing nodes. Cell 0: there are too few nodes, and nothing changed.
    [[nodiscard]] constexpr place make(const ipv4::prefix& p) noexcept {
        if (p.length <= root_bits) return find(p);
        u32 parent = 0;
        trie_slot* link = &arrays_.root_slots[p.base.value >> (32 - root_bits)];
        while (link->child != 0) {
            const u32 child = link->child;
            const unsigned agreed = agreement(p, child);
            if (agreed < start_of(child)) return make_above(p, *link, agreed);
            if (start_of(child) == start_of(p)) return find(p);
            parent = child >> 5;
            link = &slot(child, p.base);
        }
        if (nodes_left() < 1) return {};
        link->child = take(p.base, start_of(p));
        ++arrays_.loads[parent].children;
        return find(p);
    }

    // Frees the nodes that only this prefix needed; its list is empty already.
    constexpr void tidy(const ipv4::prefix& p) noexcept {
        trie_slot* links[levels + 1]{};
        u32 parents[levels + 1]{};
        std::size_t steps = 0;
        if (p.length <= root_bits) return;
        links[steps++] = &arrays_.root_slots[p.base.value >> (32 - root_bits)];
        while (start_of(links[steps - 1]->child) < start_of(p)) {
            parents[steps] = links[steps - 1]->child >> 5;
            links[steps] = &slot(links[steps - 1]->child, p.base);
            ++steps;
        }
        while (steps-- > 0) {
            const u32 node = links[steps]->child >> 5;
            if (arrays_.loads[node].prefixes > 0 || arrays_.loads[node].children > 1) return;
            const u32 below = give_back(node);
            links[steps]->child = below;
            if (below != 0) return;
            --arrays_.loads[parents[steps]].children;
        }
    }

    // Spreads the answers anew over the slots that the cell covers; answer_of(list) returns 0 for a
    // list without an answer.
    template <class AnswerOf>
    constexpr void refresh(place at, AnswerOf&& answer_of) noexcept {
        const u32 leaves = at.node == 0 ? root_fan : fan;
        const u32 span = leaves >> (std::bit_width(at.cell) - 1);
        const u32 first = at.cell * span;
        // By height above the leaf, with the answers of shorter prefixes. The first leaf computes
        // all, later ones only changed heights.
        u32 answers[root_bits + 2]{};
        int height = static_cast<int>(std::bit_width(leaves)) - 1;
        for (u32 leaf = first; leaf < first + span; ++leaf, height = std::countr_zero(leaf)) {
            for (int h = height; h >= 0; --h) {
                const list_type here = list({at.node, leaf >> h});
                const u32 own = here != 0 ? answer_of(here) : 0;
                answers[h] = own != 0 ? own : answers[h + 1];
            }
            trie_slot& s = at.node == 0 ? arrays_.root_slots[leaf - leaves]
                                        : arrays_.slots[at.node][leaf - leaves];
            s.answer = answers[0];
        }
    }

    [[nodiscard]] constexpr std::size_t nodes_in_use() const noexcept {
        return arrays_.node_capacity() - nodes_left();
    }

    [[nodiscard]] constexpr u32 touched() const noexcept { return touched_; }
    [[nodiscard]] constexpr Arrays& arrays() noexcept { return arrays_; }
    [[nodiscard]] constexpr const Arrays& arrays() const noexcept { return arrays_; }
    // Moves the trie into other arrays; copies this number of routes.
    constexpr void move_to(const Arrays& to, std::size_t touched_routes) noexcept {
        const Arrays from = arrays_;
        arrays_ = to;
        arrays_.copy_used(from, touched_, touched_routes);
    }

private:
    static constexpr u32 root_fan = shape::root_fan;
    static constexpr u32 fan = shape::fan;
    static constexpr std::size_t levels = shape::levels;

    // The path of a lookup. Calls watch(child, apart) for each link on the path. apart has the bits
    // in which the address differs from the link's node; if it is not 0, the path ends before the
    // node.
    template <class Watch>
    [[nodiscard, gnu::always_inline]] constexpr u32 walk(ipv4::address to, u32 otherwise,
                                                         Watch&& watch) const noexcept {
        const trie_slot* slot = &arrays_.root_slots[to.value >> (32 - root_bits)];
        u32 best = slot->answer != 0 ? slot->answer : otherwise;
        for (u32 child = slot->child; child != 0; child = slot->child) {
            const u32 node = child >> 5;
            const u32 rest = to.value >> (child & 31);
            const u32 apart = (rest >> stride) ^ arrays_.bases[node];
            watch(child, apart);
            if (apart != 0) break;
            slot = &arrays_.slots[node][rest & (fan - 1)];
            best = slot->answer != 0 ? slot->answer : best;
        }
        return best;
    }

    // The first bit that a node looks at; the same for the node of a prefix longer than root_bits.
    [[nodiscard]] static constexpr unsigned start_of(u32 child) noexcept {
        return 32 - stride - (child & 31);
    }
    [[nodiscard]] static constexpr unsigned start_of(const ipv4::prefix& p) noexcept {
        return level_of(p.length - 1U);
    }
    [[nodiscard]] static constexpr unsigned level_of(unsigned bit) noexcept {
        return root_bits + (bit - root_bits) / stride * stride;
    }
    [[nodiscard]] static constexpr u32 cell_of(const ipv4::prefix& p, unsigned start) noexcept {
        const u32 top = u32{1} << (p.length - start);
        return top | (static_cast<u32>(u64{p.base.value} >> (32 - p.length)) & (top - 1));
    }
    [[nodiscard]] constexpr trie_slot& slot(u32 child, ipv4::address to) noexcept {
        return arrays_.slots[child >> 5][(to.value >> (child & 31)) & (fan - 1)];
    }
    // The address bits before the node, as an address.
    [[nodiscard]] constexpr ipv4::address base_of(u32 child) const noexcept {
        return {static_cast<u32>(u64{arrays_.bases[child >> 5]} << (32 - start_of(child)))};
    }
    // The number of bits in which the paths to both nodes agree.
    [[nodiscard]] constexpr unsigned agreement(const ipv4::prefix& p, u32 child) const noexcept {
        const auto same =
            static_cast<unsigned>(std::countl_zero(p.base.value ^ base_of(child).value));
        const unsigned upper = start_of(p) < start_of(child) ? start_of(p) : start_of(child);
        return same < upper ? same : upper;
    }

    // Inserts the node of p at the link: above the node there, or beside it below a new fork at the
    // agreed bits.
    [[nodiscard]] constexpr place make_above(const ipv4::prefix& p, trie_slot& link,
                                             unsigned agreed) noexcept {
        const bool forks = agreed < start_of(p);
        if (nodes_left() < (forks ? 2U : 1U)) return {};
        const u32 below = link.child;
        const u32 above = take(p.base, forks ? level_of(agreed) : start_of(p));
        slot(above, base_of(below)).child = below;
        arrays_.loads[above >> 5].children = 1;
        if (forks) {
            slot(above, p.base).child = take(p.base, start_of(p));
            arrays_.loads[above >> 5].children = 2;
        }
        link.child = above;
        return find(p);
    }

    [[nodiscard]] constexpr std::size_t nodes_left() const noexcept {
        return arrays_.node_capacity() - touched_ + freed_;
    }
    [[nodiscard]] constexpr u32 take(ipv4::address base, unsigned start) noexcept {
        u32 node = first_free_;
        if (node != 0) {
            first_free_ = arrays_.bases[node];
            --freed_;
        } else {
            node = ++touched_;
        }
        arrays_.bases[node] = base.value >> (32 - start);
        return node << 5 | (32 - stride - start);
    }
    // Frees a node. Returns its only child, 0 if it has none.
    constexpr u32 give_back(u32 node) noexcept {
        u32 below = 0;
        for (trie_slot& s : arrays_.slots[node]) {
            below |= s.child;
            s = {};
        }
        arrays_.loads[node] = {};
        arrays_.bases[node] = first_free_;
        first_free_ = node;
        ++freed_;
        return below;
    }

    Arrays arrays_;
    u32 touched_ = 0;  // nodes 1 .. touched_ have been in use
    u32 first_free_ = 0;
    std::size_t freed_ = 0;
};

}  // namespace sluice::detail
