// with_rules<Table, N, Rules>: several route tables and the rules of policy routing that choose one
// of them by source, destination, interfaces, TOS and mark, as `ip rule` does.
//
// It has the tables local (255), main (254) and N more, which come into being with their first
// route. It begins with the rules of Linux: priority 0 local, 32766 main, 32767 default (253). As
// long as no rule is changed, local and main are one table and are asked as if nothing were around
// them. The first change of a rule parts them for good, and every packet takes the full path then.
//
// `lookup(query, key)` asks the rules. `lookup(query)` knows no packet: it looks into local, then
// into main.
//
// Expects: a table that is default-constructible, holds local routes, and has ids below 2^28.
// Never:   allocates or grows; removes a table.
// Cost:    N + 2 tables; the routes of local twice until a rule changes. Before: one test for each
//          lookup. After: a compare for each rule and a lookup for each table that is asked.
// Source:  Linux fib_rules.c, fib_lookup, fib_unmerge.
//
// Models mutable_route_policy (route/concept.hpp).
#pragma once

#include <sluice/packet/rule_list.hpp>
#include <sluice/route/hop.hpp>
#include <sluice/route/selection.hpp>

#include <array>
#include <cstddef>

namespace sluice {

namespace route_tables {
inline constexpr u32 by_default = 253;  // Linux RT_TABLE_DEFAULT
inline constexpr u32 main = 254;
inline constexpr u32 local = 255;
}  // namespace route_tables

template <mutable_route_policy Table, std::size_t N = 2, std::size_t Rules = 16>
class with_rules {
    static_assert(Table::has_local_routes,
                  "sluice: with_rules<Table>: Table must hold local routes (lpm_trie<N>)");
    static_assert(N + 2 < 15 && Rules >= 3,
                  "sluice: with_rules<Table, N, Rules>: N is 12 at most, Rules 3 at least");

public:
    static constexpr bool has_local_routes = true;
    static constexpr std::size_t memory_limit =
        (N + 2) * (Table::memory_limit + sizeof(u32)) + sizeof(rule_list<Rules>) + 64;

    constexpr with_rules() noexcept {
        static_cast<void>(rules_.add({.priority = 0, .target = route_tables::local}));
        static_cast<void>(rules_.add({.priority = 32766, .target = route_tables::main}));
        static_cast<void>(rules_.add({.priority = 32767, .target = route_tables::by_default}));
    }

    // -- what the stack asks --
    [[nodiscard]] constexpr next_hop lookup(ipv4::address destination) const noexcept {
        const next_hop own = parted_ ? in_table(local_slot, destination) : next_hop::none;
        return own != next_hop::none ? own : tables_[main_slot].lookup(destination);
    }
    [[nodiscard]] constexpr next_hop lookup(const route_query& query) const noexcept {
        const next_hop own = parted_ ? in_table(local_slot, query) : next_hop::none;
        return own != next_hop::none ? own : tables_[main_slot].lookup(query);
    }
    // A rule that says unreachable is as no route. Linux fib_lookup, fib4_rule_action.
    [[nodiscard]] constexpr next_hop lookup(const route_query& query,
                                            const rule_key& key) const noexcept {
        if (!parted_) {
            return tables_[main_slot].lookup(query);
        }
        next_hop found = next_hop::none;
        const rule_verdict verdict = rules_.search(key, [&](u32 number) noexcept {
            const std::size_t slot = slot_of(number);
            found = slot < size_ ? in_table(slot, query) : next_hop::none;
            return found != next_hop::none;
        });
        return verdict == rule_verdict::blackhole  ? refused_silently
               : verdict == rule_verdict::prohibit ? refused_by_order
                                                   : found;
    }
    [[nodiscard]] constexpr const route_entry& at(next_hop id) const noexcept {
        const auto n = static_cast<u32>(id);
        if (n < one_slot) {
            return tables_[main_slot].at(id);
        }
        if (const std::size_t slot = n / one_slot; slot < N + 2) {
            return tables_[slot].at(static_cast<next_hop>(n % one_slot));
        }
        return id == refused_by_order ? prohibits : nowhere;
    }
    [[nodiscard]] constexpr u32 version() const noexcept {
        u32 all = changes_;
        for (const Table& t : tables_) {
            all += t.version();
        }
        return all;
    }
    // Once a rule was changed, the hop of `nowhere`: the accept branch asks no rules.
    [[nodiscard]] constexpr hop_entry hop_for(ipv4::address destination, u8 tos) const noexcept {
        return parted_ ? hop_of(nowhere) : find_hop(tables_[main_slot], destination, tos);
    }
    constexpr void prefetch(ipv4::address destination) const noexcept
        requires has_prefetch<Table>
    {
        tables_[main_slot].prefetch(destination);
    }
    [[nodiscard]] constexpr bool has_gateway(ipv4::address gateway, u16 interface) const noexcept
        requires requires(const Table& t) { t.has_gateway(gateway, interface); }
    {
        for (const Table& t : tables_) {
            if (t.has_gateway(gateway, interface)) {
                return true;
            }
        }
        return false;
    }
    // Linux fib4_has_custom_rules.
    [[nodiscard]] constexpr bool has_custom_rules() const noexcept { return parted_; }
    // Calls f(next_hop) for the best route of each table that has one.
    template <class F>
    constexpr void for_each_answer(ipv4::address destination, F&& f) const {
        for (std::size_t slot = 0; slot < size_; ++slot) {
            if (const next_hop id = in_table(slot, destination); id != next_hop::none) {
                f(id);
            }
        }
    }

    // -- routes: local and broadcast ones are in the table local, others in main --
    [[nodiscard]] constexpr result<next_hop, route_error> add(const route_entry& r) noexcept {
        return insert(r, [&r](Table& t) noexcept { return t.add(r); });
    }
    [[nodiscard]] constexpr result<next_hop, route_error> append(const route_entry& r) noexcept
        requires requires(Table& t) { t.append(r); }
    {
        return insert(r, [&r](Table& t) noexcept { return t.append(r); });
    }
    [[nodiscard]] constexpr result<void, route_error> remove(const route_entry& wanted) noexcept {
        if (!is_in_local_table(wanted)) {
            return tables_[main_slot].remove(wanted);
        }
        if (!parted_) {
            static_cast<void>(tables_[main_slot].remove(wanted));
        }
        return tables_[local_slot].remove(wanted);
    }
    // From every table.
    template <class F>
    constexpr u32 remove_if(F&& f) noexcept
        requires requires(Table& t) { t.remove_if(f); }
    {
        u32 removed = tables_[main_slot].remove_if(f);
        if (parted_) {
            removed += tables_[local_slot].remove_if(f);
        } else {
            tables_[local_slot].remove_if(
                [this](const route_entry& r) noexcept { return !is_in_main(r); });
        }
        for (std::size_t slot = first_other; slot < size_; ++slot) {
            removed += tables_[slot].remove_if(f);
        }
        return removed;
    }
    // Of every table, in no order.
    template <class F>
    constexpr void for_each(F&& f) const {
        for (std::size_t slot = 0; slot < size_; ++slot) {
            if (slot != local_slot || parted_) {
                tables_[slot].for_each(f);
            }
        }
    }

    // -- routes of a table by its number. A type that does not belong there parts the tables --
    [[nodiscard]] constexpr result<next_hop, route_error> add(const route_entry& r,
                                                              u32 table) noexcept {
        if (table == table_of(r)) {
            return add(r);
        }
        const std::size_t slot = slot_of(table);
        if (slot >= size_ && size_ == N + 2) {
            return failure{route_error::full};
        }
        part();
        const auto added = tables_[slot].add(r);
        if (added.has_value() && slot == size_) {
            numbers_[size_++] = table;
        }
        return added.has_value() ? result<next_hop, route_error>{tagged(slot, *added)} : added;
    }
    [[nodiscard]] constexpr result<void, route_error> remove(const route_entry& wanted,
                                                             u32 table) noexcept {
        if (table == table_of(wanted)) {
            return remove(wanted);
        }
        const std::size_t slot = slot_of(table);
        return slot < size_ ? tables_[slot].remove(wanted)
                            : result<void, route_error>{failure{route_error::not_found}};
    }

    // -- rules --
    constexpr result<void, rule_error> add_rule(const routing_rule& r) noexcept {
        return changed(rules_.add(r));
    }
    constexpr result<void, rule_error> remove_rule(const routing_rule& r) noexcept {
        return changed(rules_.remove(r));
    }
    // The first of the priority.
    constexpr result<void, rule_error> remove_rule(u32 priority) noexcept {
        return changed(rules_.remove(priority));
    }
    [[nodiscard]] constexpr const rule_list<Rules>& rules() const noexcept { return rules_; }

private:
    static constexpr u32 one_slot = u32{1} << 28;
    static constexpr std::size_t main_slot = 0;  // its ids are those of the table
    static constexpr std::size_t local_slot = 1;
    static constexpr std::size_t first_other = 2;
    // What rules that refuse return: ids of no table.
    static constexpr next_hop refused_silently{0xffff'fff0};
    static constexpr next_hop refused_by_order{0xffff'fff1};
    static constexpr route_entry prohibits{.type = route_type::prohibit, .scope = scopes::nowhere};

    [[nodiscard]] static constexpr u32 table_of(const route_entry& r) noexcept {
        return is_in_local_table(r) ? route_tables::local : route_tables::main;
    }
    [[nodiscard]] static constexpr next_hop tagged(std::size_t slot, next_hop id) noexcept {
        return id == next_hop::none ? id
                                    : static_cast<next_hop>(static_cast<u32>(slot) * one_slot +
                                                            static_cast<u32>(id));
    }
    template <class Query>
    [[nodiscard]] constexpr next_hop in_table(std::size_t slot, const Query& q) const noexcept {
        return tagged(slot, tables_[slot].lookup(q));
    }
    // size_: there is no such table.
    [[nodiscard]] constexpr std::size_t slot_of(u32 number) const noexcept {
        std::size_t slot = 0;
        while (slot < size_ && numbers_[slot] != number) {
            ++slot;
        }
        return slot;
    }
    template <class Insert>
    constexpr result<next_hop, route_error> insert(const route_entry& r, Insert&& into) noexcept {
        if (!is_in_local_table(r)) {
            return into(tables_[main_slot]);
        }
        const result<next_hop, route_error> own = into(tables_[local_slot]);
        if (parted_ || !own.has_value()) {
            return own.has_value() ? result<next_hop, route_error>{tagged(local_slot, *own)} : own;
        }
        const result<next_hop, route_error> merged = into(tables_[main_slot]);
        if (!merged.has_value()) {
            tables_[local_slot].remove_if([&r](const route_entry& x) noexcept { return x == r; });
        }
        return merged;
    }
    [[nodiscard]] constexpr bool is_in_main(const route_entry& r) const noexcept {
        bool found = false;
        tables_[main_slot].for_each(
            [&](const route_entry& x) noexcept { found = found || x == r; });
        return found;
    }
    // Linux fib_unmerge.
    constexpr void part() noexcept {
        if (!parted_) {
            parted_ = true;
            ++changes_;
            tables_[main_slot].remove_if(
                [](const route_entry& r) noexcept { return is_in_local_table(r); });
        }
    }
    constexpr result<void, rule_error> changed(const result<void, rule_error>& done) noexcept {
        if (done.has_value()) {
            part();
            ++changes_;
        }
        return done;
    }

    std::array<Table, N + 2> tables_{};
    std::array<u32, N + 2> numbers_{route_tables::main, route_tables::local};
    std::size_t size_ = 2;
    rule_list<Rules> rules_{};
    bool parted_ = false;
    u32 changes_ = 0;
};

}  // namespace sluice
