// Waiting for a condition, never for a fixed time, because the machine may be busy. Also tests
// whether a thread slept, which load cannot cause.
#pragma once

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

namespace port_test {

// What these tests wait for comes at once or never: half a minute is for the load.
inline constexpr int patience_ms = 30'000;

inline bool wait_readable(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, patience_ms) == 1;
}

// Asks again each millisecond; whether it came true.
template <class Condition>
bool wait_until(Condition&& is_true) {
    for (int i = 0; i < patience_ms; ++i) {
        if (is_true()) {
            return true;
        }
        ::usleep(1000);
    }
    return false;
}

// How often this thread has left the CPU of its own accord: at each poll or sleep that waits.
inline long rests() {
    rusage used{};
    REQUIRE(::getrusage(RUSAGE_THREAD, &used) == 0);
    return used.ru_nvcsw;
}

}  // namespace port_test
