// What ICMP errors mean to endpoints: pending errors, the queue of errors, errors of this host.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_errors {

namespace {

using namespace endpoint_test;

constexpr endpoint_address far{"192.0.2.1"_ip, 9};

// What an endpoint on port 7000 would have sent there.
octets ours(const octets& data = pattern(20)) {
    return datagram_of({.source = "10.0.2.1"_ip,
                        .destination = far.host,
                        .protocol = ipv4::protocols::udp,
                        .payload = support::udp_message(7000, far.port, data)});
}

TEST_CASE("endpoint errors: which errors a connected endpoint is told, and as what") {
    using enum endpoint_error;
    const struct {
        const char* name;
        u8 type, code;
        mtu_discovery discovery;
        endpoint_error connected, asked;
    } rows[] = {
        {"network", 3, 0, mtu_discovery::want, none, network_unreachable},
        {"host", 3, 1, mtu_discovery::want, none, host_unreachable},
        {"protocol", 3, 2, mtu_discovery::want, protocol_unavailable, protocol_unavailable},
        {"port", 3, 3, mtu_discovery::want, refused, refused},
        {"too big", 3, 4, mtu_discovery::want, too_big, too_big},
        {"too big, nobody asked", 3, 4, mtu_discovery::dont, none, none},
        {"source route", 3, 5, mtu_discovery::want, none, not_supported},
        {"network unknown", 3, 6, mtu_discovery::want, network_unreachable, network_unreachable},
        {"host unknown", 3, 7, mtu_discovery::want, host_down, host_down},
        {"isolated", 3, 8, mtu_discovery::want, host_isolated, host_isolated},
        {"filtered", 3, 13, mtu_discovery::want, host_unreachable, host_unreachable},
        {"source quench", 4, 0, mtu_discovery::want, none, none},
        {"redirect", 5, 1, mtu_discovery::want, none, none},
        {"ttl", 11, 0, mtu_discovery::want, none, host_unreachable},
        {"parameter", 12, 0, mtu_discovery::want, protocol_error, protocol_error},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket s{*b};
        s.options().discovery = r.discovery;
        REQUIRE(s.bind({{}, 7000}).has_value());
        b.error(r.type, r.code, 1000, ours());
        CHECK(s.pending_error() == none);  // neither connected nor asked
        REQUIRE(s.connect(far, b.now).has_value());
        b.error(r.type, r.code, 1000, ours());
        CHECK(s.pending_error() == r.connected);
        CHECK(s.pending_error() == none);
        CHECK(s.waiting_errors() == 0);
        s.options().receive_errors = true;
        b.error(r.type, r.code, 1000, ours());
        CHECK(s.waiting_errors() == (r.asked != none ? 1u : 0u));
        CHECK(s.pending_error() == r.asked);
    }
}

TEST_CASE("endpoint errors: a pending error comes once, before data, to a receive or a send") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    REQUIRE(s.connect(far, b.now).has_value());
    b.hear(far.port, 7000, pattern(4), "10.0.2.1"_ip, far.host, 3);
    b.error(3, 3, 0, ours());
    CHECK(hear_one(s).error == endpoint_error::refused);
    CHECK(hear_one(s).bytes.size() == 4);
    b.error(3, 3, 0, ours());
    CHECK(s.send(pattern(4), b.now).error() == endpoint_error::refused);
    REQUIRE(s.send(pattern(4), b.now).has_value());
    CHECK(b.sent().size() == 1);
}

TEST_CASE("endpoint errors: the queue tells who, what about, and what was quoted") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7000}).has_value());
    b.error(3, 3, 0, ours());
    b.error(11, 0, 0, ours(pattern(100)));
    b.error(11, 0, 0, ours());
    CHECK(s.waiting_errors() == 2);
    CHECK(s.errors_lost() == 1);
    octets quote(200);
    const auto first = s.receive_error(quote);
    REQUIRE(first.has_value());
    CHECK(first->from_icmp);
    CHECK(first->error == endpoint_error::refused);
    CHECK(first->type == 3);
    CHECK(first->code == 3);
    CHECK(first->offender == "10.0.2.77"_ip);
    CHECK((first->destination == far));
    CHECK(first->interface == 3);
    REQUIRE(first->octets == 20);
    CHECK(equal_bytes(const_bytes{quote}.first(20), pattern(20)));
    // The next one is pending now.
    CHECK(s.pending_error() == endpoint_error::host_unreachable);
    const auto second = s.receive_error(bytes{quote}.first(10));
    REQUIRE(second.has_value());
    CHECK(second->octets == 10);
    CHECK(second->length == 64);  // as much as is kept
    CHECK(s.pending_error() == endpoint_error::none);
    CHECK(s.receive_error(quote).error() == endpoint_error::would_block);
}

TEST_CASE("endpoint errors: too big for the way is told by this host, with the MTU") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7000}).has_value());
    const struct {
        const char* name;
        mtu_discovery discovery;
        std::size_t size;
        u16 learned;  // path MTU, 0: none
        u32 told;     // 0: it is sent
        std::size_t pieces;
        bool df;
    } rows[] = {
        {"dont", mtu_discovery::dont, 1473, 0, 0, 2, false},
        {"want", mtu_discovery::want, 1473, 0, 0, 2, false},
        {"want, fits", mtu_discovery::want, 1472, 0, 0, 1, true},
        {"always, fits", mtu_discovery::always, 1472, 0, 0, 1, true},
        {"always", mtu_discovery::always, 1473, 0, 1500, 0, true},
        {"probe", mtu_discovery::probe, 1473, 0, 1500, 0, true},
        {"interface", mtu_discovery::interface, 1473, 0, 1500, 0, false},
        {"omit", mtu_discovery::omit, 1473, 0, 0, 2, false},
        {"want, learned", mtu_discovery::want, 973, 1000, 0, 2, false},
        {"always, learned", mtu_discovery::always, 973, 1000, 1000, 0, true},
        {"probe, learned", mtu_discovery::probe, 973, 1000, 0, 1, true},
        {"interface, learned", mtu_discovery::interface, 973, 1000, 0, 1, false},
        {"omit, learned", mtu_discovery::omit, 973, 1000, 0, 1, false},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        b->forget_exceptions();
        s.options().discovery = mtu_discovery::want;
        if (r.learned != 0) {
            b.error(3, 4, r.learned, ours());
            REQUIRE(s.receive_error({}).has_value());
        }
        s.options().discovery = r.discovery;
        const auto sent = s.send(pattern(r.size), far, b.now);
        CHECK(sent.has_value() == (r.told == 0));
        const auto out = b.sent();
        REQUIRE(out.size() == r.pieces);
        for (const auto& piece : out)
            CHECK(ipv4::const_view{piece.datagram.data()}[ipv4::dont_fragment] == r.df);
        if (r.told == 0) continue;
        CHECK(sent.error() == endpoint_error::too_big);
        const auto report = s.receive_error({});
        REQUIRE(report.has_value());
        CHECK_FALSE(report->from_icmp);
        CHECK(report->error == endpoint_error::too_big);
        CHECK(report->info == r.told);
        CHECK((report->destination == endpoint_address{far.host, 0}));
        CHECK(s.pending_error() == endpoint_error::none);
    }
}

TEST_CASE("endpoint errors: every error has its name, none twice but in the beginning") {
    for (u8 i = 0; i < static_cast<u8>(endpoint_error::count); ++i)
        for (u8 k = 0; k < i; ++k)
            CHECK(std::string{errno_name(static_cast<endpoint_error>(i))} !=
                  errno_name(static_cast<endpoint_error>(k)));
    CHECK(std::string{errno_name(endpoint_error::count)}.empty());
}

}  // namespace

}  // namespace endpoint_errors
