// keyed_slots: records in an array, found by a key through its keyed hash.
//
// The index is lines of 64 bytes with twelve slots each: a byte of the hash and the number of the
// record. A key has two lines; it lies in the second only if its first was full when it came.
//
// Expects: a Record with members `key`, `u32 place`, `u32 home`; memory for records, as many
//          numbers, and lines_for() them; a keyed hash of the key, the same in each call.
// Never:   allocates, moves a record, evicts. If both lines of a key are full, it refuses the key:
//          with all records in use, one key of a hundred million.
// Cost:    a lookup reads at most two lines, mostly one, and a record for each slot whose byte
//          matches: its own and one of 128 others. take and release read the same lines.
#pragma once

#include <sluice/base/integer.hpp>

#include <bit>
#include <cstddef>

namespace sluice::detail {

struct slot_key {
    u64 high = 0;
    u64 low = 0;
    friend constexpr bool operator==(const slot_key&, const slot_key&) noexcept = default;
};

// Does nothing where a line, a record or a piece is read; a test has one that counts.
struct no_probe {
    static constexpr void read() noexcept {}
};

struct alignas(64) slot_line {
    static constexpr u32 slots = 12;

    u64 marks = 0;       // a byte for each of the slots 0 .. 7: 0 if the slot is free
    u32 marks_more = 0;  // of the slots 8 .. 11
    u32 overflow = 0;    // records in their second line because this one was full
    u32 records[slots]{};

    // A byte of the hash, never 0.
    [[nodiscard]] static constexpr u32 mark_of(u64 hash) noexcept {
        return static_cast<u32>(hash >> 57) | 0x80;
    }
    // The free slot of lowest number; `slots` when none is free.
    [[nodiscard]] constexpr u32 free_slot() const noexcept {
        if (const u64 free = ~marks & 0x8080'8080'8080'8080; free != 0) {
            return static_cast<u32>(std::countr_zero(free)) / 8;
        }
        const u32 free = ~marks_more & 0x8080'8080;
        return 8 + static_cast<u32>(std::countr_zero(free)) / 8;  // no bit: 32
    }
    constexpr void set(u32 slot, u32 mark, u32 record) noexcept {
        if (slot < 8) {
            marks = (marks & ~(u64{0xff} << (8 * slot))) | u64{mark} << (8 * slot);
        } else {
            marks_more = (marks_more & ~(0xffu << (8 * (slot - 8)))) | mark << (8 * (slot - 8));
        }
        records[slot] = record;
    }
    // Calls f(record) for slots with this mark, and for few others, until f returns true.
    template <class F>
    [[nodiscard, gnu::always_inline]] constexpr bool any_of(u32 mark, F f) const noexcept {
        const auto none_below = [](auto of, auto ones, u32 m) {
            const auto x = of ^ (ones * m);
            return (x - ones) & ~x & (ones << 7);
        };
        for (u64 m = none_below(marks, u64{0x0101'0101'0101'0101}, mark); m != 0; m &= m - 1) {
            if (f(records[static_cast<u32>(std::countr_zero(m)) / 8])) {
                return true;
            }
        }
        if (marks_more == 0) {
            return false;
        }
        for (u32 m = none_below(marks_more, 0x0101'0101u, mark); m != 0; m &= m - 1) {
            if (f(records[8 + static_cast<u32>(std::countr_zero(m)) / 8])) {
                return true;
            }
        }
        return false;
    }
};
static_assert(sizeof(slot_line) == 64);

template <class Record, class Probe = no_probe>
class keyed_slots {
    using key_type = decltype(Record::key);

public:
    // Lines for this many records: of twelve slots, at most three are in use on average.
    [[nodiscard]] static constexpr std::size_t lines_for(std::size_t count) noexcept {
        return std::bit_ceil((count + 2) / 3);
    }

    constexpr keyed_slots(Record* records, std::size_t count, slot_line* lines,
                          u32* numbers) noexcept
        : lines_(lines), records_(records), free_(numbers),
          mask_(static_cast<u32>(lines_for(count) - 1)), count_(static_cast<u32>(count)) {}
    keyed_slots(const keyed_slots&) = delete;
    keyed_slots& operator=(const keyed_slots&) = delete;

    // The record of the key, or nullptr.
    [[nodiscard]] constexpr Record* find(u64 hash, const key_type& key) const noexcept {
        Record* found = nullptr;
        const auto is_it = [&](u32 number) {
            Probe::read();
            found = records_ + number;
            return found->key == key;
        };
        const slot_line& first = lines_[home_of(hash)];
        Probe::read();
        if (first.any_of(slot_line::mark_of(hash), is_it) ||
            (first.overflow != 0 &&
             lines_[other_of(hash)].any_of(slot_line::mark_of(hash), is_it))) {
            return found;
        }
        return nullptr;
    }
    // A record for a key that has none, with the members of its last use but key and places;
    // nullptr: all records are in use, or both lines of the key are full.
    [[nodiscard]] constexpr Record* take(u64 hash, const key_type& key) noexcept {
        if (free_count_ == 0 && fresh_ == count_) {
            return nullptr;
        }
        const u32 home = home_of(hash);
        u32 at = home;
        u32 slot = lines_[at].free_slot();
        if (slot >= slot_line::slots) {
            at = other_of(hash);
            slot = lines_[at].free_slot();
            if (slot >= slot_line::slots) {
                return nullptr;
            }
            ++lines_[home].overflow;
        }
        const u32 number = free_count_ != 0 ? free_[--free_count_] : fresh_++;
        lines_[at].set(slot, slot_line::mark_of(hash), number);
        Record& r = records_[number];
        r.key = key;
        r.home = home;
        r.place = at * 16 + slot;
        return &r;
    }
    constexpr void release(Record& r) noexcept {
        slot_line& line = lines_[r.place / 16];
        const u32 slot = r.place % 16;
        const u32 number = line.records[slot];
        line.set(slot, 0, 0);
        if (r.place / 16 != r.home) {
            --lines_[r.home].overflow;
        }
        free_[free_count_++] = number;
    }

    // For a batch: fetches the line of a hash; then, once it came, the records that may have it.
    [[gnu::always_inline]] void fetch_line(u64 hash) const noexcept {
        __builtin_prefetch(lines_ + home_of(hash));
    }
    // Calls f(const Record&) for each record that may have the hash, without touching it.
    template <class F>
    [[gnu::always_inline]] void each_candidate(u64 hash, F f) const noexcept {
        static_cast<void>(lines_[home_of(hash)].any_of(
            slot_line::mark_of(hash), [&](u32 number) __attribute__((always_inline)) {
                f(records_[number]);
                return false;
            }));
    }

    // Calls f(const Record&) for the record that take() will return after `skip` others.
    template <class F>
    [[gnu::always_inline]] void next_free(u32 skip, F f) const noexcept {
        if (skip < free_count_) {
            f(records_[free_[free_count_ - 1 - skip]]);
        } else if (fresh_ + (skip - free_count_) < count_) {
            f(records_[fresh_ + (skip - free_count_)]);
        }
    }

private:
    [[nodiscard]] constexpr u32 home_of(u64 hash) const noexcept {
        return static_cast<u32>(hash) & mask_;
    }
    [[nodiscard]] constexpr u32 other_of(u64 hash) const noexcept {
        const u32 home = home_of(hash);
        const u32 other = static_cast<u32>(hash >> 25) & mask_;
        return other != home ? other : home ^ (mask_ & 1);
    }

    slot_line* lines_;
    Record* records_;
    u32* free_;  // numbers of freed records: an array, so that a batch can fetch the next ones
    u32 free_count_ = 0;
    u32 fresh_ = 0;  // records from here on were never used
    u32 mask_;
    u32 count_;
};

}  // namespace sluice::detail
