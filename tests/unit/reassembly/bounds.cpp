// The bounds of the cache: threshold, datagrams, fragments, distance, time.
#include "fragments.hpp"

#include <doctest/doctest.h>

namespace reassembly_bounds {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<2048, 32>;
using packet = pool_type::packet_type;
using cache_type = bounded_cache<16, overlap::reject_datagram, 24>::model<packet>;

static_assert(reassembly_policy<bounded_cache<16>, packet>);
static_assert(bounded_cache<1024>::model<packet>::fragment_limit == 2048);
static_assert(cache_type::memory_limit < 12'000);

}  // namespace

// Linux ipfrag_time, ipfrag_high_thresh, ipfrag_max_dist of a fresh namespace.
TEST_CASE("default limits are the kernel's") {
    const reassembly_limits limits{};
    CHECK(limits.timeout == 30_s);
    CHECK(limits.high_threshold == 4'194'304);
    CHECK(limits.max_distance == 64);
}

TEST_CASE("threshold: four full-size fragments pass 8000, then all are refused, none evicted") {
    pool_type pool;
    cache_type cache{secret};
    const reassembly_limits limits{.high_threshold = 8000};
    for (u16 id = 1; id <= 8; ++id) {
        const auto step =
            feed_fragment(cache, pool, {.start = 0, .length = 1400, .id = id}, {}, limits);
        CHECK(held(step) == (id <= 4));
    }
    const auto last = feed_fragment(
        cache, pool, {.start = 1400, .length = 8, .more = false, .id = 1}, {}, limits);
    CHECK(last.reason == drop_reason::fragment_limit);
    CHECK(cache.held() == 4);
    CHECK(cache.charged() == 4 * (1420 + fragment_charge + datagram_charge));
    CHECK(feed_fragment(cache, pool, head_fragment(1), {}, {.high_threshold = 0}).reason ==
          drop_reason::fragment_limit);
}

TEST_CASE("datagrams and fragments") {
    pool_type pool;
    cache_type cache{secret};
    for (u16 id = 0; id < 20; ++id) {
        CHECK(held(feed_fragment(cache, pool, head_fragment(id))) == (id < 16));
    }
    for (u32 i = 1; i <= 10; ++i) {
        CHECK(held(feed_fragment(cache, pool, {.start = 48 * i, .length = 8, .id = 3})) ==
              (i <= 8));
    }
    CHECK(cache.held() == cache_type::fragment_limit);
    CHECK(pool.available() == 32 - cache_type::fragment_limit);
    cache.expire(instant{} + 30_s, [](auto&&) {});
    CHECK(pool.available() == 32);
    CHECK(feed_fragment(cache, pool, head_fragment(99)).kind == reassembly_result::held);
}

TEST_CASE("distance: other fragments of the source between two of one datagram") {
    struct row {
        u32 max_distance;
        bool too_far;
    };
    for (const row& r :
         {row{.max_distance = 0, .too_far = false}, row{.max_distance = 1, .too_far = true},
          row{.max_distance = 3, .too_far = true}, row{.max_distance = 4, .too_far = false},
          row{.max_distance = 64, .too_far = false}}) {
        CAPTURE(r.max_distance);
        pool_type pool;
        cache_type cache{secret};
        const reassembly_limits limits{.max_distance = r.max_distance};
        CHECK(held(feed_fragment(cache, pool, head_fragment(1), {}, limits)));
        for (u16 id = 10; id <= 12; ++id) {
            CHECK(held(feed_fragment(cache, pool, head_fragment(id), {}, limits)));
            fragment_fields other = head_fragment(id);
            other.source = 0x0a000103;  // does not count
            CHECK(held(feed_fragment(cache, pool, other, {}, limits)));
        }
        auto step = feed_fragment(cache, pool, tail_fragment(1), instant{} + 5_s, limits);
        CHECK(step.too_far == r.too_far);
        CHECK(step.pieces_dropped == (r.too_far ? 1 : 0));
        CHECK(held(step) == r.too_far);
        if (r.too_far) {  // the time of the new datagram counts from its own first fragment
            CHECK(cache.held() == 7);
            u16 gone = 0;
            cache.expire(instant{} + 30_s,
                         [&gone](expired_datagram<packet>&& e) { gone += e.pieces; });
            CHECK(gone == 6);
            CHECK(cache.next_deadline() == instant{} + 35_s);
        }
    }
}

// Linux ip_frag_too_far and ip4_frag_init: a datagram that has no peer, or while ipfrag_max_dist
// is 0, counts no fragment.
TEST_CASE("distance: only fragments that are checked count") {
    const reassembly_limits checks{.max_distance = 3}, never{.max_distance = 0};
    const auto next_of = [](u16 id, u32 n) {
        return fragment_fields{.start = 16 * (n + 2), .length = 8, .id = id};
    };
    SUBCASE("those that came while nothing was checked do not") {
        pool_type pool;
        cache_type cache{secret};
        CHECK(held(feed_fragment(cache, pool, head_fragment(1), {}, checks)));
        CHECK(held(feed_fragment(cache, pool, head_fragment(2), {}, checks)));
        for (u32 n = 0; n < 6; ++n) {
            CHECK(held(feed_fragment(cache, pool, next_of(2, n), {}, never)));
        }
        CHECK(feed_fragment(cache, pool, tail_fragment(1), {}, checks).pieces == 2);
    }
    SUBCASE("those of a datagram that began while nothing was checked do not") {
        pool_type pool;
        cache_type cache{secret};
        CHECK(held(feed_fragment(cache, pool, head_fragment(1), {}, checks)));
        CHECK(held(feed_fragment(cache, pool, head_fragment(2), {}, never)));
        for (u32 n = 0; n < 6; ++n) {
            CHECK(held(feed_fragment(cache, pool, next_of(2, n), {}, checks)));
        }
        CHECK(feed_fragment(cache, pool, tail_fragment(1), {}, checks).pieces == 2);
    }
    SUBCASE("such a datagram is never too far itself") {
        pool_type pool;
        cache_type cache{secret};
        CHECK(held(feed_fragment(cache, pool, head_fragment(1), {}, never)));
        CHECK(held(feed_fragment(cache, pool, head_fragment(2), {}, checks)));
        for (u32 n = 0; n < 6; ++n) {
            CHECK(held(feed_fragment(cache, pool, next_of(2, n), {}, checks)));
        }
        CHECK(feed_fragment(cache, pool, tail_fragment(1), {}, checks).pieces == 2);
    }
    SUBCASE("duplicates and fragments that end their datagram do") {
        pool_type pool;
        cache_type cache{secret};
        CHECK(held(feed_fragment(cache, pool, head_fragment(1), {}, checks)));
        CHECK(held(feed_fragment(cache, pool, head_fragment(2), {}, checks)));
        CHECK(feed_fragment(cache, pool, head_fragment(2), {}, checks).reason ==
              drop_reason::fragment_duplicate);
        CHECK(feed_fragment(cache, pool, {.length = 4, .id = 3}, {}, checks).reason ==
              drop_reason::fragment_invalid);
        CHECK(feed_fragment(cache, pool, tail_fragment(1), {}, checks).too_far);
    }
}

// Linux ip4_frag_init: a datagram that begins while ipfrag_max_dist is 0 has no peer, and is never
// checked. A cache with bounds of sources has their records all the same.
TEST_CASE("distance: a datagram that began while it was not checked is not too far later") {
    pool_type pool;
    bounded_cache<16, overlap::reject_datagram, 24, on_full::refuse, 2>::model<packet> cache{
        secret};
    CHECK(held(feed_fragment(cache, pool, head_fragment(1))));  // keeps the record of the source
    for (u16 id = 10; id < 13; ++id) {
        CHECK(held(feed_fragment(cache, pool, head_fragment(id))));
    }
    CHECK(held(feed_fragment(cache, pool, head_fragment(3), {}, {.max_distance = 0})));
    const auto step = feed_fragment(cache, pool, tail_fragment(3), {}, {.max_distance = 2});
    CHECK_FALSE(step.too_far);
    CHECK(step.kind == reassembly_result::complete);
}

TEST_CASE("distance: idle sources make room for others") {
    pool_type pool;
    cache_type cache{secret};
    const reassembly_limits limits{.max_distance = 1};
    const auto from = [](fragment_fields s, u32 source) {
        s.source = source;
        return s;
    };
    for (u32 source = 1; source <= 40; ++source) {
        CHECK(held(feed_fragment(cache, pool, from(head_fragment(1), source), {}, limits)));
        CHECK(held(feed_fragment(cache, pool, from(head_fragment(2), source), {}, limits)));
        CHECK(feed_fragment(cache, pool, from(tail_fragment(2), source), {}, limits).pieces == 2);
        const auto late = feed_fragment(cache, pool, from(tail_fragment(1), source), {}, limits);
        CHECK(late.too_far);
        CHECK(feed_fragment(cache, pool, from(head_fragment(1), source), {}, limits).pieces == 2);
    }
}

TEST_CASE("time runs from the first fragment and is never renewed") {
    pool_type pool;
    cache_type cache{secret};
    CHECK(cache.next_deadline() == instant::never());
    CHECK(held(feed_fragment(cache, pool, tail_fragment(1), instant{} + 1_s)));
    CHECK(held(feed_fragment(cache, pool, head_fragment(2), instant{} + 2_s, {.timeout = 1_s})));
    CHECK(held(feed_fragment(cache, pool, {.start = 0, .length = 8, .id = 1, .options = 4},
                             instant{} + 30_s)));
    CHECK(cache.next_deadline() == instant{} + 3_s);
    std::vector<u16> pieces;
    const auto sink = [&pieces](expired_datagram<packet>&& e) {
        pieces.push_back(e.pieces);
        CHECK(bool{e.first});
    };
    cache.expire(instant{} + 3_s, sink);
    CHECK(pieces == std::vector<u16>{1});
    cache.expire(instant{} + 30_s, sink);
    CHECK(pieces.size() == 1);
    cache.expire(instant{} + 31_s, [&pieces](expired_datagram<packet>&& e) {
        pieces.push_back(e.pieces);
        REQUIRE(bool{e.first});
        const ipv4::const_view ip{e.first.data()};
        CHECK(ip[ipv4::ihl] == 6);
        CHECK(ip[ipv4::more_fragments]);
        CHECK(ipv4::checksum_ok(ip));
        CHECK(e.first.size() == 32);
    });
    CHECK(pieces == std::vector<u16>{1, 2});
    CHECK(held(feed_fragment(cache, pool, tail_fragment(7), instant{} + 40_s)));
    cache.expire(instant{} + 70_s, [](expired_datagram<packet>&& e) { CHECK(!e.first); });
    CHECK(pool.available() == 32);
}

TEST_CASE("which fields distinguish datagrams") {
    pool_type pool;
    cache_type cache{secret};
    CHECK(held(feed_fragment(cache, pool, head_fragment(1))));
    fragment_fields other = tail_fragment(1);
    other.source ^= 1;
    CHECK(held(feed_fragment(cache, pool, other)));
    other = tail_fragment(1);
    other.destination ^= 1;
    CHECK(held(feed_fragment(cache, pool, other)));
    other = tail_fragment(1);
    other.protocol = 254;
    CHECK(held(feed_fragment(cache, pool, other)));
    CHECK(held(feed_fragment(cache, pool, tail_fragment(2))));
    CHECK(held(feed_fragment(cache, pool, tail_fragment(1), {}, {}, reassembly_user::multicast)));
    CHECK(held(
        feed_fragment(cache, pool, tail_fragment(1), {}, {}, reassembly_user::local_delivery, 1)));
    CHECK(feed_fragment(cache, pool, tail_fragment(1)).kind == reassembly_result::complete);
}

TEST_CASE("a destroyed cache returns its buffers") {
    pool_type pool;
    {
        cache_type cache{secret};
        CHECK(held(feed_fragment(cache, pool, head_fragment(1))));
        CHECK(held(feed_fragment(cache, pool, {.start = 48, .length = 8, .id = 1})));
    }
    CHECK(pool.available() == 32);
}

TEST_CASE("a lone datagram with a shorter timeout is due before those that wait longer") {
    fixed_pool<256, 16> pool;
    bounded_cache<8>::model<fixed_pool<256, 16>::packet_type> cache{secret};
    CHECK(held(feed_fragment(cache, pool, head_fragment(1))));
    CHECK(held(feed_fragment(cache, pool, head_fragment(2))));
    CHECK(feed_fragment(cache, pool, tail_fragment(2)).kind == reassembly_result::complete);
    CHECK(held(feed_fragment(cache, pool, head_fragment(3), {}, {.timeout = 1_s})));
    CHECK(cache.next_deadline() == instant{} + 1_s);
    std::vector<u32> ended;
    const auto note = [&](auto&& e) {
        ended.push_back(ipv4::const_view{std::as_const(e.first).data()}[ipv4::identification]);
    };
    cache.expire(instant{} + 2_s, note);
    CHECK(ended == std::vector<u32>{3});
    cache.expire(instant{} + 60_s, note);
    CHECK(ended == std::vector<u32>{3, 1});
}

// Total length 0, as of a datagram of TCP segments that is longer than 65,535 bytes.
TEST_CASE("a datagram that says no length is refused") {
    fixed_pool<256, 4> pool;
    bounded_cache<2>::model<fixed_pool<256, 4>::packet_type> cache{secret};
    for (const bool more : {false, true}) {
        auto p = fragment_of(pool, {.start = 0, .length = 64, .more = more, .protocol = 6});
        const ipv4::view ip{p.data()};
        ip.set(ipv4::total_length, u16{0});
        ipv4::set_checksum(ip);
        p.metadata().segmentation = segmentation_kind::tcp_ipv4;
        p.metadata().segment_size = 32;
        auto checked = pipeline::validate(p);
        if (!checked.has_value()) {
            CHECK(more);  // segments are no fragments
            continue;
        }
        const auto step =
            cache.insert(std::move(checked).value(), reassembly_user::local_delivery, 0, {}, {});
        CHECK(step.reason == drop_reason::fragment_invalid);
        CHECK(cache.held() == 0);
        CHECK(pool.available() == 4);
    }
}

}  // namespace reassembly_bounds
