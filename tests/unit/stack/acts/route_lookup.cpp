// route_lookup: the route of a sent packet, with the exceptions of its destination, from the tables
// alone.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/route_lookup.hpp>

namespace acts_route_lookup {

namespace {

using namespace acts_test;

constexpr instant now = instant{} + 1000_s;

TEST_CASE(
    "route lookup: the MTU of a route counts where it is smaller than that of its interface") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(routing::egress_mtu(c.tables, 2, 0) == 1500);
    CHECK(routing::egress_mtu(c.tables, 2, 1400) == 1400);
    CHECK(routing::egress_mtu(c.tables, 2, 9000) == 1500);
    CHECK(routing::egress_mtu(c.tables, 1, 0) == 65536);
    CHECK(routing::egress_mtu(c.tables, 77, 1400) == 0);  // there is none
}

TEST_CASE("route lookup: a sent packet uses a learned gateway and MTU until they expire") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const ipv4::address there = "10.0.2.9"_ip;
    auto route = acts::route_to(c.tables, {.destination = there}, now);
    REQUIRE(route.has_value());
    CHECK(route->interface == 3);
    CHECK(route->source == "10.0.2.1"_ip);
    CHECK(route->neighbour == there);
    CHECK(route->mtu == 0);
    const exception_key key{there, {}, 3};
    c.tables.exceptions.learn(key, {.gateway = "10.0.2.7"_ip, .mtu = 1300, .expires = now + 600_s},
                              now);
    const u32 generation = c.tables.route_generation();
    route = acts::route_to(c.tables, {.destination = there}, now);
    REQUIRE(route.has_value());
    CHECK(route->neighbour == "10.0.2.7"_ip);
    CHECK(route->mtu == 1300);
    CHECK_FALSE(route->mtu_locked);
    route = acts::route_to(c.tables, {.destination = "10.0.2.10"_ip}, now);
    REQUIRE(route.has_value());
    CHECK(route->mtu == 0);
    CHECK(acts::route_to(c.tables, {.destination = "192.0.2.1"_ip}, now).error() ==
          routing::send_error::network_unreachable);
    CHECK(c.tables.route_generation() == generation);
    route = acts::route_to(c.tables, {.destination = there}, now + 601_s);
    REQUIRE(route.has_value());
    CHECK(route->neighbour == there);
}

TEST_CASE("route lookup: a forwarded packet uses a learned gateway, a learned MTU only by switch "
          "or if locked") {
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

}  // namespace acts_route_lookup
