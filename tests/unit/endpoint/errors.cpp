// ICMP errors at endpoints: pending errors, the error queue, local errors.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_errors {

namespace {

using namespace endpoint_test;

constexpr endpoint_address far{"192.0.2.1"_ip, 9};

// What an endpoint on port 7000 would have sent there.
byte_vector sent_datagram(const byte_vector& data = pattern(20)) {
    return datagram_of({.source = "10.0.2.1"_ip,
                        .destination = far.host,
                        .protocol = ipv4::protocols::udp,
                        .payload = support::udp_message(7000, far.port, data)});
}

TEST_CASE("endpoint errors: which ICMP errors a connected endpoint reports, and as which error") {
    using enum endpoint_error;
    const struct {
        const char* name;
        u8 type = 3;
        u8 code;
        mtu_discovery discovery = mtu_discovery::want;
        endpoint_error connected = none;
        endpoint_error asked;
    } rows[] = {
        {.name = "network", .code = 0, .asked = network_unreachable},
        {.name = "host", .code = 1, .asked = host_unreachable},
        {.name = "protocol",
         .code = 2,
         .connected = protocol_unavailable,
         .asked = protocol_unavailable},
        {.name = "port", .code = 3, .connected = refused, .asked = refused},
        {.name = "too big", .code = 4, .connected = too_big, .asked = too_big},
        {.name = "too big, without path MTU discovery",
         .code = 4,
         .discovery = mtu_discovery::dont,
         .asked = none},
        {.name = "source route", .code = 5, .asked = not_supported},
        {.name = "network unknown",
         .code = 6,
         .connected = network_unreachable,
         .asked = network_unreachable},
        {.name = "host unknown", .code = 7, .connected = host_down, .asked = host_down},
        {.name = "isolated", .code = 8, .connected = host_isolated, .asked = host_isolated},
        {.name = "filtered", .code = 13, .connected = host_unreachable, .asked = host_unreachable},
        {.name = "source quench", .type = 4, .code = 0, .asked = none},
        {.name = "redirect", .type = 5, .code = 1, .asked = none},
        {.name = "ttl", .type = 11, .code = 0, .asked = host_unreachable},
        {.name = "parameter",
         .type = 12,
         .code = 0,
         .connected = protocol_error,
         .asked = protocol_error},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket s{*b};
        s.options().discovery = r.discovery;
        REQUIRE(s.bind({{}, 7000}).has_value());
        b.error(r.type, r.code, 1000, sent_datagram());
        CHECK(s.pending_error() == none);  // neither connected nor asked
        REQUIRE(s.connect(far, b.now).has_value());
        b.error(r.type, r.code, 1000, sent_datagram());
        CHECK(s.pending_error() == r.connected);
        CHECK(s.pending_error() == none);
        CHECK(s.waiting_errors() == 0);
        s.options().receive_errors = true;
        b.error(r.type, r.code, 1000, sent_datagram());
        CHECK(s.waiting_errors() == (r.asked != none ? 1u : 0u));
        CHECK(s.pending_error() == r.asked);
    }
}

TEST_CASE("endpoint errors: a pending error is returned once, by the next receive or send") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    REQUIRE(s.connect(far, b.now).has_value());
    b.hear(far.port, 7000, pattern(4), "10.0.2.1"_ip, far.host, 3);
    b.error(3, 3, 0, sent_datagram());
    CHECK(hear_one(s).error == endpoint_error::refused);
    CHECK(hear_one(s).bytes.size() == 4);
    b.error(3, 3, 0, sent_datagram());
    CHECK(s.send(pattern(4), b.now).error() == endpoint_error::refused);
    REQUIRE(s.send(pattern(4), b.now).has_value());
    CHECK(b.sent().size() == 1);
}

TEST_CASE("endpoint errors: the queue reports the sender, the error and the quote") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7000}).has_value());
    b.error(3, 3, 0, sent_datagram());
    b.error(11, 0, 0, sent_datagram(pattern(100)));
    b.error(11, 0, 0, sent_datagram());
    CHECK(s.waiting_errors() == 2);
    CHECK(s.errors_lost() == 1);
    byte_vector quote(200);
    const auto first = s.receive_error(quote);
    REQUIRE(first.has_value());
    CHECK(first->from_icmp);
    CHECK(first->error == endpoint_error::refused);
    CHECK(first->type == 3);
    CHECK(first->code == 3);
    CHECK(first->offender == "10.0.2.77"_ip);
    CHECK((first->destination == far));
    CHECK(first->interface == 3);
    REQUIRE(first->copied == 20);
    CHECK(equal_bytes(const_bytes{quote}.first(20), pattern(20)));
    // The next one is pending now.
    CHECK(s.pending_error() == endpoint_error::host_unreachable);
    const auto second = s.receive_error(bytes{quote}.first(10));
    REQUIRE(second.has_value());
    CHECK(second->copied == 10);
    CHECK(second->length == 64);  // as much as is kept
    CHECK(s.pending_error() == endpoint_error::none);
    CHECK(s.receive_error(quote).error() == endpoint_error::would_block);
}

TEST_CASE("endpoint errors: a datagram above the path MTU is reported locally, with the MTU") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7000}).has_value());
    const struct {
        const char* name;
        mtu_discovery discovery;
        std::size_t size = 1473;
        u16 learned = 0;   // path MTU, 0: none
        u32 reported = 0;  // 0: it is sent
        std::size_t pieces;
        bool df = false;
    } rows[] = {
        {.name = "dont", .discovery = mtu_discovery::dont, .pieces = 2},
        {.name = "want", .discovery = mtu_discovery::want, .pieces = 2},
        {.name = "want, fits",
         .discovery = mtu_discovery::want,
         .size = 1472,
         .pieces = 1,
         .df = true},
        {.name = "always, fits",
         .discovery = mtu_discovery::always,
         .size = 1472,
         .pieces = 1,
         .df = true},
        {.name = "always",
         .discovery = mtu_discovery::always,
         .reported = 1500,
         .pieces = 0,
         .df = true},
        {.name = "probe",
         .discovery = mtu_discovery::probe,
         .reported = 1500,
         .pieces = 0,
         .df = true},
        {.name = "interface", .discovery = mtu_discovery::interface, .reported = 1500, .pieces = 0},
        {.name = "omit", .discovery = mtu_discovery::omit, .pieces = 2},
        {.name = "want, learned",
         .discovery = mtu_discovery::want,
         .size = 973,
         .learned = 1000,
         .pieces = 2},
        {.name = "always, learned",
         .discovery = mtu_discovery::always,
         .size = 973,
         .learned = 1000,
         .reported = 1000,
         .pieces = 0,
         .df = true},
        {.name = "probe, learned",
         .discovery = mtu_discovery::probe,
         .size = 973,
         .learned = 1000,
         .pieces = 1,
         .df = true},
        {.name = "interface, learned",
         .discovery = mtu_discovery::interface,
         .size = 973,
         .learned = 1000,
         .pieces = 1},
        {.name = "omit, learned",
         .discovery = mtu_discovery::omit,
         .size = 973,
         .learned = 1000,
         .pieces = 1},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        b->forget_exceptions();
        s.options().discovery = mtu_discovery::want;
        if (r.learned != 0) {
            b.error(3, 4, r.learned, sent_datagram());
            REQUIRE(s.receive_error({}).has_value());
        }
        s.options().discovery = r.discovery;
        const auto sent = s.send(pattern(r.size), far, b.now);
        CHECK(sent.has_value() == (r.reported == 0));
        const auto out = b.sent();
        REQUIRE(out.size() == r.pieces);
        for (const auto& piece : out)
            CHECK(ipv4::const_view{piece.datagram.data()}[ipv4::dont_fragment] == r.df);
        if (r.reported == 0) continue;
        CHECK(sent.error() == endpoint_error::too_big);
        const auto report = s.receive_error({});
        REQUIRE(report.has_value());
        CHECK_FALSE(report->from_icmp);
        CHECK(report->error == endpoint_error::too_big);
        CHECK(report->info == r.reported);
        CHECK((report->destination == endpoint_address{far.host, 0}));
        CHECK(s.pending_error() == endpoint_error::none);
    }
}

TEST_CASE("endpoint errors: every error has its own name") {
    for (u8 i = 0; i < static_cast<u8>(endpoint_error::count); ++i)
        for (u8 k = 0; k < i; ++k)
            CHECK(std::string{errno_name(static_cast<endpoint_error>(i))} !=
                  errno_name(static_cast<endpoint_error>(k)));
    CHECK(std::string{errno_name(endpoint_error::count)}.empty());
}

}  // namespace

}  // namespace endpoint_errors
