// duration, instant, moment: time as a value that the caller passes in.
//
// Expects: all instants are of one monotonic clock of the caller's choice.
// Never:   reads a clock.
// Cost:    one 64-bit integer of nanoseconds for a duration or an instant.
#pragma once

#include <sluice/base/integer.hpp>

#include <compare>

namespace sluice {

// A span of time in nanoseconds, signed.
struct duration {
    i64 nanoseconds = 0;

    [[nodiscard]] static constexpr duration from_milliseconds(i64 n) noexcept {
        return {n * 1'000'000};
    }
    [[nodiscard]] static constexpr duration from_seconds(i64 n) noexcept {
        return {n * 1'000'000'000};
    }
    [[nodiscard]] constexpr i64 milliseconds() const noexcept { return nanoseconds / 1'000'000; }

    friend constexpr auto operator<=>(duration, duration) noexcept = default;
    friend constexpr duration operator+(duration a, duration b) noexcept {
        return {a.nanoseconds + b.nanoseconds};
    }
    friend constexpr duration operator-(duration a, duration b) noexcept {
        return {a.nanoseconds - b.nanoseconds};
    }
    friend constexpr duration operator*(duration a, i64 n) noexcept { return {a.nanoseconds * n}; }
};

// A point of the caller's monotonic clock, in nanoseconds since that clock's own zero.
struct instant {
    i64 nanoseconds = 0;

    // Later than every instant that a caller passes: "no deadline".
    [[nodiscard]] static constexpr instant never() noexcept { return {INT64_MAX}; }

    friend constexpr auto operator<=>(instant, instant) noexcept = default;
    friend constexpr instant operator+(instant t, duration d) noexcept {
        return {t.nanoseconds + d.nanoseconds};
    }
    friend constexpr duration operator-(instant a, instant b) noexcept {
        return {a.nanoseconds - b.nanoseconds};
    }
};

// The time of a call to a stack: the monotonic clock for timers, and milliseconds since midnight UT
// (0 .. 86,399,999) for the timestamp option and ICMP timestamps (RFC 791 section 3.1, RFC 792).
struct moment {
    instant now;
    u32 midnight_ms = 0;
};

inline namespace literals {
constexpr duration operator""_s(unsigned long long n) noexcept {
    return duration::from_seconds(static_cast<i64>(n));
}
constexpr duration operator""_ms(unsigned long long n) noexcept {
    return duration::from_milliseconds(static_cast<i64>(n));
}
}  // namespace literals

}  // namespace sluice
