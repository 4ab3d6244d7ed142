// ICMP errors: type and code, quote, source address, TOS and TTL.
#include "rfc/node.hpp"

namespace rfc_icmp_errors {

namespace {

using namespace rfc;

byte_vector to(ipv4::address destination, u8 protocol = plain) {
    return datagram_of({.destination = destination, .protocol = protocol, .payload = pattern(40)});
}
const byte_vector to_no_port =
    datagram_of({.destination = own, .protocol = 17, .payload = udp_message(5, 6, pattern(9))});

TEST_CASE("icmp: each kind of error has its type and code") {
    const auto n = router();
    REQUIRE(n->add_route({.prefix = "41.0.0.0/8"_prefix, .type = route_type::unreachable}));
    REQUIRE(n->add_route({.prefix = "42.0.0.0/8"_prefix, .type = route_type::prohibit}));
    REQUIRE(n->add_route({.prefix = "43.0.0.0/8"_prefix, .type = route_type::blackhole}));
    CHECK_RFC("R1812-064", is_icmp(n->ask(to("99.1.1.1"_ip)), 3, 0));
    CHECK_RFC("R792-006", is_icmp(n->ask(to("99.1.1.1"_ip)), 3, 0));
    CHECK_RFC("R792-006", is_icmp(n->ask(to("41.1.1.1"_ip)), 3, 1));
    CHECK_RFC("R792-006", is_icmp(n->ask(to(own, 77)), 3, 2));
    CHECK_RFC("R792-006", is_icmp(n->ask(to_no_port), 3, 3));
    CHECK_RFC("R1122-055", is_icmp(n->ask(to(own, 77)), 3, 2));
    CHECK_RFC("R1122-055", is_icmp(n->ask(to_no_port), 3, 3));
    CHECK_RFC("R1122-054", is_icmp(n->ask(to(own, 77)), 3, 2));
    CHECK_RFC("R1122-054", is_icmp(n->ask(to_no_port), 3, 3));
    CHECK_RFC("R1812-106", is_icmp(n->ask(to("42.1.1.1"_ip)), 3, 13));
    CHECK_RFC("R1812-108", is_icmp(n->ask(to("42.1.1.1"_ip)), 3, 13));
    CHECK_RFC("R1812-108", n->drops(to("43.1.1.1"_ip), drop_reason::blackhole));
    CHECK_RFC("R1812-109", is_icmp(n->ask(to("41.1.1.1"_ip)), 3, 1));
    CHECK_RFC("R792-007", is_icmp(n->ask(with_byte(to(far), 8, 1)), 11, 0));
    CHECK_RFC("R1812-114", is_icmp(n->ask(with_byte(to(far), 8, 1)), 11, 0));
    CHECK_RFC("R1812-106", n->count(mib::icmp_out_dest_unreachs) == 12);
    // A route for other kinds of service does not make it 11 or 12.
    REQUIRE(n->add_route({.prefix = "44.0.0.0/8"_prefix, .tos = 0x10, .gateway = gateway}));
    CHECK_RFC_DEVIATES("R1812-065", is_icmp(n->ask(to("44.1.1.1"_ip)), 3, 0));
}

TEST_CASE("icmp: a neighbour that does not answer causes host unreachable") {
    const auto n = router();
    const byte_vector out = n->forward(to(far));
    n->link_fails(out, 2);
    const auto all = n->sent();
    REQUIRE(all.size() == 1);
    CHECK_RFC("R1812-066", is_icmp(all[0].datagram, 3, 1));
    CHECK_RFC("R1812-109", is_icmp(all[0].datagram, 3, 1));
    CHECK_RFC("R792-006", ip(all[0].datagram)[ipv4::destination] == peer);
}

TEST_CASE("icmp: fragmentation needed carries the MTU, source route failed has code 5") {
    const auto n = source_router();
    n->set_mtu(3, 1400);
    const auto sized = [](std::size_t size) {
        return datagram_of({.flags_and_offset = df, .payload = pattern(size - 20)});
    };
    const byte_vector error = n->ask(sized(1401));
    CHECK_RFC("R1191-006", is_icmp(error, 3, 4) && icmp_word(error) == 1400);
    CHECK_RFC("R1812-107", is_icmp(error, 3, 4) && icmp_word(error) == 1400);
    CHECK_RFC("R1122-141", is_icmp(error, 3, 4));
    CHECK_RFC("R792-006", is_icmp(error, 3, 4));
    CHECK_RFC("R1191-007", n->forward(sized(1400)).size() == 1400);
    REQUIRE(n->add_route({.prefix = "30.0.0.0/8"_prefix, .mtu = 1000, .gateway = gateway}));
    byte_vector by_route = sized(1001);
    store_be<u32>(by_route.data() + 16, ("30.1.1.1"_ip).value);
    CHECK_RFC("R1191-007", icmp_word(n->ask(summed(by_route))) == 1000);
    const byte_vector strict = list({137, 7, 4, 20, 1, 2, 3, 0});
    const byte_vector failed = n->ask(datagram_of({.destination = own, .options = strict}));
    CHECK_RFC("R1122-141", is_icmp(failed, 3, 5));
    CHECK_RFC("R792-006", is_icmp(failed, 3, 5));
    // Switched off, it is silent.
    CHECK_RFC_DEVIATES("R1122-147",
                       router()->drops(datagram_of({.destination = own, .options = strict}),
                                       drop_reason::source_route_refused));
}

TEST_CASE("icmp: the quote and the unused field") {
    const auto n = router();
    const byte_vector small = with_byte(to(far), 8, 1);
    byte_vector error = n->ask(small);
    CHECK_RFC("R792-005", icmp_data(error) == small);
    CHECK_RFC("R1122-045", icmp_data(error).size() > 28);
    CHECK_RFC("R792-004", icmp_word(error) == 0);
    CHECK_RFC("R792-004", icmp_word(n->ask(to_no_port)) == 0);
    CHECK_RFC("R1812-050", ip(icmp_data(error))[ipv4::ttl] == 1);
    byte_vector large = datagram_of({.ttl = 1, .payload = pattern(1400)});
    error = n->ask(large);
    CHECK_RFC("R1812-049", error.size() == 576 && begins_with(large, icmp_data(error)));
    CHECK_RFC("R792-005", icmp_data(error).size() == 548);
    // The reassembly of a datagram that is not made whole: code 1, with the first fragment.
    const byte_vector first = datagram_of({.destination = own, .flags_and_offset = mf});
    n->receive(first);
    n->wait(31_s);
    const auto late = n->sent();
    REQUIRE(late.size() == 1);
    CHECK_RFC("R792-007", is_icmp(late[0].datagram, 11, 1) && icmp_data(late[0].datagram) == first);
    n->receive(datagram_of({.destination = own, .identification = 9, .flags_and_offset = 2}));
    n->wait(31_s);
    CHECK_RFC("R792-008", n->sent().empty());
    // What was recorded on arrival is quoted as recorded, as in Linux.
    const byte_vector o = list({7, 7, 4, 0, 0, 0, 0, 0});
    error = n->ask(datagram_of({.destination = own, .protocol = 77, .options = o}));
    CHECK(is_icmp(error, 3, 2));
    CHECK_RFC_DEVIATES("R1122-046", options(icmp_data(error)) == list({7, 7, 8, 10, 0, 1, 1, 0}));
}

TEST_CASE("icmp: TTL, TOS and source of an error") {
    const auto n = router();
    for (const u8 tos : {u8{0x00}, u8{0x02}, u8{0x10}, u8{0x1f}, u8{0xe8}}) {
        const byte_vector error = n->ask(datagram_of({.ttl = 1, .tos = tos}));
        const u8 got = ip(error)[ipv4::tos];
        CHECK_RFC("R1812-048", ip(error)[ipv4::ttl] == 64);
        CHECK_RFC("R1812-052", (got & 0x1e) == (tos & 0x1e));
        CHECK_RFC("R1812-053", got >> 5 == 6);
        CHECK_RFC_DEVIATES("R1122-048", got == ((tos & 0x1e) | 0xc0));
        CHECK(ip(error)[ipv4::source] == own);
    }
    for (const u8 tos : {u8{0x20}, u8{0xa4}}) {
        const byte_vector reply = n->ask(ping({.destination = own, .tos = tos}));
        CHECK_RFC("R1812-054", ip(reply)[ipv4::precedence] == tos >> 5);
        CHECK_RFC("R1812-052", ip(reply)[ipv4::tos] == tos);
    }
    // About a datagram for a local address, the source is this address, whatever the egress.
    CHECK_RFC_DEVIATES("R1812-051", ip(n->ask(to(own_far, 77)))[ipv4::source] == own_far);
}

TEST_CASE("icmp: parameter problems point at the byte, and are for options alone") {
    const auto n = router();
    const byte_vector bad = datagram_of({.options = list({1, 68, 3, 5})});
    const byte_vector error = n->ask(bad);
    CHECK_RFC("R792-009", is_icmp(error, 12, 0) && icmp_word(error) == 22u << 24);
    CHECK_RFC("R792-009",
              icmp_word(n->ask(datagram_of({.options = list({7, 40, 4, 0})}))) == 20u << 24);
    CHECK_RFC("R792-010", n->count(drop_reason::option_invalid) == 2);
    CHECK_RFC("R792-010", n->count(mib::icmp_out_parm_probs) == 2);
    CHECK_RFC("R792-010", !n->forward(datagram_of({.options = list({7, 3, 4, 0})})).empty());
    CHECK_RFC("R1812-050", icmp_data(error) == bad);
    byte_vector short_header = ping();
    short_header[0] = std::byte{0x44};
    CHECK_RFC_DEVIATES("R1122-068", n->drops(short_header, drop_reason::header_invalid));
    CHECK_RFC_DEVIATES("R1812-069", n->drops(short_header, drop_reason::header_invalid));
}

}  // namespace

}  // namespace rfc_icmp_errors
