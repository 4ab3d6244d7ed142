// manual_clock: virtual time, moved by the test. now() is the moment that stack calls take; the
// time of day wraps at midnight.
//
// Never: reads a clock.
#pragma once

#include <sluice/base/time.hpp>

namespace sluice::testing {

class manual_clock {
public:
    constexpr explicit manual_clock(moment start = {}) noexcept
        : now_{start.now}, day_{duration::from_milliseconds(start.midnight_ms)} {}

    [[nodiscard]] constexpr moment now() const noexcept {
        return {now_, static_cast<u32>(day_.milliseconds())};
    }
    constexpr void advance(duration step) noexcept {
        now_ = now_ + step;
        day_ = {(day_.nanoseconds + step.nanoseconds) % one_day.nanoseconds};
    }
    // Moves to the deadline that poll() returned; never backwards, never to never().
    constexpr void advance_to(instant t) noexcept {
        if (t > now_ && t != instant::never()) {
            advance(t - now_);
        }
    }

private:
    static constexpr duration one_day = 86'400_s;
    instant now_;
    duration day_;  // since midnight
};

}  // namespace sluice::testing
