// stack_tables: the tables of a stack: interfaces, routes, exceptions, groups, switches.
//
// The stages take them as one argument (look_up()). They record when they change.
//
// Expects: the policies of its slots.
// Cost:    the policies' own sizes.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/interface/interface.hpp>
#include <sluice/route/with_local_routes.hpp>
#include <sluice/routing/tables.hpp>

#include <cstddef>
#include <type_traits>

namespace sluice {

namespace detail {

// The constructor argument of a route policy: its own `parts` (lpm_table: memory), or nothing.
template <class Routes>
struct route_parts {
    struct type {};
    [[nodiscard]] static constexpr Routes make(type) noexcept { return {}; }
};
template <class Routes>
    requires requires { typename Routes::parts; }
struct route_parts<Routes> {
    using type = typename Routes::parts;
    [[nodiscard]] static constexpr Routes make(type p) noexcept { return Routes{p}; }
};
template <class Table, std::size_t N>
    requires requires { typename Table::parts; }
struct route_parts<with_local_routes<Table, N>> {
    using type = typename Table::parts;
    [[nodiscard]] static constexpr with_local_routes<Table, N> make(type p) noexcept {
        return with_local_routes<Table, N>{p};
    }
};

}  // namespace detail

template <class Chosen>
struct stack_tables {
    // A table without local routes gets a list of them in front.
    using routes_type =
        std::conditional_t<Chosen::routes::has_local_routes, typename Chosen::routes,
                           with_local_routes<typename Chosen::routes>>;
    using exceptions_type = typename Chosen::exceptions;
    using groups_type = typename Chosen::multicast;
    using from_routes = detail::route_parts<routes_type>;

    typename Chosen::interfaces interfaces{};
    routes_type routes;
    [[no_unique_address]] exceptions_type exceptions;
    [[no_unique_address]] groups_type groups{};
    settings switches;
    inherited_mask defaults_chosen = 0;  // changed members of conf.default
    // Some routes of type local come from no address.
    bool custom_local_routes = false;
    u32 changes = 0;
    u32 touched = 0;

    constexpr stack_tables(const settings& s, const typename from_routes::type& r,
                           hash_key key) noexcept
        : routes{from_routes::make(r)}, exceptions{key}, switches{s} {}
    // For a multicast policy with a secret of its own.
    constexpr stack_tables(const settings& s, const typename from_routes::type& r,
                           hash_key key) noexcept
        requires std::is_constructible_v<groups_type, hash_key>
        : routes{from_routes::make(r)}, exceptions{key}, groups{derive(key, 0)}, switches{s} {}

    // The tables as the stages take them.
    [[nodiscard]] constexpr auto look_up() const noexcept {
        return routing::tables{.interfaces = interfaces,
                               .routes = routes,
                               .groups = groups,
                               .switches = switches,
                               .custom_local_routes = has_custom_local_routes()};
    }
    // Whether some local routes come from no address, or rules may say what is local. Linux
    // fib_validate_source.
    [[nodiscard]] constexpr bool has_custom_local_routes() const noexcept {
        if constexpr (asks_rules<routes_type>) {
            return custom_local_routes || routes.has_custom_rules();
        } else {
            return custom_local_routes;
        }
    }
    // Moves with every change of routes, interfaces, addresses, switches and exceptions.
    [[nodiscard]] constexpr u32 route_generation() const noexcept {
        return routes.version() + changes;
    }
    // Call it after a change of data that the packet path reads.
    constexpr void changed() noexcept {
        ++changes;
        touch();
    }
    // Call it after a hook, handler or output ran: it may have changed every table, so a batch
    // reads its interface again.
    constexpr void touch() noexcept { ++touched; }
    // The interface if it exists and is up, else nullptr. Look it up again after a hook, handler or
    // output ran: it may have removed the interface.
    [[nodiscard]] constexpr const interface* running(u16 index) const noexcept {
        const interface* found = interfaces.find(index);
        return found != nullptr && found->up ? found : nullptr;
    }
};

}  // namespace sluice
