// Ping endpoints: echo requests sent, replies received.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_ping {

namespace {

using namespace endpoint_test;

byte_vector answer(u16 identifier, u16 sequence, u8 type = 0) {
    return datagram_of(
        {.source = "10.0.1.2"_ip,
         .destination = "10.0.1.1"_ip,
         .protocol = ipv4::protocols::icmp,
         .payload = support::icmp_message(type, 0, u32{identifier} << 16 | sequence, pattern(12))});
}

TEST_CASE("ping endpoint: a request carries its identifier, and the reply finds it") {
    endpoint_world b;
    ping_socket s{*b};
    ping_socket other{*b};
    REQUIRE(s.bind().has_value());
    REQUIRE(other.bind().has_value());
    const u16 id = s.local().port;
    CHECK(id != 0);
    CHECK(id != other.local().port);
    REQUIRE(s.send_echo(3, pattern(12), "10.0.1.2"_ip, b.now).has_value());
    check(b.sent_one(), support::right_sums(), support::icmp_is(8, 0, u32{id} << 16 | 3),
          support::destination("10.0.1.2"_ip));
    CHECK(b.receive(answer(id, 3)) == fate::delivered);
    const heard h = hear_one(s);
    CHECK((h.bytes == support::icmp_message(0, 0, u32{id} << 16 | 3, pattern(12))));
    CHECK(h.what.from.host == "10.0.1.2"_ip);
    CHECK(other.waiting_packets() == 0);
    CHECK(b->counters()[mib::icmp_out_echos] == 1);
}

TEST_CASE("ping endpoint: only questions are sent") {
    endpoint_world b;
    ping_socket s{*b};
    REQUIRE(s.bind({{}, 7}).has_value());
    const auto send = [&](const byte_vector& m) { return s.send(m, "10.0.1.2"_ip, b.now).error(); };
    CHECK(send(support::icmp_message(0, 0, 1)) == endpoint_error::invalid);
    CHECK(send(support::icmp_message(8, 1, 1)) == endpoint_error::invalid);
    CHECK(send(byte_vector(7)) == endpoint_error::fault);
    CHECK(b.is_quiet());
    CHECK(send(support::icmp_message(42, 0, 0x00020101, pattern(5))) == endpoint_error::none);
    check(b.sent_one(), support::right_sums(), support::icmp_is(42, 0, 0x00070101));
    CHECK(b.receive(answer(7, 0x0101, 43)) == fate::delivered);
    CHECK(s.waiting_packets() == 1);
}

TEST_CASE("ping endpoint: errors about its requests are reported, redirects too") {
    endpoint_world b;
    ping_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7}).has_value());
    const byte_vector question = support::icmp_message(8, 0, 0x00070001, pattern(12));
    const byte_vector d = datagram_of({.source = "10.0.2.1"_ip,
                                       .destination = "10.8.8.8"_ip,
                                       .protocol = ipv4::protocols::icmp,
                                       .payload = question});
    const struct {
        u8 type, code;
        endpoint_error error;
    } rows[] = {{.type = 11, .code = 0, .error = endpoint_error::host_unreachable},
                {.type = 3, .code = 3, .error = endpoint_error::refused},
                {.type = 4, .code = 0, .error = endpoint_error::remote},
                {.type = 5, .code = 1, .error = endpoint_error::remote}};
    for (const auto& r : rows) {
        b.error(r.type, r.code, 0, d);
        byte_vector quote(64);
        const auto report = s.receive_error(quote);
        REQUIRE(report.has_value());
        CHECK(report->error == r.error);
        quote.resize(report->copied);
        CHECK((quote == question));
    }
}

}  // namespace

}  // namespace endpoint_ping
