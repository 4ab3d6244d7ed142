// The short way of fragments that come in order, against the long way: a cache with a bound that is
// never reached must look at it for each fragment, and so takes the long way with all of them.
#include "fragments.hpp"

#include <sluice/base/random.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <utility>

namespace reassembly_short_way {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 512>;
using packet = pool_type::packet_type;

// Fragments that overlap a run, and may reach beyond it, are ignored.
struct ignore_overlaps {
    static constexpr run_answer refuse(byte_range, byte_range) noexcept {
        return run_answer::ignore;
    }
};

struct fed {
    fragment_fields fields;
    duration received_at;
    instant now;
    u16 domain = 0;
};

template <class Cache>
reassembly_step<packet> feed(Cache& cache, pool_type& pool, const fed& f,
                             const reassembly_limits& limits) {
    packet p = fragment_of(pool, f.fields);
    if (f.received_at != duration{}) {
        p.writable_metadata().received_at = f.received_at;
    }
    return cache.insert(pipeline::validate(p).value(), reassembly_user::local_delivery, f.domain,
                        f.now, limits);
}

// A fragment that mostly continues the one before it, and is like it.
void draw_next(keyed_random& random, fragment_fields& f, u32 size) {
    f.start += f.length - f.length % 8;
    f.length = size;
    f.more = random.below(4) != 0;
    if (!f.more && random.below(2) == 0) {
        f.length = 1 + random.below(2 * size);
    }
    switch (random.below(40)) {
    case 0:
        f.tos = static_cast<u8>(random.below(256));
        break;
    case 1:
        f.dont_fragment = !f.dont_fragment;
        break;
    case 2:
        f.length = random.below(2 * size);
        break;
    case 3:
        f.start += 8;
        break;
    case 4:
        f.start -= f.start >= 8 ? 8u : 0u;
        break;
    case 5:
        f.options = static_cast<u8>(4 * random.below(3));
        break;
    default:
        break;
    }
}

template <class Rule, on_full OnFull>
void compare() {
    using cache_type = typename bounded_cache<16, Rule, 64, OnFull>::template model<packet>;
    auto short_pool = std::make_unique<pool_type>();
    auto long_pool = std::make_unique<pool_type>();
    auto short_cache = std::make_unique<cache_type>(secret);
    auto long_cache =
        std::make_unique<cache_type>(secret, reassembly_memory{.datagram = u64{1} << 40});
    keyed_random random{hash_key{7, 8}};
    u32 completed = 0;
    u32 too_far = 0;
    for (u32 round = 0; round < 3000; ++round) {
        const reassembly_limits limits{
            .timeout = 30_s,
            .high_threshold = random.below(3) == 0 ? 4000 + random.below(4000) : 4u << 20,
            .max_distance = random.below(3) == 0 ? 1 + random.below(4) : 64};
        fragment_fields trains[3];
        for (auto& f : trains) {
            f = {.start = 0,
                 .length = 8 * (1 + random.below(8)),
                 .id = static_cast<u16>(random.below(40)),
                 .source = 0x0a000100 + random.below(3),
                 .dont_fragment = random.below(3) == 0};
        }
        const u32 interleaved = random.below(3) == 0 ? 3 : 1;
        const u32 size = trains[0].length;
        for (u32 i = 0; i < 24; ++i) {
            fragment_fields& f = trains[random.below(interleaved)];
            const fed next{.fields = f,
                           .received_at = duration{random.below(2) == 0 ? 0 : 1 + i},
                           .now = instant{} + 1_s * round,
                           .domain = static_cast<u16>(random.below(30) == 0 ? 1 : 0)};
            auto a = feed(*short_cache, *short_pool, next, limits);
            auto b = feed(*long_cache, *long_pool, next, limits);
            CAPTURE(round);
            CAPTURE(i);
            REQUIRE(a.kind == b.kind);
            REQUIRE(a.reason == b.reason);
            REQUIRE(a.pieces == b.pieces);
            REQUIRE(a.pieces_dropped == b.pieces_dropped);
            REQUIRE(a.evicted_pieces == b.evicted_pieces);
            REQUIRE(a.evicted_datagrams == b.evicted_datagrams);
            REQUIRE(a.too_far == b.too_far);
            REQUIRE(content_of(a.packet) == content_of(b.packet));
            const metadata& of_a = std::as_const(a.packet).metadata();
            const metadata& of_b = std::as_const(b.packet).metadata();
            REQUIRE(of_a.largest_fragment == of_b.largest_fragment);
            REQUIRE(of_a.fragment_df == of_b.fragment_df);
            REQUIRE(of_a.received_at == of_b.received_at);
            REQUIRE(short_cache->held() == long_cache->held());
            REQUIRE(short_cache->charged() == long_cache->charged());
            REQUIRE(short_cache->memory_held() == long_cache->memory_held());
            REQUIRE(short_cache->next_deadline() == long_cache->next_deadline());
            completed += a.kind == reassembly_result::complete ? 1 : 0;
            too_far += a.too_far ? 1 : 0;
            if (random.below(20) != 0) {  // else a duplicate comes next
                draw_next(random, f, size);
            }
        }
        u32 ended = 0;
        short_cache->expire(instant{} + 1_s * round, [&](auto&& e) { ended += e.pieces; });
        long_cache->expire(instant{} + 1_s * round, [&](auto&& e) { ended -= e.pieces; });
        REQUIRE(ended == 0);
    }
    CHECK(completed > 500);
    CHECK(too_far > 50);
}

}  // namespace

TEST_CASE("fragments in order come to the same by the short way") {
    compare<overlap::reject_datagram, on_full::refuse>();
    compare<overlap::reject_datagram, on_full::evict_oldest>();
    compare<overlap::reject_fragment, on_full::evict_oldest>();
}

TEST_CASE("so they do after fragments that a rule ignored") {
    compare<ignore_overlaps, on_full::evict_oldest>();
}

// The offset of a fragment behind it would be 8,192: the fields of a last fragment with DF, at 0.
TEST_CASE("nothing continues a fragment that ends at 65,536") {
    for (const bool dont_fragment : {false, true}) {
        CAPTURE(dont_fragment);
        const auto large_pool = std::make_unique<fixed_pool<33'000, 8>>();
        bounded_cache<2, overlap::reject_datagram, 8>::model<fixed_pool<33'000, 8>::packet_type>
            cache{secret};
        fragment_fields f{.start = 0, .length = 32'752, .dont_fragment = dont_fragment};
        CHECK(held(feed_fragment(cache, *large_pool, f)));
        for (const fragment_fields next : {at(32'752, 32'752), at(65'504, 16), at(65'520, 16)}) {
            f.start = next.start;
            f.length = next.length;
            CHECK(held(feed_fragment(cache, *large_pool, f)));
        }
        f = {.start = 0, .length = 16, .more = false, .dont_fragment = !dont_fragment};
        CHECK(feed_fragment(cache, *large_pool, f).reason == drop_reason::fragment_invalid);
        CHECK(cache.held() == 0);
    }
}

// A packet's offset in its block has 16 bits.
TEST_CASE("a fragment whose data would begin beyond byte 65,535 of its block is not appended") {
    using far_pool = fixed_pool<70'000, 8>;
    struct far_source {
        using packet_type = far_pool::packet_type;
        far_pool& from;
        packet_type take(u16) { return from.take(65'520); }
    };
    const auto blocks = std::make_unique<far_pool>();
    far_source far{*blocks};
    bounded_cache<8>::model<far_pool::packet_type> cache{secret};
    for (const bool more : {true, false}) {
        CAPTURE(more);
        CHECK(held(feed_fragment(cache, *blocks, {.start = 0, .length = 16})));
        const auto step = feed_fragment(cache, far, {.start = 16, .length = 16, .more = more});
        CHECK(step.reason == drop_reason::fragment_limit);
        CHECK(cache.held() == 0);
        CHECK(blocks->available() == 8);
    }
}

}  // namespace reassembly_short_way
