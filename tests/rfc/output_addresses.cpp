// Source and destination of what this host sends, and to whom on the link it is given.
#include "rfc/node.hpp"

namespace rfc_output_addresses {

namespace {

using namespace rfc;

constexpr auto group = "239.1.2.3"_ip;

TEST_CASE("output: the source is an own unicast address, unless a program writes the header") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        for (const auto to : {far, peer, "20.1.2.3"_ip, "10.0.2.255"_ip}) {
            const auto source = ip(n->sends(pattern(8), {.destination = to}))[ipv4::source];
            CHECK(source == (to == peer ? own : own_far));
        }
        for (const auto from : {"10.0.1.9"_ip, "20.1.2.3"_ip, "10.0.1.255"_ip, group,
                                ipv4::limited_broadcast, "240.0.0.1"_ip})
            CHECK_FALSE(n->send(pattern(8), {.source = from}));
        CHECK(n->sent().empty());
        for (const auto from : {"20.1.2.3"_ip, "10.0.1.255"_ip, group}) {
            CHECK(n->send_with_header(datagram_of({.source = from, .destination = far})));
            const auto all = n->sent();
            REQUIRE(all.size() == 1);
            const bool as_written = ip(all[0].datagram)[ipv4::source] == from;
            CHECK_RFC_DEVIATES("R1122-013", as_written);
            CHECK_RFC_DEVIATES("R1812-037", as_written);
            if (from != "20.1.2.3"_ip) {
                CHECK_RFC_DEVIATES("R1122-148", as_written);
            }
        }
    }
}

TEST_CASE("output: a program chooses the local address; a reply has that of the request") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        REQUIRE(n->add_address(2, "10.0.1.11/24"_net));
        for (const auto from : {own, own_far, "10.0.1.11"_ip}) {
            for (const auto to : {far, peer}) {
                const byte_vector d = n->sends(pattern(8), {.destination = to, .source = from});
                CHECK_RFC("R1122-135", ip(d)[ipv4::source] == from);
            }
            const byte_vector reply = n->ask(ping({.destination = from}));
            CHECK_RFC("R1122-134", is_icmp(reply, 0, 0) && ip(reply)[ipv4::source] == from);
        }
    }
}

TEST_CASE("output: a network's broadcast address has ones, and leaves as a link broadcast") {
    const auto n = router();
    REQUIRE(n->add_interface(5, "172.16.4.1/22"_net));
    const struct {
        ipv4::address to;
        u16 interface;
        link_destination kind;
    } rows[] = {
        {.to = "172.16.7.255"_ip, .interface = 0, .kind = link_destination::broadcast},
        {.to = "172.16.5.255"_ip, .interface = 0, .kind = link_destination::unicast},
        {.to = "10.0.2.255"_ip, .interface = 0, .kind = link_destination::broadcast},
        {.to = ipv4::limited_broadcast, .interface = 3, .kind = link_destination::broadcast},
        {.to = group, .interface = 3, .kind = link_destination::multicast},
        {.to = far, .interface = 0, .kind = link_destination::unicast},
        {.to = remote, .interface = 0, .kind = link_destination::unicast},
    };
    for (const auto& r : rows) {
        REQUIRE(n->send(pattern(8), {.destination = r.to, .interface = r.interface}));
        const auto all = n->sent();
        REQUIRE(all.size() == 1);
        CHECK_RFC("R1122-151", all[0].to.kind == r.kind);
        CHECK_RFC("R1122-153", all[0].to.kind == r.kind);
        CHECK_RFC("R1812-125", all[0].to.kind == r.kind);
        CHECK_RFC("R1812-125", ip(all[0].datagram)[ipv4::destination] == r.to);
    }
    // Nor does a datagram to one host that came as a link broadcast leave at all.
    CHECK_RFC("R1812-125",
              n->receive(datagram_of({}), 2, link_addressing::broadcast) != fate::forwarded);
    CHECK_RFC("R1812-125", n->sent().empty());
}

TEST_CASE("output: nothing leaves for 0.0.0.0; the lowest address of a network is a host's") {
    const auto n = router();
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    n->send(pattern(8), {.destination = ipv4::unspecified});
    CHECK(n->sent().empty());
    REQUIRE(n->send(pattern(8), {.destination = "10.0.2.0"_ip}));
    const auto all = n->sent();
    REQUIRE(all.size() == 1);
    CHECK_RFC_DEVIATES("R1812-043",
                       all[0].to == egress{3, link_destination::unicast, "10.0.2.0"_ip});
}

TEST_CASE("output: in a network of two only the limited broadcast is one") {
    const auto n = router();
    REQUIRE(n->add_interface(5, "172.16.4.0/31"_net));
    REQUIRE(n->send(pattern(8), {.destination = "172.16.4.1"_ip}));
    CHECK_RFC("R3021-002", n->sent().at(0).to.kind == link_destination::unicast);
    REQUIRE(n->send(pattern(8), {.destination = ipv4::limited_broadcast, .interface = 5}));
    const auto all = n->sent();
    REQUIRE(all.size() == 1);
    CHECK_RFC("R3021-002",
              all[0].to.interface == 5 && all[0].to.kind == link_destination::broadcast);
}

TEST_CASE("output: link-local addresses are given to a router where a route leads there") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
        REQUIRE(n->send(pattern(8), {.destination = "169.254.7.7"_ip}));
        const auto all = n->sent();
        REQUIRE(all.size() == 1);
        CHECK_RFC_DEVIATES("R3927-001", all[0].to.next_hop == gateway);
    }
}

TEST_CASE("output: the link gets the packet, its length, an interface and a next hop") {
    const auto n = router();
    const struct {
        ipv4::address to;
        egress by;
    } rows[] = {{.to = far, .by = {3, link_destination::unicast, far}},
                {.to = peer, .by = {2, link_destination::unicast, peer}},
                {.to = remote, .by = {3, link_destination::unicast, gateway}}};
    for (const auto& r : rows) {
        for (const std::size_t size : {1u, 100u, 1480u}) {
            REQUIRE(n->send(pattern(size), {.destination = r.to}));
            const byte_vector through =
                datagram_of({.destination = r.to, .payload = pattern(size)});
            n->receive(through, r.by.interface == 3 ? u16{2} : u16{3});
            const auto all = n->sent();
            REQUIRE(all.size() == 2);
            for (const auto& s : all) {
                CHECK_RFC("R1812-002", s.to == r.by);
                CHECK_RFC("R1812-002", s.datagram.size() == 20 + size);
            }
        }
    }
}

}  // namespace

}  // namespace rfc_output_addresses
