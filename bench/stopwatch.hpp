// stopwatch: time and cycles of the measured part of an iteration.
//
// Use it in benchmarks that put packets back between measurements. finish() sets the counters
// "packets/s", "cycles/packet" and, if it gets a number of bytes, "bytes/cycle".
//
// Expects: benchmarks with UseManualTime().
// Never:   counts the time between stop() and start().
// Cost:    a clock read and a cycle read each; measure many packets at once.
#pragma once

#include "support.hpp"

#include <benchmark/benchmark.h>

#include <chrono>

namespace bench {

class stopwatch {
public:
    explicit stopwatch(benchmark::State& state) noexcept : state_(state) {}
    stopwatch(const stopwatch&) = delete;
    stopwatch& operator=(const stopwatch&) = delete;

    void start() noexcept {
        since_ = std::chrono::steady_clock::now();
        from_ = cycles();
    }
    void stop() noexcept {
        cycles_ += cycles() - from_;
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - since_;
        state_.SetIterationTime(spent.count());
    }
    void finish(double packets, double byte_count = 0) {
        using benchmark::Counter;
        const double spent = static_cast<double>(cycles_);
        state_.counters["packets/s"] = Counter(packets, Counter::kIsRate);
        state_.counters["cycles/packet"] = spent / packets;
        if (byte_count > 0) {
            state_.SetBytesProcessed(static_cast<std::int64_t>(byte_count));
            state_.counters["bytes/cycle"] = spent > 0 ? byte_count / spent : 0;
        }
    }

private:
    benchmark::State& state_;
    std::chrono::steady_clock::time_point since_{};
    std::uint64_t from_ = 0;
    std::uint64_t cycles_ = 0;
};

}  // namespace bench
