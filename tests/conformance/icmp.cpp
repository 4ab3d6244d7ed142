// What every icmp_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/icmp/linux_icmp_limiter.hpp>
#include <sluice/icmp/no_icmp.hpp>
#include <sluice/wire/literals.hpp>

namespace conformance_icmp {

namespace {

using namespace sluice;
using namespace sluice::literals;

#define SLUICE_ICMP_MODELS linux_icmp_limiter, basic_icmp_limiter<4>, no_icmp_limit, no_icmp

TEST_CASE_TEMPLATE("the model fits its concept", Policy, SLUICE_ICMP_MODELS) {
    static_assert(icmp_policy<Policy>);
    static_assert(Policy::memory_limit == 0 || Policy::memory_limit >= sizeof(Policy));
}

TEST_CASE_TEMPLATE("the first of everything goes out, or nothing ever", Policy,
                   SLUICE_ICMP_MODELS) {
    Policy policy{hash_key{1, 2}};
    const settings s;
    const bool speaks = Policy::answers_echo;
    const auto verdict = policy.allow_error({3, 1, "192.0.2.1"_ip, false}, s, instant{});
    CHECK(verdict == (speaks ? icmp_allowance::allowed : icmp_allowance::silenced));
    CHECK(policy.allow_unroutable("192.0.2.2"_ip, s, instant{}) == speaks);
    CHECK((policy.allow_redirect("192.0.2.3"_ip, s, instant{}) == redirect_allowance::send) ==
          speaks);
}

TEST_CASE_TEMPLATE("path MTU messages are never limited", Policy, SLUICE_ICMP_MODELS) {
    Policy policy{hash_key{1, 2}};
    const settings s;
    const auto first = policy.allow_error({3, 4, "192.0.2.1"_ip, false}, s, instant{});
    for (int i = 0; i < 1000; ++i) {
        CHECK(policy.allow_error({3, 4, "192.0.2.1"_ip, false}, s, instant{}) == first);
    }
}

TEST_CASE_TEMPLATE("any host, any type, time that stands still", Policy, SLUICE_ICMP_MODELS) {
    Policy policy{hash_key{1, 2}};
    const settings s;
    u32 sent = 0;
    for (u32 i = 0; i < 4096; ++i) {
        const ipv4::address to{i * 0x01000193U};
        sent += policy.allow_error({static_cast<u8>(i), static_cast<u8>(i >> 8), to, false}, s,
                                   instant{}) == icmp_allowance::allowed
                    ? 1U
                    : 0U;
    }
    CHECK((sent > 0) == Policy::answers_echo);
}

}  // namespace

}  // namespace conformance_icmp
