// multicast_tables: which table the rules choose, and what the administration refuses.
// tests/kernel/vectors/multicast2.vec (tables, table-and-default) holds what Linux does.
#include <doctest/doctest.h>

#include <sluice/multicast/multicast_tables.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/literals.hpp>

namespace multicast_multicast_tables {

namespace {

using namespace sluice;
using namespace sluice::literals;

using packet = fixed_pool<512, 4>::packet_type;
using tables = multicast_tables<3, forwarding_cache<4>, 4>::model<packet>;

TEST_CASE("a rule chooses among the tables that are there, else the next one counts") {
    tables t{testing::fixed_seed};
    auto* const first = t.table(default_multicast_table);
    REQUIRE(t.add_rule({.priority = 10, .incoming = 2, .target = 100}).has_value());
    CHECK(t.table_for({.incoming = 2}) == first);  // there is no table 100
    auto* const other = t.make_table(100);
    REQUIRE(other != nullptr);
    CHECK(t.table_for({.incoming = 2}) == other);
    CHECK(t.table_for({.incoming = 3}) == first);
    REQUIRE(t.add_rule({.priority = 5, .mark = 7, .mark_mask = 0xff, .target = 253}).has_value());
    CHECK(t.table_for({.incoming = 2, .mark = 0x107}) == first);
}

TEST_CASE("no rule that matches, or one that refuses: no table") {
    tables t{testing::fixed_seed};
    for (const auto action :
         {rule_action::blackhole, rule_action::unreachable, rule_action::prohibit}) {
        REQUIRE(t.add_rule({.priority = 1, .incoming = 2, .action = action}).has_value());
        CHECK(t.table_for({.incoming = 2}) == nullptr);
        CHECK(t.table_for({.incoming = 3}) != nullptr);
        REQUIRE(t.remove_rule(1).has_value());
    }
    CHECK(t.rules().size() == 1);
    REQUIRE(t.remove_rule({.priority = 32767, .target = 253}).has_value());
    CHECK(t.table_for({.incoming = 3}) == nullptr);
}

TEST_CASE("rules know no addresses and no TOS") {
    tables t{testing::fixed_seed};
    for (const routing_rule& r :
         {routing_rule{.source = "10.0.0.0/8"_prefix}, routing_rule{.tos = 4},
          routing_rule{.destination = "239.0.0.0/8"_prefix}}) {
        CHECK(t.add_rule(r).error() == rule_error::invalid);
    }
    CHECK(t.rules().size() == 1);
}

TEST_CASE("so many tables and rules fit, and no more") {
    tables t{testing::fixed_seed};
    auto* const second = t.make_table(1);
    REQUIRE(t.make_table(2) != nullptr);
    CHECK(t.make_table(3) == nullptr);
    CHECK(t.make_table(1) == second);
    u32 all = 0;
    t.for_each_table([&](u32 number, auto&) { all += number; });
    CHECK(all == 253 + 1 + 2);
    for (u32 n = 1; n <= 3; ++n)
        REQUIRE(t.add_rule({.priority = n}).has_value());
    CHECK(t.add_rule({.priority = 4}).error() == rule_error::full);
}

}  // namespace

}  // namespace multicast_multicast_tables
