// A full cache that evicts the oldest datagram.
#include "fragments.hpp"

#include <doctest/doctest.h>

namespace reassembly_eviction {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<2048, 64>;
using packet = pool_type::packet_type;
// Four datagrams, eight fragments.
using cache_type =
    bounded_cache<4, overlap::reject_datagram, 8, on_full::evict_oldest>::model<packet>;

// A source whose packets are all of the reserve.
struct reserve {
    using packet_type = pool_type::packet_type;
    pool_type& from;
    packet_type take(u16 headroom) { return from.take_reserved(headroom); }
};

}  // namespace

TEST_CASE("nobody is evicted for a packet whose source his buffers do not fill") {
    pool_type pool;
    pool_type other;
    std::vector<packet> used;
    cache_type cache{secret};
    for (u16 id = 1; id <= 3; ++id) {
        CHECK(held(feed_fragment(cache, pool, head_fragment(id), instant{id})));
    }
    while (other.available() > 4) {
        used.push_back(other.take());
    }
    auto step = feed_fragment(cache, other, head_fragment(10), instant{10});
    CHECK(step.reason == drop_reason::fragment_limit);
    CHECK(step.evicted_datagrams == 0);
    while (other.available() > 0) {
        used.push_back(other.take());
    }
    reserve last{other};
    step = feed_fragment(cache, last, head_fragment(11), instant{11});
    CHECK(step.reason == drop_reason::fragment_limit);
    CHECK(step.evicted_datagrams == 0);
    // His own source's shortage does.
    while (pool.available() > 4) {
        used.push_back(pool.take());
    }
    step = feed_fragment(cache, pool, head_fragment(12), instant{12});
    CHECK(step.evicted_datagrams == 1);
}

TEST_CASE("nobody is evicted for a key whose two lines are full") {
    constexpr u32 datagrams = 48;
    using wide_pool = fixed_pool<256, 256>;
    wide_pool pool;
    bounded_cache<datagrams, overlap::reject_datagram, 256,
                  on_full::evict_oldest>::model<wide_pool::packet_type>
        cache{secret};
    const detail::fragment_siphash second{secret};
    const detail::fragment_hasher first{second};
    constexpr u32 lines = static_cast<u32>(detail::slot_line::lines_for(datagrams));
    const auto fragment = [](u32 n) {
        fragment_fields f = head_fragment(static_cast<u16>(n));
        f.source += n >> 16;
        return f;
    };
    std::vector<u32> of_line[2];
    std::vector<u32> of_both;
    for (u32 n = 0; n < 20'000; ++n) {
        const auto made = fragment_of(pool, fragment(n));
        const auto hash =
            first.hash_of(ipv4::const_view{made.data()}, reassembly_user::local_delivery, 0);
        const u32 home = hash.hash() % lines;
        if (home == 0 && second(hash.key()) % lines == 1) {
            of_both.push_back(n);
        } else if (home < 2) {
            of_line[home].push_back(n);
        }
    }
    REQUIRE(of_line[0].size() >= 12);
    REQUIRE(of_line[1].size() >= 12);
    REQUIRE_FALSE(of_both.empty());
    for (u32 i = 0; i < 12; ++i) {
        REQUIRE(held(feed_fragment(cache, pool, fragment(of_line[0][i]))));
        REQUIRE(held(feed_fragment(cache, pool, fragment(of_line[1][i]))));
    }
    const auto step = feed_fragment(cache, pool, fragment(of_both[0]));
    CHECK(step.reason == drop_reason::fragment_limit);
    CHECK(step.evicted_datagrams == 0);
    CHECK(cache.held() == 24);
}

TEST_CASE("lone fragments do not stop other datagrams from being reassembled") {
    pool_type pool;
    cache_type cache{secret};
    for (u16 id = 1; id <= 1100; ++id) {
        const auto step = feed_fragment(cache, pool, head_fragment(id), instant{id});
        CHECK(held(step));
        CHECK(step.evicted_datagrams == (id > 4 ? 1 : 0));
        CHECK(step.evicted_pieces == (id > 4 ? 1 : 0));
    }
    for (u16 id = 2000; id < 2100; ++id) {
        CHECK(held(feed_fragment(cache, pool, head_fragment(id), instant{id})));
        auto step = feed_fragment(cache, pool, tail_fragment(id), instant{id});
        REQUIRE(step.kind == reassembly_result::complete);
        CHECK(is_whole_datagram(step.packet, 32));
    }
    CHECK(cache.held() == 3);
    CHECK(pool.available() == 64 - 3);
}

TEST_CASE("the datagram that began first is evicted, whole, whatever arrived since") {
    pool_type pool;
    cache_type cache{secret};
    for (u16 id = 1; id <= 4; ++id) {
        CHECK(held(feed_fragment(cache, pool, head_fragment(id), instant{id})));
    }
    CHECK(held(feed_fragment(cache, pool, {.start = 32, .length = 8, .id = 1}, instant{5})));
    const auto step = feed_fragment(cache, pool, head_fragment(5), instant{6});
    CHECK(held(step));
    CHECK(step.evicted_datagrams == 1);
    CHECK(step.evicted_pieces == 2);
    CHECK(cache.held() == 4);
    CHECK(feed_fragment(cache, pool, tail_fragment(2), instant{7}).pieces ==
          2);  // the second is still there
    CHECK(held(feed_fragment(cache, pool, tail_fragment(1), instant{8})));  // the first is not
    CHECK(cache.next_deadline() == instant{3} + 30_s);
}

TEST_CASE("without free pieces another datagram is evicted, never the fragment's own") {
    pool_type pool;
    cache_type cache{secret};
    CHECK(held(feed_fragment(cache, pool, head_fragment(1), instant{1})));
    CHECK(held(feed_fragment(cache, pool, head_fragment(2), instant{2})));
    for (u32 i = 1; i <= 6; ++i) {
        CHECK(held(
            feed_fragment(cache, pool, {.start = 24 + 16 * i, .length = 8, .id = 1}, instant{3})));
    }
    CHECK(cache.held() == 8);
    auto step = feed_fragment(cache, pool, {.start = 400, .length = 8, .id = 1}, instant{4});
    CHECK(held(step));
    CHECK(step.evicted_datagrams == 1);
    CHECK(step.evicted_pieces == 1);
    step = feed_fragment(cache, pool, {.start = 600, .length = 8, .id = 1}, instant{5});
    CHECK(step.reason == drop_reason::fragment_limit);  // it holds all the memory itself
    CHECK(step.evicted_datagrams == 0);
    CHECK(cache.held() == 8);
    // Another datagram gets the memory of all eight.
    step = feed_fragment(cache, pool, head_fragment(3), instant{6});
    CHECK(held(step));
    CHECK(step.evicted_datagrams == 1);
    CHECK(step.evicted_pieces == 8);
    CHECK(cache.held() == 1);
    CHECK(pool.available() == 63);
}

TEST_CASE("the threshold evicts as many datagrams as needed; zero refuses every fragment") {
    pool_type pool;
    cache_type cache{secret};
    for (u16 id = 1; id <= 4; ++id) {
        CHECK(
            held(feed_fragment(cache, pool, {.start = 0, .length = 1400, .id = id}, instant{id})));
    }
    const reassembly_limits lower{.high_threshold = 1420 + fragment_charge + datagram_charge};
    auto step = feed_fragment(cache, pool, head_fragment(9), instant{9}, lower);
    CHECK(held(step));
    CHECK(step.evicted_datagrams == 3);
    CHECK(cache.held() == 2);
    step = feed_fragment(cache, pool, head_fragment(10), instant{10}, {.high_threshold = 0});
    CHECK(step.reason == drop_reason::fragment_limit);
    CHECK(step.evicted_datagrams == 0);
}

}  // namespace reassembly_eviction
