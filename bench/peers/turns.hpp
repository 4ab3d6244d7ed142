// turns: runs contenders one after the other, a slice of some milliseconds each, round after round.
//
// It measures the processor time of this thread, so that other programs do not count. It computes
// the median of the rounds, and the ratio to the last contender round by round, so that a slow
// spell of the machine affects all contenders.
//
// Never:   times the pass that warms up a slice.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <time.h>

namespace peers {

struct contender {
    std::string name;
    std::function<void()> pass;
    std::vector<double> ns{};      // of a packet, by round
    std::vector<double> ratios{};  // to the last contender
    unsigned passes = 1;           // in a slice
};

struct effort {
    unsigned rounds;
    double slice;  // ns
};

inline double processor_time() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

inline double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of.empty() ? 0 : of[of.size() / 2];
}

inline double timed(const contender& c, unsigned passes) {
    const double from = processor_time();
    for (unsigned i = 0; i < passes; ++i) {
        c.pass();
    }
    return processor_time() - from;
}

inline void take_turns(std::vector<contender>& all, unsigned packets, const effort& e) {
    for (contender& c : all) {
        c.pass();
        c.passes = 1 + static_cast<unsigned>(e.slice / (timed(c, 1) + 1));
    }
    for (unsigned round = 0; round < e.rounds; ++round) {
        for (contender& c : all) {
            c.pass();
            c.ns.push_back(timed(c, c.passes) / c.passes / packets);
        }
        for (contender& c : all) {
            c.ratios.push_back(c.ns.back() / all.back().ns.back());
        }
    }
}

}  // namespace peers
