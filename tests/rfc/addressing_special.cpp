// Special addresses (0.0.0.0, broadcast, loopback) in sent and forwarded datagrams.
#include "rfc/node.hpp"

namespace rfc_addressing_special {

namespace {

using namespace rfc;

byte_vector between(ipv4::address source, ipv4::address destination) {
    return datagram_of({.source = source, .destination = destination});
}

TEST_CASE("addressing: this host never sends from or to 0.0.0.0") {
    const auto n = router();
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    n->change([](settings& s) { s.icmp_echo_ignore_broadcasts = false; });
    const byte_vector sent =
        n->sends(pattern(8), {.destination = far, .source = ipv4::unspecified});
    CHECK_RFC("R1122-016", ip(sent)[ipv4::source] == own_far);
    n->send(pattern(8), {.destination = ipv4::unspecified});
    CHECK_RFC("R1122-016", n->sent().empty());
    // An answer to who has no address yet would go to 0.0.0.0.
    n->receive(ping({.source = ipv4::unspecified, .destination = ipv4::limited_broadcast}));
    CHECK_RFC("R1122-016", n->sent().empty());
    CHECK_RFC("R1812-030", n->drops(between(ipv4::unspecified, far), drop_reason::source_invalid));
    CHECK_RFC("R1812-030", ip(sent)[ipv4::source] != ipv4::unspecified);
    n->receive(datagram_of({.source = ipv4::unspecified, .ttl = 1}));
    CHECK_RFC("R1812-030", n->sent().empty());
}

TEST_CASE("addressing: the rest of network 0 is plain unicast in Linux") {
    const auto n = router();
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    const byte_vector sent = n->sends(pattern(8), {.destination = "0.1.2.3"_ip});
    CHECK_RFC_DEVIATES("R1122-017", ip(sent)[ipv4::destination] == "0.1.2.3"_ip);
    const byte_vector through = n->forward(between(peer, "0.1.2.3"_ip));
    CHECK_RFC_DEVIATES("R1812-032", ip(through)[ipv4::destination] == "0.1.2.3"_ip);
    CHECK_RFC_DEVIATES("R1812-032", !n->forward(between("0.1.2.3"_ip, far)).empty());
    const auto h = hardened();
    REQUIRE(h->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    CHECK_RFC_HARDENED("R1122-017", !h->send(pattern(8), {.destination = "0.1.2.3"_ip}));
    CHECK_RFC_HARDENED("R1812-032",
                       h->drops(between(peer, "0.1.2.3"_ip), drop_reason::destination_invalid));
    CHECK_RFC_HARDENED("R1812-032",
                       h->drops(between("0.1.2.3"_ip, peer), drop_reason::source_invalid, 3));
}

TEST_CASE("addressing: this host never sends from a broadcast address") {
    const auto n = host();
    CHECK_RFC("R1122-018", !n->send(pattern(8), {.source = ipv4::limited_broadcast}));
    CHECK_RFC("R1122-019", !n->send(pattern(8), {.source = "10.0.1.255"_ip}));
    CHECK_RFC("R1122-019", !n->send(pattern(8), {.source = "10.0.2.255"_ip}));
    // The answer to a broadcast has a local address as source.
    n->change([](settings& s) { s.icmp_echo_ignore_broadcasts = false; });
    const byte_vector to_all = n->ask(ping({.destination = ipv4::limited_broadcast}));
    const byte_vector to_net = n->ask(ping({.destination = "10.0.1.255"_ip}));
    CHECK_RFC("R1122-018", is_icmp(to_all, 0, 0) && ip(to_all)[ipv4::source] == own);
    CHECK_RFC("R1122-019", is_icmp(to_net, 0, 0) && ip(to_net)[ipv4::source] == own);
    const auto r = router();
    r->listen();
    CHECK_RFC("R1812-033",
              r->drops(between(ipv4::limited_broadcast, far), drop_reason::source_invalid));
    CHECK_RFC("R1812-033", r->hears(between(peer, ipv4::limited_broadcast)) && r->sent().empty());
    CHECK_RFC_DEVIATES("R1812-034", !r->forward(between("10.0.1.255"_ip, far)).empty());
    CHECK_RFC_HARDENED(
        "R1812-034", hardened()->drops(between("10.0.1.255"_ip, far), drop_reason::source_invalid));
}

TEST_CASE("addressing: loopback stays inside unless route_localnet lets it out") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        n->listen();
        CHECK(n->send(pattern(8), {.destination = "127.9.9.9"_ip}));
        CHECK(n->heard.size() == 1);
        CHECK(n->sent().empty());
        CHECK_FALSE(n->send(pattern(8), {.destination = far, .source = ipv4::loopback}));
        CHECK(n->drops(between("127.0.0.1"_ip, own), drop_reason::loopback_outside));
        CHECK(n->drops(between(peer, "127.0.0.1"_ip), drop_reason::loopback_outside));
        CHECK(n->drops(between("127.0.0.1"_ip, far), drop_reason::loopback_outside));
        CHECK(n->drops(between(peer, "127.0.0.7"_ip), drop_reason::loopback_outside));
        // A header that a program writes itself is sent as it is.
        CHECK(n->send_with_header(between("127.0.0.1"_ip, peer)));
        const auto left = n->sent();
        REQUIRE(left.size() == 1);
        CHECK_RFC_DEVIATES("R1122-020", ip(left[0].datagram)[ipv4::source] == ipv4::loopback);
        for (const u16 index : {u16{2}, u16{3}})
            n->change_interface(index, [](interface_settings& s) { s.route_localnet = true; });
        // The answer has 127.0.0.1 as its source, on the wire.
        const byte_vector reply = n->ask(ping({.destination = ipv4::loopback}));
        const bool leaves = is_icmp(reply, 0, 0) && ip(reply)[ipv4::source] == ipv4::loopback;
        const byte_vector sent =
            n->sends(pattern(8), {.destination = far, .source = ipv4::loopback});
        CHECK_RFC_DEVIATES("R1122-020", leaves);
        CHECK_RFC_DEVIATES("R1122-020", ip(sent)[ipv4::source] == ipv4::loopback);
    }
    // A router forwards it too, where a source of its own is taken; a hardened one only answers.
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        n->change_interface(2, [](interface_settings& s) {
            s.route_localnet = s.accept_local = true;
            s.rp_filter = 0;
        });
        const fate passed = n->receive(between(ipv4::loopback, far));
        const auto out = n->sent();
        REQUIRE(out.size() == (make == router ? 1 : 0));
        CHECK((passed == fate::forwarded) == (make == router));
        if (make == router) {
            CHECK_RFC_DEVIATES("R1812-036", ip(out[0].datagram)[ipv4::source] == ipv4::loopback);
        }
        const byte_vector reply = n->ask(ping({.destination = ipv4::loopback}));
        CHECK_RFC_DEVIATES("R1812-036",
                           is_icmp(reply, 0, 0) && ip(reply)[ipv4::source] == ipv4::loopback);
    }
}

TEST_CASE("addressing: limited and directed broadcasts leave as broadcasts") {
    const auto n = router();
    const struct {
        wanted what;
        u16 egress_index;
    } rows[] = {{{.destination = ipv4::limited_broadcast, .interface = 3}, 3},
                {{.destination = "10.0.2.255"_ip}, 3},
                {{.destination = "10.0.1.255"_ip}, 2}};
    for (const auto& r : rows) {
        CHECK_RFC("R919-001", n->send(pattern(8), r.what));
        const auto all = n->sent();
        REQUIRE(all.size() == 1);
        CHECK_RFC("R919-001", all[0].to.kind == link_destination::broadcast);
        CHECK_RFC("R1812-040", all[0].to.kind == link_destination::broadcast);
        CHECK_RFC("R1812-040", all[0].to.interface == r.egress_index);
    }
    n->listen();
    for (const auto to : {ipv4::limited_broadcast, "10.0.1.255"_ip, "10.0.2.255"_ip}) {
        CHECK_RFC("R919-001",
                  n->hears(between(peer, to)) && n->heard.back().info.broadcast_or_multicast);
        CHECK_RFC("R919-001", n->sent().empty());
        CHECK_RFC("R1812-040", n->heard.back().info.broadcast_or_multicast);
    }
    CHECK_RFC_DEVIATES("R919-003", !n->hears(between(peer, "10.0.1.0"_ip)));
}

TEST_CASE("addressing: shared, private and benchmarking networks are plain unicast") {
    const auto n = router();
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    for (const auto a : {"10.200.0.1"_ip, "172.16.0.1"_ip, "192.168.0.1"_ip}) {
        CHECK_RFC("R6890-002", !n->forward(between(peer, a)).empty());
        CHECK_RFC("R6890-002", !n->forward(between(a, far)).empty());
    }
    CHECK_RFC("R6890-003", !n->forward(between("100.64.0.1"_ip, "100.65.0.1"_ip)).empty());
    CHECK_RFC("R6890-008", !n->forward(between(peer, "192.88.99.1"_ip)).empty());
    CHECK_RFC("R6890-009", !n->forward(between("198.18.0.1"_ip, "198.19.0.1"_ip)).empty());
}

}  // namespace

}  // namespace rfc_addressing_special
