// validate: all header checks from a packet to a datagram, by size of the header.
#include "stopwatch.hpp"

namespace {

using namespace sluice::literals;

constexpr std::size_t packets = 256;
using source = sluice::fixed_pool<2048, packets>;

void validate(benchmark::State& state) {
    const auto options = static_cast<std::uint16_t>(state.range(0));
    const auto pool = std::make_unique<source>();
    std::vector<source::packet_type> batch;
    for (std::size_t i = 0; i < packets; ++i) {
        auto packet = pool->take();
        std::byte* to = packet.put(100);
        bench::write_datagram(to, 100, "10.0.0.1"_ip, "10.0.0.2"_ip);
        const sluice::ipv4::view ip{to};
        ip.set(sluice::ipv4::ihl, static_cast<std::uint8_t>(5 + options / 4));
        sluice::ipv4::set_checksum(ip);
        batch.push_back(std::move(packet));
    }
    bench::stopwatch watch{state};
    for (auto _ : state) {
        watch.start();
        for (auto& packet : batch) {
            auto valid = sluice::pipeline::validate(packet);
            if (!valid.has_value()) {
                state.SkipWithError("a good datagram was refused");
                return;
            }
            packet = std::move(*valid).release();
        }
        watch.stop();
    }
    watch.finish(static_cast<double>(state.iterations()) * packets);
}

}  // namespace

BENCHMARK(validate)->ArgName("options")->Arg(0)->Arg(8)->Arg(40)->UseManualTime();
