// A cache in the program's memory: the same as a bounded_cache, for every size; nothing when the
// memory is too small.
#include "fragments.hpp"

#include <sluice/reassembly/sized_cache.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace reassembly_sized_cache {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 400>;
using packet = pool_type::packet_type;
using cache = sized_cache<>::model<packet>;
constexpr reassembly_limits near{.max_distance = 0};

}  // namespace

TEST_CASE("holds as many datagrams and fragments as it was made for") {
    for (const std::size_t n : {1u, 2u, 7u, 100u}) {
        CAPTURE(n);
        pool_type pool;
        std::vector<std::byte> memory(cache::memory_for({n, 2 * n}) + 1);
        {
            cache c{secret, std::span{memory}.subspan(1), {n, 2 * n}};
            CHECK(c.capacity() == 2 * n);
            for (u32 id = 0; id < n + 3; ++id) {
                const auto step =
                    feed_fragment(c, pool, head_fragment(static_cast<u16>(id)), {}, near);
                CHECK(held(step) == (id < n));
            }
            for (u32 i = 0; i < n + 3; ++i) {
                const auto step =
                    feed_fragment(c, pool, {.start = 48 + 16 * i, .length = 8, .id = 0}, {}, near);
                CHECK(held(step) == (i < n));
            }
            CHECK(c.held() == 2 * n);
            CHECK(c.memory_held() == 2 * n * pool_type::block_capacity);
            u32 ended = 0;
            c.expire(c.next_deadline(), [&ended](expired_datagram<packet>&& e) {
                CHECK(bool{e.first});
                CHECK(e.first.size() == 44);
                ++ended;
            });
            CHECK(ended == n);
            CHECK(held(feed_fragment(c, pool, head_fragment(7))));
            auto whole = feed_fragment(c, pool, tail_fragment(7));
            REQUIRE(whole.kind == reassembly_result::complete);
            CHECK(is_whole_datagram(whole.packet, 32));
            CHECK(held(feed_fragment(c, pool, tail_fragment(9))));
        }
        CHECK(pool.available() == 400);
    }
}

TEST_CASE("too little memory, or no size: refuses every fragment") {
    pool_type pool;
    std::vector<std::byte> memory(cache::memory_for({4, 8}));
    CHECK(cache::memory_for({0, 2}) == 0);
    CHECK(cache::memory_for({1, 1}) == 0);
    CHECK(cache::memory_for({1, (std::size_t{1} << 30) + 1}) == 0);
    for (const cache_size size : {cache_size{0, 8}, {4, 0}, {5, 8}, {4, 100}}) {
        CAPTURE(size.datagrams);
        cache c{secret, memory, size};
        CHECK(c.capacity() == 0);
        CHECK(feed_fragment(c, pool, head_fragment(1)).reason == drop_reason::fragment_limit);
        CHECK(c.next_deadline() == instant::never());
    }
}

}  // namespace reassembly_sized_cache
