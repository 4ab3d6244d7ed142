// address_kind: the kind of an address, as Linux inet_addr_type returns it.
#include <doctest/doctest.h>

#include <sluice/routing/address_kind.hpp>

#include "support/network.hpp"

namespace routing_address_kind {

namespace {

using namespace support;

struct row {
    const char* name;
    ipv4::address address;
    route_type kind;
    u16 interface = 0;  // that has it
};

const row rows[] = {
    {.name = "a local address",
     .address = "10.0.2.1"_ip,
     .kind = route_type::local,
     .interface = 3},
    {.name = "loopback", .address = "127.0.0.1"_ip, .kind = route_type::local, .interface = 1},
    {.name = "of the loopback network, no interface has it",
     .address = "127.7.7.7"_ip,
     .kind = route_type::local,
     .interface = 1},
    {.name = "a neighbour", .address = "10.0.1.7"_ip, .kind = route_type::unicast},
    {.name = "behind a gateway", .address = "10.9.1.1"_ip, .kind = route_type::unicast},
    {.name = "no route", .address = "192.0.2.1"_ip, .kind = route_type::unicast},
    {.name = "a route that refuses", .address = "10.21.0.1"_ip, .kind = route_type::unicast},
    {.name = "broadcast of a network", .address = "10.0.1.255"_ip, .kind = route_type::broadcast},
    {.name = "limited broadcast", .address = "255.255.255.255"_ip, .kind = route_type::broadcast},
    {.name = "this host", .address = "0.0.0.0"_ip, .kind = route_type::broadcast},
    {.name = "a group", .address = "224.0.0.5"_ip, .kind = route_type::multicast},
    {.name = "the last group", .address = "239.255.255.255"_ip, .kind = route_type::multicast},
};

TEST_CASE("address kind: local, broadcast, multicast, or of another host") {
    const network at;
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        CHECK(routing::address_kind(at.tables(), r.address) == r.kind);
        CHECK(routing::interface_of(at.tables(), r.address) == r.interface);
    }
}

TEST_CASE("address kind: an address without a route is found at its interface") {
    network at;
    REQUIRE(at.interfaces.add_address(4, {"10.77.0.1/24"_net, {}, scopes::universe, false})
                .has_value());
    CHECK(routing::address_kind(at.tables(), "10.77.0.1"_ip) == route_type::unicast);
    CHECK(routing::interface_of(at.tables(), "10.77.0.1"_ip) == 4);
}

}  // namespace

}  // namespace routing_address_kind
