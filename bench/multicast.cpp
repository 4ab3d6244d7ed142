// multicast: datagrams to a group through the whole stack, linux_router preset, to 1, 8 and 32
// interfaces, where copies are made (unique) and where they share the bytes behind the header
// (shared). Measures with taking, filling and freeing buffers.
//
// "ns/packet" is the time of a received datagram, "ns/copy" that divided by its interfaces.
#include "stopwatch.hpp"

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/testing/fixed_seed.hpp>

namespace {

using namespace sluice::literals;

constexpr std::size_t batch = 32;
constexpr sluice::ipv4::address group = "239.1.1.1"_ip;
constexpr sluice::ipv4::address source = "10.1.1.2"_ip;
constexpr sluice::u16 first_interface = 2;  // 1 is lo

// VIF 0 is where the datagrams come from. For 32 interfaces it is one of those that they leave by,
// because there are no more VIFs.
template <class Ownership>
struct routing
    : sluice::policies<
          sluice::based_on<sluice::linux_router>,
          sluice::buffers<sluice::fixed_pool<2048, 4096, Ownership>>,
          sluice::interfaces<sluice::interface_table<sluice::max_vifs + first_interface>>,
          sluice::multicast_routes<sluice::forwarding_cache<256>>,
          sluice::output<sluice::queue_output<batch * sluice::max_vifs>>> {
    static constexpr sluice::settings initial_settings() noexcept {
        return sluice::linux_router::initial_settings();
    }
};

template <class Stack>
bool furnish(Stack& router, sluice::u8 copies) {
    bool good = router.open_multicast_routes().has_value();
    sluice::multicast_entry entry{.source = source, .group = group};
    for (sluice::u8 n = 0; n < sluice::max_vifs; ++n) {
        const auto index = static_cast<sluice::u16>(first_interface + n);
        const sluice::ipv4::address own{0x0a010101u + (sluice::u32{n} << 16)};
        good = good && router.add_interface({.index = index, .address = {own, 24}}).has_value() &&
               router.add_vif(n, {.interface = index}).has_value();
        const bool leaves = n >= sluice::max_vifs - copies;
        entry.thresholds[n] = leaves ? 1 : 0;
    }
    return good && router.add_multicast_route(entry, {}).has_value();
}

template <class Ownership>
void forward(benchmark::State& state) {
    using stack = sluice::stack<routing<Ownership>>;
    const auto copies = static_cast<sluice::u8>(state.range(0));
    const auto size = static_cast<std::uint16_t>(state.range(1));
    const auto router =
        std::make_unique<stack>(typename stack::parts{.seed = sluice::testing::fixed_seed});
    std::vector<std::byte> datagram(size);
    bench::write_datagram(datagram.data(), size, source, group);
    if (!furnish(*router, copies)) {
        state.SkipWithError("refused");
        return;
    }
    std::vector<typename stack::packet_type> all(batch);
    bench::stopwatch watch{state};
    const auto start = std::chrono::steady_clock::now();
    for (auto _ : state) {
        watch.start();
        for (auto& packet : all) {
            packet = router->buffers().take();
            sluice::copy_bytes(packet.put(size), datagram.data(), size);
            packet.set_interface(first_interface);
        }
        router->receive(std::span{all}, {});
        std::size_t sent = 0;
        while (router->output().next().packet) {
            ++sent;
        }
        watch.stop();
        if (sent != batch * copies) {
            state.SkipWithError("not everything was forwarded");
            return;
        }
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    const double packets = static_cast<double>(state.iterations()) * batch;
    watch.finish(packets);
    state.counters["ns/packet"] = spent.count() / packets;
    state.counters["ns/copy"] = spent.count() / packets / copies;
}

}  // namespace

BENCHMARK(forward<sluice::unique>)
    ->Name("multicast_copied")
    ->ArgNames({"interfaces", "bytes"})
    ->ArgsProduct({{1, 8, 32}, {64, 1400}})
    ->UseManualTime();
BENCHMARK(forward<sluice::shared>)
    ->Name("multicast_shared")
    ->ArgNames({"interfaces", "bytes"})
    ->ArgsProduct({{1, 8, 32}, {64, 1400}})
    ->UseManualTime();
