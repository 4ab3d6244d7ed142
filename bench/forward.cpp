// forward: 64-byte packets through the whole stack, linux_router preset, by batch size and size of
// the routing table. Destinations are spread over the table, so that larger tables leave the cache.
#include "stopwatch.hpp"
#include <sluice/testing/fixed_seed.hpp>

namespace {

constexpr std::size_t in_flight = 512;

template <std::size_t Routes>
struct policies : sluice::policies<sluice::based_on<sluice::linux_router>,
                                   sluice::routes<sluice::lpm_trie<Routes>>,
                                   sluice::output<sluice::queue_output<in_flight>>> {
    static constexpr sluice::settings initial_settings() noexcept {
        return sluice::linux_router::initial_settings();
    }
};

// Adds n networks of 24 bits, from 20.0.0.0 on; returns addresses in them.
template <class Stack>
std::vector<sluice::ipv4::address> fill(Stack& router, std::uint32_t n) {
    if (n == 16) {
        bench::add_sixteen_routes(router);
        return bench::destinations(in_flight);
    }
    for (std::uint32_t i = 0; i < n; ++i) {
        static_cast<void>(router.add_route(
            {.prefix = {{(20u << 24) + (i << 8)}, 24}, .gateway = {0x0a000202u + i % 200}}));
    }
    std::mt19937 random{7};
    std::vector<sluice::ipv4::address> to;
    for (std::size_t i = 0; i < in_flight; ++i) {
        to.push_back(sluice::ipv4::address{(20u << 24) +
                                           (static_cast<std::uint32_t>(random() % n) << 8) + 9u});
    }
    return to;
}

template <std::size_t Capacity>
void forward(benchmark::State& state) {
    using stack = sluice::stack<policies<Capacity>>;
    const auto size = static_cast<std::size_t>(state.range(0));
    const auto router =
        std::make_unique<stack>(typename stack::parts{.seed = sluice::testing::fixed_seed});
    bench::add_interfaces(*router);
    const auto to = fill(*router, static_cast<std::uint32_t>(state.range(1)));
    auto all = bench::make_batch(*router, 64, to);
    bench::stopwatch watch{state};
    for (auto _ : state) {
        watch.start();
        for (std::size_t i = 0; i < in_flight; i += size) {
            router->receive(std::span{all}.subspan(i, size), {});
        }
        watch.stop();
        if (router->output().size() != in_flight) {
            state.SkipWithError("not everything was forwarded");
            return;
        }
        bench::refill(*router, all);
        bench::renew_ttl(all);
    }
    watch.finish(static_cast<double>(state.iterations()) * in_flight);
}

}  // namespace

BENCHMARK(forward<1024>)
    ->ArgNames({"batch", "routes"})
    ->ArgsProduct({{1, 8, 32, 256}, {16, 1000}})
    ->UseManualTime();
BENCHMARK(forward<131072>)
    ->ArgNames({"batch", "routes"})
    ->ArgsProduct({{1, 8, 32, 256}, {100'000}})
    ->UseManualTime();
