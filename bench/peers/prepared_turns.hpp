// prepared_turns: turns of contenders whose passes are short and need a preparation that is not
// timed.
//
// It counts cycles from the start to the end of each pass. The figure of a round is the median of
// its passes, so that a pass in which the processor did something else does not count.
//
// Expects: x86.
#pragma once

#include "turns.hpp"

#include <chrono>

#include <x86intrin.h>

namespace peers {

struct prepared_contender {
    contender of;  // pass is timed
    std::function<void()> ready;
};

// rdtsc waits for the instructions before it; later ones wait for the fence.
inline std::uint64_t cycles_now() {
    unsigned processor = 0;
    const std::uint64_t now = __rdtscp(&processor);
    _mm_lfence();
    return now;
}

inline double ns_of_a_cycle() {
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t from = cycles_now();
    while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds{20}) {
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    return spent.count() / static_cast<double>(cycles_now() - from);
}

// units: of work in a pass. The ratios are those to the last contender.
inline void take_prepared_turns(std::vector<prepared_contender>& all, unsigned units,
                                const effort& e) {
    const double ns = ns_of_a_cycle();
    for (unsigned round = 0; round < e.rounds; ++round) {
        for (prepared_contender& c : all) {
            std::vector<double> spent;
            double sum = 0;
            for (unsigned pass = 0; pass < 8 || (sum < e.slice && pass < 4000); ++pass) {
                c.ready();
                const std::uint64_t from = cycles_now();
                c.of.pass();
                const double one = static_cast<double>(cycles_now() - from) * ns;
                if (pass >= 3) {
                    spent.push_back(one);
                }
                sum += one;
            }
            c.of.ns.push_back(median(std::move(spent)) / units);
        }
        for (prepared_contender& c : all) {
            c.of.ratios.push_back(c.of.ns.back() / all.back().of.ns.back());
        }
    }
}

}  // namespace peers
