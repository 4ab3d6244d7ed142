// specific_destination: the local address for which a datagram was meant. Linux
// fib_compute_spec_dst.
#include <doctest/doctest.h>

#include <sluice/routing/source_address.hpp>

#include "support/network.hpp"

namespace routing_source_address {

namespace {

using namespace support;

struct row {
    const char* name;
    ipv4::address source;
    u16 interface;
    ipv4::address expected;
};

// Broadcasts, by the way back to their source: its route's address, and the interface's own where
// that way is refused or none is known.
constexpr row rows[] = {
    {.name = "a neighbour", .source = "10.0.1.9"_ip, .interface = 2, .expected = "10.0.1.1"_ip},
    {.name = "over a gateway", .source = "10.9.0.1"_ip, .interface = 2, .expected = "10.0.2.1"_ip},
    {.name = "unreachable", .source = "10.20.0.1"_ip, .interface = 2, .expected = "10.0.1.1"_ip},
    {.name = "prohibited", .source = "10.21.0.1"_ip, .interface = 3, .expected = "10.0.2.1"_ip},
    {.name = "black hole", .source = "10.22.0.1"_ip, .interface = 4, .expected = "10.0.3.1"_ip},
    {.name = "no route", .source = "192.0.2.1"_ip, .interface = 2, .expected = "10.0.1.1"_ip},
    {.name = "no source", .source = {}, .interface = 3, .expected = "10.0.2.1"_ip},
};

TEST_CASE("the specific destination of a broadcast is the address that would answer its source") {
    const network n;
    for (const row& r : rows) {
        CAPTURE(r.name);
        const byte_vector d =
            datagram_of({.source = r.source, .destination = "255.255.255.255"_ip});
        CHECK(routing::specific_destination(n.tables(), ipv4::const_view{d.data()}, r.interface,
                                            route_type::broadcast) == r.expected);
    }
}

TEST_CASE("the specific destination of a unicast is its own destination") {
    const network n;
    const byte_vector d = datagram_of({.source = "10.0.1.9"_ip, .destination = "10.0.3.1"_ip});
    CHECK(routing::specific_destination(n.tables(), ipv4::const_view{d.data()}, 2,
                                        route_type::local) == "10.0.3.1"_ip);
}

}  // namespace

}  // namespace routing_source_address
