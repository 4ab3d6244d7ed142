// ways: the route of what leaves, with what was learned about its destination, from the tables
// alone.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/ways.hpp>

namespace acts_ways {

namespace {

using namespace acts_test;

constexpr instant now = instant{} + 1000_s;

TEST_CASE("ways: the MTU of a route counts where it is smaller than that of its interface") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(routing::egress_mtu(c.tables, 2, 0) == 1500);
    CHECK(routing::egress_mtu(c.tables, 2, 1400) == 1400);
    CHECK(routing::egress_mtu(c.tables, 2, 9000) == 1500);
    CHECK(routing::egress_mtu(c.tables, 1, 0) == 65536);
    CHECK(routing::egress_mtu(c.tables, 77, 1400) == 0);  // there is none
}

TEST_CASE("ways: what this host sends uses a learned gateway and MTU until they expire") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const ipv4::address there = "10.0.2.9"_ip;
    auto way = acts::route_to(c.tables, {.destination = there}, now);
    REQUIRE(way.has_value());
    CHECK(way->interface == 3);
    CHECK(way->source == "10.0.2.1"_ip);
    CHECK(way->neighbour == there);
    CHECK(way->mtu == 0);
    const exception_key key{there, {}, 3};
    c.tables.exceptions.learn(key, {.gateway = "10.0.2.7"_ip, .mtu = 1300, .expires = now + 600_s},
                              now);
    const u32 ways = c.tables.route_generation();
    way = acts::route_to(c.tables, {.destination = there}, now);
    REQUIRE(way.has_value());
    CHECK(way->neighbour == "10.0.2.7"_ip);
    CHECK(way->mtu == 1300);
    CHECK_FALSE(way->mtu_locked);
    way = acts::route_to(c.tables, {.destination = "10.0.2.10"_ip}, now);
    REQUIRE(way.has_value());
    CHECK(way->mtu == 0);
    CHECK(acts::route_to(c.tables, {.destination = "192.0.2.1"_ip}, now).error() ==
          routing::send_error::network_unreachable);
    CHECK(c.tables.route_generation() == ways);
    way = acts::route_to(c.tables, {.destination = there}, now + 601_s);
    REQUIRE(way.has_value());
    CHECK(way->neighbour == there);
}

TEST_CASE(
    "ways: what is forwarded uses a learned gateway; an MTU only as the switch says, or locked") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const ipv4::address there = "10.0.2.9"_ip;
    const route_entry plain{.prefix = {"10.0.2.0"_ip, 24}, .interface = 3};
    const auto used = [&] {
        route_entry r = plain;
        acts::use_exception(c.tables, r, there, now);
        return r;
    };
    CHECK(used() == plain);
    const exception_key key{there, {}, 3};
    route_exception known{.gateway = "10.0.2.7"_ip, .mtu = 1300, .expires = now + 600_s};
    c.tables.exceptions.learn(key, known, now);
    CHECK(used().gateway == "10.0.2.7"_ip);
    CHECK(used().mtu == 0);
    c.tables.switches.ip_forward_use_pmtu = true;
    CHECK(used().mtu == 1300);
    c.tables.switches.ip_forward_use_pmtu = false;
    known.mtu = 552;
    known.mtu_locked = true;
    c.tables.exceptions.learn(key, known, now);
    CHECK(used().mtu == 552);
}

}  // namespace

}  // namespace acts_ways
