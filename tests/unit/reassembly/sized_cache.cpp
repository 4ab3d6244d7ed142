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

// At most so many: the place of a record, which is a number of 32 bits, says its line and its slot
// (the test of keyed_slots fills the last line).
TEST_CASE("a size beyond 2^28 datagrams or 2^30 fragments is none; the largest has a memory size") {
    constexpr std::size_t datagrams = std::size_t{1} << 28;
    constexpr std::size_t fragments = std::size_t{1} << 30;
    constexpr std::size_t all = ~std::size_t{};
    static_assert(u64{detail::slot_line::lines_for(datagrams)} * 32 <= u64{1} << 32);
    // More than a pointer for each, and no more than bounded_cache says that it needs.
    constexpr std::size_t largest = cache::memory_for({datagrams, fragments});
    static_assert(largest > 8 * (datagrams + fragments));
    static_assert(largest < 700 * datagrams + 200 * fragments);
    static_assert(cache::memory_for({datagrams - 1, fragments}) < largest);
    static_assert(cache::memory_for({datagrams, fragments - 1}) < largest + 64);

    pool_type pool;
    std::vector<std::byte> memory(cache::memory_for({4, 8}));
    for (const cache_size size : {cache_size{datagrams + 1, fragments},
                                  {datagrams + 1, 8},
                                  {2 * datagrams, fragments},
                                  {4, fragments + 1},
                                  {datagrams, fragments + 1},
                                  {all, all},
                                  {all / 64, 8},
                                  {4, all / 64 + 2}}) {
        CAPTURE(size.datagrams);
        CAPTURE(size.fragments);
        REQUIRE(cache::memory_for(size) == 0);  // else the cache would write behind the memory
        cache c{secret, memory, size};
        CHECK(c.capacity() == 0);
        CHECK(feed_fragment(c, pool, head_fragment(1)).reason == drop_reason::fragment_limit);
        CHECK(c.held() == 0);
    }
    // Of the largest size, but with too little memory.
    cache c{secret, memory, {datagrams, fragments}};
    CHECK(c.capacity() == 0);
}

}  // namespace reassembly_sized_cache
