// pieces: measures a datagram cut into copied fragments, cut by reference, cut again from the list
// of a reassembly (nothing copied), and reassembled from fragments in order and out of order.
#include "stopwatch.hpp"

#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/rewrite/fragment.hpp>

#include <algorithm>

namespace {

using namespace sluice::literals;

constexpr std::uint32_t mtu = 1500;
// Blocks that hold the largest datagram after the headroom.
using source = sluice::fixed_pool<65536 + sluice::default_headroom, 160>;
using packet = source::packet_type;
using cache = sluice::bounded_cache<64>::model<packet>;

packet make_whole(source& from, std::uint16_t size) {
    packet whole = from.take();
    bench::write_datagram(whole.put(size), size, "10.0.0.1"_ip, "10.0.0.2"_ip);
    return whole;
}

std::vector<packet> cut(source& from, std::uint16_t size) {
    std::vector<packet> pieces;
    sluice::rewrite::fragment(make_whole(from, size), mtu, from, [&](packet&& piece) {
        pieces.push_back(std::move(piece));
        return true;
    });
    return pieces;
}

void fragment_copying(benchmark::State& state) {
    const auto size = static_cast<std::uint16_t>(state.range(0));
    const auto pool = std::make_unique<source>();
    bench::stopwatch watch{state};
    std::uint64_t pieces = 0;
    for (auto _ : state) {
        packet whole = make_whole(*pool, size);
        watch.start();
        pieces += sluice::rewrite::fragment(std::move(whole), mtu, *pool, [](packet&& piece) {
                      const packet sent = std::move(piece);
                      return true;
                  }).created;
        watch.stop();
    }
    watch.finish(static_cast<double>(pieces), static_cast<double>(state.iterations()) * size);
}

void fragment_by_reference(benchmark::State& state) {
    using shared_source = sluice::fixed_pool<65536 + sluice::default_headroom, 160, sluice::shared>;
    const auto size = static_cast<std::uint16_t>(state.range(0));
    const auto pool = std::make_unique<shared_source>();
    auto whole = pool->take();
    bench::write_datagram(whole.put(size), size, "10.0.0.1"_ip, "10.0.0.2"_ip);
    std::uint64_t pieces = 0;
    bench::stopwatch watch{state};
    for (auto _ : state) {
        watch.start();
        pieces += sluice::rewrite::fragment<true>(whole.clone(), mtu, *pool,
                                                  [](shared_source::packet_type&& piece) {
                                                      const auto sent = std::move(piece);
                                                      return true;
                                                  })
                      .created;
        watch.stop();
    }
    watch.finish(static_cast<double>(pieces), static_cast<double>(state.iterations()) * size);
}

// For both benchmarks of reassembly: inserts all fragments, returns the whole.
packet insert_all(cache& in, std::vector<packet>& pieces) {
    packet whole;
    for (packet& p : pieces) {
        auto valid = sluice::pipeline::validate(p);
        if (!valid.has_value()) {
            return {};
        }
        auto step =
            in.insert(std::move(*valid), sluice::reassembly_user::local_delivery, 0, {}, {});
        if (step.kind == sluice::reassembly_result::complete) {
            whole = std::move(step.packet);
        }
    }
    return whole;
}

void fragment_list(benchmark::State& state) {
    const auto size = static_cast<std::uint16_t>(state.range(0));
    const auto pool = std::make_unique<source>();
    const auto reassembly = std::make_unique<cache>(sluice::hash_key{1, 2});
    bench::stopwatch watch{state};
    std::uint64_t pieces = 0;
    for (auto _ : state) {
        auto parts = cut(*pool, size);
        packet whole = insert_all(*reassembly, parts);
        watch.start();
        pieces += sluice::rewrite::fragment(std::move(whole), mtu, *pool, [](packet&& piece) {
                      const packet sent = std::move(piece);
                      return true;
                  }).created;
        watch.stop();
    }
    watch.finish(static_cast<double>(pieces), static_cast<double>(state.iterations()) * size);
}

void reassemble(benchmark::State& state) {
    const auto size = static_cast<std::uint16_t>(state.range(0));
    const bool in_order = state.range(1) == 0;
    const auto pool = std::make_unique<source>();
    const auto reassembly = std::make_unique<cache>(sluice::hash_key{1, 2});
    std::mt19937 random{3};
    bench::stopwatch watch{state};
    std::uint64_t pieces = 0;
    for (auto _ : state) {
        auto parts = cut(*pool, size);
        if (!in_order) {
            std::shuffle(parts.begin(), parts.end(), random);
        }
        pieces += parts.size();
        watch.start();
        const packet whole = insert_all(*reassembly, parts);
        watch.stop();
        if (!whole || whole.size() != size) {
            state.SkipWithError("not made whole");
            return;
        }
    }
    watch.finish(static_cast<double>(pieces), static_cast<double>(state.iterations()) * size);
}

template <class Cache, class Packet>
std::uint64_t insert_one_by_one(Cache& in, std::span<sluice::unsummed_datagram<Packet>> fragments,
                                const sluice::reassembly_limits& limits) {
    std::uint64_t whole = 0;
    for (auto& f : fragments) {
        const auto step =
            in.insert(std::move(f), sluice::reassembly_user::local_delivery, 0, {}, limits);
        whole += step.kind == sluice::reassembly_result::complete ? 1 : 0;
    }
    return whole;
}

// The hashes of 32 fragments first, as the stack does when it takes a batch.
template <class Cache, class Packet>
std::uint64_t insert_in_batches(Cache& in, std::span<sluice::unsummed_datagram<Packet>> fragments,
                                const sluice::reassembly_limits& limits) {
    constexpr std::size_t at_once = 32;
    sluice::fragment_hash hashes[at_once];
    std::uint64_t whole = 0;
    while (!fragments.empty()) {
        const auto batch = fragments.first(std::min(at_once, fragments.size()));
        fragments = fragments.subspan(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) {
            hashes[i] = in.hash_of(batch[i].header(), sluice::reassembly_user::local_delivery, 0);
        }
        in.prefetch({hashes, batch.size()});
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto step = in.insert(std::move(batch[i]), {}, limits, hashes[i]);
            whole += step.kind == sluice::reassembly_result::complete ? 1 : 0;
        }
    }
    return whole;
}

// Datagrams of `count` fragments of 8 bytes, some 8,000 fragments in an iteration: the time of one
// fragment, with the freeing of the whole. One by one, each fragment waits for its header, which no
// cache near the processor has any more when thousands came in random order; a receiver has them in
// batches, and waits for the headers of a batch at once. (The cache is so small that prefetch()
// does nothing.)
void growth(benchmark::State& state) {
    using small_source = sluice::fixed_pool<192, 12'000>;
    using small = small_source::packet_type;
    using many = sluice::bounded_cache<4, sluice::overlap::reject_datagram, 8192>::model<small>;
    constexpr sluice::reassembly_limits limits{.high_threshold = 1u << 30};
    const auto count = static_cast<std::uint32_t>(state.range(0));
    const bool in_batches = state.range(2) != 0;
    const auto pool = std::make_unique<small_source>();
    const auto reassembly = std::make_unique<many>(sluice::hash_key{1, 2});
    std::vector<std::uint32_t> order(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        order[i] = state.range(1) == 1 ? count - 1 - i : i;
    }
    std::mt19937 random{3};
    std::vector<sluice::unsummed_datagram<small>> fragments;
    bench::stopwatch watch{state};
    std::uint64_t pieces = 0;
    std::uint16_t id = 0;
    for (auto _ : state) {
        fragments.clear();
        for (std::uint32_t datagram = 0; datagram < 8189 / count; ++datagram) {
            if (state.range(1) == 2) {
                std::shuffle(order.begin(), order.end(), random);
            }
            ++id;
            for (const std::uint32_t at : order) {
                small p = pool->take();
                std::byte* to = p.put(28);
                bench::write_datagram(to, 28, "10.0.0.1"_ip, "10.0.0.2"_ip);
                const sluice::ipv4::view ip{to};
                ip.set(sluice::ipv4::identification, id);
                ip.set(sluice::ipv4::flags_and_offset,
                       static_cast<std::uint16_t>(at + (at + 1 < count ? 0x2000 : 0)));
                sluice::ipv4::set_checksum(ip);
                fragments.push_back(sluice::pipeline::validate(p).value());
            }
        }
        watch.start();
        const std::uint64_t whole =
            in_batches ? insert_in_batches(*reassembly, std::span{fragments}, limits)
                       : insert_one_by_one(*reassembly, std::span{fragments}, limits);
        watch.stop();
        pieces += fragments.size();
        if (whole != 8189 / count) {
            state.SkipWithError("not made whole");
            return;
        }
    }
    watch.finish(static_cast<double>(pieces));
}

}  // namespace

BENCHMARK(fragment_copying)->ArgName("bytes")->Arg(3000)->Arg(9000)->Arg(65535)->UseManualTime();
BENCHMARK(fragment_by_reference)
    ->ArgName("bytes")
    ->Arg(3000)
    ->Arg(9000)
    ->Arg(65535)
    ->UseManualTime();
BENCHMARK(fragment_list)->ArgName("bytes")->Arg(3000)->Arg(9000)->Arg(65535)->UseManualTime();
BENCHMARK(reassemble)
    ->ArgNames({"bytes", "shuffled"})
    ->ArgsProduct({{3000, 9000, 65535}, {0, 1}})
    ->UseManualTime();
BENCHMARK(growth)
    ->ArgNames({"pieces", "order", "batches"})  // order 0: in order, 1: reversed, 2: random
    ->ArgsProduct({{2, 16, 128, 1024, 8189}, {0, 1, 2}, {0, 1}})
    ->UseManualTime();
