// turns: lets contenders run in turn, batch by batch, for ratios that survive a busy processor.
//
// It has the cycles of a turn, medians, nanoseconds a cycle, and keeps the program on one
// processor.
//
// Expects: x86 for cycles (support.hpp).
// Cost:    a cycle read before and after each batch.
#pragma once

#include "support.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#if defined(__linux__)
#include <sched.h>
#endif

namespace bench {

inline constexpr std::size_t batch_size = 256;

// The median cycles of a packet over a turn of batches; put_back() is not measured.
template <class Run, class Refill>
double turn(Run&& run, Refill&& put_back) {
    constexpr std::size_t batches = 31;
    std::array<std::uint64_t, batches> spent{};
    for (auto& s : spent) {
        const std::uint64_t from = cycles();
        run();
        s = cycles() - from;
        put_back();
    }
    std::nth_element(spent.begin(), spent.begin() + batches / 2, spent.end());
    return static_cast<double>(spent[batches / 2]) / batch_size;
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}
inline double least(const std::vector<double>& values) {
    return *std::min_element(values.begin(), values.end());
}

inline double nanoseconds_a_cycle() {
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t from = cycles();
    while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds{20}) {
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    return spent.count() / static_cast<double>(cycles() - from);
}

inline void stay_on_one_processor() {
#if defined(__linux__)
    const int here = sched_getcpu();
    cpu_set_t one;
    CPU_ZERO(&one);
    if (here >= 0) {
        CPU_SET(static_cast<unsigned>(here), &one);
        static_cast<void>(sched_setaffinity(0, sizeof one, &one));
    }
#endif
}

inline void print(const char* what, const std::vector<double>& cycles, double ns) {
    std::printf("%-28s %6.2f ns  %6.1f cycles a packet (least %.1f)\n", what, median(cycles) * ns,
                median(cycles), least(cycles));
}

}  // namespace bench
