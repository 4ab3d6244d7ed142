// conformance::identification: tests whether the identifications of your policy are unique in a
// flow, depend on its secret, and do not reveal the traffic of other flows.
//
//     const auto found = testing::conformance::identification<my_numbers>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// Source: RFC 6864 section 4.3, RFC 7739.
#pragma once

#include <sluice/identification/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>
#include <vector>

namespace sluice::testing::conformance {

// Properties that a policy may lack.
struct identification_options {
    bool hides_others = true;  // false: one flow may see how much others send, as with one counter
};

namespace detail {

template <class Policy>
class identification_suite {
public:
    explicit identification_suite(checker& check) : check_{check} {}

    void run(identification_options options) {
        unique_in_a_burst();
        depends_on_the_secret();
        if (options.hides_others) {
            others_are_hidden();
        }
        if constexpr (has_flow_keys<Policy>) {
            keys_stand_for_flows();
        }
    }

private:
    static constexpr ipv4::address here = "10.0.1.1"_ip;

    [[nodiscard]] static std::vector<u16> sent(hash_key secret, std::size_t datagrams,
                                               duration apart) {
        const auto policy = std::make_unique<Policy>(secret);
        std::vector<u16> all;
        instant now{};
        for (std::size_t i = 0; i < datagrams; ++i) {
            all.push_back(policy->next(here, "10.0.2.2"_ip, 17, 1, now));
            now = now + apart;
        }
        return all;
    }

    // RFC 6864 section 4.3: no value repeats while fragments of the first use may live.
    void unique_in_a_burst() {
        check_.begin("the datagrams of a burst have different identifications");
        check_.holds(Policy::memory_limit >= sizeof(Policy),
                     "memory_limit is at least the size of the policy");
        std::vector<bool> seen(65536);
        for (const u16 id : sent({1, 2}, 65536, {})) {
            check_.given("identification", id);
            check_.holds(!seen[id], "65,536 datagrams of a flow have 65,536 identifications");
            seen[id] = true;
        }
        check_.clear_given();
    }

    void depends_on_the_secret() {
        check_.begin("the values depend on the calls and on the whole secret");
        const auto once = sent({1, 2}, 100, 7_ms);
        check_.holds(once == sent({1, 2}, 100, 7_ms), "the same secret produces the same values");
        check_.holds(once != sent({1, 3}, 100, 7_ms),
                     "another second half of the secret produces other values");
        check_.holds(once != sent({3, 2}, 100, 7_ms),
                     "another first half of the secret produces other values");
    }

    // An idle scan looks at its own flow before and after, to see whether others sent.
    void others_are_hidden() {
        check_.begin("the values of a flow do not reveal the traffic of other flows");
        const auto quiet = std::make_unique<Policy>(hash_key{5, 6});
        const auto busy = std::make_unique<Policy>(hash_key{5, 6});
        u32 seen = 0;
        for (int round = 0; round < 64; ++round) {
            const instant now = instant{} + 50_ms * round;
            const u16 without = step(*quiet, now, false);
            const u16 with = step(*busy, now, true);
            seen += static_cast<u16>(with - without) == 1 ? 1U : 0U;
        }
        check_.holds(seen < 8,
                     "a datagram to another host does not advance the flow's next value by one");
    }
    [[nodiscard]] static u16 step(Policy& p, instant now, bool others_send) {
        const u16 before = p.next(here, "198.51.100.1"_ip, 1, 1, now);
        if (others_send) {
            static_cast<void>(p.next(here, "203.0.113.9"_ip, 6, 1, now));
        }
        return static_cast<u16>(p.next(here, "198.51.100.1"_ip, 1, 1, now) - before);
    }

    void keys_stand_for_flows() {
        check_.begin("next_of() by a flow's key returns the same values as next()");
        const auto by_key = std::make_unique<Policy>(hash_key{1, 2});
        const auto by_flow = std::make_unique<Policy>(hash_key{1, 2});
        const u64 key = by_key->flow_key(here, "10.0.2.2"_ip, 17);
        instant now{};
        bool same = true;
        for (u16 i = 0; i < 100; ++i) {
            const auto segments = static_cast<u16>(1 + i % 3);
            // Another flow in between.
            same = same && by_key->next(here, "10.0.2.3"_ip, 6, 1, now) ==
                               by_flow->next(here, "10.0.2.3"_ip, 6, 1, now);
            same = same && by_key->next_of(key, segments, now) ==
                               by_flow->next(here, "10.0.2.2"_ip, 17, segments, now);
            now = now + 7_ms;
        }
        check_.holds(same, "the key of a flow stands for source, destination and protocol");
    }

    checker& check_;
};

}  // namespace detail

template <identification_policy Policy>
suite_result identification(const reporter& report = print_broken,
                            identification_options options = {}) {
    checker check{"identification", report};
    detail::identification_suite<Policy>{check}.run(options);
    return check.result();
}

}  // namespace sluice::testing::conformance
