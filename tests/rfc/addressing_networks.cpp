// Networks: masks, several addresses on an interface, networks of two addresses, byte order.
#include "rfc/node.hpp"

#include <sluice/wire/address.hpp>

namespace rfc_addressing_networks {

namespace {

using namespace rfc;

// To whom on the link a datagram to that address is given; unspecified: it does not leave.
ipv4::address next_hop_of(node& n, ipv4::address to) {
    if (!n.send(pattern(8), {.destination = to})) return {};
    const auto all = n.sent();
    return all.size() == 1 ? all[0].to.next_hop : ipv4::address{};
}

TEST_CASE("addressing: address and mask of an interface define the hosts on its link") {
    const auto n = host();
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    REQUIRE(n->add_interface(4, "172.16.5.9/20"_net));
    REQUIRE(n->add_interface(5, "192.0.2.129/26"_net));
    const struct {
        ipv4::address to;
        bool on_link;
    } rows[] = {
        {.to = "172.16.0.1"_ip, .on_link = true},   {.to = "172.16.15.254"_ip, .on_link = true},
        {.to = "172.16.16.1"_ip, .on_link = false}, {.to = "192.0.2.190"_ip, .on_link = true},
        {.to = "192.0.2.193"_ip, .on_link = false}, {.to = "192.0.2.127"_ip, .on_link = false},
        {.to = "10.0.1.77"_ip, .on_link = true},    {.to = "10.0.3.1"_ip, .on_link = false}};
    for (const auto& r : rows) {
        CHECK_RFC("R950-001", next_hop_of(*n, r.to) == (r.on_link ? r.to : gateway));
        CHECK_RFC("R1122-012", next_hop_of(*n, r.to) == (r.on_link ? r.to : gateway));
    }
    CHECK_RFC(
        "R1122-003",
        is_icmp(n->ask(ping({.source = "192.0.2.130"_ip, .destination = "192.0.2.129"_ip}), 5), 0,
                0));
}

TEST_CASE("addressing: masks are configured, statically") {
    for (const u8 length : {u8{8}, u8{16}, u8{25}, u8{30}}) {
        const auto n = host();
        REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
        REQUIRE(n->add_interface(4, {"172.16.0.1"_ip, length}));
        const ipv4::prefix net{"172.16.0.1"_ip, length};
        const ipv4::address last{net.broadcast().value - 1};
        const ipv4::address beyond{net.broadcast().value + 2};
        CHECK_RFC("R1122-091", next_hop_of(*n, last) == last);
        CHECK_RFC("R1122-091", next_hop_of(*n, beyond) == gateway);
        CHECK_RFC("R1122-092", next_hop_of(*n, last) == last);
        n->listen();
        CHECK_RFC("R1122-092",
                  n->hears(datagram_of({.source = last, .destination = net.broadcast()}), 4));
    }
}

TEST_CASE("addressing: the first and the last subnet are subnets like others") {
    const auto n = router();
    REQUIRE(n->add_interface(4, "172.16.0.1/24"_net));
    REQUIRE(n->add_interface(5, "172.16.255.1/24"_net));
    const byte_vector d =
        datagram_of({.source = "172.16.0.9"_ip, .destination = "172.16.255.9"_ip});
    CHECK_RFC("R950-002", same_but_ttl(n->forward(d, 4), d));
    CHECK_RFC("R950-002", next_hop_of(*n, "172.16.0.77"_ip) == "172.16.0.77"_ip);
    n->listen();
    CHECK_RFC("R950-002", n->hears(datagram_of({.source = "172.16.255.9"_ip,
                                                .destination = "172.16.255.255"_ip}),
                                   5));
}

TEST_CASE("addressing: in a network of two both addresses are hosts") {
    const auto n = host();
    REQUIRE(n->add_interface(4, "192.168.7.0/31"_net));
    REQUIRE(n->add_interface(5, "192.168.9.3/31"_net));
    const struct {
        ipv4::address other;
        ipv4::address local;
        u16 egress_index;
    } rows[] = {{.other = "192.168.7.1"_ip, .local = "192.168.7.0"_ip, .egress_index = 4},
                {.other = "192.168.9.2"_ip, .local = "192.168.9.3"_ip, .egress_index = 5}};
    for (const auto& r : rows) {
        CHECK_RFC("R3021-001", n->send(pattern(8), {.destination = r.other}));
        const auto all = n->sent();
        REQUIRE(all.size() == 1);
        CHECK_RFC("R3021-001",
                  all[0].to == egress{r.egress_index, link_destination::unicast, r.other});
        CHECK_RFC("R3021-001", ip(all[0].datagram)[ipv4::source] == r.local);
    }
}

TEST_CASE("addressing: fields and addresses are big endian on the wire") {
    const auto n = host();
    byte_vector d =
        n->sends(pattern(300 - 20),
                 {.destination = "10.0.2.66"_ip, .protocol = 0xfd, .tos = 0xb8, .ttl = 9});
    REQUIRE(d.size() == 300);
    CHECK_RFC("R791-038", begins_with(d, list({0x45, 0xb8, 0x01, 0x2c})));
    CHECK_RFC("R791-038", byte_vector(d.begin() + 6, d.begin() + 10) == list({0, 0, 9, 0xfd}));
    CHECK_RFC("R791-038",
              byte_vector(d.begin() + 12, d.begin() + 20) == list({10, 0, 2, 1, 10, 0, 2, 66}));
    u32 sum = 0;
    for (std::size_t i = 0; i < 20; i += 2)
        sum += static_cast<u32>(d[i]) << 8 | static_cast<u32>(d[i + 1]);
    CHECK_RFC("R791-038", (sum & 0xffff) + (sum >> 16) == 0xffff);
}

}  // namespace

}  // namespace rfc_addressing_networks
