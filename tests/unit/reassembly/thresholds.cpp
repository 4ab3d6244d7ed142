// Each limit at its exact value, one below and one above.
#include "fragments.hpp"

#include <doctest/doctest.h>

namespace reassembly_thresholds {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<2048, 32>;
using packet = pool_type::packet_type;
template <on_full OnFull>
using cache_of = bounded_cache<8, overlap::reject_datagram, 16, OnFull>::template model<packet>;

fragment_fields middle(u16 id) {
    return {.start = 24, .length = 8, .id = id};
}
u32 as_limit(u64 charged, int more) {
    return static_cast<u32>(static_cast<i64>(charged) + more);
}

}  // namespace

// Linux inet_frag_find: refused when more than the threshold is in use, not when just as much is.
TEST_CASE("thresholds: memory up to the threshold is no reason to refuse") {
    for (const int more : {-1, 0, 1}) {
        CAPTURE(more);
        const bool fits = more >= 0;
        pool_type pool;
        cache_of<on_full::refuse> cache{secret};
        CHECK(feed_fragment(cache, pool, head_fragment(1)).kind == reassembly_result::held);
        const reassembly_limits limits{.high_threshold = as_limit(cache.charged(), more)};
        // Of a datagram that is there, and of another.
        CHECK((feed_fragment(cache, pool, middle(1), {}, limits).kind == reassembly_result::held) ==
              fits);
        const reassembly_limits again{.high_threshold = as_limit(cache.charged(), more)};
        const auto other = feed_fragment(cache, pool, head_fragment(2), {}, again);
        CHECK((other.kind == reassembly_result::held) == fits);
        if (!fits) CHECK(other.reason == drop_reason::fragment_limit);
        // The last one of a datagram as well.
        const reassembly_limits last{.high_threshold = as_limit(cache.charged(), more)};
        CHECK((feed_fragment(cache, pool, tail_fragment(1, fits ? 32 : 24), {}, last).kind ==
               reassembly_result::complete) == fits);
    }
}

TEST_CASE("thresholds: the oldest datagram is evicted only above the threshold") {
    for (const int more : {-1, 0, 1}) {
        CAPTURE(more);
        pool_type pool;
        cache_of<on_full::evict_oldest> cache{secret};
        CHECK(feed_fragment(cache, pool, head_fragment(1)).kind == reassembly_result::held);
        CHECK(feed_fragment(cache, pool, head_fragment(2), instant{1}).kind ==
              reassembly_result::held);
        const reassembly_limits limits{.high_threshold = as_limit(cache.charged(), more)};
        const auto third = feed_fragment(cache, pool, head_fragment(3), instant{2}, limits);
        CHECK(third.kind == reassembly_result::held);
        CHECK(third.evicted_datagrams == (more < 0 ? 1 : 0));
        CHECK(cache.held() == (more < 0 ? 2u : 3u));
    }
}

TEST_CASE("thresholds: nothing is kept of none, something of the least") {
    pool_type pool;
    cache_of<on_full::refuse> cache{secret};
    CHECK(feed_fragment(cache, pool, head_fragment(1), {}, {.high_threshold = 0}).reason ==
          drop_reason::fragment_limit);
    CHECK(cache.charged() == 0);
    CHECK(feed_fragment(cache, pool, head_fragment(1), {}, {.high_threshold = 1}).kind ==
          reassembly_result::held);
    CHECK(feed_fragment(cache, pool, middle(1), {}, {.high_threshold = 1}).reason ==
          drop_reason::fragment_limit);
}

// Linux ip_expire: at its deadline, not before.
TEST_CASE("thresholds: a datagram ends at its deadline, not a nanosecond before") {
    pool_type pool;
    cache_of<on_full::refuse> cache{secret};
    CHECK(feed_fragment(cache, pool, head_fragment(1), instant{5}, {.timeout = 1_s}).kind ==
          reassembly_result::held);
    const instant deadline = instant{5} + 1_s;
    CHECK(cache.next_deadline() == deadline);
    unsigned ended = 0;
    const auto sink = [&ended](expired_datagram<packet>&&) { ++ended; };
    cache.expire(instant{deadline.nanoseconds - 1}, sink);
    CHECK(ended == 0);
    cache.expire(deadline, sink);
    CHECK(ended == 1);
    CHECK(cache.charged() == 0);
    CHECK(pool.available() == 32);
}

}  // namespace reassembly_thresholds
