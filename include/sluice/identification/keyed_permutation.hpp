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

namespace sluice {

[[nodiscard]] constexpr u16 keyed_permutation(u64 key, u16 position) noexcept {
    constexpr u32 odd[] = {0x9e37, 0xb529, 0x68e3, 0xc2b3, 0x85eb};
    u32 x = position;
    for (u32 round = 0; round < 5; ++round) {
        x += static_cast<u32>(key >> 16 * (round % 4));
        x = static_cast<u16>(x * odd[round]);
        x ^= x >> 7;
    }
    return static_cast<u16>(x);
}

}  // namespace sluice
