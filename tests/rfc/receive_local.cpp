// Datagrams for local delivery: local addresses, broadcasts, groups; any TTL, precedence and
// identification.
#include "rfc/node.hpp"

namespace rfc_receive_local {

namespace {

using namespace rfc;

TEST_CASE("receive: both IP and ICMP are there") {
    const auto n = host();
    n->listen();
    CHECK_RFC("R1122-001", n->hears(datagram_of({.destination = own})));
    CHECK_RFC("R1122-001", is_icmp(n->ask(ping()), 0, 0));
}

TEST_CASE("receive: 576 bytes whole or in fragments, and the largest datagram") {
    const auto n = host();
    n->listen();
    CHECK_RFC("R791-004", n->hears(datagram_of({.destination = own, .payload = pattern(556)})));
    const byte_vector data = pattern(556);
    for (std::size_t at = 0; at < 556; at += 200) {
        const std::size_t end = at + 200 < 556 ? at + 200 : 556;
        const byte_vector part(data.begin() + long(at), data.begin() + long(end));
        n->receive(datagram_of({.destination = own,
                                .flags_and_offset = u16((end < 556 ? mf : 0) | at / 8),
                                .payload = part}));
    }
    CHECK_RFC("R791-004", n->heard.size() == 2 && payload_of(n->heard[1].datagram) == data);
}

TEST_CASE("receive: a datagram for another host is silently dropped") {
    const auto n = host();
    n->listen();
    REQUIRE(n->join(2, "239.1.1.1"_ip));
    const struct {
        ipv4::address to;
        bool local;
    } rows[] = {{.to = own, .local = true},
                {.to = own_far, .local = true},
                {.to = "10.0.1.255"_ip, .local = true},
                {.to = ipv4::limited_broadcast, .local = true},
                {.to = "239.1.1.1"_ip, .local = true},
                {.to = "10.0.1.7"_ip, .local = false},
                {.to = far, .local = false},
                {.to = "239.1.1.2"_ip, .local = false},
                {.to = "192.0.2.1"_ip, .local = false},
                {.to = "10.0.9.255"_ip, .local = false}};
    for (const auto& r : rows) {
        const byte_vector d = datagram_of({.destination = r.to});
        CHECK_RFC("R1122-014", n->hears(d) == r.local);
        CHECK_RFC("R1122-014", n->sent().empty());
    }
    CHECK_RFC("R1122-014", !n->hears(datagram_of({.destination = "239.1.1.1"_ip}), 3));
    CHECK_RFC("R1122-009", n->count(drop_reason::not_forwarding) == 4);
    CHECK_RFC("R1122-009", n->count(drop_reason::no_multicast_member) == 2);
    CHECK_RFC("R1122-009", n->count(mib::ip_in_addr_errors) == 4);
    // The strong host of R1122-136 is a MAY that Linux does not take up.
    CHECK(n->hears(datagram_of({.destination = own}), 3));
}

TEST_CASE("receive: each discard is counted under its reason, which has a sentence") {
    const auto n = host();
    const byte_vector good = datagram_of({.destination = own});
    byte_vector damaged = good;
    damaged[11] ^= std::byte{1};
    const auto cut = [&](std::size_t size) {
        return byte_vector(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    };
    const struct {
        byte_vector datagram;
        drop_reason why;
    } rows[] = {
        {cut(19), drop_reason::header_truncated},
        {with_byte(good, 0, 0x65), drop_reason::header_invalid},
        {damaged, drop_reason::header_checksum},
        {cut(30), drop_reason::length_beyond_packet},
        {datagram_of({}), drop_reason::not_forwarding},
        {datagram_of({.source = "224.0.0.1"_ip, .destination = own}), drop_reason::source_invalid},
        {datagram_of({.destination = "239.1.1.1"_ip}), drop_reason::no_multicast_member},
        {datagram_of({.destination = own, .options = list({7, 40, 4, 0})}),
         drop_reason::option_invalid},
        {datagram_of({.destination = own, .protocol = 77}), drop_reason::protocol_unknown},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{describe(r.why).name});
        const u64 before = n->count(r.why);
        n->receive(r.datagram);
        CHECK_RFC("R1122-008", n->count(r.why) == before + 1);
        CHECK_RFC("R1122-008", describe(r.why).sentence[0] != '\0');
    }
}

TEST_CASE("receive: the standard forms of broadcast") {
    const auto n = host();
    n->listen();
    REQUIRE(n->add_address(2, "172.16.5.1/16"_net));
    CHECK_RFC("R1122-152", n->hears(datagram_of({.destination = ipv4::limited_broadcast})));
    CHECK_RFC("R1122-152", n->hears(datagram_of({.destination = "10.0.1.255"_ip})));
    CHECK_RFC("R1122-152", n->hears(datagram_of({.destination = "172.16.255.255"_ip})));
    REQUIRE(n->heard.size() == 3);
    for (const auto& h : n->heard) {
        CHECK_RFC("R1122-152", h.info.broadcast_or_multicast);
    }
    CHECK_RFC_DEVIATES("R1122-149", !n->hears(datagram_of({.destination = "10.0.1.0"_ip})));
    CHECK_RFC_DEVIATES("R1122-149", !n->hears(datagram_of({.destination = ipv4::unspecified})));
}

TEST_CASE("receive: TTL, precedence, reserved flag and identification do not matter to us") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        n->listen();
        for (const u8 ttl : {u8{0}, u8{1}, u8{2}, u8{255}}) {
            const byte_vector d = datagram_of({.destination = own, .ttl = ttl});
            CHECK_RFC("R1122-027", n->hears(d));
            CHECK_RFC("R1812-028", n->hears(d));
            CHECK_RFC("R1812-026", n->hears(d));
        }
        for (int precedence = 0; precedence < 8; ++precedence) {
            const u8 tos = u8(precedence << 5);
            CHECK_RFC("R1812-119", n->hears(datagram_of({.destination = own, .tos = tos})));
        }
        CHECK_RFC("R1812-016",
                  n->hears(datagram_of({.destination = own, .flags_and_offset = 0x8000})));
        for (int i = 0; i < 3; ++i) {
            // Atomic: twice the same identification is no duplicate, and 0 is as good as any.
            const u16 id = i == 2 ? 0 : 7;
            CHECK_RFC("R6864-003",
                      n->hears(datagram_of(
                          {.destination = own, .identification = id, .flags_and_offset = df})));
        }
        if (make == host) continue;
        for (int precedence = 0; precedence < 8; ++precedence)
            CHECK_RFC("R1812-119", !n->forward(datagram_of({.tos = u8(precedence << 5)})).empty());
        CHECK_RFC("R1812-016", !n->forward(datagram_of({.flags_and_offset = 0x8000})).empty());
    }
}

TEST_CASE("receive: the properties of a datagram that a program receives with its data") {
    const auto n = host();
    n->listen();
    n->listen_udp(9);
    CHECK_RFC("R1122-161", n->hears(datagram_of({.destination = own_far})));
    CHECK_RFC("R1122-161", n->heard[0].info.local == own_far && n->heard[0].info.interface == 2);
    CHECK_RFC("R1122-161", n->hears(datagram_of({.destination = "10.0.1.255"_ip, .tos = 0x48})));
    CHECK_RFC("R1122-161", n->heard[1].info.local == own);
    CHECK_RFC("R1122-024", ip(n->heard[1].datagram)[ipv4::tos] == 0x48);
    CHECK_RFC("R1812-001",
              n->heard[1].info.interface == 2 && n->heard[1].info.broadcast_or_multicast);
}

}  // namespace

}  // namespace rfc_receive_local
