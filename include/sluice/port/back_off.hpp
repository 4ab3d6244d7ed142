// back_off: computes the pause before the next try of a device or call that failed, or that was
// readable but returned no packet (because no buffer was free).
//
// Report how each try ended. A few failures in a row cost nothing; then each one doubles the pause,
// from 1 ms to 64 ms, and a success ends it. A loop that asks is_resting() before it polls a
// descriptor tries at most about 16 times a second.
//
// Never:   sleeps.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/time.hpp>

namespace sluice::port {

class back_off {
public:
    static constexpr u32 free_failures = 8;
    static constexpr u32 doublings = 6;

    constexpr void succeeded() noexcept { *this = {}; }
    constexpr void failed(instant now) noexcept {
        if (failures_ < free_failures) {
            ++failures_;
            return;
        }
        const u32 power = failures_ - free_failures;
        until_ = now + duration{i64{1'000'000} << power};
        failures_ += power < doublings ? 1u : 0u;
    }
    struct attempt {
        bool succeeded;
        instant at;
    };
    constexpr void note(const attempt& a) noexcept {
        if (a.succeeded) {
            succeeded();
        } else {
            failed(a.at);
        }
    }

    [[nodiscard]] constexpr bool is_resting(instant now) const noexcept { return now < until_; }
    // When to try again; an instant in the past means now.
    [[nodiscard]] constexpr instant until() const noexcept { return until_; }

private:
    u32 failures_ = 0;
    instant until_{};
};

}  // namespace sluice::port
