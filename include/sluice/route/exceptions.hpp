// # exceptions_policy
//
// Stores facts learned about single destinations: the path MTU (RFC 1191 section 6.1) and the
// gateway that a redirect named (RFC 1122 section 3.3.1.3). Linux fib_nh_exception.
//
// The key of an exception (`exception_key`) is a destination and the next hop of its route when it
// was learned. So an exception ends when the destination is routed elsewhere. `any()` returns
// whether there is an exception; the stack calls it for every packet. `find(key, now)` returns
// the exception, or nullptr; the pointer stays valid until the next change. `learn(key, news, now)`
// stores the news: a known exception keeps the gateway or MTU that the news leaves out.
// `keep_if(f)` calls f(const exception_key&, route_exception&) for each exception; f may change it,
// and returns false to drop it. `expire(now)` drops expired exceptions and returns the next
// deadline.
//
// Constants: `never_learns` (the stack leaves out the code that learns), `memory_limit`.
//
// Exemplar:
//
//     struct exceptions {
//         static constexpr bool never_learns = false;
//         static constexpr std::size_t memory_limit = sizeof(exceptions);
//         explicit exceptions(hash_key key) noexcept;
//         bool any() const noexcept;
//         const route_exception* find(const exception_key& key, instant now) const noexcept;
//         void learn(const exception_key& key, const route_exception& news, instant now) noexcept;
//         template <class F> void keep_if(F&& f) noexcept;
//         instant expire(instant now) noexcept;
//     };
//
// Models: `bounded_exceptions<Buckets>`, `no_exceptions`.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/route/entry.hpp>

#include <concepts>
#include <cstddef>

namespace sluice {

struct exception_key {
    ipv4::address destination{};
    ipv4::address gateway{};  // of the route; unspecified: the destination is on the link
    u16 interface = 0;        // of the route

    friend constexpr bool operator==(const exception_key&, const exception_key&) noexcept = default;
};

// The key for a destination and its route or hop.
template <class Route>
[[nodiscard]] constexpr exception_key key_of(ipv4::address destination, const Route& r) noexcept {
    return {destination, r.gateway, r.interface};
}

struct route_exception {
    ipv4::address gateway{};  // replaces the route's gateway; unspecified: keep the route's
    u16 mtu = 0;              // bytes; 0: nothing learned
    bool mtu_locked = false;  // the path is narrower than the smallest MTU that the stack accepts
    instant expires{};
};

template <class E>
concept finds_exceptions = requires(const E& e, const exception_key& key, instant now) {
    { e.any() } noexcept -> std::same_as<bool>;
    { e.find(key, now) } noexcept -> std::same_as<const route_exception*>;
};

template <class E>
concept learns_exceptions =
    requires(E& e, const exception_key& key, const route_exception& news, instant now) {
        { e.learn(key, news, now) } noexcept -> std::same_as<void>;
        { e.expire(now) } noexcept -> std::same_as<instant>;
        e.keep_if([](const exception_key&, route_exception&) { return true; });
    };

template <class E>
concept states_exception_constants = requires {
    { E::never_learns } -> std::convertible_to<bool>;
    { E::memory_limit } -> std::convertible_to<std::size_t>;
};

template <class E>
concept exceptions_policy = std::constructible_from<E, hash_key> && finds_exceptions<E> &&
                            learns_exceptions<E> && states_exception_constants<E>;

}  // namespace sluice
