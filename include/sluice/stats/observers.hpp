// null_observer: observes nothing. recording_observer<N>: keeps the last N decisions, in order.
//
// Expects: the program reads the events between calls of the stack.
// Cost:    null_observer nothing; recording_observer one store of 16 bytes per decision.
#pragma once

#include <sluice/stats/concept.hpp>

#include <cstddef>

namespace sluice {

struct null_observer {
    static constexpr bool never_observes = true;
    static constexpr void observe(const trace_event&) noexcept {}
};
static_assert(observer<null_observer>);

namespace detail {

template <std::size_t N>
consteval bool is_recording_size() {
    constexpr bool has_room = N > 0;
    static_assert(has_room, "sluice: recording_observer<N>: N is the number of events, at least 1");
    return true;
}

}  // namespace detail

template <std::size_t N = 64>
class recording_observer {
    static_assert(detail::is_recording_size<N>());

public:
    static constexpr bool never_observes = false;

    constexpr void observe(const trace_event& e) noexcept { events_[seen_++ % N] = e; }
    constexpr void clear() noexcept { seen_ = 0; }
    // Index 0 is the oldest event that is kept.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return seen_ < N ? seen_ : N; }
    [[nodiscard]] constexpr const trace_event& operator[](std::size_t i) const noexcept {
        return events_[(seen_ - size() + i) % N];
    }

private:
    trace_event events_[N]{};
    std::size_t seen_ = 0;
};
static_assert(observer<recording_observer<>>);

[[nodiscard]] constexpr const char* name_of(stage s) noexcept {
    constexpr const char* names[] = {"receive",    "validate", "hook",       "classify",
                                     "options",    "deliver",  "reassemble", "handler",
                                     "icmp_input", "forward",  "fragment",   "originate",
                                     "icmp_error", "output",   "end"};
    return names[static_cast<unsigned>(s)];
}
[[nodiscard]] constexpr const char* name_of(decision_kind o) noexcept {
    constexpr const char* names[] = {"proceed", "deliver", "forward", "hold",
                                     "reject",  "drop",    "absorb"};
    return names[static_cast<unsigned>(o)];
}

}  // namespace sluice
