// Runs the conformance suite on each reassembly_policy of the library.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/testing/conformance/reassembly.hpp>

#include <vector>

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

// Their parts: bounds in bytes, and memory.
TEST_CASE("reassembly with parts") {
    support::conforms(testing::conformance::reassembly<bounded_cache<16>>(
                          support::to_doctest, {.all = 16'384, .source = 8'192}),
                      100'000);
    using cache = sized_cache<overlap::keep_first, on_full::evict_oldest>;
    std::vector<std::byte> memory(cache::model<fixed_pool<512, 64>::packet_type>::memory_for(
        {.datagrams = 8, .fragments = 32}));
    support::conforms(
        testing::conformance::reassembly<cache>(
            support::to_doctest, {.memory = memory, .size = {.datagrams = 8, .fragments = 32}}),
        100'000);
}

}  // namespace

}  // namespace conformance_reassembly
