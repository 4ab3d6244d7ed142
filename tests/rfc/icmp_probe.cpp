// Extended echo: the requests, and Linux's replies.
#include "rfc/node.hpp"

#include <sluice/wire/icmp_extensions.hpp>

namespace rfc_icmp_probe {

namespace {

using namespace rfc;

// A probe that begins with these bytes behind the ICMP header; the last of `word` is the L bit.
byte_vector probe(const byte_vector& object, u32 word = 0x12345601, ipv4::address to = own) {
    byte_vector structure = list({0x20, 0, 0, 0}) + object;
    icmp::finish_extension(bytes{structure});
    return datagram_of({.destination = to,
                        .protocol = 1,
                        .tos = 0x28,
                        .payload = icmp_message(42, 0, word, structure)});
}
byte_vector by_index(int index) {
    return list({0, 8, 3, 2, 0, 0, 0, index});
}
byte_vector by_address(ipv4::address a) {
    return list({0, 12, 3, 3, 0, 1, 4, 0}) + of(a);
}
std::unique_ptr<node> probed() {
    auto n = host();
    n->change([](settings& s) { s.icmp_echo_enable_probe = true; });
    return n;
}

TEST_CASE("icmp: probes are not answered unless switched on") {
    for (const auto& make : {host, router, hardened}) {
        CHECK(!make()->switches().icmp_echo_enable_probe);
        CHECK(make()->ask(probe(by_index(2))).empty());
    }
    CHECK(is_icmp(probed()->ask(probe(by_index(2))), 43, 0));
    byte_vector from_group = probe(by_index(2));
    store_be<u32>(from_group.data() + 12, ("239.1.1.1"_ip).value);
    CHECK(probed()->ask(summed(from_group)).empty());
    // Switched on, also one to a group.
    const auto n = probed();
    REQUIRE(n->join(2, "239.1.1.1"_ip));
    const byte_vector to_group = probe(by_index(2), 0x12345601, "239.1.1.1"_ip);
    CHECK_RFC_DEVIATES("R8335-002", is_icmp(n->ask(to_group), 43, 0));
}

TEST_CASE("icmp: the answer to a probe") {
    const byte_vector reply = probed()->ask(probe(by_index(2), 0x1234'5601, own_far));
    CHECK(ip(reply)[ipv4::source] == own_far);
    CHECK(ip(reply)[ipv4::destination] == peer);
    CHECK((icmp_word(reply) >> 8) == 0x123456);
    CHECK_RFC_DEVIATES("R8335-003", ip(reply)[ipv4::ttl] == 64);
    CHECK_RFC_DEVIATES("R8335-003", !ip(reply)[ipv4::dont_fragment]);
    CHECK_RFC_DEVIATES("R8335-003", ip(reply)[ipv4::tos] == 0x28);
}

TEST_CASE("icmp: codes of the answer") {
    const auto n = probed();
    CHECK(is_icmp(n->ask(probe(by_index(3))), 43, 0));
    CHECK(is_icmp(n->ask(probe(by_address(own_far))), 43, 0));
    CHECK(is_icmp(n->ask(probe(by_index(77))), 43, 2));
    CHECK(is_icmp(n->ask(probe(by_address(far))), 43, 2));
    CHECK(is_icmp(n->ask(probe(list({0, 8, 3, 9, 0, 0, 0, 2}))), 43, 1));
    CHECK(is_icmp(n->ask(probe(list({0, 7, 3, 2, 0, 0, 0, 2}))), 43, 1));
    // Queries about neighbours (L clear) get no answer.
    CHECK_RFC_DEVIATES("R8335-004", n->ask(probe(by_address(peer), 0x12345600)).empty());
}

TEST_CASE("icmp: the bits of the answer") {
    const auto n = probed();
    const auto bits = [&](int index) { return icmp_word(n->ask(probe(by_index(index)))) & 0xff; };
    CHECK_RFC("R8335-005", bits(2) == 0x06);  // active, IPv4, no IPv6; state 0
    n->set_up(3, false);
    CHECK_RFC("R8335-005", (bits(3) & 0x04) == 0);
    CHECK_RFC("R8335-005", bits(77) == 0);  // code 2
    REQUIRE(n->add_interface(9, {{}, 32}));
    CHECK_RFC("R8335-005", bits(9) == 0x04);  // active, but no IPv4
}

}  // namespace

}  // namespace rfc_icmp_probe
