// piece_map: finds the pieces of a datagram that has many: the piece that starts last at or before
// a place, in constant time. map_pool: memory for maps.
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
#include <cstddef>
#include <utility>

namespace sluice::detail {

struct piece_map {
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

class map_pool {
public:
    // Maps for a number of pieces: a datagram has one while it has more than 16 pieces.
    static constexpr u32 most_without = 16;
    [[nodiscard]] static constexpr std::size_t maps_for(std::size_t pieces) noexcept {
        return pieces / (most_without + 1) + 1;
    }

    constexpr map_pool(piece_map* maps, u32 count) noexcept : fresh_(maps), fresh_count_(count) {}

    // Precondition: fewer maps are in use than maps_for() all pieces.
    [[nodiscard]] constexpr piece_map& take() noexcept {
        if (free_ == nullptr) {
            --fresh_count_;
            return *fresh_++;
        }
        piece_map& m = *std::exchange(free_, free_->next);
        m.clear();
        return m;
    }
    constexpr void give(piece_map& m) noexcept { m.next = std::exchange(free_, &m); }

private:
    piece_map* free_ = nullptr;
    piece_map* fresh_;
    u32 fresh_count_;
};

}  // namespace sluice::detail
