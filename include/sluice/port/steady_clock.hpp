// steady_clock: reads the moment for calls into a stack from the system's clocks.
//
// A moment has monotonic nanoseconds for timers and milliseconds since midnight UT for timestamps
// (RFC 791 section 3.1).
//
// Expects: POSIX.
// Never:   fails: CLOCK_MONOTONIC and CLOCK_REALTIME always exist.
// Cost:    two vDSO calls.
#pragma once

#include <sluice/base/time.hpp>

#include <time.h>

namespace sluice::port {

struct steady_clock {
    [[nodiscard]] static instant now_instant() noexcept {
        timespec t{};
        ::clock_gettime(CLOCK_MONOTONIC, &t);
        return {i64{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
    }
    [[nodiscard]] static moment now() noexcept {
        timespec t{};
        ::clock_gettime(CLOCK_REALTIME, &t);
        const i64 second_of_day = i64{t.tv_sec} % 86'400;
        return {now_instant(), static_cast<u32>(second_of_day * 1000 + t.tv_nsec / 1'000'000)};
    }
    // The time from 1970 to this clock's zero, by the system's present calendar.
    [[nodiscard]] static duration epoch() noexcept {
        timespec t{};
        ::clock_gettime(CLOCK_REALTIME, &t);
        return duration{i64{t.tv_sec} * 1'000'000'000 + t.tv_nsec} - (now_instant() - instant{});
    }
};

}  // namespace sluice::port
