// What every identification_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/identification/linux_identification.hpp>
#include <sluice/identification/random_identification.hpp>
#include <sluice/wire/literals.hpp>

#include <vector>

namespace conformance_identification {

namespace {

using namespace sluice;
using namespace sluice::literals;

#define SLUICE_IDENTIFICATION_MODELS                                                               \
    linux_identification, basic_identification<1>, random_identification

constexpr ipv4::address us = "10.0.1.1"_ip;

template <class Policy>
std::vector<u16> sent(hash_key secret, std::size_t datagrams, ipv4::address to, duration apart) {
    static std::vector<Policy> policies;
    policies.assign(1, Policy{secret});
    std::vector<u16> ids;
    instant now{};
    for (std::size_t i = 0; i < datagrams; ++i) {
        ids.push_back(policies.front().next(us, to, 17, 1, now));
        now = now + apart;
    }
    return ids;
}

TEST_CASE_TEMPLATE("the model fits its concept", Policy, SLUICE_IDENTIFICATION_MODELS) {
    static_assert(identification_policy<Policy>);
    static_assert(Policy::memory_limit >= sizeof(Policy));
}

// RFC 6864 section 4.3: no value twice while fragments of the other may live.
TEST_CASE_TEMPLATE("the datagrams of a flow in a burst differ", Policy,
                   SLUICE_IDENTIFICATION_MODELS) {
    std::vector<bool> seen(65536);
    const auto all = sent<Policy>({1, 2}, 65536, "10.0.2.2"_ip, {});
    REQUIRE(all.size() == 65536);
    for (const u16 id : all) {
        CHECK_FALSE(seen[id]);
        seen[id] = true;
    }
}

TEST_CASE_TEMPLATE("the same key and calls give the same values, another key others", Policy,
                   SLUICE_IDENTIFICATION_MODELS) {
    const auto once = sent<Policy>({1, 2}, 100, "10.0.2.2"_ip, 7_ms);
    CHECK(once == sent<Policy>({1, 2}, 100, "10.0.2.2"_ip, 7_ms));
    CHECK(once != sent<Policy>({1, 3}, 100, "10.0.2.2"_ip, 7_ms));
    CHECK(once != sent<Policy>({3, 2}, 100, "10.0.2.2"_ip, 7_ms));
}

// An idle scan asks its own flow before and after and wants to see whether others sent something.
TEST_CASE_TEMPLATE("what others send cannot be counted", Policy, SLUICE_IDENTIFICATION_MODELS) {
    if constexpr (!std::is_same_v<Policy, basic_identification<1>>) {
        std::vector<Policy> policies(2, Policy{hash_key{5, 6}});
        u32 same_step = 0;
        for (int round = 0; round < 64; ++round) {
            const instant now = instant{} + 50_ms * round;
            u16 steps[2];
            for (int busy = 0; busy < 2; ++busy) {
                Policy& p = policies[static_cast<std::size_t>(busy)];
                const u16 before = p.next(us, "198.51.100.1"_ip, 1, 1, now);
                if (busy == 1) (void)p.next(us, "203.0.113.9"_ip, 6, 1, now);
                steps[busy] = static_cast<u16>(p.next(us, "198.51.100.1"_ip, 1, 1, now) - before);
            }
            same_step += static_cast<u16>(steps[1] - steps[0]) == 1 ? 1U : 0U;
        }
        CHECK(same_step < 8);
    }
}

}  // namespace

}  // namespace conformance_identification
