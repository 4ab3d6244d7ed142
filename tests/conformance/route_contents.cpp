// Compares `for_each` and `remove_if` of the tables with a list, by the conformance suite, and
// tests which route `remove` removes.
#include "support/conformance.hpp"
#include "support/given_table.hpp"

#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/route/with_rules.hpp>
#include <sluice/testing/conformance/route_contents.hpp>

#include <memory>

namespace conformance_route_contents {

namespace {

using namespace sluice;
using namespace sluice::literals;

TEST_CASE_TEMPLATE("route_contents", Table, linear_routes<512>, lpm_trie<512>, lpm_trie<2048>,
                   support::given_table<512>, support::given_direct<512>, with_rules<lpm_trie<512>>,
                   with_rules<linear_routes<512>>) {
    // Two checks for each of 3,000 routes and more that are asked for.
    support::conforms(testing::conformance::route_contents<Table>(support::to_doctest), 6'000);
}

TEST_CASE_TEMPLATE("an empty table has no nodes", Table, lpm_trie<512>, support::given_table<512>) {
    const auto table = std::make_unique<Table>();
    for (u32 i = 0; i < 32; ++i) {
        REQUIRE(table->add({.prefix = {"10.1.2.3"_ip, 1 + i}, .interface = 1}).has_value());
    }
    CHECK(table->nodes_in_use() > 0);
    CHECK(table->remove_if([](const route_entry&) { return true; }) == 32);
    CHECK(table->nodes_in_use() == 0);
}

}  // namespace

}  // namespace conformance_route_contents
