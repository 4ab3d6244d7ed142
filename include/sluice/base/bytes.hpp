// bytes, const_bytes: byte ranges, with big-endian load and store, copy, move, fill and compare.
//
// Every function works in constant evaluation and answers the same on big-endian and little-endian
// machines. Widths of 1, 2, 4 and 8 bytes use memcpy and a byte swap: compilers recognize an
// assembly from single bytes only while none of these bytes is also used alone. Other widths, and
// constant evaluation, assemble by a fold over an index sequence, because g++ 12 does not unroll a
// plain loop.
//
// Expects: pointers to at least as many bytes as the operation names; no alignment.
// Never:   allocates.
// Cost:    a load or store of 1, 2, 4 or 8 bytes is one machine load or store and a byte swap.
#pragma once

#include <bit>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include <sluice/base/integer.hpp>

namespace sluice {

using bytes = std::span<std::byte>;
using const_bytes = std::span<const std::byte>;

namespace detail {

template <std::size_t... I>
[[nodiscard]] constexpr u64 assemble(const std::byte* from, std::index_sequence<I...>) noexcept {
    return (... | (std::to_integer<u64>(from[I]) << (8 * (sizeof...(I) - 1 - I))));
}

template <std::size_t... I>
constexpr void scatter(std::byte* to, u64 value, std::index_sequence<I...>) noexcept {
    ((to[I] = static_cast<std::byte>(static_cast<u8>(value >> (8 * (sizeof...(I) - 1 - I))))), ...);
}

template <std::size_t Count>
using word = std::conditional_t<Count == 2, u16, std::conditional_t<Count == 4, u32, u64>>;

// Converts between the machine's byte order and the network's, in both directions.
[[nodiscard]] constexpr u16 network_order(u16 v) noexcept {
    return std::endian::native == std::endian::little ? __builtin_bswap16(v) : v;
}
[[nodiscard]] constexpr u32 network_order(u32 v) noexcept {
    return std::endian::native == std::endian::little ? __builtin_bswap32(v) : v;
}
[[nodiscard]] constexpr u64 network_order(u64 v) noexcept {
    return std::endian::native == std::endian::little ? __builtin_bswap64(v) : v;
}

}  // namespace detail

// Reads `Count` (1 to 8) bytes at `from` as a big-endian unsigned number.
template <std::size_t Count>
    requires(Count >= 1 && Count <= 8)
[[nodiscard]] constexpr u64 load_be_bytes(const std::byte* from) noexcept {
    if constexpr (Count == 1) {
        return std::to_integer<u64>(*from);
    } else if constexpr (Count == 2 || Count == 4 || Count == 8) {
        if (!std::is_constant_evaluated()) {
            detail::word<Count> value;
            __builtin_memcpy(&value, from, Count);
            return detail::network_order(value);
        }
    }
    return detail::assemble(from, std::make_index_sequence<Count>{});
}

// Writes the low `Count` (1 to 8) bytes of `value` big-endian at `to`; higher bytes of `value` are
// ignored.
template <std::size_t Count>
    requires(Count >= 1 && Count <= 8)
constexpr void store_be_bytes(std::byte* to, u64 value) noexcept {
    if constexpr (Count == 1) {
        *to = static_cast<std::byte>(static_cast<u8>(value));
        return;
    } else if constexpr (Count == 2 || Count == 4 || Count == 8) {
        if (!std::is_constant_evaluated()) {
            const auto ordered = detail::network_order(static_cast<detail::word<Count>>(value));
            __builtin_memcpy(to, &ordered, Count);
            return;
        }
    }
    detail::scatter(to, value, std::make_index_sequence<Count>{});
}

// Reads a `T` in network byte order at `from`.
template <class T>
    requires std::is_unsigned_v<T>
[[nodiscard]] constexpr T load_be(const std::byte* from) noexcept {
    return static_cast<T>(load_be_bytes<sizeof(T)>(from));
}

// Writes `value` in network byte order at `to`.
template <class T>
    requires std::is_unsigned_v<T>
constexpr void store_be(std::byte* to, std::type_identity_t<T> value) noexcept {
    store_be_bytes<sizeof(T)>(to, value);
}

// Copies `count` bytes between ranges that do not overlap. Both pointers may be null when `count`
// is 0.
constexpr void copy_bytes(std::byte* to, const std::byte* from, std::size_t count) noexcept {
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < count; ++i)
            to[i] = from[i];
    } else if (count != 0) {
        __builtin_memcpy(to, from, count);
    }
}

// Copies `count` bytes between ranges of one array that may overlap.
constexpr void move_bytes(std::byte* to, const std::byte* from, std::size_t count) noexcept {
    if (std::is_constant_evaluated()) {
        // Constant evaluation cannot order pointers of different arrays, but it can compare each of
        // them for equality.
        bool starts_inside = false;
        for (std::size_t i = 0; i < count; ++i)
            starts_inside = starts_inside || from + i == to;
        if (starts_inside) {
            for (std::size_t i = count; i > 0; --i)
                to[i - 1] = from[i - 1];
        } else {
            for (std::size_t i = 0; i < count; ++i)
                to[i] = from[i];
        }
    } else if (count != 0) {
        __builtin_memmove(to, from, count);
    }
}

// Sets `count` bytes at `to` to `value`.
constexpr void fill_bytes(std::byte* to, std::size_t count, std::byte value) noexcept {
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < count; ++i)
            to[i] = value;
    } else if (count != 0) {
        __builtin_memset(to, std::to_integer<int>(value), count);
    }
}

// Whether two ranges hold the same bytes. Not constant-time: not for secrets.
[[nodiscard]] constexpr bool equal_bytes(const_bytes left, const_bytes right) noexcept {
    if (left.size() != right.size()) return false;
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < left.size(); ++i) {
            if (left[i] != right[i]) return false;
        }
        return true;
    }
    return left.empty() || __builtin_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace sluice
