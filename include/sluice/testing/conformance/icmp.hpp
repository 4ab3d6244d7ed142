// conformance::icmp: tests the properties of every icmp_policy on yours.
//
//     const auto found = testing::conformance::icmp<my_limiter>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// A policy is free to limit messages, except path MTU messages: these are never limited.
#pragma once

#include <sluice/icmp/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>

namespace sluice::testing::conformance {

namespace detail {

template <class Policy>
class icmp_suite {
public:
    explicit icmp_suite(checker& check) : check_{check} {}

    void run() {
        first_messages();
        path_mtu();
        any_message();
    }

private:
    void first_messages() {
        check_.begin("the first messages are not limited");
        check_.holds(Policy::memory_limit == 0 || Policy::memory_limit >= sizeof(Policy),
                     "memory_limit is at least the size of the policy");
        const auto policy = std::make_unique<Policy>(fixed_seed);
        const auto error =
            policy->allow_error({.type = 3, .code = 1, .to = "192.0.2.1"_ip}, switches_, instant{});
        check_.holds(error == icmp_allowance::allowed || error == icmp_allowance::silenced,
                     "the first error is allowed, or silenced like all errors");
        check_.holds(policy->allow_redirect("192.0.2.3"_ip, switches_, instant{}) !=
                         redirect_allowance::too_soon,
                     "the first redirect to a host is not refused as too soon");
    }

    void path_mtu() {
        check_.begin("path MTU messages are never limited");
        const auto policy = std::make_unique<Policy>(fixed_seed);
        const icmp_message message{.type = 3, .code = 4, .to = "192.0.2.1"_ip};
        const auto first = policy->allow_error(message, switches_, instant{});
        for (u32 i = 0; i < 1000; ++i) {
            check_.given("message", i);
            check_.equal(policy->allow_error(message, switches_, instant{}), first,
                         "each fragmentation needed message has the same answer as the first");
        }
        check_.clear_given();
    }

    void any_message() {
        check_.begin("every type and many hosts at one time");
        const auto policy = std::make_unique<Policy>(fixed_seed);
        const auto twin = std::make_unique<Policy>(fixed_seed);
        for (u32 i = 0; i < 4096; ++i) {
            check_.given("message", i);
            const icmp_message message{.type = static_cast<u8>(i),
                                       .code = static_cast<u8>(i >> 8),
                                       .to = ipv4::address{i * 0x0100'0193U}};
            const auto answer = policy->allow_error(message, switches_, instant{});
            check_.holds(answer <= icmp_allowance::silenced, "the answer is one of icmp_allowance");
            check_.equal(twin->allow_error(message, switches_, instant{}), answer,
                         "the same secret and calls lead to the same answers");
        }
        check_.clear_given();
    }

    checker& check_;
    const settings switches_{};
};

}  // namespace detail

template <icmp_policy Policy>
suite_result icmp(const reporter& report = print_broken) {
    checker check{"icmp", report};
    detail::icmp_suite<Policy>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
