// Byte ranges, big-endian load and store, and the four memory operations, usable in constant
// evaluation.
//
// Expects: pointers to at least as many bytes as the operation names. No alignment is assumed.
// Never: allocates, or looks at the byte order of the machine: values are assembled from bytes, so
// results are the same on big-endian and little-endian machines.
// Cost: a load or store of 1, 2, 4 or 8 bytes compiles to one machine load or store (and a byte
// swap). The assembly is a fold over an index sequence because g++ 12 recognises that form and
// leaves a plain loop a loop.
#pragma once

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

}  // namespace detail

// The unsigned number written big-endian in the `Count` (1 to 8) bytes at `from`.
template <std::size_t Count>
    requires(Count >= 1 && Count <= 8)
[[nodiscard]] constexpr u64 load_be_bytes(const std::byte* from) noexcept {
    return detail::assemble(from, std::make_index_sequence<Count>{});
}

// Writes the low `Count` (1 to 8) bytes of `value` big-endian at `to`; higher bytes of `value` are
// ignored.
template <std::size_t Count>
    requires(Count >= 1 && Count <= 8)
constexpr void store_be_bytes(std::byte* to, u64 value) noexcept {
    detail::scatter(to, value, std::make_index_sequence<Count>{});
}

// The `T` written in network byte order at `from`.
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
        // Pointers of different arrays cannot be ordered here, but equality with each source byte
        // always can.
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
