// Runs the conformance suite on each overlap rule of the library and on three rules of a user, and
// tests how a cache asks a rule.
#include "../unit/reassembly/fragments.hpp"
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/testing/conformance/overlap.hpp>

#include <vector>

namespace conformance_overlap {
using namespace reassembly_test;

namespace {

// A user's own rules: one of a size, and two that give every answer.
struct longer_wins {
    static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
        return held.size() >= incoming.size() ? overlap_answer::keep_held
                                              : overlap_answer::keep_incoming;
    }
};
struct by_arithmetic {
    static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
        if (held.end % 64 != 0 && incoming.end % 64 == 0) {
            return overlap_answer::drop_datagram;
        }
        return held.contains(incoming)    ? overlap_answer::keep_held
               : incoming.contains(held)  ? overlap_answer::keep_incoming
               : incoming.start % 16 != 0 ? overlap_answer::drop_fragment
                                          : overlap_answer::keep_held;
    }
};
struct forgiving {  // refuses runs: a fragment by its size, else its datagram
    static constexpr run_answer refuse(byte_range run, byte_range incoming) noexcept {
        return run.contains(incoming)                ? run_answer::duplicate
               : incoming.end - incoming.start <= 32 ? run_answer::drop_fragment
                                                     : run_answer::drop_datagram;
    }
};

}  // namespace

TEST_CASE_TEMPLATE("overlap", Rule, overlap::reject_datagram, overlap::reject_fragment,
                   overlap::keep_first, overlap::keep_last, overlap::bsd, overlap::bsd_right,
                   overlap::old_linux, overlap::windows, overlap::solaris, longer_wins,
                   by_arithmetic, forgiving) {
    support::conforms(testing::conformance::overlap_rule<Rule>(support::to_doctest), 60'000);
}

TEST_CASE(
    "a rule is asked about each remaining part of a piece in ascending order, then again to act") {
    struct recorded {
        static std::vector<byte_range>& asked() {
            static std::vector<byte_range> all;
            return all;
        }
        static overlap_answer settle(byte_range held, byte_range) noexcept {
            asked().push_back(held);
            return overlap_answer::keep_incoming;
        }
    };
    using pool_type = fixed_pool<512, 16>;
    pool_type pool;
    bounded_cache<1, recorded, 8>::model<pool_type::packet_type> cache{secret};
    for (const u32 start : {0u, 32u, 16u}) {
        CHECK(feed_fragment(cache, pool, {.start = start, .length = 16}).kind ==
              reassembly_result::held);
    }
    CHECK(recorded::asked().empty());
    CHECK(feed_fragment(cache, pool, {.start = 8, .length = 32}).pieces_dropped == 1);
    const std::vector<byte_range> three{{0, 16}, {16, 32}, {32, 48}};
    std::vector<byte_range> twice = three;
    twice.insert(twice.end(), three.begin(), three.end());
    CHECK(recorded::asked() == twice);
    recorded::asked().clear();
    CHECK(feed_fragment(cache, pool, {.start = 0, .length = 16}).pieces_dropped == 1);
    CHECK(recorded::asked() == std::vector<byte_range>{{0, 8}, {8, 40}, {0, 8}, {8, 40}});
}

TEST_CASE("a dropped fragment changes nothing, even if its first overlap was permitted") {
    struct first_only {
        static constexpr overlap_answer settle(byte_range held, byte_range) noexcept {
            return held.start == 0 ? overlap_answer::keep_incoming : overlap_answer::drop_fragment;
        }
    };
    using pool_type = fixed_pool<512, 16>;
    pool_type pool;
    bounded_cache<1, first_only, 8>::model<pool_type::packet_type> cache{secret};
    static_cast<void>(feed_fragment(cache, pool, {.start = 0, .length = 16}));
    static_cast<void>(feed_fragment(cache, pool, {.start = 16, .length = 16}));
    const auto refused = feed_fragment(cache, pool, {.start = 8, .length = 16, .flavour = 1});
    CHECK(refused.reason == drop_reason::fragment_overlap);
    CHECK(cache.held() == 2);
    auto whole = feed_fragment(cache, pool, {.start = 32, .length = 4, .more = false});
    REQUIRE(whole.kind == reassembly_result::complete);
    CHECK(is_whole_datagram(whole.packet, 36));
}

TEST_CASE("a type that is no overlap rule, or two at once, does not model the concept") {
    struct both : overlap::keep_first, overlap::reject_datagram {};
    struct may_throw {
        static overlap_answer settle(byte_range, byte_range) { return overlap_answer::keep_held; }
    };
    CHECK(overlap_policy<overlap::keep_last>);
    CHECK(overlap_policy<overlap::reject_fragment>);
    CHECK_FALSE(overlap_policy<both>);
    CHECK_FALSE(overlap_policy<may_throw>);
    CHECK_FALSE(overlap_policy<int>);
}

}  // namespace conformance_overlap
