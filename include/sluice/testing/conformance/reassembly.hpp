// conformance::reassembly: tests the properties of every reassembly_policy on yours, whatever its
// overlap rule.
//
//     const auto found = testing::conformance::reassembly<my_cache>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// It feeds two fragments in both orders, lets time pass, and sends 20,000 hostile fragments. No
// buffer may be lost and no limit exceeded, and each reassembled datagram must be valid. A policy
// whose `fragment_limit` is 0 must refuse every fragment.
//
// A model with `parts` is tested with the parts that you pass; without them it must lose no buffer
// either.
//
//     const sized_cache<>::model<packet>::parts given{.memory = memory, .size = {16, 64}};
//     testing::conformance::reassembly<sized_cache<>>(testing::print_broken, given);
//
// Expects: a policy that is constructed from a secret, as a stack does, and its parts.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/fragments.hpp>

#include <memory>

namespace sluice::testing::conformance {

namespace detail {

template <class Policy>
class reassembly_suite {
    static constexpr std::size_t buffers = 64;
    using pool_type = fixed_pool<512, buffers>;
    using packet = pool_type::packet_type;
    using model_type = typename Policy::template model<packet>;

public:
    using parts = typename sluice::detail::reassembly_parts<model_type>::type;

    explicit reassembly_suite(checker& check) : check_{check} {}

    void run(const parts& given) {
        using self = reassembly_suite;
        for (const auto each : {&self::empty, &self::two_fragments, &self::time, &self::hostile}) {
            run_one(each, given);
        }
        if constexpr (has_reassembly_parts<model_type>) {
            run_one(&self::hostile, {});
        }
    }

private:
    static constexpr bool may_hold = model_type::fragment_limit > 0;

    void run_one(void (reassembly_suite::*test)(model_type&, pool_type&), const parts& given) {
        pool_type pool;
        std::unique_ptr<model_type> model;
        if constexpr (has_reassembly_parts<model_type>) {
            model = std::make_unique<model_type>(fixed_seed, given);
        } else {
            model = std::make_unique<model_type>(fixed_seed);
        }
        (this->*test)(*model, pool);
    }

    void empty(model_type& model, pool_type&) {
        check_.begin("a new cache is empty");
        check_.equal(model.held(), std::size_t{0}, "held() is 0");
        check_.equal(model.next_deadline(), instant::never(), "next_deadline() is never");
        bool ended = false;
        model.expire(instant{} + 100_s, [&ended](auto&&) { ended = true; });
        check_.holds(!ended, "expire() ends no datagram");
    }

    void two_fragments(model_type& model, pool_type& pool) {
        check_.begin("two fragments complete a datagram, in both orders");
        for (const bool reverse : {false, true}) {
            check_.given(reverse ? "last fragment first" : "first fragment first");
            const fragment_fields pieces[] = {{.start = 0, .length = 64},
                                              {.start = 64, .length = 3, .more = false}};
            const auto first = feed_fragment(model, pool, pieces[reverse ? 1 : 0]);
            auto second = feed_fragment(model, pool, pieces[reverse ? 0 : 1]);
            if constexpr (may_hold) {
                check_.equal(first.kind, reassembly_result::held,
                             "the fragment received first is held");
                if (check_.equal(second.kind, reassembly_result::complete,
                                 "the fragment received second completes the datagram")) {
                    check_.holds(
                        is_whole_datagram(second.packet, 67),
                        "the datagram has the data of both fragments and a correct header");
                }
            } else {
                check_.equal(first.reason, drop_reason::reassembly_refused,
                             "a cache with fragment_limit 0 refuses the first fragment");
                check_.equal(second.kind, reassembly_result::refused,
                             "a cache with fragment_limit 0 refuses the second fragment");
            }
        }
        check_.clear_given();
        all_back(pool);
    }

    void time(model_type& model, pool_type& pool) {
        check_.begin("an incomplete datagram expires at its deadline");
        const reassembly_limits limits{.timeout = 2_s};
        const auto step = feed_fragment(model, pool, {.start = 0, .length = 8}, instant{} + 1_s,
                                        limits, reassembly_user::multicast);
        const bool kept = step.kind == reassembly_result::held;
        check_.equal(kept, may_hold, "the first fragment is held unless fragment_limit is 0");
        check_.equal(model.next_deadline(), kept ? instant{} + 3_s : instant::never(),
                     "the deadline is the first fragment's time plus the timeout");
        unsigned ended = 0;
        model.expire(instant{} + 3_s, [&](expired_datagram<packet>&& e) {
            ++ended;
            check_.equal(e.pieces, u16{1}, "expire() reports the number of held fragments");
            check_.holds(bool{e.first}, "expire() hands over the first fragment");
            check_.equal(e.user, reassembly_user::multicast, "expire() says whose datagram it is");
        });
        check_.equal(ended, kept ? 1U : 0U, "expire() ends each datagram past its deadline once");
        all_back(pool);
    }

    void hostile(model_type& model, pool_type& pool) {
        check_.begin("a hostile stream loses no buffer and exceeds no limit");
        instant now;
        for (u32 i = 0; i < 20'000 && !lost_; ++i) {
            check_.given("fragment", i);
            one_fragment(model, pool, now);
            if (below(100) == 0) {
                now = now + duration::from_seconds(below(40));
                model.expire(now, [](auto&&) {});
                check_.holds(model.next_deadline() > now,
                             "after expire() the next deadline is in the future");
            }
        }
        check_.clear_given();
        model.expire(now + 30_s, [](auto&&) {});
        check_.equal(model.held(), std::size_t{0}, "no fragment is held after all deadlines");
        all_back(pool);
    }
    void one_fragment(model_type& model, pool_type& pool, instant now) {
        const fragment_fields f{.start = 8 * below(below(50) == 0 ? 8192 : 16),
                                .length = below(120),
                                .more = below(3) != 0,
                                .id = static_cast<u16>(below(12)),
                                .tos = static_cast<u8>(below(20) == 0 ? 0 : 2),
                                .dont_fragment = below(2) == 0,
                                .options = static_cast<u8>(4 * below(11))};
        const std::size_t before = model.held();
        auto step = feed_fragment(model, pool, f, now);
        const bool is_refused = step.kind == reassembly_result::refused;
        check_.equal(step.reason != drop_reason::none, is_refused,
                     "a fragment has a drop reason exactly if it is refused");
        check_.equal(model.held() + step.pieces_dropped + step.pieces + step.evicted_pieces,
                     before + (is_refused ? 0 : 1),
                     "held() changes by the fragments accepted, dropped, evicted and completed");
        check_.holds(model.held() <= model_type::fragment_limit,
                     "held() is at most fragment_limit");
        lost_ = !check_.equal(pool.available() + model.held() + step.pieces, buffers,
                              "each buffer is in the cache or in the pool");
        if (step.kind == reassembly_result::complete) {
            check_.holds(pipeline::validate(step.packet).has_value(),
                         "a completed datagram is valid");
        }
    }

    void all_back(const pool_type& pool) {
        check_.equal(pool.available(), buffers, "all buffers are back in the pool");
    }
    [[nodiscard]] u32 below(u32 n) { return random_.below(n); }

    checker& check_;
    keyed_random random_{hash_key{9, 9}};
    bool lost_ = false;
};

}  // namespace detail

template <class Policy>
    requires reassembly_policy<Policy, fixed_pool<512, 64>::packet_type>
suite_result reassembly(const reporter& report = print_broken,
                        const typename detail::reassembly_suite<Policy>::parts& given = {}) {
    checker check{"reassembly", report};
    detail::reassembly_suite<Policy>{check}.run(given);
    return check.result();
}

}  // namespace sluice::testing::conformance
