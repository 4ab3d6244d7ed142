// output_route: the route and source of sent datagrams, and the reasons why a program cannot send.
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

void nothing(network&) {}

struct row {
    const char* name;
    flow wanted;
    void (*change)(network&) = nothing;
    route_type type = route_type::unicast;
    u16 interface = 3;
    ipv4::address source;
    ipv4::address neighbour;
};

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
    {.name = "a neighbour",
     .wanted = {.destination = "10.0.2.2"_ip},
     .source = "10.0.2.1"_ip,
     .neighbour = "10.0.2.2"_ip},
    {.name = "over a gateway",
     .wanted = {.destination = "10.9.0.1"_ip},
     .source = "10.0.2.1"_ip,
     .neighbour = "10.0.2.254"_ip},
    {.name = "own source kept",
     .wanted = {.destination = "10.0.2.2"_ip, .source = "10.0.1.1"_ip},
     .source = "10.0.1.1"_ip,
     .neighbour = "10.0.2.2"_ip},
    {.name = "a raw header may have any source",
     .wanted = {.destination = "10.0.2.2"_ip, .source = "192.0.2.9"_ip, .any_source = true},
     .source = "192.0.2.9"_ip,
     .neighbour = "10.0.2.2"_ip},
    {.name = "preferred source of the route",
     .wanted = {.destination = "10.31.0.1"_ip},
     .change = preferred,
     .source = "10.0.3.1"_ip,
     .neighbour = "10.0.2.254"_ip},
    {.name = "source on the gateway's subnet",
     .wanted = {.destination = "10.32.0.1"_ip},
     .change = second_address,
     .source = "10.7.0.1"_ip,
     .neighbour = "10.7.0.254"_ip},
    {.name = "ourselves",
     .wanted = {.destination = "10.0.2.1"_ip},
     .type = route_type::local,
     .interface = 1,
     .source = "10.0.2.1"_ip,
     .neighbour = "10.0.2.1"_ip},
    {.name = "ourselves with another source",
     .wanted = {.destination = "10.0.2.1"_ip, .source = "10.0.1.1"_ip},
     .type = route_type::local,
     .interface = 1,
     .source = "10.0.1.1"_ip,
     .neighbour = "10.0.2.1"_ip},
    {.name = "loopback",
     .wanted = {.destination = lo},
     .type = route_type::local,
     .interface = 1,
     .source = lo,
     .neighbour = lo},
    {.name = "nowhere is ourselves",
     .wanted = {},
     .type = route_type::local,
     .interface = 1,
     .source = lo,
     .neighbour = lo},
    {.name = "nowhere from an address",
     .wanted = {.source = "10.0.1.1"_ip},
     .type = route_type::local,
     .interface = 1,
     .source = "10.0.1.1"_ip,
     .neighbour = "10.0.1.1"_ip},
    {.name = "directed broadcast",
     .wanted = {.destination = "10.0.2.255"_ip},
     .type = route_type::broadcast,
     .source = "10.0.2.1"_ip,
     .neighbour = "10.0.2.255"_ip},
    {.name = "limited broadcast by an interface",
     .wanted = {.destination = ipv4::limited_broadcast, .interface = 4},
     .type = route_type::broadcast,
     .interface = 4,
     .source = "10.0.3.1"_ip,
     .neighbour = ipv4::limited_broadcast},
    {.name = "limited broadcast by a source",
     .wanted = {.destination = ipv4::limited_broadcast, .source = "10.0.3.1"_ip},
     .type = route_type::broadcast,
     .interface = 4,
     .source = "10.0.3.1"_ip,
     .neighbour = ipv4::limited_broadcast},
    {.name = "group by an interface",
     .wanted = {.destination = "239.1.2.3"_ip, .interface = 4},
     .type = route_type::multicast,
     .interface = 4,
     .source = "10.0.3.1"_ip,
     .neighbour = "239.1.2.3"_ip},
    {.name = "link-local group by an interface",
     .wanted = {.destination = "224.0.0.5"_ip, .interface = 4},
     .type = route_type::multicast,
     .interface = 4,
     .source = "10.0.3.1"_ip,
     .neighbour = "224.0.0.5"_ip},
    {.name = "group by a source",
     .wanted = {.destination = "239.1.2.3"_ip, .source = "10.0.1.1"_ip},
     .type = route_type::multicast,
     .interface = 2,
     .source = "10.0.1.1"_ip,
     .neighbour = "239.1.2.3"_ip},
    {.name = "group by the table",
     .wanted = {.destination = "239.1.2.3"_ip},
     .change = group_route,
     .type = route_type::multicast,
     .interface = 4,
     .source = "10.0.3.1"_ip,
     .neighbour = "239.1.2.3"_ip},
    {.name = "group: the default route chooses the interface, its gateway is not used",
     .wanted = {.destination = "239.1.2.3"_ip},
     .change = default_gateway,
     .type = route_type::multicast,
     .source = "10.0.2.1"_ip,
     .neighbour = "239.1.2.3"_ip},
    {.name = "group: the gateway of a route for groups is used",
     .wanted = {.destination = "239.1.2.3"_ip},
     .change = group_gateway,
     .type = route_type::multicast,
     .source = "10.0.2.1"_ip,
     .neighbour = "10.0.2.254"_ip},
    {.name = "no route, but an interface: assumed on its link",
     .wanted = {.destination = "192.0.2.1"_ip, .interface = 3},
     .source = "10.0.2.1"_ip,
     .neighbour = "192.0.2.1"_ip},
    {.name = "IGMP goes by the interface",
     .wanted = {.destination = "10.0.2.2"_ip, .interface = 4, .protocol = ipv4::protocols::igmp},
     .interface = 4,
     .source = "10.0.3.1"_ip,
     .neighbour = "10.0.2.2"_ip},
    {.name = "an interface without an address borrows one",
     .wanted = {.destination = "192.0.2.1"_ip, .interface = 3},
     .change =
         [](network& n) { static_cast<void>(n.interfaces.remove_address(3, "10.0.2.1/24"_net)); },
     .source = "10.0.1.1"_ip,
     .neighbour = "192.0.2.1"_ip},
};

TEST_CASE("output route: interface, source and neighbour") {
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
    {.name = "no route", .wanted = {.destination = "192.0.2.1"_ip}, .error = network_unreachable},
    {.name = "unreachable", .wanted = {.destination = "10.20.0.1"_ip}, .error = host_unreachable},
    {.name = "prohibit", .wanted = {.destination = "10.21.0.1"_ip}, .error = prohibited},
    {.name = "blackhole", .wanted = {.destination = "10.22.0.1"_ip}, .error = invalid},
    {.name = "throw", .wanted = {.destination = "10.23.0.1"_ip}, .error = network_unreachable},
    {.name = "a source that is not local",
     .wanted = {.destination = "10.0.2.2"_ip, .source = "10.0.2.3"_ip},
     .error = network_unreachable},
    {.name = "a group as source",
     .wanted = {.destination = "10.0.2.2"_ip, .source = "224.0.0.1"_ip},
     .error = invalid},
    {.name = "a group as source, of a raw header",
     .wanted = {.destination = "10.0.2.2"_ip, .source = "224.0.0.1"_ip, .any_source = true},
     .error = invalid},
    {.name = "the limited broadcast as source",
     .wanted = {.destination = "10.0.2.2"_ip, .source = ipv4::limited_broadcast},
     .error = invalid},
    {.name = "a loopback source to the outside",
     .wanted = {.destination = "10.0.2.2"_ip, .source = lo},
     .error = invalid},
    {.name = "an interface that is not there",
     .wanted = {.destination = "10.0.2.2"_ip, .interface = 7},
     .error = no_interface},
    {.name = "an interface that is down",
     .wanted = {.destination = "10.0.3.2"_ip, .interface = 4},
     .error = network_unreachable},
    {.name = "limited broadcast by nothing",
     .wanted = {.destination = ipv4::limited_broadcast},
     .error = network_unreachable},
    {.name = "group by nothing",
     .wanted = {.destination = "239.1.2.3"_ip},
     .error = network_unreachable},
    {.name = "group, with a source that is not local",
     .wanted = {.destination = "239.1.2.3"_ip, .source = "10.0.2.3"_ip},
     .error = network_unreachable},
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

TEST_CASE("output route: it has the route's MTU") {
    network n;
    n.add("10.33.0.0/16"_prefix, {.interface = 3, .mtu = 900, .gateway = "10.0.2.254"_ip});
    CHECK(routing::route_output(n.tables(), {.destination = "10.33.0.1"_ip})->mtu == 900);
    CHECK(routing::route_output(n.tables(), {.destination = "10.0.2.2"_ip})->mtu == 0);
}

TEST_CASE("output route: a default flow has no tos, protocol or interface") {
    const flow none;
    CHECK(none.interface == 0);
    CHECK(none.tos == 0);
    CHECK(none.protocol == 0);
    CHECK(none.scope == scopes::universe);
    CHECK_FALSE(none.any_source);
}

}  // namespace

}  // namespace routing_output_route
