// Forwarding keeps precedence, ECN, reserved bits and fragments; source routes.
#include "rfc/node.hpp"

namespace rfc_forward_unchanged {

namespace {

using namespace rfc;

TEST_CASE("forward: precedence, DSCP and ECN of others are not changed") {
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        for (int tos = 0; tos < 256; tos += 1) {
            const byte_vector out = n->forward(datagram_of({.tos = u8(tos)}));
            if (ip(out)[ipv4::tos] == tos && tos % 37 != 3) continue;
            CHECK_RFC("R1812-120", ip(out)[ipv4::tos] == tos);
            CHECK_RFC("R3168-003", ip(out)[ipv4::ecn] == (tos & 3));
        }
        n->set_mtu(3, 600);
        const byte_vector large = datagram_of({.tos = 0x02, .payload = pattern(1000)});
        CHECK_RFC("R3168-002", n->receive(large) == fate::forwarded);
        const auto pieces = n->sent();
        REQUIRE(pieces.size() == 2);
        for (const auto& piece : pieces) {
            CHECK_RFC("R3168-002", ip(piece.datagram)[ipv4::ecn] == 2);
        }
        CHECK_RFC("R3168-002", ip(n->forward(datagram_of({.tos = 0xfc})))[ipv4::ecn] == 0);
        CHECK_RFC("R3168-003", ip(n->forward(datagram_of({.tos = 0x03})))[ipv4::ecn] == 3);
    }
}

TEST_CASE("forward: the ECN field is two bits and no part of the TOS that routes are chosen by") {
    const auto n = router();
    REQUIRE(n->add_route({.prefix = "20.0.0.0/8"_prefix, .tos = 0x10, .gateway = "10.0.2.9"_ip}));
    for (const int ecn : {0, 1, 2, 3}) {
        n->receive(datagram_of({.destination = remote, .tos = u8(0x10 | ecn)}));
        n->receive(datagram_of({.destination = remote, .tos = u8(ecn)}));
        const auto all = n->sent();
        REQUIRE(all.size() == 2);
        CHECK_RFC("R3168-001", all[0].to.next_hop == "10.0.2.9"_ip);
        CHECK_RFC("R3168-001", all[1].to.next_hop == gateway);
        CHECK_RFC("R3168-001", n->count(ecn_counter(u8(ecn))) == 2);
    }
}

TEST_CASE("forward: the reserved flag passes in whole packets, and is lost in fragments") {
    const auto n = router();
    CHECK(ip(n->forward(datagram_of({.flags_and_offset = 0x8000})))[ipv4::flags_and_offset] ==
          0x8000);
    n->set_mtu(3, 600);
    n->receive(datagram_of({.flags_and_offset = 0x8000, .payload = pattern(1000)}));
    const auto pieces = n->sent();
    REQUIRE(pieces.size() == 2);
    CHECK_RFC_DEVIATES("R1812-104", ip(pieces[0].datagram)[ipv4::flags_and_offset] == mf);
}

TEST_CASE("forward: each fragment is forwarded by itself") {
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        for (const u16 offset : {u16(mf | 0), u16(mf | 2), u16{4}}) {
            const byte_vector d = datagram_of({.flags_and_offset = offset});
            CHECK_RFC("R1812-105", same_but_ttl(n->forward(d), d));
            CHECK_RFC("R8900-003", same_but_ttl(n->forward(d), d));
        }
        CHECK_RFC("R1812-105", n->count(mib::ip_reasm_reqds) == 0);
    }
}

TEST_CASE("forward: source routes are off by default and obey the rules of routers when on") {
    const byte_vector loose = list({131, 7, 4, 20, 1, 2, 3, 0});
    const byte_vector d = datagram_of({.destination = own, .options = loose});
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        CHECK_RFC("R1122-145", !n->switches().all.accept_source_route);
        CHECK_RFC("R1122-145", n->drops(d, drop_reason::source_route_refused));
    }
    const auto on = source_router();
    const byte_vector out = on->forward(d);
    CHECK_RFC("R1122-144", ip(out)[ipv4::destination] == remote);
    CHECK_RFC("R1122-138", ip(out)[ipv4::destination] == remote);
    CHECK_RFC("R1122-142", ip(out)[ipv4::source] == peer);
    CHECK_RFC("R1122-140", ip(out)[ipv4::ttl] == 63);
    CHECK_RFC("R1122-140", is_icmp(on->ask(with_byte(d, 8, 1)), 11, 0));
    on->set_mtu(3, 576);
    CHECK_RFC("R1122-139", is_icmp(on->ask(datagram_of({.destination = own,
                                                        .flags_and_offset = df,
                                                        .options = loose,
                                                        .payload = pattern(600)})),
                                   3, 4));
    CHECK_RFC("R1122-139",
              on->drops(d, drop_reason::source_route_refused, 2, link_addressing::broadcast));
    on->change([](settings& s) { s.all.accept_source_route = false; });
    CHECK_RFC("R1122-144", on->drops(d, drop_reason::source_route_refused));
    // A host follows none to others.
    const auto h = host();
    h->change([](settings& s) { s.all.accept_source_route = true; });
    CHECK_RFC("R1122-139", h->drops(d, drop_reason::source_route_refused));
}

TEST_CASE(
    "forward: the destination field decides the route, not the last address of a source route") {
    const auto n = source_router();
    // The last hop of the route is on interface 2; the destination field, not local, is on
    // interface 3.
    const byte_vector d = datagram_of({.source = "10.0.1.9"_ip,
                                       .destination = far,
                                       .options = list({131, 7, 4, 10, 0, 1, 77, 0})});
    CHECK_RFC("R1812-097", n->receive(d) == fate::forwarded);
    auto all = n->sent();
    REQUIRE(all.size() == 1);
    CHECK_RFC("R1812-097", all[0].to == egress{3, link_destination::unicast, far});
    // Two hops left: the next one decides.
    const byte_vector two = datagram_of(
        {.destination = own, .options = list({131, 11, 4, 20, 1, 2, 3, 10, 0, 1, 77, 0})});
    CHECK_RFC("R1812-097", n->receive(two) == fate::forwarded);
    all = n->sent();
    REQUIRE(all.size() == 1);
    CHECK_RFC("R1812-097", all[0].to == egress{3, link_destination::unicast, gateway});
}

}  // namespace

}  // namespace rfc_forward_unchanged
