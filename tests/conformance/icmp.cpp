// Runs the conformance suite on each icmp_policy of the library, and tests their first answers.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/icmp/linux_icmp_limiter.hpp>
#include <sluice/icmp/no_icmp.hpp>
#include <sluice/testing/conformance/icmp.hpp>
#include <sluice/wire/literals.hpp>

namespace conformance_icmp {

namespace {

using namespace sluice;
using namespace sluice::literals;

TEST_CASE_TEMPLATE("icmp", Policy, linux_icmp_limiter, basic_icmp_limiter<4>, no_icmp_limit,
                   no_icmp) {
    support::conforms(testing::conformance::icmp<Policy>(support::to_doctest), 9'000);
}

TEST_CASE_TEMPLATE("a policy allows the first message of each kind, or none at all", Policy,
                   linux_icmp_limiter, basic_icmp_limiter<4>, no_icmp_limit, no_icmp) {
    Policy policy{hash_key{1, 2}};
    const settings s;
    const bool sends_errors = Policy::answers_echo;
    const auto allowance = policy.allow_error({3, 1, "192.0.2.1"_ip, false}, s, instant{});
    CHECK(allowance == (sends_errors ? icmp_allowance::allowed : icmp_allowance::silenced));
    CHECK(policy.allow_unroutable("192.0.2.2"_ip, s, instant{}) == sends_errors);
    CHECK((policy.allow_redirect("192.0.2.3"_ip, s, instant{}) == redirect_allowance::send) ==
          sends_errors);
    u32 sent = 0;
    for (u32 i = 0; i < 4096; ++i) {
        const ipv4::address to{i * 0x01000193U};
        sent += policy.allow_error({static_cast<u8>(i), static_cast<u8>(i >> 8), to, false}, s,
                                   instant{}) == icmp_allowance::allowed
                    ? 1U
                    : 0U;
    }
    CHECK((sent > 0) == sends_errors);
}

}  // namespace

}  // namespace conformance_icmp
