// fragment_counters against a map, with few sources, many, and more than it has places for.
#include "fragments.hpp"

#include <sluice/base/random.hpp>
#include <sluice/base/siphash.hpp>
#include <sluice/reassembly/fragment_counters.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <vector>

namespace reassembly_fragment_counters {
using namespace reassembly_test;

namespace {

constexpr u32 none = detail::fragment_counters::none;

struct subject {
    std::vector<detail::fragment_counter> memory;
    detail::fragment_counters counters;

    explicit subject(std::size_t datagrams, u64 secret = siphash({4, 5}, 6))
        : memory(detail::fragment_counters::counters_for(datagrams)),
          counters(memory.data(), datagrams, secret) {}
};

// 1,000 sources, the same in each call.
std::vector<u32> thousand_sources() {
    keyed_random random{hash_key{5, 6}};
    std::vector<u32> all(1000);
    for (u32& source : all) {
        source = static_cast<u32>(random.next());
    }
    return all;
}
// Which of them have no counter in a cache that holds a datagram of each: for these a fragment that
// comes after others of its source is not too far.
std::vector<u32> without_counter(hash_key secret) {
    using pool_type = fixed_pool<256, 2100>;
    using cache_type = bounded_cache<1024>::model<pool_type::packet_type>;
    constexpr reassembly_limits near{.max_distance = 1};
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<cache_type>(secret);
    const auto feed = [&](fragment_fields f, u32 source) {
        f.source = source;
        return feed_fragment(*cache, *pool, f, {}, near);
    };
    const std::vector<u32> sources = thousand_sources();
    for (const u32 source : sources) {
        REQUIRE(held(feed(at(8, 8), source)));
    }
    std::vector<u32> without;
    for (const u32 source : sources) {
        REQUIRE(held(feed(head_fragment(2), source)));
        REQUIRE(feed(tail_fragment(2), source).kind == reassembly_result::complete);
        const auto step = feed(at(24, 8), source);
        REQUIRE(held(step));
        if (!step.too_far) {
            without.push_back(source);
        }
    }
    return without;
}

}  // namespace

TEST_CASE("each source counts its own fragments, as a map does") {
    subject s{64};
    struct source {
        u32 number = 0;
        std::vector<u32> datagrams;  // their counters
        u32 fragments = 0;           // since the first of these joined
        u32 from = 0;                // the counter before
    };
    std::map<u64, source> model;
    keyed_random random{hash_key{1, 2}};
    u32 refused = 0;
    for (u32 i = 0; i < 200'000; ++i) {
        const u64 name = random.below(150) + (u64{random.below(2)} << 32);
        source& of = model[name];
        if (of.datagrams.empty() || random.below(4) == 0) {
            const u32 more = 1 + random.below(3);
            u32 count = more;
            const u32 number = s.counters.join(name, count);
            if (number == none) {
                REQUIRE(of.datagrams.empty());
                ++refused;
                continue;
            }
            if (of.datagrams.empty()) {
                of.number = number;
                of.from = count - more;
                of.fragments = 0;
            }
            REQUIRE(number == of.number);
            of.datagrams.push_back(number);
            of.fragments += more;
            REQUIRE(count - of.from == of.fragments);
        } else if (random.below(3) == 0) {
            s.counters.leave(of.datagrams.back());
            of.datagrams.pop_back();
        } else {
            REQUIRE(++s.counters.fragments(of.number) - of.from == ++of.fragments);
            s.counters.count(name, 2);
            of.fragments += 2;
            s.counters.count((u64{1} << 40) + i, 3);  // of a source that has no counter
        }
    }
    CHECK(refused > 0);  // eight sources of two lines are all that they serve
    s.counters.leave(none);
}

TEST_CASE("with all datagrams held, each of another source, one in 100 has no counter") {
    for (const std::size_t n : {64u, 1024u, 16'384u}) {
        CAPTURE(n);
        std::size_t refused = 0;
        constexpr u32 secrets = 50;
        for (u64 secret = 0; secret < secrets; ++secret) {
            subject s{n, siphash({1, 2}, secret)};
            keyed_random random{hash_key{secret, 3}};
            for (u64 i = 0; i < n; ++i) {
                u32 count = 1;
                refused +=
                    s.counters.join(random.next() & 0xffff'ffff'ffff, count) == none ? 1u : 0u;
            }
        }
        CHECK(refused <= secrets * n / 100);
    }
}

TEST_CASE("in a cache of up to eight datagrams every source has a counter") {
    for (u64 secret = 0; secret < 300; ++secret) {
        subject s{8, siphash({7, 8}, secret)};
        std::vector<u32> held;
        for (u64 source = 0; source < 200; ++source) {
            if (held.size() == 8) {
                s.counters.leave(held[source % 8]);
                held.erase(held.begin() + static_cast<long>(source % 8));
            }
            u32 count = 1;
            held.push_back(s.counters.join(source * 77, count));
            REQUIRE(held.back() != none);
        }
    }
}

TEST_CASE("sources that differ in the routing domain alone do not share a line") {
    subject s{1024};
    u32 served = 0;
    for (u64 domain = 0; domain < 256; ++domain) {
        u32 count = 1;
        served += s.counters.join(7 | domain << 32, count) != none ? 1u : 0u;
    }
    CHECK(served > 240);
}

TEST_CASE("the secret decides which sources share lines") {
    const auto refused = [](u64 secret) {
        subject s{1024, secret};
        std::vector<u32> all;
        for (const u32 source : thousand_sources()) {
            u32 count = 1;
            if (s.counters.join(source, count) == none) {
                all.push_back(source);
            }
        }
        return all;
    };
    const std::vector<u32> first = refused(siphash({4, 5}, 6));
    CHECK_FALSE(first.empty());
    CHECK(first == refused(siphash({4, 5}, 6)));
    CHECK(first != refused(siphash({4, 5}, 7)));
}

TEST_CASE("a cache's secret decides which sources have no counter") {
    const std::vector<u32> first = without_counter({1, 2});
    CHECK_FALSE(first.empty());
    CHECK(first == without_counter({1, 2}));
    CHECK(first != without_counter({1, 3}));
    CHECK(first != without_counter({2, 2}));
}

}  // namespace reassembly_fragment_counters
