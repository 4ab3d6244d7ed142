// igmp_host under random listeners, queries, old queriers and flapping interfaces, against the
// naive model of RFC 3376: what it receives after each step, and what a router believes after a
// silence.
#include "../../support/igmp_trial.hpp"

#include <doctest/doctest.h>

#include <random>

namespace multicast_igmp_against_model {

namespace {

using namespace igmp_model;

struct generator {
    std::mt19937 source;
    u32 operator()(u32 bound) { return static_cast<u32>(source() % bound); }
};

TEST_CASE("the host receives what its listeners ask for, and tells routers so") {
    for (u32 seed = 0; seed < 300; ++seed) {
        generator draw{std::mt19937{seed}};
        trial<generator> t{draw};
        for (int n = 0; n < 60; ++n) {
            CAPTURE(seed);
            CAPTURE(n);
            REQUIRE(t.step());
        }
        CAPTURE(seed);
        REQUIRE(t.asked_and_told());
    }
}

TEST_CASE("reports of changes alone tell a router all") {
    for (u32 seed = 0; seed < 300; ++seed) {
        generator draw{std::mt19937{seed}};
        trial<generator> t{draw};
        for (int n = 0; n < 60; ++n) {
            CAPTURE(seed);
            CAPTURE(n);
            REQUIRE(t.step_of_version_3());
            if (n % 10 == 9) REQUIRE(t.quiet_and_told());
        }
    }
}

TEST_CASE("the same while listeners come and go with each message sent") {
    for (u32 seed = 0; seed < 300; ++seed) {
        generator draw{std::mt19937{seed}};
        trial<generator> t{draw};
        t.disturb();
        for (int n = 0; n < 60; ++n) {
            CAPTURE(seed);
            CAPTURE(n);
            REQUIRE(t.step_of_version_3());
            if (n % 10 == 9) REQUIRE(t.quiet_and_told());
        }
        CAPTURE(seed);
        REQUIRE(t.asked_and_told());
    }
}

}  // namespace

}  // namespace multicast_igmp_against_model
