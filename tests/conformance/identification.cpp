// Runs the conformance suite on each identification_policy of the library.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/identification/keyed_identification.hpp>
#include <sluice/identification/linux_identification.hpp>
#include <sluice/identification/random_identification.hpp>
#include <sluice/testing/conformance/identification.hpp>

#include <type_traits>

namespace conformance_identification {

namespace {

using namespace sluice;

TEST_CASE_TEMPLATE("identification", Policy, flow_identification, destination_identification,
                   basic_keyed_identification<64>, linux_identification, basic_identification<1>,
                   random_identification) {
    // One counter for all flows reveals the datagrams of others.
    constexpr bool hides = !std::is_same_v<Policy, basic_identification<1>>;
    support::conforms(
        testing::conformance::identification<Policy>(support::to_doctest, {.hides_others = hides}),
        65'000);
}

}  // namespace

}  // namespace conformance_identification
