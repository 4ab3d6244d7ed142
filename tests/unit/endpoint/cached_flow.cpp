// The cached route of an endpoint: looked up once, and again after a change that may affect it.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_cached_flow {

namespace {

using namespace endpoint_test;

constexpr endpoint_address far{"192.0.2.1"_ip, 9};

TEST_CASE("cached flow: one lookup serves many datagrams, and each change causes a new one") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    const auto neighbour = [&] {
        REQUIRE(s.send(pattern(4), far, b.now).has_value());
        const auto out = b.sent();
        REQUIRE(out.size() == 1);
        return out[0].to;
    };
    for (int i = 0; i < 10; ++i)
        CHECK(neighbour().next_hop == "10.0.2.254"_ip);
    CHECK(s.flow().lookups() == 1);
    const route_entry better{.prefix = "192.0.2.0/24"_prefix, .gateway = "10.0.1.9"_ip};
    REQUIRE(b->add_route(better).has_value());
    CHECK(neighbour().next_hop == "10.0.1.9"_ip);
    CHECK(s.flow().lookups() == 2);
    REQUIRE(b->set_up(2, false).has_value());
    CHECK(neighbour().next_hop == "10.0.2.254"_ip);  // the route went with its interface
    CHECK(s.flow().lookups() == 3);
    REQUIRE(b->set_up(2, true).has_value());
    REQUIRE(b->add_route(better).has_value());
    CHECK(neighbour().interface == 2);
    REQUIRE(b->remove_route(better).has_value());
    CHECK(neighbour().next_hop == "10.0.2.254"_ip);
}

TEST_CASE("cached flow: an added or removed address causes a new lookup") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.send(pattern(4), far, b.now).has_value());
    check(b.sent_one(), support::source("10.0.2.1"_ip));
    REQUIRE(b->add_address(3, "10.0.2.7/24"_net).has_value());
    REQUIRE(b->remove_address(3, "10.0.2.1/24"_net).has_value());
    CHECK(s.send(pattern(4), far, b.now).error() == endpoint_error::network_unreachable);
    REQUIRE(b->add_address(3, "10.0.2.7/24"_net).has_value());
    REQUIRE(b->add_route({.gateway = "10.0.2.254"_ip}).has_value());
    REQUIRE(s.send(pattern(4), far, b.now).has_value());
    check(b.sent_one(), support::source("10.0.2.7"_ip));
}

TEST_CASE("cached flow: a learned exception applies at once, until it expires") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    const auto pieces = [&] {
        REQUIRE(s.send(pattern(1200), far, b.now).has_value());
        return b.sent().size();
    };
    CHECK(pieces() == 1);
    b.error(3, 4, 1000,
            datagram_of({.source = "10.0.2.1"_ip,
                         .destination = far.host,
                         .protocol = ipv4::protocols::udp,
                         .payload = support::udp_message(7000, far.port, pattern(20))}));
    CHECK(pieces() == 2);
    const u64 asked = s.flow().lookups();
    CHECK(pieces() == 2);
    CHECK(s.flow().lookups() == asked);
    b.now.now = b.now.now + 601_s;  // without a poll
    CHECK(pieces() == 1);
}

TEST_CASE("cached flow: a missing route is reported and counted as for stack.send") {
    endpoint_world b;
    REQUIRE(b->add_route({.prefix = "198.18.0.0/16"_prefix, .type = route_type::unreachable})
                .has_value());
    REQUIRE(
        b->add_route({.prefix = "198.19.0.0/16"_prefix, .type = route_type::prohibit}).has_value());
    REQUIRE(b->add_route({.prefix = "198.51.0.0/16"_prefix, .type = route_type::throw_away})
                .has_value());
    udp_socket s{*b};
    const auto send = [&](ipv4::address to) { return s.send(pattern(4), {to, 9}, b.now).error(); };
    CHECK(send("198.18.0.1"_ip) == endpoint_error::host_unreachable);
    CHECK(send("198.19.0.1"_ip) == endpoint_error::access_denied);
    CHECK(send("198.51.0.1"_ip) == endpoint_error::network_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 1);
    CHECK(s.connect({"198.18.0.1"_ip, 9}, b.now).error() == endpoint_error::host_unreachable);
    CHECK(b.is_quiet());
}

}  // namespace

}  // namespace endpoint_cached_flow
