// fetch_ahead: prefetches the headers and table slots of later packets of a batch while earlier
// ones are forwarded.
//
// It prefetches groups of packets, each some packets early: address translations then overlap
// instead of waiting for each other.
//
// Expects: a batch whose packets stay where they are.
// Never:   reads a byte of a packet that is not plain; changes anything.
// Cost:    sixteen instructions per packet.
#pragma once

#include <sluice/route/hop.hpp>
#include <sluice/wire/ipv4.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace sluice::acts {

namespace detail {

// Packets per group.
inline constexpr std::ptrdiff_t fetched_at_once = 8;
using group_places = std::make_integer_sequence<std::ptrdiff_t, fetched_at_once>;

// All prefetching functions are always inlined: g++ omits calls that do nothing else.
template <class Packet>
[[gnu::always_inline]] inline void fetch_header(const Packet& p) noexcept {
    __builtin_prefetch(p.data());
}

// The table slot that the lookup will read.
template <class Routes, class Packet>
[[gnu::always_inline]] inline void fetch_slot(const Routes& routes, const Packet& p) noexcept {
    if (p.is_plain_host_of(ipv4::min_header_length)) [[likely]] {
        routes.prefetch(ipv4::const_view{p.data()}[ipv4::destination]);
    }
}

// The headers of the group `skip` packets behind `at`, as far as the batch reaches.
template <class Packet, std::ptrdiff_t... I>
[[gnu::always_inline]] inline void
fetch_headers(const Packet* at, const Packet* end, std::ptrdiff_t skip,
              std::integer_sequence<std::ptrdiff_t, I...>) noexcept {
    const std::ptrdiff_t left = end - at - skip;
    if (left >= fetched_at_once) [[likely]] {
        (fetch_header(at[skip + I]), ...);
        return;
    }
    for (std::ptrdiff_t i = 0; i < left; ++i) {
        fetch_header(at[skip + i]);
    }
}

// The slots of that group.
template <class Routes, class Packet, std::ptrdiff_t... I>
[[gnu::always_inline]] inline void
fetch_slots(const Routes& table, const Packet* at, const Packet* end, std::ptrdiff_t skip,
            std::integer_sequence<std::ptrdiff_t, I...>) noexcept {
    if constexpr (has_prefetch<Routes>) {
        const auto& routes = reader_of(table);
        const std::ptrdiff_t left = end - at - skip;
        if (left >= fetched_at_once) [[likely]] {
            (fetch_slot(routes, at[skip + I]), ...);
            return;
        }
        for (std::ptrdiff_t i = 0; i < left; ++i) {
            fetch_slot(routes, at[skip + i]);
        }
    }
}

}  // namespace detail

// At the start of a batch: the headers of two groups and the slots of the first.
template <class Routes, class Packet>
constexpr void fetch_first(const Routes& routes, const Packet* at, const Packet* end) noexcept {
    if (!std::is_constant_evaluated()) {
        detail::fetch_headers(at, end, 0, detail::group_places{});
        detail::fetch_headers(at, end, detail::fetched_at_once, detail::group_places{});
        detail::fetch_slots(routes, at, end, 0, detail::group_places{});
    }
}

// At the start of a group: the slots of the next group and the headers of the one after it. Sets
// `due` to the place of the next call. Not inlined: it would take registers from the calling loop.
template <class Routes, class Packet>
[[gnu::noinline]] constexpr void fetch_ahead(const Routes& routes, const Packet* at,
                                             const Packet* end, const Packet*& due) noexcept {
    constexpr std::ptrdiff_t next = detail::fetched_at_once;
    due = end - at > next ? at + next : end;
    if (!std::is_constant_evaluated()) {
        detail::fetch_headers(at, end, 2 * next, detail::group_places{});
        detail::fetch_slots(routes, at, end, next, detail::group_places{});
    }
}

}  // namespace sluice::acts
