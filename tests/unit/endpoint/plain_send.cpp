// Sends by a prepared flow: each option, address and route that changes between two sends counts
// for the second one. Errors, corked datagrams and long datagrams in between change nothing.
#include <doctest/doctest.h>

#include "support/flaky_pool.hpp"
#include "unit/endpoint/support.hpp"

#include <vector>

namespace endpoint_plain_send {

namespace {

using namespace endpoint_test;

constexpr endpoint_address far{"192.0.2.1"_ip, 9};
constexpr endpoint_address other{"192.0.2.2"_ip, 10};

u16 identification(const byte_vector& d) {
    return ipv4::const_view{d.data()}[ipv4::identification];
}

// A socket that has sent two datagrams to `far`, the second by the prepared flow.
struct sender : endpoint_world {
    udp_socket s{**this};

    sender() {
        REQUIRE(s.bind({{}, 7000}).has_value());
        for (int i = 0; i < 2; ++i) {
            check(next(), support::ttl(64), support::tos(0), support::source("10.0.2.1"_ip));
        }
    }
    byte_vector next(const message_options& m = {}, const endpoint_address& to = far) {
        REQUIRE(s.send(pattern(100), to, now, m).has_value());
        const byte_vector d = sent_one();
        check(d, support::right_sums(), support::destination(to.host));
        const udp::const_view u{d.data() + 20};
        CHECK(u[udp::source_port] == 7000);
        CHECK(u[udp::destination_port] == to.port);
        CHECK(u[udp::length] == 108);
        CHECK(byte_vector(d.begin() + 28, d.end()) == pattern(100));
        return d;
    }
};

TEST_CASE("plain send: options changed between two sends") {
    sender w;
    endpoint_options& o = w.s.options();
    o.ttl = 7;
    check(w.next(), support::ttl(7));
    o.ttl = 0;
    o.tos = 0x10;
    check(w.next(), support::ttl(64), support::tos(0x10), support::flags_and_offset(0x4000));
    o.discovery = mtu_discovery::dont;
    check(w.next(), support::flags_and_offset(0));
    o.discovery = mtu_discovery::always;
    check(w.next(), support::flags_and_offset(0x4000));
    o.on_link_only = true;
    CHECK(w.s.send(pattern(4), far, w.now).error() == endpoint_error::network_unreachable);
    o.on_link_only = false;
    o.interface = 2;
    REQUIRE(w.s.send(pattern(4), {"10.0.1.9"_ip, 9}, w.now).has_value());
    check(w.sent_one(), support::source("10.0.1.1"_ip));
    o.interface = 0;
    o.discovery = mtu_discovery::want;
    o.mark = 5;
    check(w.next(), support::flags_and_offset(0x4000), support::source("10.0.2.1"_ip));
    CHECK(w->counters()[mib::udp_out_datagrams] == 8);
}

TEST_CASE("plain send: options of one message") {
    sender w;
    check(w.next({.ttl = 3}), support::ttl(3));
    check(w.next({.tos = 8}), support::ttl(64), support::tos(8));
    check(w.next({.source = "10.0.1.1"_ip}), support::source("10.0.1.1"_ip));
    CHECK(w.s.send(pattern(4), far, w.now, {.probe = true}).has_value());
    CHECK(w.is_quiet());
    CHECK(w.s.send(pattern(4), far, w.now, {.on_link_only = true}).error() ==
          endpoint_error::network_unreachable);
    check(w.next(), support::ttl(64), support::tos(0), support::source("10.0.2.1"_ip));
    // IP options of all datagrams.
    const byte_vector record{std::byte{7}, std::byte{7}, std::byte{4}, std::byte{0},
                             std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}};
    REQUIRE(w.s.set_ip_options(record, w.now));
    REQUIRE(w.s.send(pattern(4), far, w.now).has_value());
    CHECK(w.sent_one().size() == 20 + 8 + 8 + 4);
    REQUIRE(w.s.set_ip_options({}, w.now));
    check(w.next(), support::ttl(64));
}

TEST_CASE("plain send: to and fro between hosts, connected and not") {
    sender w;
    for (int i = 0; i < 3; ++i) {
        static_cast<void>(w.next({}, other));
        static_cast<void>(w.next());
    }
    w.s.options().discovery = mtu_discovery::always;
    CHECK(identification(w.next()) == 0);
    REQUIRE(w.s.connect(far, w.now).has_value());
    // Those of connected sockets are identified also with DF.
    const u16 first = identification(w.next());
    const u16 second = identification(w.next());
    CHECK((first != 0 || second != 0));
    CHECK(second != first);
    w.s.disconnect();
    CHECK(identification(w.next()) == 0);
}

TEST_CASE("plain send: routes, MTUs and hops of routes") {
    sender w;
    REQUIRE(w->add_route({.prefix = {far.host, 32}, .hop_limit = 9, .gateway = "10.0.1.9"_ip})
                .has_value());
    // A datagram that is not plain looks up another route first.
    check(w.next({.ttl = 3}, other), support::ttl(3));
    REQUIRE(w.s.send(pattern(4), far, w.now).has_value());
    const auto sent = w.sent();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to.next_hop == "10.0.1.9"_ip);
    check(w.next(), support::ttl(9), support::source("10.0.1.1"_ip));
    REQUIRE(w->set_mtu(2, 100).has_value());
    REQUIRE(w.s.send(pattern(100), far, w.now).has_value());
    CHECK(w.sent().size() == 2);
    REQUIRE(w->set_mtu(2, 1500).has_value());
    check(w.next(), support::ttl(9));
    w->change([](settings& to) { to.ip_default_ttl = 33; });
    check(w.next({}, other), support::ttl(33));
}

TEST_CASE("plain send: a corked or a long datagram in between") {
    sender w;
    REQUIRE(w.s.send(pattern(60), other, w.now, {.more = true}).has_value());
    REQUIRE(w.s.send(pattern(40), far, w.now).has_value());
    const byte_vector corked = w.sent_one();
    check(corked, support::right_sums(), support::destination(other.host));
    CHECK(udp::const_view{corked.data() + 20}[udp::destination_port] == other.port);
    static_cast<void>(w.next());
    for (const std::size_t size : {1472u, 1473u, 3000u}) {
        CAPTURE(size);
        REQUIRE(w.s.send(pattern(size), far, w.now).has_value());
        CHECK(w.sent().size() == (size + 8 + 1479) / 1480);
    }
    w.s.options().discovery = mtu_discovery::always;
    REQUIRE(w.s.send(pattern(1472), far, w.now).has_value());
    CHECK(w.sent_one().size() == 1500);
    CHECK(w.s.send(pattern(1473), far, w.now).error() == endpoint_error::too_big);
    CHECK(w.s.send(pattern(65'508), far, w.now).error() == endpoint_error::too_big);
    static_cast<void>(w.next());
}

struct scarce : policies<based_on<small_router>, buffers<flaky_pool<1024, 64>>> {};

TEST_CASE("plain send: without a buffer, or with buffers that are too short") {
    world<scarce> w{{.has_gateway = true}};
    udp_endpoint<stack<scarce>, few> s{*w};
    for (int i = 0; i < 2; ++i) {
        REQUIRE(s.send(pattern(100), far, w.now).has_value());
        static_cast<void>(w.sent());
    }
    w->buffers().fail(sluice::testing::failure_plan::at(1));
    CHECK(s.send(pattern(100), far, w.now).error() == endpoint_error::no_buffer);
    w->buffers().fail({});
    CHECK(w->counters()[mib::udp_sndbuf_errors] == 1);
    CHECK(w->counters()[mib::udp_out_datagrams] == 2);
    CHECK(w.is_quiet());
    // Shorter than the MTU, longer than a buffer.
    REQUIRE(s.send(pattern(1400), far, w.now).has_value());
    CHECK(!w.sent().empty());
    REQUIRE(s.send(pattern(100), far, w.now).has_value());
    CHECK(w.sent().size() == 1);
    CHECK(w->counters()[mib::udp_out_datagrams] == 4);
}

}  // namespace

}  // namespace endpoint_plain_send
