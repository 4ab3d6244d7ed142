// Bounds of the buffers that fragments keep: never exceeded, whatever comes.
#include "fragments.hpp"

#include <sluice/base/random.hpp>
#include <sluice/packet/external_storage.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace reassembly_memory_bounds {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 600>;
using packet = pool_type::packet_type;
template <on_full OnFull, u32 Share = 1>
using cache_of = typename bounded_cache<64, overlap::reject_datagram, 256, OnFull,
                                        Share>::template model<packet>;
constexpr u64 one = pool_type::block_capacity;

// Lone fragments, whole datagrams, many small fragments of one, two sources, in random order.
template <class Cache>
void flood(const reassembly_memory& bounds) {
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<Cache>(secret, bounds);
    keyed_random random{hash_key{1, 2}};
    u64 peak = 0;
    u32 completed = 0;
    for (u32 i = 0; i < 30'000; ++i) {
        fragment_fields f{.start = 8 * random.below(random.below(4) == 0 ? 4 : 400),
                          .length = 8 * (1 + random.below(4)),
                          .more = random.below(8) != 0,
                          .id = static_cast<u16>(random.below(random.below(2) == 0 ? 4 : 1000)),
                          .source = 0x0a000102 + random.below(3)};
        if (random.below(3) == 0) {  // of a datagram of two
            f.start = 8 * random.below(2);
            f.length = 8;
            f.more = f.start == 0;
        }
        const auto step = feed_fragment(*cache, *pool, f, instant{i});
        completed += step.kind == reassembly_result::complete ? 1u : 0u;
        peak = std::max(peak, cache->memory_held());
        REQUIRE(cache->memory_held() == cache->held() * one);
        REQUIRE(cache->memory_held() <= bounds.all);
        if (random.below(2000) == 0) {
            cache->expire(instant{i} + 40_s, [](auto&&) {});
            REQUIRE(cache->memory_held() == 0);
        }
    }
    CHECK(peak > std::min(bounds.all, 3 * (bounds.source / 4)) / 2);  // it was tested
    CHECK(completed > 0);
}

// Frames of 16 MiB less a byte, which lie over each other: only their first bytes are used.
class vast_frames final : external_storage::recycler {
    using block = external_storage::block;

public:
    using packet_type = basic_packet<external_storage>;
    static constexpr u32 bytes = 0xffffff;

    explicit vast_frames(u32 count) : memory_(bytes + std::size_t{count} * room), blocks_(count) {
        for (block& b : blocks_) {
            b.bytes = memory_.data() + room * free_.size();
            b.size = bytes;
            b.owner = this;
            free_.push_back(&b);
        }
    }
    packet_type take(u16) {
        block* const b = free_.back();
        free_.pop_back();
        b->references = 1;
        return packet_type::adopt(b, 0);
    }
    [[nodiscard]] std::size_t out() const { return blocks_.size() - free_.size(); }

private:
    static constexpr std::size_t room = 256;

    void recycle(block& b) noexcept override { free_.push_back(&b); }
    block* another() noexcept override { return nullptr; }

    std::vector<std::byte> memory_;
    std::vector<block> blocks_;
    std::vector<block*> free_;
};

}  // namespace

TEST_CASE("all: the peak is below the bound with the worst input") {
    for (const u64 all : {4 * one, 20 * one + 1, 100 * one - 1}) {
        CAPTURE(all);
        flood<cache_of<on_full::refuse>>({.all = all});
        flood<cache_of<on_full::evict_oldest>>({.all = all});
        flood<cache_of<on_full::evict_oldest, 4>>({.all = all});
    }
}

TEST_CASE("a source: others are not affected") {
    pool_type pool;
    cache_of<on_full::refuse> cache{secret, {.source = 5 * one}};
    for (u16 id = 0; id < 20; ++id) {
        CHECK(held(feed_fragment(cache, pool, head_fragment(id))) == (id < 5));
    }
    fragment_fields other = head_fragment(1);
    other.source = 0x0a000103;
    CHECK(held(feed_fragment(cache, pool, other)));
    // The last fragment of a datagram too.
    CHECK(feed_fragment(cache, pool, tail_fragment(1)).reason == drop_reason::fragment_limit);
    cache.expire(instant{} + 30_s, [](auto&&) {});
    CHECK(held(feed_fragment(cache, pool, head_fragment(1))));
    CHECK(feed_fragment(cache, pool, tail_fragment(1)).kind == reassembly_result::complete);
    flood<cache_of<on_full::refuse>>({.source = 8 * one});
}

TEST_CASE("a source that evicts ends only its own datagrams") {
    pool_type pool;
    cache_of<on_full::evict_oldest> cache{secret, {.source = 5 * one}};
    fragment_fields other = head_fragment(1);
    other.source = 0x0a000103;
    CHECK(held(feed_fragment(cache, pool, other)));
    for (u16 id = 0; id < 20; ++id) {
        const auto step = feed_fragment(cache, pool, head_fragment(id));
        CHECK(held(step));
        CHECK(step.evicted_datagrams == (id < 5 ? 0 : 1));
    }
    CHECK(cache.memory_held() == 6 * one);
    other = tail_fragment(1);
    other.source = 0x0a000103;
    CHECK(feed_fragment(cache, pool, other).kind == reassembly_result::complete);
}

TEST_CASE("a datagram: its further fragments are refused") {
    pool_type pool;
    cache_of<on_full::evict_oldest> cache{secret, {.datagram = 3 * one}};
    for (u32 i = 0; i < 6; ++i) {
        const auto step = feed_fragment(cache, pool, {.start = 16 * i, .length = 8});
        CHECK(held(step) == (i < 3));
        CHECK(step.evicted_datagrams == 0);
    }
    CHECK(held(feed_fragment(cache, pool, head_fragment(2))));
}

TEST_CASE("less than one buffer: nothing is held") {
    pool_type pool;
    for (const reassembly_memory bounds :
         {reassembly_memory{.all = one - 1}, {.source = one - 1}, {.datagram = one - 1}}) {
        cache_of<on_full::evict_oldest> cache{secret, bounds};
        CHECK(feed_fragment(cache, pool, head_fragment(2)).reason == drop_reason::fragment_limit);
        CHECK(cache.memory_held() == 0);
    }
}

TEST_CASE("the buffers of a datagram are less than 4 GiB, and are counted, whatever their size") {
    const auto frames = std::make_unique<vast_frames>(300);
    bounded_cache<2, overlap::reject_datagram, 300>::model<vast_frames::packet_type> cache{secret};
    u64 taken = 0;
    for (u32 i = 0; i < 300; ++i) {
        taken += held(feed_fragment(cache, *frames, at(8 * i, 8))) ? 1u : 0u;
        REQUIRE(cache.memory_held() == taken * vast_frames::bytes);
        REQUIRE(frames->out() == taken);
    }
    CHECK(taken == 128);
    cache.expire(instant::never(), [](auto&&) {});
    CHECK(cache.memory_held() == 0);
    CHECK(frames->out() == 0);
}

}  // namespace reassembly_memory_bounds
