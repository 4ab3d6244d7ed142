// piece_map: finds the pieces of a datagram that has many, under a rule that settles overlaps: the
// piece that starts last at or before a place, in constant time.
//
// The places 0 .. 65,535 are 512 regions of 128 bytes. A fragment starts at a multiple of 8 below
// 65,536, so at most 16 pieces of a region start before it. (Pieces that were cut may start behind;
// they belong to the last region.) The map has the first piece of each region and a bit for each
// region that has one; the pieces themselves are in one list in order of their places.
//
// Expects: numbers of pieces in the owner's array; the owner's `own` for the piece outside of it.
// Never:   allocates; clears more than its bits.
// Cost:    2,120 bytes; a lookup reads at most 8 words of bits and the pieces of one region.
#pragma once

#include <sluice/base/integer.hpp>

#include <bit>

namespace sluice::detail {

struct piece_map {
    static constexpr u32 most_without = 16;  // a datagram of so many pieces needs no map
    static constexpr u32 regions = 512;
    static constexpr u32 region_bytes = 128;
    static constexpr u32 none = 0xffffffff;

    u64 used[regions / 64]{};
    piece_map* next = nullptr;  // the next free map
    u32 first[regions]{};       // valid where the bit is set

    [[nodiscard]] static constexpr u32 region_of(u32 place) noexcept {
        const u32 region = place / region_bytes;
        return region < regions ? region : regions - 1;
    }
    constexpr void clear() noexcept {
        for (u64& word : used) {
            word = 0;
        }
    }
    [[nodiscard]] constexpr bool has(u32 region) const noexcept {
        return (used[region / 64] >> (region % 64) & 1) != 0;
    }
    constexpr void set(u32 region, u32 piece) noexcept {
        used[region / 64] |= u64{1} << (region % 64);
        first[region] = piece;
    }
    constexpr void unset(u32 region) noexcept { used[region / 64] &= ~(u64{1} << (region % 64)); }
    // The last region before this one that has a piece; `none` if there is none.
    [[nodiscard]] constexpr u32 before(u32 region) const noexcept {
        u32 word = region / 64;
        u64 bits = used[word] & ((u64{1} << (region % 64)) - 1);
        while (bits == 0) {
            if (word == 0) {
                return none;
            }
            bits = used[--word];
        }
        return word * 64 + 63 - static_cast<u32>(std::countl_zero(bits));
    }
};

}  // namespace sluice::detail
