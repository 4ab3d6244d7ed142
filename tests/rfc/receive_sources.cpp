// Sources that are refused or accepted, and unicast datagrams in broadcast frames.
#include "rfc/node.hpp"

namespace rfc_receive_sources {

namespace {

using namespace rfc;

byte_vector from(ipv4::address source, ipv4::address to = own) {
    return datagram_of({.source = source, .destination = to});
}

TEST_CASE("receive: impossible sources are silently dropped") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        n->listen();
        CHECK_RFC("R1112-012", n->drops(from("224.0.0.1"_ip), drop_reason::source_invalid));
        CHECK_RFC("R1112-012", n->drops(from("239.1.1.1"_ip), drop_reason::source_invalid));
        CHECK_RFC("R1812-039",
                  n->drops(from(ipv4::limited_broadcast), drop_reason::source_invalid));
        CHECK_RFC("R1812-039", n->drops(from("224.0.0.9"_ip), drop_reason::source_invalid));
        CHECK_RFC("R1812-039", n->drops(from("127.0.0.1"_ip), drop_reason::loopback_outside));
        CHECK_RFC("R1812-039", n->drops(from(own_far), drop_reason::source_local));
        CHECK_RFC("R1812-031", n->drops(from(ipv4::unspecified), drop_reason::source_invalid));
        // As who asks for an address does (BOOTP).
        CHECK_RFC("R1812-031", n->hears(from(ipv4::unspecified, ipv4::limited_broadcast)));
        CHECK(n->drops(from(ipv4::unspecified), drop_reason::source_invalid));
        CHECK(n->drops(from(ipv4::limited_broadcast), drop_reason::source_invalid));
        CHECK(n->drops(from("127.1.2.3"_ip), drop_reason::loopback_outside));
    }
}

TEST_CASE("receive: sources that Linux accepts and the RFCs forbid") {
    const auto n = host();
    n->listen();
    CHECK_RFC_DEVIATES("R1122-015", n->hears(from("10.0.1.255"_ip)));
    CHECK_RFC_DEVIATES("R1122-015", n->hears(from("240.0.0.1"_ip)));
    CHECK_RFC_DEVIATES("R1122-015", n->hears(from("0.1.2.3"_ip)));
    const auto h = hardened();
    h->listen();
    CHECK_RFC_HARDENED("R1122-015", h->drops(from("10.0.1.255"_ip), drop_reason::source_invalid));
    CHECK_RFC_HARDENED("R1122-015", h->drops(from("240.0.0.1"_ip), drop_reason::reverse_path));
    CHECK_RFC_HARDENED("R1122-015", h->drops(from("0.1.2.3"_ip), drop_reason::reverse_path));
}

TEST_CASE("receive: broadcasts and groups are received and processed by a router") {
    const auto n = router();
    n->listen();
    REQUIRE(n->join(2, "239.1.1.1"_ip));
    REQUIRE(n->join(2, "224.0.0.5"_ip));
    for (const auto seen_as : {link_addressing::host, link_addressing::broadcast}) {
        CHECK_RFC("R1812-035", n->hears(datagram_of({.destination = "10.0.1.255"_ip}), 2, seen_as));
        CHECK_RFC(
            "R1812-035",
            n->hears(datagram_of({.source = far, .destination = "10.0.2.255"_ip}), 3, seen_as));
    }
    // The option against it is a security policy, which hardened_router alone has chosen.
    const auto refusing = hardened();
    refusing->listen();
    CHECK_RFC("R1812-035", refusing->drops(datagram_of({.destination = "10.0.1.255"_ip}),
                                           drop_reason::destination_invalid));
    CHECK_RFC("R1812-038", n->hears(datagram_of({.destination = ipv4::limited_broadcast}), 2));
    CHECK_RFC("R1812-038", n->hears(datagram_of({.destination = "239.1.1.1"_ip}), 2));
    CHECK_RFC("R1812-038", n->count(mib::ip_in_delivers) == 6);
    for (const auto to : {own, own_far, ipv4::limited_broadcast, "224.0.0.5"_ip}) {
        CHECK_RFC("R1812-093", n->hears(datagram_of({.destination = to}), 2));
        CHECK_RFC("R1812-093", n->sent().empty());
    }
    // A broadcast of another interface: received; with bc_forwarding it is forwarded instead.
    CHECK_RFC_DEVIATES("R1812-094", n->hears(datagram_of({.destination = "10.0.2.255"_ip}), 2));
    CHECK_RFC_DEVIATES("R1812-094", n->sent().empty());
    CHECK_RFC_DEVIATES("R2644-002", n->hears(datagram_of({.destination = "10.0.2.255"_ip}), 2));
    const byte_vector to_net = datagram_of({.destination = "10.0.1.0"_ip});
    CHECK(n->drops(datagram_of({.destination = ipv4::unspecified}),
                   drop_reason::destination_invalid));
    CHECK_RFC_DEVIATES("R1812-041", same_but_ttl(n->forward(to_net, 3), to_net));
}

TEST_CASE("receive: a hardened router takes no directed broadcasts") {
    const auto h = hardened();
    h->listen();
    for (const auto to : {"10.0.1.255"_ip, "10.0.2.255"_ip})
        CHECK_RFC_HARDENED("R2644-002", h->drops(datagram_of({.destination = to}),
                                                 drop_reason::destination_invalid, 2,
                                                 link_addressing::broadcast));
    CHECK_RFC_HARDENED("R2644-002", h->hears(datagram_of({.destination = ipv4::limited_broadcast}),
                                             2, link_addressing::broadcast));
    const byte_vector to_net = datagram_of({.destination = "10.0.2.0"_ip});
    CHECK_RFC_HARDENED("R1812-041", h->drops(to_net, drop_reason::destination_invalid));
    CHECK_RFC_HARDENED("R1812-041", h->drops(datagram_of({.destination = ipv4::unspecified}),
                                             drop_reason::destination_invalid));
    // Of a network of two it is a host.
    REQUIRE(h->add_interface(4, "192.168.7.1/31"_net));
    const byte_vector to_host = datagram_of({.destination = "192.168.7.0"_ip});
    CHECK(same_but_ttl(h->forward(to_host), to_host));
}

TEST_CASE("receive: both addresses of a network of two are unicast") {
    const auto n = router();
    n->listen();
    REQUIRE(n->add_interface(4, "192.168.7.0/31"_net));
    REQUIRE(n->add_interface(5, "192.168.9.3/31"_net));
    const byte_vector zeros = from("192.168.7.1"_ip, "192.168.7.0"_ip);
    const byte_vector ones = from("192.168.9.2"_ip, "192.168.9.3"_ip);
    CHECK_RFC("R3021-003", n->hears(zeros, 4) && !n->heard.back().info.broadcast_or_multicast);
    CHECK_RFC("R3021-003", n->hears(ones, 5) && !n->heard.back().info.broadcast_or_multicast);
    CHECK_RFC("R3021-003", !n->forward(from("192.168.9.2"_ip, "192.168.7.1"_ip), 5).empty());
    CHECK_RFC(
        "R3021-003",
        is_icmp(n->ask(ping({.source = "192.168.7.1"_ip, .destination = "192.168.7.0"_ip}), 4), 0,
                0));
}

TEST_CASE("receive: unicast datagrams in broadcast frames") {
    const auto n = router();
    n->listen();
    const byte_vector d = datagram_of({.destination = own});
    CHECK_RFC_DEVIATES("R1122-154", n->hears(d, 2, link_addressing::broadcast));
    CHECK_RFC_DEVIATES("R1812-124", n->hears(d, 2, link_addressing::broadcast));
    const auto h = hardened();
    h->listen();
    CHECK_RFC_HARDENED("R1122-154", h->drops(d, drop_reason::unicast_in_link_multicast, 2,
                                             link_addressing::broadcast));
    CHECK_RFC_HARDENED("R1812-124", h->drops(d, drop_reason::unicast_in_link_multicast, 2,
                                             link_addressing::broadcast));
    // The link layer hands up the kind of its destination, and it is heeded.
    CHECK_RFC("R1812-001", n->drops(d, drop_reason::other_host, 2, link_addressing::other_host));
    CHECK_RFC("R1812-001", n->drops(datagram_of({}), drop_reason::not_addressed_to_host, 2,
                                    link_addressing::broadcast));
    CHECK_RFC("R1812-001", n->drops(d, drop_reason::interface_down, 9));
}

}  // namespace

}  // namespace rfc_receive_sources
