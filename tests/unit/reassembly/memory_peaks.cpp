// The worst input for each bound of buffers, all, of a source, of a datagram: the bytes that are
// out, counted by the buffers' own source, never exceed it, and nearly reach it.
#include "fragments.hpp"

#include <sluice/base/random.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/reassembly/sized_cache.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <new>
#include <vector>

namespace reassembly_memory_peaks {
using namespace reassembly_test;

namespace {

constexpr u32 largest_buffer = 2048;

// Buffers of the capacity and tag that the test asks for; counts the bytes that are out, by tag.
class counted_buffers final : external_storage::recycler {
    using block = external_storage::block;
    static_assert(alignof(block) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

public:
    using packet_type = basic_packet<external_storage, unique>;

    void next(u32 capacity, u64 tag) {
        capacity_ = capacity;
        tag_ = tag;
    }
    [[nodiscard]] packet_type take(u16 headroom) {
        auto* const room = new std::byte[sizeof(block) + capacity_];
        block* const made = new (room) block;
        made->bytes = room + sizeof(block);
        made->size = capacity_;
        made->owner = this;
        made->tag = tag_;
        out_[tag_] += capacity_;
        return packet_type::adopt(made, headroom, 0);
    }
    [[nodiscard]] u64 all_out() const {
        u64 all = 0;
        for (const auto& [tag, bytes] : out_) {
            all += bytes;
        }
        return all;
    }
    [[nodiscard]] u64 most_out_of_a_tag() const {
        u64 most = 0;
        for (const auto& [tag, bytes] : out_) {
            most = std::max(most, bytes);
        }
        return most;
    }

private:
    void recycle(block& b) noexcept override {
        out_[b.tag] -= b.size;
        if (out_[b.tag] == 0) {
            out_.erase(b.tag);
        }
        b.~block();
        delete[] reinterpret_cast<std::byte*>(&b);
    }
    [[nodiscard]] block* another() noexcept override { return nullptr; }

    std::map<u64, u64> out_;
    u32 capacity_ = 0;
    u64 tag_ = 0;
};
using packet = counted_buffers::packet_type;

enum class bound { all, source, datagram };
enum class input {
    lone,    // fragments of datagrams that are never complete
    sparse,  // small pieces of one datagram of each source, with holes
    mixed,   // duplicates, overlaps, ends, whole datagrams
};

fragment_fields fragment_of(input kind, u32 n, keyed_random& random) {
    fragment_fields f{
        .start = 8, .length = 8, .id = static_cast<u16>(n), .source = 0x0a000102 + n % 3};
    switch (kind) {
    case input::lone:
        break;
    case input::sparse:
        f.start = 16 * (n / 3 % 4000);
        f.id = 1;
        break;
    case input::mixed:
        f.start = 8 * random.below(12);
        f.length = 8 * (1 + random.below(4));
        f.more = random.below(6) != 0;
        f.id = static_cast<u16>(random.below(random.below(2) == 0 ? 3 : 300));
        break;
    }
    return f;
}

template <class Cache>
void flood(Cache& cache, counted_buffers& buffers, bound kind, u64 limit, input what) {
    keyed_random random{hash_key{3, 4}};
    u64 peak = 0;
    for (u32 n = 0; n < 3000; ++n) {
        const fragment_fields f = fragment_of(what, n, random);
        // The largest buffer for the least data; others among them, so that no sum comes out even.
        const u32 capacity = random.below(4) == 0 ? 64 + random.below(1000) : largest_buffer;
        const u64 of_source = f.source;
        buffers.next(capacity, kind == bound::datagram ? of_source << 16 | f.id
                               : kind == bound::source ? of_source
                                                       : 0);
        static_cast<void>(feed_fragment(cache, buffers, f, instant{n}, {.max_distance = 0}));
        REQUIRE(cache.memory_held() == buffers.all_out());
        REQUIRE(buffers.most_out_of_a_tag() <= limit);
        peak = std::max(peak, buffers.most_out_of_a_tag());
    }
    if (what != input::mixed && !(kind == bound::datagram && what == input::lone)) {
        CHECK(peak + largest_buffer > limit);
    }
    cache.expire(instant::never(), [](auto&&) {});
    CHECK(buffers.all_out() == 0);
    CHECK(cache.memory_held() == 0);
}

template <class Rule, on_full OnFull>
void flood_all_bounds() {
    constexpr u64 limit = 20'001;
    constexpr cache_size size{.datagrams = 3000, .fragments = 4000};
    using sized = typename sized_cache<Rule, OnFull>::template model<packet>;
    using fixed = typename bounded_cache<128, Rule, 512, OnFull>::template model<packet>;
    for (const bound kind : {bound::all, bound::source, bound::datagram}) {
        for (const input what : {input::lone, input::sparse, input::mixed}) {
            CAPTURE(kind);
            CAPTURE(what);
            reassembly_memory bounds;
            (kind == bound::all      ? bounds.all
             : kind == bound::source ? bounds.source
                                     : bounds.datagram) = limit;
            counted_buffers buffers;
            std::vector<std::byte> memory(sized::memory_for(size));
            sized in_memory{secret, memory, size, bounds};
            flood(in_memory, buffers, kind, limit, what);
            const auto fixed_size = std::make_unique<fixed>(secret, bounds);
            flood(*fixed_size, buffers, kind, limit, what);
        }
    }
}

}  // namespace

TEST_CASE_TEMPLATE("memory_peaks: refusing, no bound is exceeded", Rule, overlap::reject_datagram,
                   overlap::keep_last) {
    flood_all_bounds<Rule, on_full::refuse>();
}

TEST_CASE_TEMPLATE("memory_peaks: evicting, no bound is exceeded", Rule, overlap::reject_datagram,
                   overlap::keep_last) {
    flood_all_bounds<Rule, on_full::evict_oldest>();
}

// The cache evicted until nobody was left before it saw that the buffer alone exceeds the bound.
TEST_CASE("memory_peaks: a fragment whose buffer exceeds a bound evicts nobody") {
    using cache_type =
        bounded_cache<8, overlap::reject_datagram, 16, on_full::evict_oldest>::model<packet>;
    for (const reassembly_memory bounds :
         {reassembly_memory{.all = 2000}, {.source = 2000}, {.source = 2000, .datagram = 1000}}) {
        counted_buffers buffers;
        cache_type cache{secret, bounds};
        buffers.next(256, 0);
        for (u16 id = 0; id < 4; ++id) {
            CHECK(held(feed_fragment(cache, buffers, head_fragment(id))));
        }
        buffers.next(2048, 0);
        const auto step = feed_fragment(cache, buffers, head_fragment(9));
        CHECK(step.reason == drop_reason::fragment_limit);
        CHECK(step.evicted_datagrams == 0);
        CHECK(cache.held() == 4);
    }
}

}  // namespace reassembly_memory_peaks
