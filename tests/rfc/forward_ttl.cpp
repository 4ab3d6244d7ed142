// Forwarding: the fields that change, the order of the checks, and the fields that stay.
#include "rfc/node.hpp"

#include <sluice/wire/checksum.hpp>
#include <sluice/wire/ipv4.hpp>

namespace rfc_forward_ttl {

namespace {

using namespace rfc;

TEST_CASE("forward: the TTL is decremented, and a datagram whose TTL expires is dropped") {
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        for (const u8 ttl : {u8{255}, u8{64}, u8{2}}) {
            const byte_vector d = datagram_of({.ttl = ttl});
            const byte_vector out = n->forward(d);
            CHECK_RFC("R791-007", ip(out)[ipv4::ttl] == ttl - 1 && ipv4::checksum_ok(ip(out)));
            CHECK_RFC("R1812-116", ip(out)[ipv4::ttl] == ttl - 1 && same_but_ttl(out, d));
            CHECK_RFC("R1812-117", ip(out)[ipv4::ttl] >= 1);  // though the next hop drops it
        }
        for (const u8 ttl : {u8{1}, u8{0}}) {
            const byte_vector d = datagram_of({.ttl = ttl});
            CHECK_RFC("R791-007", n->forward(d).empty());
            CHECK_RFC("R1812-116", is_icmp(n->ask(d), 11, 0));
        }
        // Multicast: no error.
        CHECK_RFC("R1812-116", n->drops(datagram_of({.destination = "239.1.1.1"_ip, .ttl = 1}),
                                        drop_reason::no_multicast_member));
    }
}

// Sets the identification to 0: it depends on the datagrams sent before.
byte_vector unidentified(byte_vector d) {
    return d.size() < 20 ? d : summed(with_byte(with_byte(std::move(d), 4, 0), 5, 0));
}

TEST_CASE("forward: a host that forwards is a router") {
    const auto n = host();
    const byte_vector d = datagram_of({});
    CHECK_RFC("R1122-006", !n->switches().all.forwarding);
    CHECK_RFC("R1122-006", n->drops(d, drop_reason::not_forwarding));
    CHECK_RFC("R1122-007", n->drops(datagram_of({.source = far, .destination = peer}),
                                    drop_reason::not_forwarding, 3));
    CHECK_RFC("R1122-007", n->count(mib::ip_forw_datagrams) == 0);
    n->set_forwarding(true);
    CHECK_RFC("R1122-005", same_but_ttl(n->forward(d), d));
    // It treats each of these datagrams like a router, byte for byte.
    const auto r = router();
    enum : int { passed = -1, silence = -2 };
    const struct {
        byte_vector datagram;
        int type = silence;  // of the ICMP message that answers
        int code = 0;
    } rows[] = {
        {.datagram = d, .type = passed},
        {.datagram = datagram_of({.ttl = 1}), .type = 11},
        {.datagram = datagram_of({.ttl = 0}), .type = 11},
        {.datagram = datagram_of({.destination = "99.1.1.1"_ip}), .type = 3},
        {.datagram = datagram_of(
             {.destination = remote, .options = list({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0})}),
         .type = passed},
        {.datagram = datagram_of({.options = list({1, 68, 3, 5})}), .type = 12},
        {.datagram = datagram_of({.flags_and_offset = df, .payload = pattern(1480)}),
         .type = passed},
        {.datagram = datagram_of({.flags_and_offset = df, .payload = pattern(1481)}),
         .type = 3,
         .code = 4},
        {.datagram = datagram_of({.destination = "255.255.255.255"_ip})},
        {.datagram = datagram_of({.source = "127.0.0.1"_ip})},
        {.datagram = datagram_of({.source = own_far})},
        {.datagram = datagram_of({.destination = "240.0.0.1"_ip}), .type = 3},
        {.datagram = with_byte(d, 0, 0x44)},
        {.datagram = ping(), .type = 0},
    };
    for (const auto& row : rows) {
        const byte_vector out = n->ask(row.datagram);
        CHECK_RFC("R1122-004", unidentified(out) == unidentified(r->ask(row.datagram)));
        CHECK_RFC("R1122-004", out.empty() == (row.type == silence));
        if (row.type == passed)
            CHECK_RFC("R1122-004", ip(out)[ipv4::protocol] == plain && ip(out)[ipv4::ttl] == 63);
        if (row.type >= 0) CHECK_RFC("R1122-004", is_icmp(out, row.type, row.code));
    }
    n->set_forwarding(false);
    CHECK_RFC("R1122-005", n->drops(d, drop_reason::not_forwarding));
}

TEST_CASE("forward: the ingress interface's switch decides, as in Linux") {
    const auto n = router();
    n->change_interface(2, [](interface_settings& s) { s.forwarding = false; });
    CHECK(n->drops(datagram_of({}), drop_reason::not_forwarding));
    CHECK_RFC_DEVIATES("R1812-136",
                       !n->forward(datagram_of({.source = far, .destination = peer}), 3).empty());
}

TEST_CASE("forward: only the options of a datagram for this host are changed") {
    const auto n = router();
    n->listen();
    const byte_vector d =
        datagram_of({.destination = own, .ttl = 1, .tos = 0xff, .flags_and_offset = df});
    CHECK(n->hears(d));
    CHECK(n->heard[0].datagram == d);
    const byte_vector recording =
        datagram_of({.destination = own, .options = list({7, 7, 4, 0, 0, 0, 0})});
    CHECK(n->hears(recording));
    CHECK_RFC_DEVIATES("R1812-083",
                       begins_with(options(n->heard[1].datagram), list({7, 7, 8, 10, 0, 1, 1})));
    const byte_vector behind_end = datagram_of({.destination = own, .options = list({0, 1, 2, 3})});
    CHECK(n->hears(behind_end));
    CHECK_RFC_DEVIATES("R1812-083", options(n->heard[2].datagram) == list({0, 0, 0, 0}));
}

TEST_CASE("forward: route before TTL, TTL before strict route and size, redirect at the end") {
    const auto n = source_router();
    const byte_vector strict = list({137, 7, 4, 20, 1, 2, 3, 0});
    CHECK_RFC("R1812-085",
              is_icmp(n->ask(datagram_of({.destination = "99.1.1.1"_ip, .ttl = 1})), 3, 0));
    CHECK_RFC(
        "R1812-085",
        is_icmp(n->ask(datagram_of({.destination = own, .ttl = 1, .options = strict})), 11, 0));
    CHECK_RFC("R1812-085",
              is_icmp(n->ask(datagram_of({.destination = own, .options = strict})), 3, 5));
    n->set_mtu(3, 576);
    const byte_vector large =
        datagram_of({.ttl = 1, .flags_and_offset = df, .payload = pattern(600)});
    CHECK_RFC("R1812-085", is_icmp(n->ask(large), 11, 0));
    CHECK_RFC("R1812-085", is_icmp(n->ask(with_byte(large, 8, 2)), 3, 4));
    REQUIRE(n->add_route({.prefix = "30.0.0.0/8"_prefix, .gateway = "10.0.1.254"_ip}));
    static_cast<void>(n->sent());
    CHECK_RFC("R1812-085",
              n->receive(datagram_of({.destination = "30.1.1.1"_ip})) == fate::forwarded);
    const auto two = n->sent();
    REQUIRE(two.size() == 2);
    CHECK_RFC("R1812-085",
              is_icmp(two[0].datagram, 5, 1) && ip(icmp_data(two[0].datagram))[ipv4::ttl] == 63);
}

TEST_CASE("forward: the checksum by increments equals the recomputed one") {
    CHECK_RFC("R1624-003", checksum::update(0xdd2f, u16{0x5555}, u16{0x3285}) == 0x0000);
    for (u32 id = 0; id < 0x10000; id += 1) {
        byte_vector d = datagram_of({.ttl = 64, .identification = u16(id), .payload = {}});
        ipv4::decrement_ttl(ipv4::view{d.data()});
        const u16 by_increment = ip(d)[ipv4::header_checksum];
        const u16 recomputed = naive_checksum(byte_vector(d.begin(), d.begin() + 20));
        if (by_increment == recomputed && by_increment != 0xffff && id % 0x1111 != 0) continue;
        CHECK_RFC("R1624-001", by_increment == recomputed && by_increment != 0xffff);
        CHECK_RFC("R1624-004", by_increment == recomputed);
        CHECK_RFC("R1141-001", by_increment == recomputed);
    }
    // Only the change is added: a checksum that was wrong stays wrong by as much.
    for (const u16 error : {u16{0}, u16{1}, u16{0x0100}, u16{0x7fff}}) {
        byte_vector header = datagram_of({.ttl = 64, .payload = {}});
        const u16 right = naive_checksum(header);
        store_be<u16>(header.data() + 10, u16(right ^ error));
        ipv4::decrement_ttl(ipv4::view{header.data()});
        // The TTL is the high byte of its word, so the complement rises by 0x0100.
        const u32 raised = u32(right ^ error) + 0x0100;
        CHECK_RFC("R1812-019",
                  ip(header)[ipv4::header_checksum] == (raised & 0xffff) + (raised >> 16));
        CHECK_RFC("R1812-019",
                  (error == 0) == (ip(header)[ipv4::header_checksum] == naive_checksum(header)));
    }
    // HC + m + ~m' would give 0xffff here, and 0 for the reverse.
    CHECK_RFC("R1624-002", checksum::update(0xdd2f, u16{0x5555}, u16{0x3285}) != 0xffff);
    CHECK_RFC("R1624-002", checksum::update(0x0000, u16{0x3285}, u16{0x5555}) == 0xdd2f);
    byte_vector d = datagram_of({.destination = own, .identification = 0});
    store_be<u16>(d.data() + 4, ip(d)[ipv4::header_checksum]);  // then the rest sums to zero
    d = summed(d);
    REQUIRE(ip(d)[ipv4::header_checksum] == 0);
    const auto n = host();
    n->listen();
    CHECK_RFC("R1624-004", n->hears(d));
    store_be<u16>(d.data() + 10, 0xffff);
    CHECK_RFC("R1624-004", n->hears(d));
}

}  // namespace

}  // namespace rfc_forward_ttl
