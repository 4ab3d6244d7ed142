// shallow: measures what a filter pays for the ports of fragments, and what a flood of one source
// leaves of the ports of others.
//
// Datagrams of two fragments by 256 quiet sources, 64 in flight at once; `flood` first fragments of
// one other source between two of theirs. The counter `known` is the part of the later fragments of
// quiet sources that got their ports: with a flood of 64 none without shares, 0.998 with Share 2,
// all with Share 4 and 8, in the same time.
#include "stopwatch.hpp"

#include <sluice/reassembly/shallow_reassembly.hpp>

#include <deque>

namespace {

using namespace sluice::literals;

constexpr std::uint16_t size = 548;
using source = sluice::fixed_pool<1024, 512>;
using packet = source::packet_type;

packet make(source& from, std::uint32_t sender, std::uint16_t id, bool is_first) {
    packet p = from.take();
    std::byte* const to = p.put(size);
    bench::write_datagram(to, size, {sender}, "10.0.1.1"_ip);
    const sluice::ipv4::view ip{to};
    ip.set(sluice::ipv4::identification, id);
    ip.set(sluice::ipv4::flags_and_offset,
           static_cast<std::uint16_t>(is_first ? 0x2000 : (size - 20) / 8));
    sluice::ipv4::set_checksum(ip);
    return p;
}

template <sluice::u32 Share>
void learn(benchmark::State& state) {
    using reassembly = sluice::shallow_reassembly<1024, sluice::early_fragment::pass, 256,
                                                  Share>::template model<packet>;
    constexpr std::uint32_t quiet = 0x0a010000;
    constexpr std::uint32_t loud = 0x0a020000;
    const auto flood = static_cast<std::uint32_t>(state.range(0));
    const auto pool = std::make_unique<source>();
    const auto ports = std::make_unique<reassembly>(sluice::hash_key{1, 2});
    std::deque<std::uint32_t> in_flight;
    std::uint32_t next = 0;
    std::uint16_t id_of_loud = 0;
    std::uint64_t packets = 0;
    std::uint64_t known = 0;
    std::uint64_t asked = 0;
    sluice::instant now{1};
    std::vector<packet> batch;
    bench::stopwatch watch{state};
    for (auto _ : state) {
        batch.clear();
        while (batch.size() + 2 + flood <= 256) {
            batch.push_back(
                make(*pool, quiet + next % 256, static_cast<std::uint16_t>(next), true));
            in_flight.push_back(next++);
            for (std::uint32_t i = 0; i < flood; ++i) {
                batch.push_back(make(*pool, loud, ++id_of_loud, true));
            }
            if (in_flight.size() > 64) {
                const std::uint32_t n = in_flight.front();
                in_flight.pop_front();
                batch.push_back(make(*pool, quiet + n % 256, static_cast<std::uint16_t>(n), false));
            }
        }
        now = now + 1_ms;
        watch.start();
        for (packet& p : batch) {
            const auto seen = ports->learn(p, sluice::reassembly_user::application, 0, now);
            const bool is_later = sluice::ipv4::offset_in_bytes(
                                      sluice::ipv4::const_view{std::as_const(p).data()}) != 0;
            asked += is_later ? 1 : 0;
            known += is_later && seen.is_known ? 1 : 0;
        }
        watch.stop();
        packets += batch.size();
    }
    watch.finish(static_cast<double>(packets));
    state.counters["known"] = static_cast<double>(known) / static_cast<double>(asked);
}

}  // namespace

BENCHMARK_TEMPLATE(learn, 1)->ArgName("flood")->Arg(0)->Arg(8)->Arg(64)->UseManualTime();
BENCHMARK_TEMPLATE(learn, 2)->ArgName("flood")->Arg(0)->Arg(8)->Arg(64)->UseManualTime();
BENCHMARK_TEMPLATE(learn, 4)->ArgName("flood")->Arg(0)->Arg(8)->Arg(64)->UseManualTime();
BENCHMARK_TEMPLATE(learn, 8)->ArgName("flood")->Arg(0)->Arg(8)->Arg(64)->UseManualTime();
