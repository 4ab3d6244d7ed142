// The headers that this host makes, and what a program may choose in them.
#include "rfc/node.hpp"

#include <sluice/wire/checksum.hpp>

namespace rfc_output_header {

namespace {

using namespace rfc;

TEST_CASE("output: options end on a 32-bit boundary, padded with zeros") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        for (std::size_t size = 0; size <= 40; ++size) {
            const byte_vector no_operations(size, std::byte{1});
            const byte_vector d = n->sends(pattern(8), {.options = no_operations});
            const std::size_t padded = (size + 3) / 4 * 4;
            CHECK_RFC("R791-009", ip(d)[ipv4::ihl] * 4u == 20 + padded);
            byte_vector expected = no_operations;
            expected.resize(padded);
            CHECK_RFC("R791-009", options(d) == expected);
            CHECK(payload_of(d) == pattern(8));
        }
    }
}

// By a request; or by a header that the program writes itself, for the identification.
TEST_CASE("output: a program chooses each field, and sees each of a datagram that it receives") {
    const byte_vector record = list({7, 7, 4, 0, 0, 0, 0, 0});
    for (const auto& make : {host, router}) {
        const auto n = make();
        const byte_vector d = n->sends(pattern(8), {.destination = remote,
                                                    .source = own,
                                                    .protocol = 254,
                                                    .tos = 0x48,
                                                    .ttl = 17,
                                                    .dont_fragment = true,
                                                    .options = record});
        const byte_vector sent_options = options(d);
        REQUIRE(sent_options.size() == 8);
        const bool as_asked = ip(d)[ipv4::source] == own && ip(d)[ipv4::destination] == remote &&
                              ip(d)[ipv4::protocol] == 254 && ip(d)[ipv4::tos] == 0x48 &&
                              ip(d)[ipv4::ttl] == 17 && ip(d)[ipv4::flags_and_offset] == df &&
                              sent_options[0] == record[0] && sent_options[1] == record[1];
        CHECK_RFC("R791-037", as_asked);
        CHECK_RFC("R1122-160", as_asked);
        const byte_vector written = datagram_of({.source = own_far,
                                                 .destination = far,
                                                 .ttl = 3,
                                                 .tos = 0x20,
                                                 .identification = 0x1234,
                                                 .flags_and_offset = df});
        REQUIRE(n->send_with_header(written));
        const auto all = n->sent();
        REQUIRE(all.size() == 1);
        CHECK_RFC("R791-037", all[0].datagram == written);
        CHECK_RFC("R1122-160", ip(all[0].datagram)[ipv4::identification] == 0x1234);

        n->listen();
        const byte_vector received = datagram_of({.destination = own,
                                                  .ttl = 5,
                                                  .tos = 0x14,
                                                  .identification = 77,
                                                  .flags_and_offset = df,
                                                  .options = list({1, 1, 1, 0}),
                                                  .payload = pattern(8)});
        REQUIRE(n->hears(received));
        CHECK_RFC("R791-037", n->heard.back().datagram == received);
    }
}

TEST_CASE("output: TOS and TTL of each datagram, and their defaults") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        CHECK_RFC("R1122-023", ip(n->sends(pattern(8), {}))[ipv4::tos] == 0);
        CHECK_RFC("R1122-029", ip(n->sends(pattern(8), {}))[ipv4::ttl] == 64);
        CHECK_RFC("R1812-029", ip(n->sends(pattern(8), {}))[ipv4::ttl] == 64);
        for (const u8 value : {u8{1}, u8{4}, u8{63}, u8{128}, u8{255}}) {
            const byte_vector d = n->sends(pattern(8), {.tos = value, .ttl = value});
            CHECK_RFC("R1122-023", ip(d)[ipv4::tos] == value);
            CHECK_RFC("R1122-028", ip(d)[ipv4::ttl] == value);
            CHECK_RFC("R1812-029", ip(d)[ipv4::ttl] == value);
        }
        n->change([](settings& s) { s.ip_default_ttl = 200; });
        CHECK_RFC("R1122-029", ip(n->sends(pattern(8), {}))[ipv4::ttl] == 200);
        CHECK_RFC("R1812-029", ip(n->sends(pattern(8), {}))[ipv4::ttl] == 200);
        CHECK_RFC("R1122-029", ip(n->ask(ping()))[ipv4::ttl] == 200);
    }
}

// RFC 795 maps TOS to parameters of networks. Here it reaches no device: who gets the datagram, and
// how, is the same.
TEST_CASE("output: TOS does not change how a datagram is given to the link") {
    const auto n = router();
    REQUIRE(n->send(pattern(8), {}));
    const egress plainly = n->sent().at(0).to;
    for (u32 tos = 0; tos < 256; ++tos) {
        REQUIRE(n->send(pattern(8), {.tos = static_cast<u8>(tos)}));
        const auto all = n->sent();
        REQUIRE(all.size() == 1);
        CHECK_RFC("R1122-025", all[0].to == plainly);
        CHECK_RFC("R1812-017", all[0].to == plainly);
    }
}

TEST_CASE("output: no datagram with TTL 0, unless a program writes the header itself") {
    for (const auto& make : {host, router}) {
        const auto n = make();
        CHECK(ip(n->sends(pattern(8), {.ttl = 0}))[ipv4::ttl] == 64);  // the default
        CHECK(is_icmp(n->ask(datagram_of({.ttl = 0})), 11, 0) == (make == router));
        const byte_vector dead = datagram_of({.source = own_far, .destination = far, .ttl = 0});
        CHECK(n->send_with_header(dead));
        const auto all = n->sent();
        REQUIRE(all.size() == 1);
        CHECK_RFC_DEVIATES("R1122-026", ip(all[0].datagram)[ipv4::ttl] == 0);
        CHECK_RFC_DEVIATES("R1812-027", ip(all[0].datagram)[ipv4::ttl] == 0);
    }
}

TEST_CASE("output: the reserved bit is 0 in what a router originates") {
    const auto n = router();
    n->set_mtu(3, 600);
    REQUIRE(n->send(pattern(1000), {}));
    for (const auto& s : n->sent())
        CHECK_RFC("R1812-015", (ip(s.datagram)[ipv4::flags_and_offset] & 0x8000) == 0);
    // Answers and errors about datagrams that have it.
    const byte_vector reply = n->ask(ping({.destination = own, .flags_and_offset = 0x8000}));
    CHECK_RFC("R1812-015", is_icmp(reply, 0, 0) && ip(reply)[ipv4::flags_and_offset] == 0);
    const byte_vector error = n->ask(datagram_of({.ttl = 1, .flags_and_offset = 0x8000}));
    CHECK_RFC("R1812-015", is_icmp(error, 11, 0) && ip(error)[ipv4::flags_and_offset] == 0);
}

TEST_CASE("output: the checksum of RFC 1071 is the complement of the sum of 16-bit words") {
    const byte_vector example = list({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7});
    CHECK_RFC("R1071-004", checksum::compute(example) == 0x220d);
    for (std::size_t size = 0; size <= 70; ++size) {
        const byte_vector bytes = pattern(size);
        u32 sum = 0;  // by arithmetic of this test's own
        for (std::size_t i = 0; i < size; i += 2) {
            sum += static_cast<u32>(bytes[i]) << 8;
            sum += i + 1 < size ? static_cast<u32>(bytes[i + 1]) : 0;  // padded on the right
            sum = (sum & 0xffff) + (sum >> 16);
        }
        CHECK_RFC("R1071-001", checksum::compute(bytes) == (~sum & 0xffff));
    }
    for (const auto& make : {host, router}) {
        const byte_vector d = make()->sends(pattern(9), {.options = list({1, 1, 1})});
        CHECK_RFC("R1071-001",
                  ip(d)[ipv4::header_checksum] == naive_checksum(support::part(d, 0, 24)));
    }
}

}  // namespace

}  // namespace rfc_output_header
