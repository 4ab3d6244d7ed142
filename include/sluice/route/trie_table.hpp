// trie_table: the routes over a trie's skeleton; base of lpm_trie, lpm_table and direct_table.
//
// It keeps the routes of a prefix in the order in which a lookup tries them, and the answer of each
// prefix in the skeleton.
//
// Expects: Table, the derived class.
// Never:   allocates; leaves a change half done.
// Cost:    see lpm_trie.hpp.
// Source:  Linux fib_trie.c.
#pragma once

#include <sluice/route/concept.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/route/trie_nodes.hpp>

#include <cstddef>

namespace sluice::detail {

template <class Arrays, class Table>
class trie_table : public route_administration<Table> {
    friend class route_administration<Table>;
    using list = typename Arrays::list;  // number of the first route + 1; 0: empty

public:
    constexpr trie_table() noexcept = default;

    static constexpr bool has_local_routes = true;

    [[nodiscard]] constexpr next_hop lookup(ipv4::address destination) const noexcept {
        return static_cast<next_hop>(nodes_.answer(destination, no_route) - first_id);
    }

    [[nodiscard]] constexpr next_hop lookup(const route_query& query) const noexcept {
        if (query.interface == 0 && query.scope == scopes::universe &&
            (tos_routes_ == 0 || (query.tos & route_tos_mask) == 0)) {
            return lookup(query.destination);
        }
        u32 found = no_route;
        nodes_.visit_covering(query.destination, [&](list head) {
            for (list r = head; r != 0; r = next_of(r)) {
                if (answers(entry_of(r), query)) {
                    found = answer_of_route(r);
                    return true;
                }
            }
            return false;
        });
        return static_cast<next_hop>(found - first_id);
    }

    // The route with this id; `nowhere` for an id without a route.
    [[nodiscard]] constexpr const route_entry& at(next_hop id) const noexcept {
        const auto i = static_cast<u32>(id);
        return i < touched_ ? nodes_.arrays().routes[i] : nowhere;
    }

    [[nodiscard]] constexpr u32 version() const noexcept { return version_; }

    // Removes the first route in the order of lookup that is_meant (selection.hpp).
    [[nodiscard]] constexpr result<void, route_error> remove(const route_entry& wanted) noexcept {
        const place at = nodes_.find(wanted.prefix);
        list before = 0;
        list r = at.cell != 0 ? nodes_.list(at) : list{0};
        while (r != 0 && !is_meant(entry_of(r), wanted)) {
            before = r;
            r = next_of(r);
        }
        if (r == 0) return failure{route_error::not_found};
        unlink(at, before, r);
        return {};
    }

    // Removes every route for which f(const route_entry&) returns true. Returns their number.
    template <class F>
    constexpr u32 remove_if(F&& f) noexcept {
        u32 removed = 0;
        for (u32 i = 0; i < touched_; ++i) {
            const route_entry route = nodes_.arrays().routes[i];
            if (route == nowhere || !f(route) || at(static_cast<next_hop>(i)) != route) {
                continue;
            }
            const place at = nodes_.find(route.prefix);
            list before = 0;
            for (list r = nodes_.list(at); r != i + 1U; r = next_of(r)) {
                before = r;
            }
            unlink(at, before, static_cast<list>(i + 1U));
            ++removed;
        }
        return removed;
    }

    // The number of trie nodes in use; helps to choose Nodes.
    [[nodiscard]] constexpr std::size_t nodes_in_use() const noexcept {
        return nodes_.nodes_in_use();
    }

protected:
    constexpr explicit trie_table(const Arrays& arrays) noexcept : nodes_(arrays) {}
    constexpr void move_to(const Arrays& to) noexcept { nodes_.move_to(to, touched_); }
    [[nodiscard]] constexpr const Arrays& arrays() const noexcept { return nodes_.arrays(); }
    [[nodiscard]] constexpr u32 touched_routes() const noexcept { return touched_; }
    [[nodiscard]] constexpr u32 touched_nodes() const noexcept { return nodes_.touched(); }
    [[nodiscard]] constexpr bool has_tos_routes() const noexcept { return tos_routes_ != 0; }

    // A derived Table may replace these. claim() takes the Table's resources for a route with this
    // number, as the last step of an addition; false: none are left. route_added() and
    // route_removed() report a route that was added or removed.
    [[nodiscard]] static constexpr bool claim(u32, const route_entry&) noexcept { return true; }
    static constexpr void route_added(const ipv4::prefix&) noexcept {}
    static constexpr void route_removed(u32, const ipv4::prefix&) noexcept {}

    // Calls f(first, last, id) for blocks of addresses, in order, that together cover the prefix;
    // lookup() returns id for each address of the block. A block is aligned to its size.
    template <class F>
    constexpr void for_each_run(const ipv4::prefix& p, F&& f) const {
        const u32 end = p.base.value | ~p.mask().value;
        for (u32 first = p.base.value;;) {
            const auto run = nodes_.run_from({first}, no_route);
            const u32 last = run.last < end ? run.last : end;
            f(first, last, static_cast<next_hop>(run.answer - first_id));
            if (last == end) return;
            first = last + 1;
        }
    }

private:
    using place = typename trie_nodes<Arrays>::place;

    // A slot holds 0 for nothing, no_route for "no route, and no shorter prefix either" (throw), or
    // a route's id + 2.
    static constexpr u32 no_route = 1;
    static constexpr u32 first_id = 2;
    static_assert(static_cast<next_hop>(no_route - first_id) == next_hop::none);

    [[nodiscard]] constexpr Table& self() noexcept { return static_cast<Table&>(*this); }

    template <class F>
    constexpr bool any(F&& f) const {
        for (u32 i = 0; i < touched_; ++i) {
            if (nodes_.arrays().routes[i] != nowhere && f(nodes_.arrays().routes[i])) return true;
        }
        return false;
    }

    template <class Clashes>
    constexpr result<next_hop, route_error> insert(const route_entry& route,
                                                   Clashes&& clashes) noexcept {
        if (!is_valid_route(route)) return failure{route_error::invalid};
        place at = nodes_.find(route.prefix);
        list before = 0;
        list after = at.cell != 0 ? nodes_.list(at) : list{0};
        for (list r = after; r != 0; r = next_of(r)) {
            if (clashes(entry_of(r))) return failure{route_error::exists};
        }
        for (; after != 0 && !is_tried_before(route, entry_of(after)); after = next_of(after)) {
            before = after;
        }
        if (is_full()) return failure{route_error::full};
        if (at.cell == 0) at = nodes_.make(route.prefix);
        if (at.cell == 0) return failure{route_error::full};
        if (!self().claim(next_free() - 1U, route)) {
            if (nodes_.list(at) == 0) nodes_.tidy(route.prefix);
            return failure{route_error::full};
        }
        const list r = take(route);
        next_of(r) = after;
        link(at, before, r);
        refresh(at);
        ++version_;
        self().route_added(route.prefix);
        return static_cast<next_hop>(r - 1U);
    }

    [[nodiscard]] constexpr u32 answer_of_route(list r) const noexcept {
        return entry_of(r).type == route_type::throw_away ? no_route : r - 1U + first_id;
    }

    constexpr void refresh(place at) noexcept {
        nodes_.refresh(at, [this](list head) {
            for (list r = head; r != 0; r = next_of(r)) {
                if (entry_of(r).tos == 0) return answer_of_route(r);
            }
            return u32{0};
        });
    }

    constexpr void link(place at, list before, list to) noexcept {
        if (before == 0) {
            nodes_.set_list(at, to);
        } else {
            next_of(before) = to;
        }
    }

    // Removes r from the table; r stands behind `before` in the list at its place.
    constexpr void unlink(place at, list before, list r) noexcept {
        const route_entry route = entry_of(r);
        link(at, before, next_of(r));
        give_back(r);
        refresh(at);
        if (nodes_.list(at) == 0) nodes_.tidy(route.prefix);
        ++version_;
        self().route_removed(r - 1U, route.prefix);
    }

    [[nodiscard]] constexpr bool is_full() const noexcept {
        return first_free_ == 0 && touched_ == nodes_.arrays().route_capacity();
    }
    // The number + 1 of the next route to use.
    [[nodiscard]] constexpr list next_free() const noexcept {
        return first_free_ != 0 ? first_free_ : static_cast<list>(touched_ + 1U);
    }
    [[nodiscard]] constexpr list take(const route_entry& route) noexcept {
        const list r = next_free();
        if (first_free_ != 0) {
            first_free_ = next_of(r);
        } else {
            ++touched_;
        }
        entry_of(r) = route;
        tos_routes_ += route.tos != 0 ? 1U : 0U;
        return r;
    }
    constexpr void give_back(list r) noexcept {
        tos_routes_ -= entry_of(r).tos != 0 ? 1U : 0U;
        entry_of(r) = nowhere;
        next_of(r) = first_free_;
        first_free_ = r;
    }

    [[nodiscard]] constexpr route_entry& entry_of(list r) noexcept {
        return nodes_.arrays().routes[r - 1U];
    }
    [[nodiscard]] constexpr const route_entry& entry_of(list r) const noexcept {
        return nodes_.arrays().routes[r - 1U];
    }
    // The next route of the same prefix, or the next free one.
    [[nodiscard]] constexpr list& next_of(list r) noexcept {
        return nodes_.arrays().following[r - 1U];
    }
    [[nodiscard]] constexpr list next_of(list r) const noexcept {
        return nodes_.arrays().following[r - 1U];
    }

    trie_nodes<Arrays> nodes_;
    list first_free_ = 0;
    u32 touched_ = 0;  // routes 0 .. touched - 1 have been in use
    u32 tos_routes_ = 0;
    u32 version_ = 0;
};

}  // namespace sluice::detail
