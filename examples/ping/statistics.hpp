// statistics: what ping counts and measures, with integers in nanoseconds.
//
// Source:  iputils: a duplicate counts in the round trips but not as received; mdev is the standard
//          deviation.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/time.hpp>

#include <algorithm>

namespace ping {

using sluice::u16;
using sluice::u64;

// An unsigned integer of 128 bits: squares of nanoseconds.
__extension__ using u128 = unsigned __int128;

// The largest integer whose square is at most `square`.
[[nodiscard]] constexpr u64 square_root(u128 square) noexcept {
    u64 root = 0;
    for (u64 bit = u64{1} << 63; bit != 0; bit >>= 1) {
        const u64 next = root | bit;
        if (u128{next} * next <= square) {
            root = next;
        }
    }
    return root;
}

struct statistics {
    u64 transmitted = 0;
    u64 received = 0;
    u64 duplicates = 0;
    u64 errors = 0;
    u64 pipe = 0;  // the most requests that were on the way at once
    sluice::instant first_sent{};
    sluice::instant last_sent{};

    void add_round_trip(sluice::duration trip) noexcept {
        const u64 t = trip.nanoseconds < 0 ? 0 : static_cast<u64>(trip.nanoseconds);
        least_ = trips_ == 0 ? t : std::min(least_, t);
        most_ = std::max(most_, t);
        sum_ += t;
        squares_ += u128{t} * t;
        smoothed_ = trips_ == 0 ? t : smoothed_ - smoothed_ / 8 + t / 8;
        ++trips_;
    }
    // An answer to the request of this sequence number came.
    void note_answer(u16 sequence) noexcept {
        const u16 behind = static_cast<u16>(static_cast<u16>(transmitted) - sequence);
        if (behind < 0x8000) {
            pipe = std::max(pipe, u64{behind} + 1);
        }
    }

    [[nodiscard]] bool has_round_trips() const noexcept { return trips_ != 0; }
    [[nodiscard]] u64 least() const noexcept { return least_; }
    [[nodiscard]] u64 most() const noexcept { return most_; }
    [[nodiscard]] u64 smoothed() const noexcept { return smoothed_; }
    [[nodiscard]] u64 mean() const noexcept { return trips_ == 0 ? 0 : sum_ / trips_; }
    [[nodiscard]] u64 deviation() const noexcept {
        return trips_ == 0 ? 0 : square_root((squares_ - u128{sum_} * sum_ / trips_) / trips_);
    }

private:
    u64 trips_ = 0;
    u64 least_ = 0;
    u64 most_ = 0;
    u64 sum_ = 0;
    u64 smoothed_ = 0;
    u128 squares_ = 0;
};

}  // namespace ping
