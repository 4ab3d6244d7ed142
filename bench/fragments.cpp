// fragments: measures batches of 32 fragments through a whole stack, with many datagrams in flight.
//
// Half of the fragments of a batch begin a datagram, half complete one, chosen at random among
// those in flight. Each datagram has a source of its own. A handler takes the whole. Measured on a
// processor of 2.6 GHz, least of 3 runs, with and without fetch_fragments: 130 and 142 cycles a
// fragment with 100 in flight, 185 and 215 with 10,000, 550 and 1,088 with 100,000.
#include "stopwatch.hpp"

#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <utility>

namespace {

using namespace sluice::literals;

constexpr std::uint32_t most_in_flight = 100'000;
constexpr std::uint16_t size = 548;  // two fragments make 1,076 bytes

struct host_policies : sluice::policies<sluice::buffers<sluice::fixed_pool<1024, 160'000>>,
                                        sluice::reassembly<sluice::sized_cache<>>> {};
using host = sluice::stack<host_policies>;
using packet = host::packet_type;
using cache = host_policies::of<sluice::reassembly<>>::model<packet>;

struct taker final : sluice::protocol_handler<packet> {
    sluice::handler_result receive(packet& p, const sluice::delivery_info&,
                                   sluice::local_services<packet>&) noexcept override {
        p.reset();
        ++taken;
        return sluice::handler_result::taken();
    }
    std::uint64_t taken = 0;
};

void write(packet& p, std::uint32_t number, bool is_first) {
    std::byte* const to = p.put(size);
    bench::write_datagram(to, size, {0x0b000000u + number % 0x1000000}, "10.0.1.1"_ip,
                          sluice::ipv4::protocols::experiment1);
    const sluice::ipv4::view ip{to};
    ip.set(sluice::ipv4::identification, static_cast<std::uint16_t>(number));
    ip.set(sluice::ipv4::flags_and_offset,
           static_cast<std::uint16_t>(is_first ? 0x2000 : (size - 20) / 8));
    sluice::ipv4::set_checksum(ip);
    p.set_interface(bench::left);
}

void batches(benchmark::State& state) {
    const auto in_flight = static_cast<std::uint32_t>(state.range(0));
    const std::size_t room = in_flight + 64;
    std::vector<std::byte> memory(cache::memory_for({.datagrams = room, .fragments = 2 * room}));
    const auto s = std::make_unique<host>(host::parts{
        .seed = sluice::testing::fixed_seed,
        .reassembly = {.memory = memory, .size = {.datagrams = room, .fragments = 2 * room}}});
    bench::add_interfaces(*s);
    static_cast<void>(s->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = "10.0.1.2"_ip}));
    s->change([](sluice::settings& to) { to.ipfrag_high_thresh = 1u << 30; });
    taker handler;
    static_cast<void>(s->delivery().set_handler(sluice::ipv4::protocols::experiment1, &handler));

    std::vector<std::uint32_t> waiting;
    std::uint32_t next = 0;
    std::mt19937 random{7};
    std::array<packet, 32> batch;
    const auto receive = [&](std::span<packet> some) { s->receive(some, {}); };
    while (waiting.size() < in_flight) {
        batch[0] = s->buffers().take();
        write(batch[0], next, true);
        waiting.push_back(next++);
        receive(std::span{batch}.first(1));
    }
    bench::stopwatch watch{state};
    for (auto _ : state) {
        for (std::size_t i = 0; i < batch.size(); i += 2) {
            batch[i] = s->buffers().take();
            write(batch[i], next, true);
            const std::size_t chosen = random() % waiting.size();
            batch[i + 1] = s->buffers().take();
            write(batch[i + 1], std::exchange(waiting[chosen], next), false);
            ++next;
        }
        watch.start();
        receive(batch);
        watch.stop();
    }
    if (handler.taken != static_cast<std::uint64_t>(state.iterations()) * batch.size() / 2) {
        state.SkipWithError("not all datagrams were made whole");
        return;
    }
    watch.finish(static_cast<double>(state.iterations()) * static_cast<double>(batch.size()));
}

}  // namespace

BENCHMARK(batches)
    ->ArgName("in_flight")
    ->Arg(100)
    ->Arg(10'000)
    ->Arg(most_in_flight)
    ->UseManualTime();
