// A share of the cache for each source: lone fragments of one source do not stop the others.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace reassembly_shares {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 400>;
using packet = pool_type::packet_type;
template <on_full OnFull, u32 Share>
using cache_type = typename bounded_cache<256, overlap::reject_datagram, 256, OnFull,
                                          Share>::template model<packet>;

constexpr u32 attacker = 0x0a000166;
constexpr u32 victim = 0x0a000102;

fragment_fields lone(u32 number, u32 source = attacker) {
    return {.start = 8, .length = 8, .id = static_cast<u16>(number), .source = source};
}
template <class Cache>
auto feed_whole(Cache& cache, pool_type& pool, u32 source, u16 id = 7) {
    auto first = feed_fragment(cache, pool, {.start = 0, .length = 24, .id = id, .source = source});
    auto second = feed_fragment(
        cache, pool, {.start = 24, .length = 8, .more = false, .id = id, .source = source});
    second.evicted_datagrams += first.evicted_datagrams;
    return second;
}

struct flood_result {
    u32 held = 0;
    u32 refused = 0;
    u32 evicted = 0;
    std::size_t most = 0;
};
template <class Cache>
flood_result flood(Cache& cache, pool_type& pool, u32 count) {
    flood_result r;
    for (u32 n = 0; n < count; ++n) {
        const auto step = feed_fragment(cache, pool, lone(n), instant{n});
        r.held += step.kind == reassembly_result::held ? 1u : 0u;
        r.refused += step.reason == drop_reason::fragment_limit ? 1u : 0u;
        r.evicted += step.evicted_datagrams;
        r.most = cache.held() > r.most ? cache.held() : r.most;
    }
    return r;
}

}  // namespace

TEST_CASE("10,000 lone fragments of one source are refused beyond its share; others go on") {
    pool_type pool;
    cache_type<on_full::refuse, 4> cache{secret};
    const flood_result r = flood(cache, pool, 10'000);
    CHECK(r.held == 64);
    CHECK(r.refused == 10'000 - 64);
    CHECK(r.most == 64);
    auto step = feed_whole(cache, pool, victim);
    REQUIRE(step.kind == reassembly_result::complete);
    CHECK(is_whole_datagram(step.packet, 32));
    CHECK(step.evicted_datagrams == 0);
    // The attacker's fragments are refused until its held ones expire.
    CHECK(feed_whole(cache, pool, attacker, 20'000).reason == drop_reason::fragment_limit);
    cache.expire(instant{10'000} + 30_s, [](auto&&) {});
    CHECK(feed_whole(cache, pool, attacker, 20'000).kind == reassembly_result::complete);
}

TEST_CASE("without shares a flood stops every source, as in Linux") {
    pool_type pool;
    cache_type<on_full::refuse, 1> cache{secret};
    CHECK(flood(cache, pool, 10'000).held == 256);
    CHECK(feed_whole(cache, pool, victim).reason == drop_reason::fragment_limit);
}

TEST_CASE("a source has its share of the datagrams where there is room for many more fragments") {
    pool_type pool;
    typename bounded_cache<16, overlap::reject_datagram, 256, on_full::refuse,
                           4>::template model<packet>
        cache{secret};
    for (u32 n = 0; n < 6; ++n) {
        CAPTURE(n);
        CHECK((feed_fragment(cache, pool, lone(n)).kind == reassembly_result::held) == (n < 4));
    }
    CHECK(feed_fragment(cache, pool, lone(1, victim)).kind == reassembly_result::held);
}

TEST_CASE("with eviction of the oldest, a flood displaces only its own datagrams") {
    pool_type pool;
    cache_type<on_full::evict_oldest, 4> cache{secret};
    // Begun before the flood: the oldest of all.
    CHECK(feed_fragment(cache, pool, {.start = 0, .length = 24, .id = 9, .source = victim}).kind ==
          reassembly_result::held);
    const flood_result r = flood(cache, pool, 10'000);
    CHECK(r.held == 10'000);
    CHECK(r.evicted == 10'000 - 64);
    CHECK(r.most == 65);
    CHECK(feed_fragment(cache, pool,
                        {.start = 24, .length = 8, .more = false, .id = 9, .source = victim})
              .kind == reassembly_result::complete);
    // And its own new ones come through.
    CHECK(feed_whole(cache, pool, attacker, 20'000).kind == reassembly_result::complete);
}

TEST_CASE("the pieces and bytes of one datagram are within the share too") {
    pool_type pool;
    SUBCASE("pieces") {
        cache_type<on_full::refuse, 4> cache{secret};
        for (u32 n = 0; n < 100; ++n) {
            const auto step =
                feed_fragment(cache, pool, {.start = 16 * n, .length = 8, .source = attacker});
            CHECK((step.kind == reassembly_result::held) == (n < 64));
        }
    }
    SUBCASE("pieces, when its own datagram is the oldest: it is not given up for itself") {
        cache_type<on_full::evict_oldest, 4> cache{secret};
        for (u32 n = 0; n < 100; ++n) {
            const auto step =
                feed_fragment(cache, pool, {.start = 16 * n, .length = 8, .source = attacker});
            CHECK((step.kind == reassembly_result::held) == (n < 64));
            CHECK(step.evicted_datagrams == 0);
        }
    }
    SUBCASE("bytes: a quarter of the threshold") {
        cache_type<on_full::refuse, 4> cache{secret};
        const reassembly_limits tight{.high_threshold = 8'000};
        for (u32 n = 0; n < 10; ++n) {
            // 208 + 576 + 28 each; refused from the one on that finds more than 2,000.
            CHECK((feed_fragment(cache, pool, lone(n), {}, tight).kind ==
                   reassembly_result::held) == (n < 3));
        }
        CHECK(feed_fragment(cache, pool, lone(1, victim), {}, tight).kind ==
              reassembly_result::held);
    }
}

TEST_CASE("many sources fill the cache together, and all is given back") {
    for (const bool expires : {false, true}) {
        CAPTURE(expires);
        pool_type pool;
        {
            cache_type<on_full::evict_oldest, 16> cache{secret};
            for (u32 n = 0; n < 5'000; ++n) {
                const auto step =
                    feed_fragment(cache, pool, lone(n, 0x0b000000 + n % 700), instant{n});
                CHECK(step.kind == reassembly_result::held);
                CHECK(cache.held() <= 256);
            }
            CHECK(cache.held() == 256);
            CHECK(feed_whole(cache, pool, victim).kind == reassembly_result::complete);
            if (expires) {
                cache.expire(instant{5'000} + 30_s, [](auto&&) {});
                CHECK(cache.charged() == 0);
                CHECK(pool.available() == 400);
            }
        }
        CHECK(pool.available() == 400);
    }
}

// Whoever knows the secret can fill the two lines of a source in the index of sources.
TEST_CASE("sources that meet in two full lines for one secret do not for another") {
    const detail::fragment_siphash hash{secret};
    constexpr u32 lines = static_cast<u32>(detail::slot_line::lines_for(256));
    constexpr u32 both_hold = 2 * detail::slot_line::slots;
    std::vector<u32> meeting;
    for (u32 source = 0x0b000000; meeting.size() <= both_hold && source < 0x0b100000; ++source) {
        const u64 both = hash.of_source(source);
        if (static_cast<u32>(both) % lines == 0 && static_cast<u32>(both >> 32) % lines == 7) {
            meeting.push_back(source);
        }
    }
    REQUIRE(meeting.size() == both_hold + 1);
    const auto refused = [&meeting](hash_key with) {
        pool_type pool;
        cache_type<on_full::refuse, 4> cache{with};
        std::vector<u32> all;
        for (const u32 source : meeting) {
            if (feed_fragment(cache, pool, lone(1, source)).reason == drop_reason::fragment_limit) {
                all.push_back(source);
            }
        }
        return all;
    };
    CHECK(refused(secret) == std::vector{meeting.back()});
    CHECK(refused({secret.low + 1, secret.high}).empty());
    CHECK(refused({secret.low, secret.high + 1}).empty());
}

TEST_CASE("sources that meet in one line of two find the other") {
    const detail::fragment_siphash hash{secret};
    constexpr u32 lines = static_cast<u32>(detail::slot_line::lines_for(256));
    for (const u32 shift : {0u, 32u}) {
        CAPTURE(shift);
        pool_type pool;
        cache_type<on_full::refuse, 4> cache{secret};
        u32 sent = 0;
        for (u32 source = 0x0b000000; sent < 60; ++source) {
            if ((hash.of_source(source) >> shift) % lines == 5) {
                ++sent;
                REQUIRE(feed_fragment(cache, pool, lone(1, source)).kind ==
                        reassembly_result::held);
            }
        }
    }
}

}  // namespace reassembly_shares
