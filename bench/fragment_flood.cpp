// This program counts how many datagrams become whole beside a flood of ten million lone fragments
// a second, for each answer to a full memory.
//
// Ten hosts send 1,000 datagrams of two fragments, one each 0.1 ms; a gap lies between the two
// fragments. The flood comes from one source, or each of its fragments from a forged one. The
// cache is as large as that of linux_router: the flood fills it in 0.4 ms. The columns are the
// gaps. Time is simulated: the same figures come from each run on each machine.
//
// Expects: no arguments.
// Never:   measures time.
// Cost:    24 runs of a million fragments, a few seconds.
#include <sluice/base/random.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/fragments.hpp>

#include <cstdio>
#include <memory>

namespace {

using sluice::on_full;
using sluice::u16;
using sluice::u32;
using sluice::testing::fragment_fields;

using pool = sluice::fixed_pool<256, 5120>;
template <on_full OnFull, u32 Share>
using cache_of = typename sluice::bounded_cache<3584, sluice::overlap::reject_datagram, 3584,
                                                OnFull, Share>::template model<pool::packet_type>;

enum class sources { one, forged };

constexpr u32 sent = 1000;  // datagrams
// In ticks of 0.1 us. In each comes a fragment of the flood.
constexpr u32 between_datagrams = 1000;
constexpr u32 gaps[] = {100, 2'000, 10'000};

constexpr u32 begins_at(u32 datagram) {
    return datagram * between_datagrams + between_datagrams / 2;
}
sluice::instant time_of(u32 tick) {
    return sluice::instant{100 * sluice::i64{tick}};
}

fragment_fields lone(u32 tick, u32 source) {
    return {.start = 8,
            .length = 8,
            .id = static_cast<u16>(tick),
            .source = source,
            .destination = 0x0a000101 + (tick >> 16)};
}
fragment_fields half(u32 datagram, bool second) {
    return {.start = second ? 24u : 0u,
            .length = 24,
            .more = !second,
            .id = static_cast<u16>(datagram),
            .source = 0x0a000200 + datagram % 10};
}

// Counts the datagrams that become whole.
template <class Cache>
u32 completed(sources of_flood, u32 gap) {
    const auto memory = std::make_unique<pool>();
    const auto cache = std::make_unique<Cache>(sluice::testing::fixed_seed);
    sluice::keyed_random random{sluice::hash_key{3, 4}};
    u32 begun = 0, ended = 0, whole = 0;
    for (u32 tick = 0; ended < sent; ++tick) {
        const sluice::instant now = time_of(tick);
        const u32 source = of_flood == sources::one ? 0x0b000001 : static_cast<u32>(random.next());
        static_cast<void>(feed_fragment(*cache, *memory, lone(tick, source), now));
        if (begun < sent && tick == begins_at(begun)) {
            static_cast<void>(feed_fragment(*cache, *memory, half(begun++, false), now));
        }
        if (tick == begins_at(ended) + gap) {
            const auto step = feed_fragment(*cache, *memory, half(ended++, true), now);
            whole += step.kind == sluice::reassembly_result::complete ? 1u : 0u;
        }
    }
    return whole;
}

template <class Cache>
void print_row(const char* policy) {
    for (const sources from : {sources::one, sources::forged}) {
        std::printf("%-32s %-8s", policy, from == sources::one ? "one" : "forged");
        for (const u32 gap : gaps) {
            std::printf(" %7u", completed<Cache>(from, gap));
        }
        std::puts("");
    }
}

}  // namespace

int main() {
    std::printf("whole of %u datagrams             flood of    10 us  0.2 ms    1 ms\n", sent);
    print_row<cache_of<on_full::refuse, 1>>("refuse (as Linux)");
    print_row<cache_of<on_full::evict_oldest, 1>>("evict the oldest");
    print_row<cache_of<on_full::refuse, 16>>("share of 1/16, refuse");
    print_row<cache_of<on_full::evict_oldest, 16>>("share of 1/16, evict its oldest");
}
