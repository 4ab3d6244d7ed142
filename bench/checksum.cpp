// checksum: the Internet checksum over 20 to 65,535 bytes, aligned and at an odd address, and the
// header check of the packet path.
#include "support.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace sluice::literals;

void rates(benchmark::State& state, double byte_count, std::uint64_t spent) {
    const double all = byte_count * static_cast<double>(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(all));
    state.counters["bytes/cycle"] = spent > 0 ? all / static_cast<double>(spent) : 0;
}

void sum(benchmark::State& state) {
    const auto size = static_cast<std::size_t>(state.range(0));
    const auto skip = static_cast<std::size_t>(state.range(1));
    std::vector<std::byte> data(size + skip, std::byte{0xa5});
    const sluice::const_bytes what{data.data() + skip, size};
    const std::uint64_t from = bench::cycles();
    for (auto _ : state) {
        benchmark::DoNotOptimize(sluice::checksum::compute(what));
        benchmark::ClobberMemory();
    }
    rates(state, static_cast<double>(size), bench::cycles() - from);
}

void verify_header(benchmark::State& state) {
    alignas(64) std::array<std::byte, 64> packet{};
    bench::write_datagram(packet.data(), 64, "10.0.0.1"_ip, "10.0.0.2"_ip);
    const std::uint64_t from = bench::cycles();
    for (auto _ : state) {
        benchmark::DoNotOptimize(sluice::checksum::verify_header(packet.data(), 5));
        benchmark::ClobberMemory();
    }
    state.counters["cycles/packet"] =
        static_cast<double>(bench::cycles() - from) / static_cast<double>(state.iterations());
}

// TTL and checksum by increment.
void decrement_ttl(benchmark::State& state) {
    alignas(64) std::array<std::byte, 64> packet{};
    bench::write_datagram(packet.data(), 64, "10.0.0.1"_ip, "10.0.0.2"_ip);
    const std::uint64_t from = bench::cycles();
    for (auto _ : state) {
        benchmark::DoNotOptimize(sluice::ipv4::decrement_ttl(sluice::ipv4::view{packet.data()}));
        benchmark::ClobberMemory();
    }
    state.counters["cycles/packet"] =
        static_cast<double>(bench::cycles() - from) / static_cast<double>(state.iterations());
}

}  // namespace

BENCHMARK(sum)
    ->ArgNames({"bytes", "skip"})
    ->ArgsProduct({{20, 40, 64, 128, 256, 576, 1500, 9000, 65535}, {0, 1}});
BENCHMARK(verify_header);
BENCHMARK(decrement_ttl);
