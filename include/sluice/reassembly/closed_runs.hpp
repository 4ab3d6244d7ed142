// closed_runs: the places of all runs of a datagram but the last one, which may still grow: whether
// a fragment overlaps one of them, and which. run_map: the same for a datagram with many runs.
//
// Places are in units of 8 bytes. Up to 32 runs are in the record itself, four to a word; for more
// of them a run_map has a bit for each unit. A lookup compares words and visits no run.
//
// Expects: runs that start at a multiple of 8 and do not overlap, the last of them at most at
//          65,528; a run that ends elsewhere than at a multiple of 8 has none behind it.
// Never:   allocates; reads a packet or a piece.
// Cost:    136 bytes, and 2,072 for a map; a lookup reads 8 or 16 words, or 16 bytes of a map for
//          each 512 bytes of the fragment. To find the run that is overlapped: at most four such
//          words more.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/reassembly/map_pool.hpp>
#include <sluice/reassembly/overlap.hpp>

#include <bit>
#include <utility>

namespace sluice::detail {

inline constexpr u32 place_unit = 8;

// Units from .. to - 1.
struct unit_range {
    u32 from = 0;
    u32 to = 0;
};

struct run_map {
    static constexpr u32 most_without = 32;  // so many runs are in closed_runs itself
    static constexpr u32 words = 128;
    // For 64 units: which of them are covered, and at which ones a run starts.
    struct word {
        u64 covered = 0;
        u64 starts = 0;
    };

    word at[words]{};
    u64 inner[words / 64]{};  // for each word, whether it lies in the middle of one run
    run_map* next = nullptr;  // the next free map

    constexpr void clear() noexcept {
        for (word& w : at) {
            w = {};
        }
        inner[0] = inner[1] = 0;
    }
    constexpr void add(unit_range run) noexcept {
        at[run.from / 64].starts |= u64{1} << (run.from % 64);
        const u32 last = (run.to - 1) / 64;
        u64 mask = ~u64{} << (run.from % 64);
        for (u32 i = run.from / 64; i != last; ++i) {
            inner[i / 64] |= u64{i != run.from / 64} << (i % 64);
            at[i].covered |= std::exchange(mask, ~u64{});
        }
        at[last].covered |= mask & up_to(run.to - 1);
    }
    // Adds a run unless it overlaps one. False: it does.
    template <class Probe>
    [[nodiscard, gnu::always_inline]] constexpr bool add_if_apart(unit_range run) noexcept {
        const u32 last = (run.to - 1) / 64;
        if (run.from / 64 != last) {
            if (first_covered<Probe>(run) != run.to) {
                return false;
            }
            add(run);
            return true;
        }
        Probe::read();
        const u64 start = u64{1} << (run.from % 64);
        const u64 mask = (u64{} - start) & up_to(run.to - 1);
        if ((at[last].covered & mask) != 0) {
            return false;
        }
        at[last].covered |= mask;
        at[last].starts |= start;
        return true;
    }
    // The first unit of the range that is covered; `to` if none is.
    template <class Probe>
    [[nodiscard]] constexpr u32 first_covered(unit_range in) const noexcept {
        const u32 last = (in.to - 1) / 64;
        u64 mask = ~u64{} << (in.from % 64);
        for (u32 i = in.from / 64;; ++i) {
            mask = i == last ? mask & up_to(in.to - 1) : mask;
            Probe::read();
            if (const u64 both = at[i].covered & mask; both != 0) {
                return i * 64 + static_cast<u32>(std::countr_zero(both));
            }
            if (i == last) {
                return in.to;
            }
            mask = ~u64{};
        }
    }
    // The run that covers this unit.
    template <class Probe>
    [[nodiscard]] constexpr unit_range run_at(u32 unit) const noexcept {
        u32 i = unit / 64;
        u64 starts = at[i].starts & up_to(unit);
        while (starts == 0) {
            i = outer_before(i);
            Probe::read();
            starts = at[i].starts;
        }
        const u32 from = i * 64 + 63 - static_cast<u32>(std::countl_zero(starts));
        i = unit / 64;
        u64 ends = ends_in(i) & ~up_to(unit);
        while (ends == 0) {
            i = outer_behind(i);
            if (i == words) {
                return {from, words * 64};
            }
            Probe::read();
            ends = ends_in(i);
        }
        return {from, i * 64 + static_cast<u32>(std::countr_zero(ends))};
    }

private:
    // The bits of units behind the end of a run, or where the next one starts.
    [[nodiscard]] constexpr u64 ends_in(u32 i) const noexcept {
        return at[i].starts | ~at[i].covered;
    }
    // The last word before this one, and the first one behind it (`words`: none), that is not in
    // the middle of a run.
    [[nodiscard]] constexpr u32 outer_before(u32 i) const noexcept {
        u32 half = i / 64;
        u64 outer = ~inner[half] & ((u64{1} << (i % 64)) - 1);
        if (outer == 0 && half != 0) {
            outer = ~inner[--half];
        }
        return half * 64 + 63 - static_cast<u32>(std::countl_zero(outer));
    }
    [[nodiscard]] constexpr u32 outer_behind(u32 i) const noexcept {
        u32 half = i / 64;
        u64 outer = ~inner[half] & ~up_to(i);
        if (outer == 0 && half == 0) {
            outer = ~inner[++half];
        }
        return half * 64 + static_cast<u32>(std::countr_zero(outer));
    }
    // The bits of a word up to that of this unit.
    [[nodiscard]] static constexpr u64 up_to(u32 unit) noexcept {
        return ~u64{} >> (63 - unit % 64);
    }
};

// The caller knows how many runs there are: `count`, which is the number of those added.
template <class Probe>
class closed_runs {
public:
    using pool = map_pool<run_map>;

    // Adds a run; `maps` has a free one.
    [[gnu::always_inline]] constexpr void add(u32 count, unit_range run, pool& maps) noexcept {
        if (count < run_map::most_without) {
            put(count, run);
        } else if (count == run_map::most_without) [[unlikely]] {
            make_map(run, maps);
        } else {
            map_->add(run);
        }
    }
    // The same unless it overlaps one. False: it does.
    [[nodiscard, gnu::always_inline]] constexpr bool add_if_apart(u32 count, unit_range run,
                                                                  pool& maps) noexcept {
        if (count > run_map::most_without) {
            return map_->add_if_apart<Probe>(run);
        }
        if (count != 0) {
            u64 any = any_overlapping(0, run);
            if (count > 4 * half) {
                any |= any_overlapping(half, run);
            }
            if (any != 0) {
                return false;
            }
        }
        add(count, run, maps);
        return true;
    }
    // The first run that overlaps the range; an empty one: none does.
    [[nodiscard]] constexpr unit_range first_overlapping(u32 count,
                                                         unit_range with) const noexcept {
        if (with.from >= with.to) {
            return {};
        }
        if (count > run_map::most_without) {
            const u32 unit = map_->first_covered<Probe>(with);
            return unit != with.to ? map_->run_at<Probe>(unit) : unit_range{};
        }
        unit_range found{~u32{}, 0};
        for (u32 i = 0; i < count; ++i) {
            const unit_range run = at(i);
            if (run.from < with.to && with.from < run.to && run.from < found.from) {
                found = run;
            }
        }
        return found.to != 0 ? found : unit_range{};
    }
    // Forgets all runs.
    constexpr void clear(u32 count, pool& maps) noexcept {
        if (count > run_map::most_without) {
            maps.give(*map_);
        }
    }

private:
    static constexpr u32 words = run_map::most_without / 4;
    static constexpr u32 half = words / 2;  // the second half is read if the first one is full
    static constexpr u64 ones = 0x0001'0001'0001'0001;
    static constexpr u64 high = 0x8000'8000'8000'8000;

    // The high bit of each lane of a half whose run overlaps the range. A unit's number has at most
    // 14 bits, so that no lane borrows from the next one.
    [[nodiscard]] constexpr u64 any_overlapping(u32 first, unit_range with) const noexcept {
        u64 any = 0;
        for (u32 i = first; i < first + half; ++i) {
            any |= ~(starts_[i] - ones * with.to) & (ends_[i] - ones * (with.from + 1));
        }
        return any & high;
    }
    [[nodiscard]] constexpr unit_range at(u32 i) const noexcept {
        const u32 shift = 16 * (i % 4);
        return {static_cast<u32>(starts_[i / 4] >> shift) & 0x7fff,
                static_cast<u32>(ends_[i / 4] >> shift) & 0x7fff};
    }
    constexpr void put(u32 count, unit_range run) noexcept {
        u64& starts = starts_[count / 4];
        u64& ends = ends_[count / 4];
        if (count % (4 * half) == 0) {
            for (u32 i = 1; i < half; ++i) {  // these overlap nothing
                starts_[count / 4 + i] = ~u64{};
                ends_[count / 4 + i] = high;
            }
            starts = ~u64{} ^ 0x7fff ^ run.from;
            ends = high | run.to;
            return;
        }
        const u32 shift = 16 * (count % 4);
        starts &= ~(u64{0x7fff ^ run.from} << shift);
        ends |= u64{run.to} << shift;
    }
    [[gnu::noinline]] constexpr void make_map(unit_range run, pool& maps) noexcept {
        map_ = &maps.take();
        for (u32 i = 0; i < run_map::most_without; ++i) {
            map_->add(at(i));
        }
        map_->add(run);
    }

    u64 starts_[words]{};  // with the high bit of each lane set
    u64 ends_[words]{};
    run_map* map_ = nullptr;  // of more runs
};

}  // namespace sluice::detail
