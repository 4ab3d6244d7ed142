// switches: a change reaches the packet path, with the other changes that Linux makes along with
// it.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/switches.hpp>

namespace acts_switches {

namespace {

using namespace acts_test;

TEST_CASE("switches: forwarding of all reaches each interface, and the packet path") {
    core<small_host> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK_FALSE(c.tables.interfaces.path_of(2).accept_fast);
    const u32 generation = c.tables.route_generation();
    acts::change_switches(c.tables, [](settings& s) { s.all.forwarding = true; });
    CHECK(c.tables.route_generation() != generation);
    for (const u16 index : {u16{2}, u16{3}}) {
        CHECK(c.tables.interfaces.find(index)->own.forwarding);
        CHECK(c.tables.interfaces.find(index)->in_force.forwarding);
        CHECK(c.tables.interfaces.path_of(index).accept_fast);
    }
    REQUIRE(
        acts::change_switches_of(c.tables, 2, [](interface_settings& s) { s.forwarding = false; }));
    CHECK_FALSE(c.tables.interfaces.path_of(2).accept_fast);
    CHECK(c.tables.interfaces.path_of(3).accept_fast);
    CHECK(c.tables.switches.all.forwarding);
}

TEST_CASE("switches: default reaches interfaces without an address or a value of their own") {
    core<small_host> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::add_interface(c.tables, {.index = 4}).has_value());
    REQUIRE(acts::add_interface(c.tables, {.index = 5}).has_value());
    REQUIRE(acts::change_switches_of(
        c.tables, 5, [](interface_settings& s) { s.send_redirects = !s.send_redirects; }));
    const bool before = c.tables.interfaces.find(4)->own.send_redirects;
    const bool chosen = c.tables.interfaces.find(5)->own.send_redirects;
    acts::change_switches(c.tables, [](settings& s) { s.defaults.send_redirects = false; });
    CHECK(before);
    CHECK_FALSE(c.tables.interfaces.find(4)->own.send_redirects);
    CHECK(c.tables.interfaces.find(2)->own.send_redirects);  // it has an address
    CHECK(c.tables.interfaces.find(5)->own.send_redirects == chosen);
    interface fresh{};
    acts::inherit_defaults(c.tables, fresh);
    CHECK_FALSE(fresh.own.send_redirects);
}

TEST_CASE("switches: of an interface that is not there nothing changes") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const standing before = standing_of(c);
    bool called = false;
    CHECK_FALSE(acts::change_switches_of(c.tables, 9, [&](interface_settings&) { called = true; }));
    CHECK_FALSE(called);
    CHECK(standing_of(c) == before);
}

}  // namespace

}  // namespace acts_switches
