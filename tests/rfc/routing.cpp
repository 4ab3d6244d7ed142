// By which interface and next hop a datagram leaves.
#include "rfc/node.hpp"

namespace rfc_routing {

namespace {

using namespace rfc;

constexpr auto other_gateway = "10.0.1.254"_ip;  // on interface 2
constexpr auto elsewhere = "30.1.1.1"_ip;

constexpr egress by(u16 interface, ipv4::address next_hop) {
    return {interface, link_destination::unicast, next_hop};
}
// Where a datagram of this host for that address goes; interface 0: nowhere.
egress way_of(node& n, ipv4::address to, u8 tos = 0) {
    if (!n.send(pattern(8), {.destination = to, .tos = tos})) return {};
    const auto all = n.sent();
    REQUIRE(all.size() == 1);
    CHECK(ip(all[0].datagram)[ipv4::destination] == to);
    return all[0].to;
}
// Where a router forwards it; interface 0: nowhere.
egress forwarded_by(node& n, ipv4::address to, u8 tos = 0) {
    n.receive(datagram_of({.destination = to, .tos = tos}));
    const auto all = n.sent();
    return all.size() == 1 && ip(all[0].datagram)[ipv4::destination] == to ? all[0].to : egress{};
}

TEST_CASE("routing: on the link or not is decided by masks; no gateway is needed for the link") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();  // without a default route
        REQUIRE(n->add_interface(4, "172.16.5.9/20"_net));
        for (const auto on_link : {"172.16.0.1"_ip, "172.16.15.254"_ip, "172.16.7.7"_ip}) {
            CHECK_RFC("R1122-103", way_of(*n, on_link) == by(4, on_link));
            CHECK_RFC("R1122-105", way_of(*n, on_link) == by(4, on_link));
            CHECK_RFC("R1812-099", way_of(*n, on_link) == by(4, on_link));
        }
        for (const auto off_link : {"172.16.16.1"_ip, "172.15.255.254"_ip}) {
            CHECK_RFC("R1122-103", way_of(*n, off_link) == egress{});
            REQUIRE(n->add_route({.prefix = {off_link, 32}, .gateway = gateway}));
            CHECK_RFC("R1122-103", way_of(*n, off_link) == by(3, gateway));
        }
        if (make != host) {
            CHECK_RFC("R1812-099", forwarded_by(*n, "172.16.7.7"_ip) == by(4, "172.16.7.7"_ip));
        }
    }
}

TEST_CASE("routing: broadcasts and groups go straight to the chosen interface") {
    const auto n = host();
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    for (const u16 index : {u16{2}, u16{3}}) {
        for (const auto to : {ipv4::limited_broadcast, "239.1.2.3"_ip}) {
            REQUIRE(n->send(pattern(8), {.destination = to, .interface = index}));
            const auto all = n->sent();
            REQUIRE(all.size() == 1);
            CHECK_RFC("R1122-104", all[0].to.interface == index && all[0].to.next_hop == to);
            CHECK_RFC("R1122-104",
                      all[0].to.kind == (to.is_multicast() ? link_destination::multicast
                                                           : link_destination::broadcast));
        }
    }
}

TEST_CASE("routing: default gateways with preference; the address stays what the program says") {
    for (const auto& make : {host, router}) {
        const auto n = make();
        CHECK_RFC("R1122-108", way_of(*n, elsewhere) == egress{});
        REQUIRE(
            n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = other_gateway, .metric = 20}));
        CHECK_RFC("R1122-108", way_of(*n, elsewhere) == by(2, other_gateway));
        CHECK_RFC("R1122-109",
                  n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway, .metric = 10}));
        CHECK_RFC("R1122-121", way_of(*n, elsewhere) == by(3, gateway));
        CHECK_RFC("R1122-108", way_of(*n, remote) == by(3, gateway));  // it has a route of its own
        // Interface 3 goes down, and its gateway with it.
        n->set_up(3, false);
        CHECK_RFC("R1122-109", way_of(*n, elsewhere) == by(2, other_gateway));
        for (const auto to : {"20.1.2.3"_ip, "20.1.2.4"_ip, "99.0.0.1"_ip}) {
            REQUIRE(n->send(pattern(8), {.destination = to}));
            CHECK_RFC("R1122-002", ip(n->sent().at(0).datagram)[ipv4::destination] == to);
        }
    }
}

TEST_CASE("routing: no gateway is ever asked whether it lives") {
    const auto n = host();
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    for (int minute = 0; minute < 100; ++minute) {
        CHECK(way_of(*n, elsewhere) == by(3, gateway));
        n->wait(60_s);
        CHECK_RFC("R1122-116", n->sent().empty());
    }
}

TEST_CASE("routing: the longest match, then TOS, then the metric") {
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        const struct {
            ipv4::prefix prefix;
            ipv4::address gateway;
            u8 tos = 0;
            u32 metric = 0;
        } routes[] = {
            {.prefix = "0.0.0.0/0"_prefix, .gateway = "10.0.2.100"_ip},
            {.prefix = "30.0.0.0/8"_prefix, .gateway = "10.0.2.108"_ip},
            {.prefix = "30.64.0.0/10"_prefix, .gateway = "10.0.2.110"_ip, .metric = 9},
            {.prefix = "30.64.0.0/10"_prefix, .gateway = "10.0.2.111"_ip, .metric = 5},
            {.prefix = "30.64.0.0/10"_prefix, .gateway = "10.0.2.112"_ip, .tos = 0x10, .metric = 7},
            {.prefix = "30.64.1.0/25"_prefix, .gateway = "10.0.2.125"_ip},
            {.prefix = "30.64.1.7/32"_prefix, .gateway = "10.0.2.132"_ip},
        };
        for (const auto& r : routes)
            REQUIRE(n->add_route(
                {.prefix = r.prefix, .tos = r.tos, .gateway = r.gateway, .metric = r.metric}));
        const struct {
            ipv4::address to;
            u8 last;  // octet of the gateway
            u8 tos = 0;
        } rows[] = {
            {.to = "31.0.0.1"_ip, .last = 100},
            {.to = "30.0.0.1"_ip, .last = 108},
            {.to = "30.63.255.255"_ip, .last = 108},
            {.to = "30.128.0.1"_ip, .last = 108},
            {.to = "30.64.0.1"_ip, .last = 111},
            {.to = "30.127.255.255"_ip, .last = 111},
            {.to = "30.64.0.1"_ip, .last = 112, .tos = 0x10},
            {.to = "30.64.0.1"_ip, .last = 111, .tos = 0x08},
            {.to = "30.64.1.1"_ip, .last = 125},
            {.to = "30.64.1.127"_ip, .last = 125},
            {.to = "30.64.1.1"_ip, .last = 125, .tos = 0x10},  // the longest match first
            {.to = "30.64.1.128"_ip, .last = 111},
            {.to = "30.64.1.7"_ip, .last = 132},
        };
        for (const auto& r : rows) {
            const egress expected = by(3, {("10.0.2.0"_ip).value + r.last});
            CHECK_RFC("R1812-101", forwarded_by(*n, r.to, r.tos) == expected);
            CHECK_RFC("R1812-046", forwarded_by(*n, r.to, r.tos) == expected);
        }
    }
}

TEST_CASE("routing: subnets of one network in different places") {
    const auto n = router();
    REQUIRE(n->add_interface(4, "172.16.1.1/24"_net));
    REQUIRE(n->add_interface(5, "172.16.3.1/26"_net));
    REQUIRE(n->add_route({.prefix = "172.16.2.0/23"_prefix, .gateway = gateway}));
    CHECK_RFC("R1812-046", forwarded_by(*n, "172.16.1.9"_ip) == by(4, "172.16.1.9"_ip));
    CHECK_RFC("R1812-046", forwarded_by(*n, "172.16.2.9"_ip) == by(3, gateway));
    CHECK_RFC("R1812-046", forwarded_by(*n, "172.16.3.9"_ip) == by(5, "172.16.3.9"_ip));
    CHECK_RFC("R1812-046", forwarded_by(*n, "172.16.3.99"_ip) == by(3, gateway));
}

TEST_CASE("routing: without a route the destination is unreachable, whatever the TOS of others") {
    const auto n = router();
    CHECK_RFC("R1812-102", is_icmp(n->ask(datagram_of({.destination = elsewhere})), 3, 0));
    REQUIRE(n->add_route({.prefix = "30.0.0.0/8"_prefix, .tos = 0x10, .gateway = gateway}));
    CHECK(forwarded_by(*n, elsewhere, 0x10) == by(3, gateway));
    // RFC 1812 has code 11, network unreachable for TOS.
    CHECK_RFC_DEVIATES("R1812-118", is_icmp(n->ask(datagram_of({.destination = elsewhere})), 3, 0));
}

TEST_CASE("routing: an interface that goes down takes its routes along; they do not come back") {
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        REQUIRE(
            n->add_route({.prefix = "20.0.0.0/8"_prefix, .gateway = "10.0.1.254"_ip, .metric = 9}));
        CHECK(forwarded_by(*n, remote) == by(3, gateway));
        n->set_up(3, false);
        n->receive(datagram_of({.source = "10.0.1.7"_ip, .destination = remote}));
        bool by_alternative = false;
        for (const auto& s : n->sent())
            by_alternative = by_alternative || s.to == by(2, other_gateway);
        CHECK_RFC("R1812-138", by_alternative);
        CHECK_RFC("R1812-138", is_icmp(n->ask(datagram_of({.destination = far})), 3, 0));
        n->set_up(3, true);
        CHECK(forwarded_by(*n, far) == by(3, far));
        CHECK_RFC_DEVIATES("R1812-139", way_of(*n, remote) == by(2, other_gateway));
    }
}

}  // namespace

}  // namespace rfc_routing
