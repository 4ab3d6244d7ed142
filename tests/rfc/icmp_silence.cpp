// Datagrams about which no ICMP error may be sent, whatever is wrong with them.
#include "rfc/node.hpp"

namespace rfc_icmp_silence {

namespace {

using namespace rfc;

// Refused for its TTL: time exceeded would be due.
byte_vector expiring(datagram_fields f) {
    f.ttl = 1;
    return datagram_of(f);
}
bool silent(node& n, const byte_vector& d, link_addressing seen_as = link_addressing::host) {
    static_cast<void>(n.sent());
    return n.receive(d, 2, seen_as) == fate::dropped && n.sent().empty();
}

TEST_CASE("icmp: nothing about errors") {
    const auto n = router();
    for (const u8 type : {u8{3}, u8{4}, u8{5}, u8{11}, u8{12}}) {
        const byte_vector message = icmp_message(type, 0, 0, datagram_of({.destination = peer}));
        const byte_vector passing = expiring({.protocol = 1, .payload = message});
        const byte_vector unroutable =
            datagram_of({.destination = "99.1.1.1"_ip, .protocol = 1, .payload = message});
        CHECK_RFC("R792-002", silent(*n, passing) && silent(*n, unroutable));
        CHECK_RFC("R1122-049", silent(*n, passing));
        CHECK_RFC("R1812-056", silent(*n, passing) && silent(*n, unroutable));
    }
    // Of a query it may be sent.
    const byte_vector query = expiring({.protocol = 1, .payload = echo_request()});
    CHECK_RFC("R792-002", is_icmp(n->ask(query), 11, 0));
}

TEST_CASE("icmp: nothing about later fragments, only about the first") {
    const auto n = router();
    CHECK_RFC("R792-003", is_icmp(n->ask(expiring({.flags_and_offset = mf})), 11, 0));
    for (const u16 offset : {u16{1}, u16(mf | 7), u16{0x1fff}}) {
        CHECK_RFC("R792-003", silent(*n, expiring({.flags_and_offset = offset})));
        CHECK_RFC("R1122-052", silent(*n, expiring({.flags_and_offset = offset})));
        CHECK_RFC("R1812-061", silent(*n, expiring({.flags_and_offset = offset})));
    }
}

TEST_CASE("icmp: no error answers a broadcast or multicast, by address or by frame") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        REQUIRE(n->join(2, "239.1.1.1"_ip));
        const byte_vector udp = udp_message(5, 6, pattern(9));
        for (const auto to : {ipv4::limited_broadcast, "10.0.1.255"_ip, "239.1.1.1"_ip}) {
            const byte_vector no_protocol = datagram_of({.destination = to, .protocol = 77});
            const byte_vector no_port =
                datagram_of({.destination = to, .protocol = 17, .payload = udp});
            const byte_vector bad_option =
                datagram_of({.destination = to, .options = list({7, 2, 0, 0})});
            CHECK_RFC("R1122-050", silent(*n, no_protocol) && silent(*n, no_port));
            CHECK_RFC("R1812-058", silent(*n, no_protocol) && silent(*n, bad_option));
        }
        for (const auto kind : {link_addressing::broadcast, link_addressing::multicast}) {
            const byte_vector no_protocol = datagram_of({.destination = own, .protocol = 77});
            CHECK_RFC("R1122-051", silent(*n, no_protocol, kind));
            CHECK_RFC("R1812-059", silent(*n, no_protocol, kind));
            CHECK_RFC("R1812-059", silent(*n, expiring({}), kind));
        }
        const byte_vector to_us = datagram_of({.destination = own, .protocol = 77});
        CHECK_RFC("R1122-050", is_icmp(n->ask(to_us), 3, 2));
    }
}

TEST_CASE("icmp: no error goes to a source that is not a single host") {
    const auto n = router();
    for (const auto from :
         {ipv4::unspecified, "127.0.0.1"_ip, ipv4::limited_broadcast, "224.0.0.9"_ip}) {
        CHECK_RFC("R1812-062", silent(*n, expiring({.source = from})));
        CHECK(silent(*n, datagram_of({.source = from, .destination = own, .protocol = 77})));
    }
    // Linux sends errors to these sources too.
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    for (const auto from : {"240.0.0.1"_ip, "0.1.2.3"_ip, "10.0.1.255"_ip}) {
        const byte_vector error = n->ask(expiring({.source = from}));
        CHECK_RFC_DEVIATES("R1122-053", is_icmp(error, 11, 0));
        CHECK_RFC_DEVIATES("R1812-060", ip(error)[ipv4::destination] == from);
        const auto h = hardened();
        CHECK_RFC_HARDENED("R1122-053", silent(*h, expiring({.source = from})));
        CHECK_RFC_HARDENED("R1812-060", silent(*h, expiring({.source = from})));
    }
}

TEST_CASE("icmp: the bans outrank every reason") {
    const auto n = router();
    n->set_mtu(3, 600);
    const byte_vector large = pattern(1000);
    CHECK_RFC(
        "R1812-062",
        silent(*n,
               datagram_of({.source = "127.0.0.1"_ip, .flags_and_offset = df, .payload = large})));
    CHECK_RFC("R1812-062",
              silent(*n, datagram_of({.flags_and_offset = u16(df | 2), .payload = large})));
    CHECK_RFC("R1812-062",
              silent(*n, datagram_of({.source = "224.0.0.9"_ip, .options = list({7, 2, 0, 0})})));
    for (const std::size_t at : {0u, 10u}) {
        byte_vector d = expiring({});
        d[at] ^= std::byte{0x20};
        CHECK_RFC("R1812-057", silent(*n, d));
    }
    byte_vector cut = expiring({});
    cut.pop_back();
    CHECK_RFC("R1812-057", silent(*n, cut));
    CHECK_RFC("R1812-057", n->count(mib::icmp_out_msgs) == 0);
}

TEST_CASE("icmp: overlapping fragments are dropped without a word, also later") {
    const auto n = host();
    n->receive(datagram_of({.destination = own, .flags_and_offset = mf, .payload = pattern(32)}));
    n->receive(
        datagram_of({.destination = own, .flags_and_offset = u16(mf | 2), .payload = pattern(32)}));
    CHECK_RFC("R5722-002", n->count(mib::ipext_reasm_overlaps) == 1);
    n->wait(60_s);
    CHECK_RFC("R5722-002", n->sent().empty());
}

TEST_CASE("icmp: how often") {
    const auto n = router();
    n->pace = {};
    std::size_t errors = 0, replies = 0;
    for (int i = 0; i < 20; ++i)
        errors += is_icmp(n->ask(expiring({})), 11, 0);
    for (int i = 0; i < 20; ++i)
        replies += is_icmp(n->ask(ping()), 0, 0);
    CHECK_RFC("R1812-063", errors == 6 && replies == 20);
    n->change([](settings& s) { s.icmp_ratelimit = 0; });
    for (int i = 0; i < 20; ++i)
        errors += is_icmp(n->ask(expiring({})), 11, 0);
    CHECK_RFC("R1812-063", errors == 26);
}

}  // namespace

}  // namespace rfc_icmp_silence
