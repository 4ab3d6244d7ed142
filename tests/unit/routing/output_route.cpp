// output_route: the way of what we send and the source that it gets; why a program cannot send.
// Linux ip_route_output_key_hash, the errors as errno.
#include <doctest/doctest.h>

#include <sluice/routing/output_route.hpp>

#include "support/network.hpp"

namespace routing_output_route {

namespace {

using namespace support;
using enum routing::send_error;
using routing::flow;
using routing::send_error;

struct row {
    const char* name;
    flow wanted;
    void (*change)(network&);
    route_type type;
    u16 interface;
    ipv4::address source;
    ipv4::address neighbour;
};

void nothing(network&) {}
void preferred(network& n) {
    n.add("10.31.0.0/16"_prefix,
          {.interface = 3, .gateway = "10.0.2.254"_ip, .preferred_source = "10.0.3.1"_ip});
}
void second_address(network& n) {
    static_cast<void>(n.interfaces.add_address(3, {"10.7.0.1/24"_net, {}, 0, false}));
    n.add("10.32.0.0/16"_prefix, {.interface = 3, .gateway = "10.7.0.254"_ip});
}
void default_gateway(network& n) {
    n.add("0.0.0.0/0"_prefix, {.interface = 3, .gateway = "10.0.2.254"_ip});
}
void group_gateway(network& n) {
    n.add("224.0.0.0/4"_prefix, {.interface = 3, .gateway = "10.0.2.254"_ip});
}
void group_route(network& n) {
    n.add("224.0.0.0/4"_prefix, {.scope = scopes::link, .interface = 4});
}

constexpr auto lo = ipv4::loopback;
constexpr ipv4::address any{};

const row rows[] = {
    {"a neighbour",
     {.destination = "10.0.2.2"_ip},
     nothing,
     route_type::unicast,
     3,
     "10.0.2.1"_ip,
     "10.0.2.2"_ip},
    {"over a gateway",
     {.destination = "10.9.0.1"_ip},
     nothing,
     route_type::unicast,
     3,
     "10.0.2.1"_ip,
     "10.0.2.254"_ip},
    {"own source kept",
     {.destination = "10.0.2.2"_ip, .source = "10.0.1.1"_ip},
     nothing,
     route_type::unicast,
     3,
     "10.0.1.1"_ip,
     "10.0.2.2"_ip},
    {"a raw header may have any source",
     {.destination = "10.0.2.2"_ip, .source = "192.0.2.9"_ip, .any_source = true},
     nothing,
     route_type::unicast,
     3,
     "192.0.2.9"_ip,
     "10.0.2.2"_ip},
    {"preferred source of the route",
     {.destination = "10.31.0.1"_ip},
     preferred,
     route_type::unicast,
     3,
     "10.0.3.1"_ip,
     "10.0.2.254"_ip},
    {"source on the gateway's subnet",
     {.destination = "10.32.0.1"_ip},
     second_address,
     route_type::unicast,
     3,
     "10.7.0.1"_ip,
     "10.7.0.254"_ip},
    {"ourselves",
     {.destination = "10.0.2.1"_ip},
     nothing,
     route_type::local,
     1,
     "10.0.2.1"_ip,
     "10.0.2.1"_ip},
    {"ourselves with another source",
     {.destination = "10.0.2.1"_ip, .source = "10.0.1.1"_ip},
     nothing,
     route_type::local,
     1,
     "10.0.1.1"_ip,
     "10.0.2.1"_ip},
    {"loopback", {.destination = lo}, nothing, route_type::local, 1, lo, lo},
    {"nowhere is ourselves", {}, nothing, route_type::local, 1, lo, lo},
    {"nowhere from an address",
     {.source = "10.0.1.1"_ip},
     nothing,
     route_type::local,
     1,
     "10.0.1.1"_ip,
     "10.0.1.1"_ip},
    {"directed broadcast",
     {.destination = "10.0.2.255"_ip},
     nothing,
     route_type::broadcast,
     3,
     "10.0.2.1"_ip,
     "10.0.2.255"_ip},
    {"limited broadcast by an interface",
     {.destination = ipv4::limited_broadcast, .interface = 4},
     nothing,
     route_type::broadcast,
     4,
     "10.0.3.1"_ip,
     ipv4::limited_broadcast},
    {"limited broadcast by a source",
     {.destination = ipv4::limited_broadcast, .source = "10.0.3.1"_ip},
     nothing,
     route_type::broadcast,
     4,
     "10.0.3.1"_ip,
     ipv4::limited_broadcast},
    {"group by an interface",
     {.destination = "239.1.2.3"_ip, .interface = 4},
     nothing,
     route_type::multicast,
     4,
     "10.0.3.1"_ip,
     "239.1.2.3"_ip},
    {"link-local group by an interface",
     {.destination = "224.0.0.5"_ip, .interface = 4},
     nothing,
     route_type::multicast,
     4,
     "10.0.3.1"_ip,
     "224.0.0.5"_ip},
    {"group by a source",
     {.destination = "239.1.2.3"_ip, .source = "10.0.1.1"_ip},
     nothing,
     route_type::multicast,
     2,
     "10.0.1.1"_ip,
     "239.1.2.3"_ip},
    {"group by the table",
     {.destination = "239.1.2.3"_ip},
     group_route,
     route_type::multicast,
     4,
     "10.0.3.1"_ip,
     "239.1.2.3"_ip},
    {"group: the default route gives the interface, its gateway is passed by",
     {.destination = "239.1.2.3"_ip},
     default_gateway,
     route_type::multicast,
     3,
     "10.0.2.1"_ip,
     "239.1.2.3"_ip},
    {"group: the gateway of a route for groups is used",
     {.destination = "239.1.2.3"_ip},
     group_gateway,
     route_type::multicast,
     3,
     "10.0.2.1"_ip,
     "10.0.2.254"_ip},
    {"no route, but an interface: assumed on its link",
     {.destination = "192.0.2.1"_ip, .interface = 3},
     nothing,
     route_type::unicast,
     3,
     "10.0.2.1"_ip,
     "192.0.2.1"_ip},
    {"IGMP goes by the interface",
     {.destination = "10.0.2.2"_ip, .interface = 4, .protocol = ipv4::protocols::igmp},
     nothing,
     route_type::unicast,
     4,
     "10.0.3.1"_ip,
     "10.0.2.2"_ip},
    {"an interface without an address borrows one",
     {.destination = "192.0.2.1"_ip, .interface = 3},
     [](network& n) { static_cast<void>(n.interfaces.remove_address(3, "10.0.2.1/24"_net)); },
     route_type::unicast,
     3,
     "10.0.1.1"_ip,
     "192.0.2.1"_ip},
};

TEST_CASE("output route: way, source and neighbour") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        network n;
        r.change(n);
        const auto got = routing::route_output(n.tables(), r.wanted);
        REQUIRE(got.has_value());
        CHECK(got->type == r.type);
        CHECK(got->interface == r.interface);
        CHECK(got->source == r.source);
        CHECK(got->neighbour == r.neighbour);
        const bool meant = r.wanted.destination != any;
        CHECK(got->destination == (meant ? r.wanted.destination : r.source));
    }
}

struct error_row {
    const char* name;
    flow wanted;
    send_error error;
};
const error_row errors[] = {
    {"no route", {.destination = "192.0.2.1"_ip}, network_unreachable},
    {"unreachable", {.destination = "10.20.0.1"_ip}, host_unreachable},
    {"prohibit", {.destination = "10.21.0.1"_ip}, prohibited},
    {"blackhole", {.destination = "10.22.0.1"_ip}, invalid},
    {"throw", {.destination = "10.23.0.1"_ip}, network_unreachable},
    {"a source that is not ours",
     {.destination = "10.0.2.2"_ip, .source = "10.0.2.3"_ip},
     network_unreachable},
    {"a group as source", {.destination = "10.0.2.2"_ip, .source = "224.0.0.1"_ip}, invalid},
    {"a group as source, of a raw header",
     {.destination = "10.0.2.2"_ip, .source = "224.0.0.1"_ip, .any_source = true},
     invalid},
    {"the limited broadcast as source",
     {.destination = "10.0.2.2"_ip, .source = ipv4::limited_broadcast},
     invalid},
    {"a loopback source to the outside", {.destination = "10.0.2.2"_ip, .source = lo}, invalid},
    {"an interface that is not there",
     {.destination = "10.0.2.2"_ip, .interface = 7},
     no_interface},
    {"an interface that is down",
     {.destination = "10.0.3.2"_ip, .interface = 4},
     network_unreachable},
    {"limited broadcast by nothing", {.destination = ipv4::limited_broadcast}, network_unreachable},
    {"group by nothing", {.destination = "239.1.2.3"_ip}, network_unreachable},
    {"group by a source that is not ours",
     {.destination = "239.1.2.3"_ip, .source = "10.0.2.3"_ip},
     network_unreachable},
};

TEST_CASE("output route: why a program cannot send") {
    for (const error_row& r : errors) {
        INFO(doctest::String{r.name});
        network n;
        n.link(4).up = false;
        const auto got = routing::route_output(n.tables(), r.wanted);
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error() == r.error);
    }
}

TEST_CASE("output route: the route's MTU comes along") {
    network n;
    n.add("10.33.0.0/16"_prefix, {.interface = 3, .mtu = 900, .gateway = "10.0.2.254"_ip});
    CHECK(routing::route_output(n.tables(), {.destination = "10.33.0.1"_ip})->mtu == 900);
    CHECK(routing::route_output(n.tables(), {.destination = "10.0.2.2"_ip})->mtu == 0);
}

TEST_CASE("output route: a flow of which nothing is said is of no tos, protocol or interface") {
    const flow none;
    CHECK(none.interface == 0);
    CHECK(none.tos == 0);
    CHECK(none.protocol == 0);
    CHECK(none.scope == scopes::universe);
    CHECK_FALSE(none.any_source);
}

}  // namespace

}  // namespace routing_output_route
