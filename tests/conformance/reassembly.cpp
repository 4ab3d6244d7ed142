// What every model of reassembly_policy keeps, whatever its rule for overlaps: one suite, run for
// each. To check a policy of your own, add it to the list.
#include "../unit/reassembly/fragments.hpp"

#include <sluice/reassembly/no_reassembly.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <random>

namespace conformance_reassembly {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<512, 64>;
using packet = pool_type::packet_type;

template <class Policy>
using model_of = typename Policy::template model<packet>;

template <class Policy>
constexpr bool may_hold = model_of<Policy>::fragment_limit > 0;

}  // namespace

#define SLUICE_REASSEMBLY_MODELS                                                                   \
    bounded_cache<16>, bounded_cache<8, overlap::reject_fragment, 32>,                             \
        bounded_cache<8, overlap::keep_first, 32>, bounded_cache<8, overlap::keep_last, 32>,       \
        bounded_cache<8, overlap::reject_datagram, 32, on_full::evict_oldest>, no_reassembly

TEST_CASE_TEMPLATE("it models the concept", Policy, SLUICE_REASSEMBLY_MODELS) {
    static_assert(reassembly_policy<Policy, packet>);
    const auto model = std::make_unique<model_of<Policy>>(secret);
    CHECK(model->held() == 0);
    CHECK(model->next_deadline() == instant::never());
    model->expire(instant{} + 100_s, [](auto&&) { FAIL("nothing was held"); });
}

TEST_CASE_TEMPLATE("two fragments, in both orders", Policy, SLUICE_REASSEMBLY_MODELS) {
    pool_type pool;
    const auto model = std::make_unique<model_of<Policy>>(secret);
    for (const bool reverse : {false, true}) {
        const spec pieces[] = {{.start = 0, .length = 64},
                               {.start = 64, .length = 3, .more = false}};
        auto first = feed(*model, pool, pieces[reverse ? 1 : 0]);
        auto second = feed(*model, pool, pieces[reverse ? 0 : 1]);
        if (may_hold<Policy>) {
            CHECK(first.kind == reassembly_outcome::held);
            REQUIRE(second.kind == reassembly_outcome::complete);
            CHECK(is_whole(second.packet, 67));
        } else {
            CHECK(first.reason == drop_reason::reassembly_refused);
            CHECK(second.kind == reassembly_outcome::refused);
        }
    }
    CHECK(pool.available() == 64);
}

TEST_CASE_TEMPLATE("the time is kept", Policy, SLUICE_REASSEMBLY_MODELS) {
    pool_type pool;
    const auto model = std::make_unique<model_of<Policy>>(secret);
    const reassembly_limits limits{.timeout = 2_s};
    const bool kept = feed(*model, pool, {.start = 0, .length = 8}, instant{} + 1_s, limits).kind ==
                      reassembly_outcome::held;
    CHECK(kept == may_hold<Policy>);
    CHECK(model->next_deadline() == (kept ? instant{} + 3_s : instant::never()));
    unsigned ended = 0;
    model->expire(instant{} + 3_s, [&ended](expired_datagram<packet>&& e) {
        ++ended;
        CHECK(e.pieces == 1);
        CHECK(bool{e.first});
    });
    CHECK(ended == (kept ? 1 : 0));
    CHECK(pool.available() == 64);
}

TEST_CASE_TEMPLATE("no buffer is lost and no limit passed in a hostile stream", Policy,
                   SLUICE_REASSEMBLY_MODELS) {
    pool_type pool;
    const auto model = std::make_unique<model_of<Policy>>(secret);
    std::mt19937 random{9};
    const auto below = [&random](u32 n) { return static_cast<u32>(random() % n); };
    instant now;
    for (int i = 0; i < 20'000; ++i) {
        const spec s{.start = 8 * below(below(50) == 0 ? 8192 : 16),
                     .length = below(120),
                     .more = below(3) != 0,
                     .id = static_cast<u16>(below(12)),
                     .tos = static_cast<u8>(below(20) == 0 ? 0 : 2),
                     .df = below(2) == 0,
                     .options = static_cast<u8>(4 * below(11))};
        const std::size_t before = model->held();
        auto step = feed(*model, pool, s, now);
        REQUIRE((step.kind == reassembly_outcome::refused) == (step.reason != drop_reason::none));
        const bool taken = step.kind != reassembly_outcome::refused;
        REQUIRE(model->held() + step.pieces_dropped + step.pieces + step.evicted_pieces ==
                before + (taken ? 1 : 0));
        REQUIRE(model->held() <= model_of<Policy>::fragment_limit);
        REQUIRE(pool.available() + model->held() + step.pieces == 64);
        if (step.kind == reassembly_outcome::complete) {
            REQUIRE(pipeline::validate(step.packet).has_value());
        }
        if (below(100) == 0) {
            now = now + duration::from_seconds(below(40));
            model->expire(now, [](auto&&) {});
            REQUIRE(model->next_deadline() > now);
        }
    }
    model->expire(now + 30_s, [](auto&&) {});
    CHECK(model->held() == 0);
    CHECK(pool.available() == 64);
}

}  // namespace conformance_reassembly
