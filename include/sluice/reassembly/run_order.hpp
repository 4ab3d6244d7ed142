// run_order<Run>: puts the runs of a datagram in order of their places.
//
// The places 0 .. 65,535 are 128 regions of 512 bytes. add() links the runs of a region in any
// order; next() puts the at most 64 of one into an array by place, while it returns those of the
// region before it: so it waits for no run and, if the packets have blocks, for no block.
//
// Expects: runs that start at different multiples of 8 below 65,536; all of them added before
//          next().
// Never:   allocates; compares runs.
// Cost:    2 kbytes of stack; two reads of each run.
#pragma once

#include <sluice/base/integer.hpp>

#include <bit>
#include <type_traits>
#include <utility>

namespace sluice::detail {

template <class Run>
class run_order {
public:
    [[gnu::always_inline]] constexpr void add(Run& r) noexcept {
        const u32 region = r.start / region_bytes;
        const u64 bit = u64{1} << (region % 64);
        u64& used = used_[region / 64];
        r.beside = (used & bit) != 0 ? first_[region] : nullptr;
        first_[region] = &r;
        used |= bit;
    }
    // The next run in order; nullptr: there is none.
    [[nodiscard, gnu::always_inline]] constexpr Run* next() noexcept {
        if (sorted_[now_].used == 0) {
            refill();
            if (sorted_[now_].used == 0) {
                return nullptr;
            }
        }
        if (coming_ != nullptr) {
            sorted_[now_ ^ 1].add(*coming_);
            coming_ = coming_->beside;
        }
        return sorted_[now_].take_first();
    }

private:
    static constexpr u32 regions = 128;
    static constexpr u32 region_bytes = 512;

    // The runs of one region.
    struct by_place {
        u64 used = 0;
        Run* at[region_bytes / 8];  // valid where the bit is set

        [[gnu::always_inline]] constexpr void add(Run& r) noexcept {
            const u32 place = r.start / 8 % 64;
            at[place] = &r;
            used |= u64{1} << place;
            if (!std::is_constant_evaluated()) {
                __builtin_prefetch(&std::as_const(r.packet).storage_block(), 1);
            }
        }
        [[gnu::always_inline]] constexpr Run* take_first() noexcept {
            Run* const r = at[std::countr_zero(used)];
            used &= used - 1;
            return r;
        }
    };

    constexpr void refill() noexcept {
        do {
            for (; coming_ != nullptr; coming_ = coming_->beside) {
                sorted_[now_ ^ 1].add(*coming_);
            }
            now_ ^= 1;
            coming_ = next_region();
        } while (sorted_[now_].used == 0 && coming_ != nullptr);
    }
    // The runs of the first region that is left; nullptr: there is none.
    [[nodiscard]] constexpr Run* next_region() noexcept {
        for (u32 i = 0; i < regions / 64; ++i) {
            if (const u64 left = used_[i]; left != 0) {
                used_[i] = left & (left - 1);
                return first_[i * 64 + static_cast<u32>(std::countr_zero(left))];
            }
        }
        return nullptr;
    }

    by_place sorted_[2];  // the region whose runs next() returns, and the one that follows
    u32 now_ = 0;
    Run* coming_ = nullptr;  // of that one, not yet in the array
    u64 used_[regions / 64]{};
    Run* first_[regions];  // valid where the bit is set
};

}  // namespace sluice::detail
