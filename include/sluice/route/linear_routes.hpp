// linear_routes<N>: a route table of up to N routes that every operation scans.
//
// Use it for a handful of routes, as in firmware. It is also the reference that other tables are
// tested against.
//
// Never:   allocates.
// Cost:    every operation looks at all N places; 40 bytes a route.
//
// Models mutable_route_policy (route/concept.hpp).
#pragma once

#include <sluice/route/concept.hpp>
#include <sluice/route/selection.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

namespace detail {

template <std::size_t N>
struct linear_route_places {
    struct place {
        route_entry route = nowhere;
        u64 age = 0;  // when it was added; 0: the place is free
    };
    place places[N];
    u32 version = 0;
    u64 last_age = 0;
};

}  // namespace detail

namespace detail {

template <std::size_t N>
consteval bool is_linear_routes_size() {
    constexpr bool has_room = N > 0;
    static_assert(has_room, "sluice: linear_routes<N>: N is the number of routes, at least 1");
    return true;
}

}  // namespace detail

template <std::size_t N>
class linear_routes : public route_administration<linear_routes<N>> {
    friend class route_administration<linear_routes>;
    static_assert(detail::is_linear_routes_size<N>());

public:
    static constexpr bool has_local_routes = true;
    static constexpr std::size_t memory_limit = sizeof(detail::linear_route_places<N>);

    [[nodiscard]] constexpr next_hop lookup(ipv4::address destination) const noexcept {
        return lookup(route_query{.destination = destination});
    }

    [[nodiscard]] constexpr next_hop lookup(const route_query& query) const noexcept {
        const place* best = nullptr;
        for (const place& p : state_.places) {
            if (p.age != 0 && p.route.prefix.contains(query.destination) &&
                answers(p.route, query) && (best == nullptr || beats(p, *best))) {
                best = &p;
            }
        }
        if (best == nullptr || best->route.type == route_type::throw_away) return next_hop::none;
        return id_of(*best);
    }

    // The route with this id; `nowhere` for an id without a route.
    [[nodiscard]] constexpr const route_entry& at(next_hop id) const noexcept {
        const auto i = static_cast<std::size_t>(id);
        return i < N ? state_.places[i].route : nowhere;
    }

    [[nodiscard]] constexpr u32 version() const noexcept { return state_.version; }

    // Removes the first route in the order of lookup that is_meant (selection.hpp).
    [[nodiscard]] constexpr result<void, route_error> remove(const route_entry& wanted) noexcept {
        place* first = nullptr;
        for (place& p : state_.places) {
            if (p.age != 0 && is_meant(p.route, wanted) && (first == nullptr || beats(p, *first))) {
                first = &p;
            }
        }
        if (first == nullptr) return failure{route_error::not_found};
        *first = place{};
        ++state_.version;
        return {};
    }

    // Removes every route for which f(const route_entry&) returns true. Returns their number.
    template <class F>
    constexpr u32 remove_if(F&& f) noexcept {
        u32 removed = 0;
        for (place& p : state_.places) {
            const place asked = p;
            if (asked.age != 0 && f(asked.route) && p.age == asked.age) {
                p = place{};
                ++removed;
            }
        }
        state_.version += removed;
        return removed;
    }

private:
    using place = typename detail::linear_route_places<N>::place;

    [[nodiscard]] constexpr next_hop id_of(const place& p) const noexcept {
        return static_cast<next_hop>(static_cast<u32>(&p - state_.places));
    }

    [[nodiscard]] static constexpr bool beats(const place& a, const place& b) noexcept {
        if (a.route.prefix.length != b.route.prefix.length) {
            return a.route.prefix.length > b.route.prefix.length;
        }
        if (is_tried_before(a.route, b.route)) return true;
        return !is_tried_before(b.route, a.route) && a.age < b.age;
    }

    template <class F>
    constexpr bool any(F&& f) const {
        for (const place& p : state_.places) {
            if (p.age != 0 && f(p.route)) return true;
        }
        return false;
    }

    template <class Clashes>
    constexpr result<next_hop, route_error> insert(const route_entry& route,
                                                   Clashes&& clashes) noexcept {
        if (!is_valid_route(route)) return failure{route_error::invalid};
        place* free = nullptr;
        for (place& p : state_.places) {
            if (p.age == 0) {
                free = free == nullptr ? &p : free;
            } else if (clashes(p.route)) {
                return failure{route_error::exists};
            }
        }
        if (free == nullptr) return failure{route_error::full};
        *free = {route, ++state_.last_age};
        ++state_.version;
        return id_of(*free);
    }

    detail::linear_route_places<N> state_{};
};

}  // namespace sluice
