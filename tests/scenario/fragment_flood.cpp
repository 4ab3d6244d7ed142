// A flood of ten million lone fragments a second against the cache of linux_host, by policy: which
// datagrams of others become whole. Simulated time, 0.1 s of it.
#include <sluice/base/random.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/fragments.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <memory>

namespace scenario_fragment_flood {
using namespace sluice;
using namespace sluice::testing;

namespace {

using pool_type = fixed_pool<256, 5120>;
using packet = pool_type::packet_type;
template <on_full OnFull, u32 Share>
using cache_of = typename bounded_cache<3584, overlap::reject_datagram, 3584, OnFull,
                                        Share>::template model<packet>;

constexpr u32 sent = 1000;  // datagrams of two fragments, by ten hosts, one each 0.1 ms

// The datagrams that become whole, when `gap` passes between their two fragments.
template <class Cache>
u32 completed(duration gap, bool one_source) {
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<Cache>(fixed_seed);
    keyed_random random{hash_key{3, 4}};
    struct second_half {
        u32 number;
        instant at;
    };
    std::deque<second_half> waiting;
    const auto half = [](u32 number, bool second) {
        return fragment_fields{.start = second ? 24u : 0u,
                               .length = 24,
                               .more = !second,
                               .id = static_cast<u16>(number),
                               .source = 0x0a000100 + number % 10};
    };
    u32 whole = 0;
    u32 begun = 0;
    for (u32 tick = 0; tick < sent * 1000 + 20'000; ++tick) {  // 0.1 us each
        const instant now{100 * i64{tick}};
        const u32 source = one_source ? 0x0b000001 : static_cast<u32>(random.next());
        static_cast<void>(feed_fragment(*cache, *pool,
                                        {.start = 8,
                                         .length = 8,
                                         .id = static_cast<u16>(tick),
                                         .source = source,
                                         .destination = 0x0a000101 + (tick >> 16)},
                                        now));
        if (tick % 1000 == 500 && begun < sent) {
            static_cast<void>(feed_fragment(*cache, *pool, half(begun, false), now));
            waiting.push_back({begun++, now + gap});
        }
        if (!waiting.empty() && waiting.front().at <= now) {
            const auto step = feed_fragment(*cache, *pool, half(waiting.front().number, true), now);
            whole += step.kind == reassembly_result::complete ? 1u : 0u;
            waiting.pop_front();
        }
    }
    return whole;
}

constexpr duration short_gap{10'000};  // 10 us, as of fragments sent one after the other
constexpr duration middle_gap{200'000};
constexpr duration long_gap{1'000'000};

}  // namespace

// The flood fills the memory in 0.4 ms.
TEST_CASE("flood: refuse, as Linux: nothing gets through once the memory is full") {
    CHECK(completed<cache_of<on_full::refuse, 1>>(short_gap, true) <= 4);
    CHECK(completed<cache_of<on_full::refuse, 1>>(short_gap, false) <= 4);
}

TEST_CASE("flood: evict the oldest: all whose fragments come within the time to fill the memory") {
    for (const bool one_source : {true, false}) {
        CHECK(completed<cache_of<on_full::evict_oldest, 1>>(short_gap, one_source) == sent);
        CHECK(completed<cache_of<on_full::evict_oldest, 1>>(middle_gap, one_source) == sent);
        CHECK(completed<cache_of<on_full::evict_oldest, 1>>(long_gap, one_source) <= 4);
    }
}

TEST_CASE("flood: a share for each source: all, if the flood has one source") {
    for (const duration gap : {short_gap, middle_gap, long_gap}) {
        CHECK(completed<cache_of<on_full::refuse, 16>>(gap, true) == sent);
        CHECK(completed<cache_of<on_full::evict_oldest, 16>>(gap, true) == sent);
    }
    // Forged sources share nothing; evicting helps as without shares.
    CHECK(completed<cache_of<on_full::refuse, 16>>(short_gap, false) <= 4);
    CHECK(completed<cache_of<on_full::evict_oldest, 16>>(short_gap, false) == sent);
    CHECK(completed<cache_of<on_full::evict_oldest, 16>>(long_gap, false) <= 4);
}

}  // namespace scenario_fragment_flood
