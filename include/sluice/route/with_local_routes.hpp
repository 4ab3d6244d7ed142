// with_local_routes<Table>: adds local and broadcast routes to a table that does not hold them.
//
// The stack puts it around a route policy whose has_local_routes is false. It keeps the local and
// broadcast routes in a list beside the table, and asks that list first, as Linux asks its local
// table first. All other routes are in the table.
//
// Expects: ids of the table under 2^31.
// Never:   adds a route of another type to a table that cannot be changed.
// Cost:    a compare for each local route before each lookup; 40 bytes a route.
//
// Models mutable_route_policy (route/concept.hpp).
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/route/hop.hpp>
#include <sluice/route/selection.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <route_policy Table, std::size_t N = 128>
class with_local_routes {
public:
    static constexpr bool has_local_routes = true;
    static constexpr std::size_t memory_limit =
        Table::memory_limit + sizeof(bounded_vector<route_entry, N>);

    constexpr with_local_routes() noexcept = default;
    // Makes the table from its constructor argument.
    template <class T = Table>
        requires requires { typename T::parts; }
    constexpr explicit with_local_routes(typename T::parts p) noexcept : table_{std::move(p)} {}

    [[nodiscard]] constexpr const Table& table() const noexcept { return table_; }

    [[nodiscard]] constexpr next_hop lookup(ipv4::address destination) const noexcept {
        const next_hop own = local_answer(route_query{.destination = destination});
        return own != next_hop::none ? own : table_.lookup(destination);
    }
    [[nodiscard]] constexpr next_hop lookup(const route_query& query) const noexcept {
        const next_hop own = local_answer(query);
        return own != next_hop::none ? own : table_.lookup(query);
    }
    [[nodiscard]] constexpr const route_entry& at(next_hop id) const noexcept {
        const u32 i = static_cast<u32>(id) - first_local;
        return i < local_.size() ? local_[i] : table_.at(id);
    }
    [[nodiscard]] constexpr u32 version() const noexcept { return table_.version() + changes_; }

    [[nodiscard]] constexpr hop_entry hop_for(ipv4::address destination, u8 tos) const noexcept
        requires has_hops<Table>
    {
        const next_hop own = local_answer({.destination = destination, .tos = tos});
        return own != next_hop::none ? hop_of(at(own)) : table_.hop_for(destination, tos);
    }
    constexpr void prefetch(ipv4::address destination) const noexcept
        requires has_prefetch<Table>
    {
        table_.prefetch(destination);
    }

    [[nodiscard]] constexpr bool has_gateway(ipv4::address gateway, u16 interface) const noexcept
        requires requires(const Table& t) { t.has_gateway(gateway, interface); }
    {
        return table_.has_gateway(gateway, interface);
    }

    [[nodiscard]] constexpr result<next_hop, route_error> add(const route_entry& route) noexcept {
        if (is_in_local_table(route)) {
            return insert(route, has_key_of(route));
        }
        if constexpr (mutable_route_policy<Table>) {
            return table_.add(route);
        } else {
            return failure{route_error::invalid};
        }
    }
    // As the stack adds the routes of an address. A table that cannot be changed is left alone: it
    // holds routes to the local networks already, or has none.
    [[nodiscard]] constexpr result<next_hop, route_error>
    append(const route_entry& route) noexcept {
        if (is_in_local_table(route)) {
            return insert(route, equals(route));
        }
        if constexpr (requires(Table& t) { t.append(route); }) {
            return table_.append(route);
        } else if constexpr (mutable_route_policy<Table>) {
            return table_.add(route);
        } else {
            return next_hop::none;
        }
    }

    [[nodiscard]] constexpr result<void, route_error> remove(const route_entry& wanted) noexcept {
        for (std::size_t i = 0; i < local_.size(); ++i) {
            if (is_meant(local_[i], wanted)) {
                local_.erase(i);
                ++changes_;
                return {};
            }
        }
        if constexpr (mutable_route_policy<Table>) {
            return table_.remove(wanted);
        } else {
            return failure{route_error::not_found};
        }
    }

    // Removes the table's routes too if the table has remove_if(). Returns the number of removed
    // routes.
    template <class F>
    constexpr u32 remove_if(F&& f) noexcept {
        u32 removed = 0;
        for (std::size_t i = local_.size(); i-- > 0;) {
            const route_entry asked = local_[i];
            if (f(asked) && i < local_.size() && local_[i] == asked) {
                local_.erase(i);
                ++removed;
            }
        }
        changes_ += removed;
        if constexpr (requires(Table& t) { t.remove_if(f); }) {
            removed += table_.remove_if(f);
        }
        return removed;
    }

private:
    static constexpr u32 first_local = 0x8000'0000;

    [[nodiscard]] constexpr next_hop local_answer(const route_query& query) const noexcept {
        for (std::size_t i = 0; i < local_.size(); ++i) {
            if (local_[i].prefix.contains(query.destination) && answers(local_[i], query)) {
                return static_cast<next_hop>(first_local + static_cast<u32>(i));
            }
        }
        return next_hop::none;
    }

    // Longer prefixes first: the first that answers is the best.
    template <class Clashes>
    constexpr result<next_hop, route_error> insert(const route_entry& route,
                                                   Clashes&& clashes) noexcept {
        if (!is_valid_route(route)) {
            return failure{route_error::invalid};
        }
        std::size_t at = 0;
        for (std::size_t i = 0; i < local_.size(); ++i) {
            if (clashes(local_[i])) {
                return failure{route_error::exists};
            }
            at = local_[i].prefix.length >= route.prefix.length ? i + 1 : at;
        }
        if (!local_.insert(at, route)) {
            return failure{route_error::full};
        }
        ++changes_;
        return static_cast<next_hop>(first_local + static_cast<u32>(at));
    }

    Table table_{};
    bounded_vector<route_entry, N> local_{};
    u32 changes_ = 0;
};

}  // namespace sluice
