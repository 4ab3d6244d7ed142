// keyed_slots: records in an array, found by a key through its keyed hash.
//
// The index is lines of 64 bytes with twelve slots each: a byte of the hash and the number of the
// record. A key has two lines; it lies in the second only if its first was full when it came. The
// table computes the hash for the second line itself, and only then.
//
// Expects: a Record with members `key`, `u32 place`, `u32 number` and `u32 home` (written for one
//          key of many);
//          memory for records, as many numbers, and lines_for() them; keyed hashes of the key, the
//          same in each call.
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
    static constexpr u32 most = 8;  // in one word of marks
    // Lines for this many records: of twelve slots, at most three are in use on average.
    [[nodiscard]] static constexpr std::size_t lines_for(std::size_t count) noexcept {
        return std::bit_ceil((count + 2) / 3);
    }

    u64 marks = 0;       // a byte for each of the slots 0 .. 7: 0 if the slot is free
    u32 marks_more = 0;  // of the slots 8 .. 11
    u32 overflow = 0;    // records in their second line because this one was full
    u32 records[slots]{};

    // A byte of the hash, never 0.
    [[nodiscard]] static constexpr u32 mark_of(u32 hash) noexcept { return hash >> 25 | 0x80; }
    // Whether one of the slots 0 .. 7 is free.
    [[nodiscard]] constexpr bool has_free() const noexcept { return (~marks & top_bits) != 0; }
    // Puts a record into one of them, and returns the slot's number.
    [[nodiscard, gnu::always_inline]] constexpr u32 put(u32 mark, u32 record) noexcept {
        const u32 bit = static_cast<u32>(__builtin_ctzll(~marks & top_bits)) - 7;
        marks |= u64{mark} << bit;
        records[bit / 8] = record;
        return bit / 8;
    }
    // The same for the slots 8 .. 11; 12: none is free.
    [[nodiscard]] constexpr u32 put_further(u32 mark, u32 record) noexcept {
        const u32 free = ~marks_more & 0x8080'8080;
        if (free == 0) {
            return slots;
        }
        const u32 bit = static_cast<u32>(std::countr_zero(free)) - 7;
        marks_more |= mark << bit;
        records[most + bit / 8] = record;
        return most + bit / 8;
    }
    // Frees one of the slots 0 .. 7, or a further one.
    constexpr void clear(u32 slot) noexcept {
        marks &= std::rotl(~u64{0xff}, static_cast<int>(8 * slot));
    }
    constexpr void clear_further(u32 slot) noexcept {
        marks_more &= ~(0xffu << (8 * (slot - most)));
    }
    // Calls f(record) for slots with this mark, and for few others, until f returns true: of the
    // slots 0 .. 7, or of the rest.
    template <class F>
    [[nodiscard, gnu::always_inline]] constexpr bool any_of_most(u32 mark, F f) const noexcept {
        for (u64 m = matching(marks, mark); m != 0; m &= m - 1) {
            if (f(records[static_cast<u32>(std::countr_zero(m)) / 8])) [[likely]] {
                return true;
            }
        }
        return false;
    }
    template <class F>
    [[nodiscard, gnu::always_inline]] constexpr bool any_of_rest(u32 mark, F f) const noexcept {
        for (u64 m = matching(marks_more, mark); m != 0; m &= m - 1) {
            if (f(records[most + static_cast<u32>(std::countr_zero(m)) / 8])) {
                return true;
            }
        }
        return false;
    }
    // Whether keys of this line may lie elsewhere than in the slots 0 .. 7: twice as many met as on
    // average.
    [[nodiscard]] constexpr bool has_more() const noexcept { return (marks_more | overflow) != 0; }

private:
    static constexpr u64 top_bits = 0x8080'8080'8080'8080;

    // The top bit of each byte that equals the mark, and of few others.
    [[nodiscard]] static constexpr u64 matching(u64 of, u32 mark) noexcept {
        constexpr u64 ones = 0x0101'0101'0101'0101;
        const u64 x = of ^ (ones * mark);
        return (x - ones) & ~x & top_bits;
    }
};
static_assert(sizeof(slot_line) == 64);

// Second: computes the hash for the second line, `u32 operator()(const key&) const`.
template <class Record, class Second, class Probe = no_probe>
class keyed_slots {
    using key_type = decltype(Record::key);

public:
    constexpr keyed_slots(Record* records, std::size_t count, slot_line* lines, u32* numbers,
                          const Second& second) noexcept
        : lines_(lines), records_(records), free_(numbers),
          mask_(static_cast<u32>(slot_line::lines_for(count) - 1)), count_(static_cast<u32>(count)),
          second_(second) {}
    keyed_slots(const keyed_slots&) = delete;
    keyed_slots& operator=(const keyed_slots&) = delete;

    // The record of the key, or nullptr.
    [[nodiscard, gnu::always_inline]] constexpr Record* find(u32 hash,
                                                             const key_type& key) const noexcept {
        Record* found = nullptr;
        const auto is_it = finder(key, found);
        const slot_line& first = lines_[home_of(hash)];
        Probe::read();
        if (first.any_of_most(slot_line::mark_of(hash), is_it)) {
            return found;
        }
        return first.has_more() ? find_further(hash, key) : nullptr;
    }
    [[nodiscard]] constexpr bool full() const noexcept {
        return free_count_ == 0 && fresh_ == count_;
    }
    // A record, with the members of its last use, if the table is not full(). It can be found after
    // index() only.
    [[nodiscard, gnu::always_inline]] constexpr Record& claim() noexcept {
        if (free_count_ != 0) [[likely]] {
            return records_[free_[--free_count_]];
        }
        records_[fresh_].number = fresh_;
        return records_[fresh_++];
    }
    // Gives back a record that is not in the index.
    constexpr void unclaim(Record& r) noexcept { free_[free_count_++] = r.number; }
    // Puts a record with its key, which no other record has, into the index. False: both lines of
    // the key are full.
    [[nodiscard, gnu::always_inline]] constexpr bool index(u32 hash, Record& r) noexcept {
        const u32 home = home_of(hash);
        slot_line& line = lines_[home];
        if (!line.has_free()) [[unlikely]] {
            return index_further(hash, r);
        }
        r.place = home * slot_line::most + line.put(slot_line::mark_of(hash), r.number);
        return true;
    }
    // A record for a key that has none, in the index; nullptr: there is no room.
    [[nodiscard]] constexpr Record* take(u32 hash, const key_type& key) noexcept {
        if (full()) {
            return nullptr;
        }
        Record& r = claim();
        r.key = key;
        if (!index(hash, r)) {
            unclaim(r);
            return nullptr;
        }
        return &r;
    }
    constexpr void unindex(Record& r) noexcept {
        if ((r.place & is_further) != 0) [[unlikely]] {
            return unindex_further(r);
        }
        lines_[r.place / slot_line::most].clear(r.place % slot_line::most);
    }
    constexpr void release(Record& r) noexcept {
        unindex(r);
        unclaim(r);
    }

    // For a batch: fetches the line of a hash; then, once it came, the records that may have it.
    [[gnu::always_inline]] void fetch_line(u32 hash) const noexcept {
        __builtin_prefetch(lines_ + home_of(hash));
    }
    // Calls f(const Record&) for most records that may have the hash, without touching them.
    template <class F>
    [[gnu::always_inline]] void each_candidate(u32 hash, F f) const noexcept {
        static_cast<void>(lines_[home_of(hash)].any_of_most(
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
    // Whether a record has the key: then `found` is it.
    [[nodiscard, gnu::always_inline]] constexpr auto finder(const key_type& key,
                                                            Record*& found) const noexcept {
        return [this, &key, &found](u32 number) {
            Probe::read();
            found = records_ + number;
            return found->key == key;
        };
    }
    [[nodiscard, gnu::noinline]] constexpr Record*
    find_further(u32 hash, const key_type& key) const noexcept {
        Record* found = nullptr;
        const auto is_it = finder(key, found);
        const slot_line& first = lines_[home_of(hash)];
        if (first.any_of_rest(slot_line::mark_of(hash), is_it)) {
            return found;
        }
        if (first.overflow == 0) {
            return nullptr;
        }
        const u32 second = second_(key);
        const slot_line& other = lines_[other_of(second, home_of(hash))];
        const u32 mark = slot_line::mark_of(second);
        Probe::read();
        return other.any_of_most(mark, is_it) || other.any_of_rest(mark, is_it) ? found : nullptr;
    }

    // Where the slots 0 .. 7 of the key's first line are full.
    [[nodiscard, gnu::noinline]] constexpr bool index_further(u32 hash, Record& r) noexcept {
        const u32 home = home_of(hash);
        u32 line = home;
        u32 slot = lines_[home].put_further(slot_line::mark_of(hash), r.number);
        if (slot == slot_line::slots) {
            const u32 second = second_(r.key);
            const u32 mark = slot_line::mark_of(second);
            line = other_of(second, home);
            slot = lines_[line].has_free() ? lines_[line].put(mark, r.number)
                                           : lines_[line].put_further(mark, r.number);
            if (slot == slot_line::slots) {
                return false;
            }
            ++lines_[home].overflow;
        }
        r.place = is_further | line;
        r.home = home * slots_of_home + slot;
        return true;
    }
    [[gnu::noinline]] constexpr void unindex_further(const Record& r) noexcept {
        const u32 line = r.place & ~is_further;
        const u32 slot = r.home % slots_of_home;
        if (slot < slot_line::most) {
            lines_[line].clear(slot);
        } else {
            lines_[line].clear_further(slot);
        }
        if (const u32 home = r.home / slots_of_home; home != line) {
            --lines_[home].overflow;
        }
    }

    // In a record's place, with a line: `home` has its first line and the slot.
    static constexpr u32 is_further = u32{1} << 31;
    static constexpr u32 slots_of_home = 16;

    [[nodiscard]] constexpr u32 home_of(u32 hash) const noexcept { return hash & mask_; }
    [[nodiscard]] constexpr u32 other_of(u32 second, u32 home) const noexcept {
        const u32 other = second & mask_;
        return other != home ? other : home ^ (mask_ & 1);
    }

    slot_line* lines_;
    Record* records_;
    u32* free_;  // numbers of freed records: an array, so that a batch can fetch the next ones
    u32 free_count_ = 0;
    u32 fresh_ = 0;  // records from here on were never used
    u32 mask_;
    u32 count_;
    [[no_unique_address]] Second second_;
};

}  // namespace sluice::detail
