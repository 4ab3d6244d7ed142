// Runs the conformance suite on each route_policy of the library.
#include "support/conformance.hpp"
#include "support/given_table.hpp"

#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/route/with_rules.hpp>
#include <sluice/testing/conformance/route.hpp>

namespace conformance_route {

namespace {

using namespace sluice;

TEST_CASE_TEMPLATE("route", Table, linear_routes<16>, lpm_trie<16>, lpm_trie<2000>,
                   lpm_trie<70000, 64>, support::given_table<16>, support::given_direct<16>,
                   with_rules<lpm_trie<16>>, with_rules<linear_routes<16>>) {
    static_assert(mutable_route_policy<Table>);
    static_assert(Table::memory_limit >= sizeof(Table));
    static_assert(Table::has_local_routes);
    support::conforms(testing::conformance::route<Table>(support::to_doctest), 4'000);
}

}  // namespace

}  // namespace conformance_route
