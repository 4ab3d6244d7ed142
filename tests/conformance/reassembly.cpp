// Runs the conformance suite on each reassembly_policy of the library.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/testing/conformance/reassembly.hpp>

namespace conformance_reassembly {

namespace {

using namespace sluice;

using evicting = bounded_cache<8, overlap::reject_datagram, 32, on_full::evict_oldest>;

TEST_CASE_TEMPLATE("reassembly", Policy, bounded_cache<16>,
                   bounded_cache<8, overlap::reject_fragment, 32>,
                   bounded_cache<8, overlap::keep_first, 32>,
                   bounded_cache<8, overlap::keep_last, 32>, evicting, no_reassembly) {
    support::conforms(testing::conformance::reassembly<Policy>(support::to_doctest), 80'000);
}

}  // namespace

}  // namespace conformance_reassembly
