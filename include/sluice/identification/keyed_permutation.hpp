// keyed_permutation: the 65,536 identifications in an order that a key chooses.
//
// Use it to identify datagrams by their number in a sequence: no value comes twice in 65,536, and
// the values seen do not show the next ones.
//
// Expects: a key that outsiders do not know, from a keyed hash.
// Never:   stands for a cipher: it hides an order from statistics, and whoever has seen the whole
//          order knows it.
// Cost:    five rounds of an addition, a multiplication and a shift.
// Source:  RFC 7739 section 5.2 (an order without repetition). The rounds are those of 16-bit
//          integer hashes. tests/unit/identification/statistics.cpp finds rules in orders of three
//          rounds and in those of a Feistel network of four, and none in these.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>

namespace sluice {

// The values of N positions from `first` on, side by side in simple loops, of which compilers make
// vectors.
template <std::size_t N>
constexpr void permute_from(u16 first, u64 key, u16 (&values)[N]) noexcept {
    constexpr u16 odd[] = {0x9e37, 0xb529, 0x68e3, 0xc2b3, 0x85eb};
    u16 x[N]{};
    for (std::size_t i = 0; i < N; ++i) {
        x[i] = static_cast<u16>(first + i);
    }
    for (u32 round = 0; round < 5; ++round) {
        const auto part = static_cast<u16>(key >> 16 * (round % 4));
        const u16 factor = odd[round];
        for (std::size_t i = 0; i < N; ++i) {
            x[i] = static_cast<u16>(x[i] + part);
        }
        for (std::size_t i = 0; i < N; ++i) {
            x[i] = static_cast<u16>(u32{x[i]} * factor);
        }
        for (std::size_t i = 0; i < N; ++i) {
            x[i] = static_cast<u16>(x[i] ^ x[i] >> 7);
        }
    }
    for (std::size_t i = 0; i < N; ++i) {
        values[i] = x[i];
    }
}

[[nodiscard]] constexpr u16 keyed_permutation(u64 key, u16 position) noexcept {
    u16 value[1]{};
    permute_from(position, key, value);
    return value[0];
}

}  // namespace sluice
