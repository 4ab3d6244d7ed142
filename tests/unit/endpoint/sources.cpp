// The source address of sent datagrams, by the endpoint's binding and connection, and the refused
// sends. Each row was measured on Linux 6.18; tests/kernel/vectors/asked/sources.vec has them all.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_sources {

namespace {

using namespace endpoint_test;
using enum endpoint_error;

constexpr ipv4::address any{};
constexpr auto neighbour = "10.0.1.9"_ip;
constexpr auto far = "192.0.2.1"_ip;  // by the gateway, on 3
constexpr auto all = "255.255.255.255"_ip;
constexpr auto group = "239.1.1.1"_ip;
constexpr auto local_only = "77.0.0.5"_ip;

struct sources_world : endpoint_world {
    sources_world() {
        REQUIRE((**this)
                    .add_route(
                        {.prefix = "77.0.0.0/24"_prefix, .type = route_type::local, .interface = 2})
                    .has_value());
    }
    // The error, or source and interface of the sent packet; on lo, of the looped back one.
    struct send_effect {
        endpoint_error error = none;
        ipv4::address source{};
        u16 interface = 0;

        friend bool operator==(const send_effect&, const send_effect&) = default;
    };
    send_effect send_from(udp_socket& s, ipv4::address to, const message_options& m = {}) {
        const auto done = s.send(pattern(4), {to, 9}, now, m);
        if (!done.has_value()) return {done.error()};
        return seen();
    }
    send_effect seen() {
        const auto out = sent();
        const auto heard = hear_one(ear);
        while (hear_one(ear).error == none) {
        }
        if (out.empty()) {
            REQUIRE(heard.error == none);
            return {none, heard.what.from.host, heard.what.interface};
        }
        return {none, ipv4::const_view{out[0].datagram.data()}[ipv4::source], out[0].to.interface};
    }
    udp_socket ear{**this};
};

struct row {
    ipv4::address bound;
    u16 device;      // bound to
    u16 of_message;  // named by the message
    ipv4::address to;
    sources_world::send_effect right;
};

void check_rows(std::initializer_list<row> rows) {
    for (const row& r : rows) {
        CAPTURE(r.bound.value);
        CAPTURE(r.device);
        CAPTURE(r.of_message);
        CAPTURE(r.to.value);
        sources_world b;
        REQUIRE(b.ear.bind({{}, 9}).has_value());
        udp_socket s{*b};
        s.options().may_broadcast = true;
        s.options().interface = r.device;
        REQUIRE(s.bind({r.bound, 5000}).has_value());
        const auto got = b.send_from(s, r.to, {.interface = r.of_message});
        CHECK(got.error == r.right.error);
        CHECK(got.source == r.right.source);
        CHECK(got.interface == r.right.interface);
    }
}

TEST_CASE("sources: 127/8 never leaves, however the interface is chosen") {
    const auto lo = ipv4::loopback;
    const auto lo2 = "127.0.0.2"_ip;
    check_rows({
        {lo, 0, 0, neighbour, {invalid}},
        {lo, 0, 0, far, {invalid}},
        {lo, 0, 0, "10.0.1.255"_ip, {invalid}},
        {lo, 2, 0, neighbour, {invalid}},
        {lo, 2, 0, far, {invalid}},
        {lo, 2, 0, "198.51.100.1"_ip, {invalid}},
        {lo, 2, 0, "10.0.1.255"_ip, {invalid}},
        {lo, 2, 0, all, {invalid}},
        {lo, 2, 0, "224.0.0.1"_ip, {invalid}},
        {lo, 2, 0, "224.0.0.9"_ip, {invalid}},
        {lo, 2, 0, group, {invalid}},
        {lo2, 2, 0, group, {invalid}},
        {lo, 2, 0, lo, {invalid}},
        {lo2, 0, 0, neighbour, {invalid}},
        {lo2, 2, 0, neighbour, {invalid}},
        // To ourselves it may go.
        {lo, 0, 0, "10.0.1.1"_ip, {none, lo, 2}},
        {lo, 2, 0, "10.0.1.1"_ip, {none, lo, 2}},
        {lo, 0, 0, all, {none, lo, 1}},
        {lo, 0, 0, "127.255.255.255"_ip, {none, lo, 1}},
        // The message's interface comes with its own source.
        {lo, 0, 2, neighbour, {none, "10.0.1.1"_ip, 2}},
    });
}

TEST_CASE("sources: route_localnet lets 127/8 out by its interface alone") {
    sources_world b;
    REQUIRE(b->change_interface(2, [](interface_settings& s) { s.route_localnet = true; }));
    udp_socket s{*b};
    s.options().may_broadcast = true;
    REQUIRE(s.bind({ipv4::loopback, 5000}).has_value());
    CHECK(b.send_from(s, neighbour) == sources_world::send_effect{none, ipv4::loopback, 2});
    CHECK(b.send_from(s, "10.0.1.255"_ip) == sources_world::send_effect{none, ipv4::loopback, 2});
    CHECK(b.send_from(s, far).error == invalid);
}

TEST_CASE("sources: the rule holds for own headers, packets and messages with a source") {
    sources_world b;
    const auto from_lo = [](ipv4::address to) {
        return datagram_of({.source = ipv4::loopback, .destination = to, .payload = pattern(4)});
    };
    // A complete packet is routed by its source.
    CHECK(b->send(b.packet(from_lo(neighbour)), b.now).error() == routing::send_error::invalid);
    CHECK(b->send(b.packet(from_lo(far)), b.now).error() == routing::send_error::invalid);
    // For an own header the requested route decides, as in Linux; the header does not.
    CHECK(b->send_raw(b.packet(from_lo(neighbour)),
                      {.destination = neighbour, .source = ipv4::loopback, .interface = 2}, b.now)
              .error() == routing::send_error::invalid);
    CHECK(b.is_quiet());
    CHECK(b->send_raw(b.packet(from_lo(neighbour)), {.destination = neighbour}, b.now).has_value());
    check(b.sent_one(), support::source(ipv4::loopback));
    udp_socket s{*b};
    s.options().may_broadcast = true;
    for (const ipv4::address to : {neighbour, far, all, group}) {
        CAPTURE(to.value);
        CHECK(b.send_from(s, to, {.source = ipv4::loopback, .interface = 2}).error == invalid);
    }
}

TEST_CASE("sources: an address local by a route alone may send, also to broadcast and multicast") {
    const auto lo2 = "127.0.0.2"_ip;
    check_rows({
        {local_only, 0, 0, neighbour, {none, local_only, 2}},
        {local_only, 0, 0, far, {none, local_only, 3}},
        {local_only, 0, 0, all, {none, local_only, 2}},
        {local_only, 0, 0, group, {none, local_only, 2}},
        {local_only, 0, 0, "10.0.1.255"_ip, {none, local_only, 2}},
        {local_only, 3, 0, neighbour, {none, local_only, 3}},
        {local_only, 0, 0, "10.0.2.1"_ip, {none, local_only, 3}},
        {local_only, 0, 0, any, {none, local_only, 1}},
        {local_only, 0, 3, neighbour, {none, "10.0.2.1"_ip, 3}},
        {lo2, 0, 0, all, {none, lo2, 1}},
        {lo2, 0, 0, "224.0.0.1"_ip, {none, lo2, 1}},
        {lo2, 0, 0, "10.0.1.1"_ip, {none, lo2, 2}},
        {lo2, 0, 0, any, {none, lo2, 1}},
    });
}

TEST_CASE("sources: the interface of multicasts is named by index or by address, or refused") {
    world<> b;
    udp_endpoint s{*b};
    using enum endpoint_error;
    CHECK(s.send_multicast_by(3).has_value());
    CHECK(s.options().multicast_interface == 3);
    CHECK(s.send_multicast_by("10.0.1.1"_ip).has_value());
    CHECK(s.options().multicast_interface == 2);
    CHECK(s.options().multicast_source == "10.0.1.1"_ip);
    CHECK(s.send_multicast_by(9).error() == address_not_available);
    CHECK(s.send_multicast_by("10.0.9.9"_ip).error() == address_not_available);
    CHECK(s.options().multicast_interface == 2);
    s.options().interface = 3;
    CHECK(s.send_multicast_by(2).error() == invalid);
    CHECK(s.send_multicast_by("10.0.1.1"_ip).error() == invalid);
    CHECK(s.send_multicast_by(3).has_value());
    CHECK(s.options().multicast_source.is_unspecified());
    CHECK(s.send_multicast_by(u16{0}).has_value());
    CHECK(s.options().multicast_interface == 0);
    CHECK(s.send_multicast_by(ipv4::address{}).has_value());
}

// Interface and source of a multicast: the message's, the device's, those of IP_MULTICAST_IF, in
// this order for each. Linux udp_sendmsg, raw_sendmsg, ip_route_output_key_hash_rcu.
TEST_CASE("sources: IP_MULTICAST_IF by index and by address, and what comes before it") {
    const struct {
        u16 device = 0;
        u16 named = 0;
        ipv4::address named_source{};
        message_options message{};
        sources_world::send_effect right;
    } rows[] = {
        {.right = {none, "10.0.2.1"_ip, 3}},  // by the default route
        {.named = 2, .right = {none, "10.0.1.1"_ip, 2}},
        {.named_source = "10.0.1.1"_ip, .right = {none, "10.0.1.1"_ip, 2}},
        {.named = 2, .named_source = "10.0.2.1"_ip, .right = {none, "10.0.2.1"_ip, 2}},
        {.named_source = "10.0.9.9"_ip, .right = {network_unreachable}},
        {.named = 9, .right = {no_interface}},
        {.device = 3, .named = 2, .right = {none, "10.0.2.1"_ip, 3}},
        {.device = 3, .named = 2, .named_source = "10.0.1.1"_ip, .right = {none, "10.0.1.1"_ip, 3}},
        {.named = 3, .message = {.interface = 2}, .right = {none, "10.0.1.1"_ip, 2}},
        {.named = 3,
         .named_source = "10.0.2.1"_ip,
         .message = {.interface = 2},
         .right = {none, "10.0.2.1"_ip, 2}},
        {.named = 3,
         .named_source = "10.0.2.1"_ip,
         .message = {.source = "10.0.1.1"_ip},
         .right = {none, "10.0.1.1"_ip, 3}},
        {.named = 3,
         .message = {.source = "10.0.1.1"_ip, .interface = 2},
         .right = {none, "10.0.1.1"_ip, 2}},
    };
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        CAPTURE(i);
        const auto& r = rows[i];
        const auto set = [&r](endpoint_options& o) {
            o.interface = r.device;
            o.multicast_interface = r.named;
            o.multicast_source = r.named_source;
        };
        sources_world b;
        udp_socket s{*b};
        set(s.options());
        CHECK(b.send_from(s, group, r.message) == r.right);
        // Own headers are completed by the same choice, and leave by it.
        raw_socket own{*b, 255};
        set(own.options());
        const auto d = datagram_of({.source = any, .destination = group, .payload = pattern(4)});
        const auto done = own.send(d, group, b.now, r.message);
        CHECK((done.has_value() ? b.seen() : sources_world::send_effect{done.error()}) == r.right);
    }
}

TEST_CASE("sources: a group without a route needs an interface, and the TTL is its own") {
    world<> b;  // no default route
    udp_socket s{*b};
    s.options().ttl = 9;
    CHECK(s.send(pattern(4), {group, 9}, b.now).error() == network_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 1);
    s.options().multicast_interface = 3;
    REQUIRE(s.send(pattern(4), {group, 9}, b.now).has_value());
    check(b.sent_one(), support::ttl(1), support::source("10.0.2.1"_ip));
    REQUIRE(s.send(pattern(4), {group, 9}, b.now, {.ttl = 7}).has_value());
    check(b.sent_one(), support::ttl(7));
    s.options().multicast_ttl = 255;
    REQUIRE(s.send(pattern(4), {group, 9}, b.now).has_value());
    check(b.sent_one(), support::ttl(255));
    // IP_MTU_DISCOVER holds for groups too.
    using enum mtu_discovery;
    for (const mtu_discovery how : {dont, want, always}) {
        s.options().discovery = how;
        REQUIRE(s.send(pattern(1472), {group, 9}, b.now).has_value());
        CHECK(ipv4::const_view{b.sent_one().data()}[ipv4::dont_fragment] == (how != dont));
        const auto longer = s.send(pattern(1473), {group, 9}, b.now);
        CHECK(longer.has_value() == (how != always));
        CHECK(b.sent().size() == (how != always ? 2 : 0));
    }
}

TEST_CASE("sources: every kind of broadcast needs the permission, this host as 0.0.0.0 does not") {
    sources_world b;
    udp_socket u{*b};
    raw_socket r{*b, 253};
    ping_socket p{*b};
    for (const ipv4::address to : {all, "10.0.1.255"_ip, "10.0.2.255"_ip}) {
        CAPTURE(to.value);
        for (const bool permitted : {false, true}) {
            u.options().may_broadcast = r.options().may_broadcast = permitted;
            p.options().may_broadcast = permitted;
            u.options().interface = r.options().interface = p.options().interface =
                to == all ? 2 : 0;
            const auto right = permitted ? none : access_denied;
            const auto error_of = [](const auto& done) {
                return done.has_value() ? none : done.error();
            };
            CHECK(error_of(u.send(pattern(4), {to, 9}, b.now)) == right);
            CHECK(error_of(r.send(pattern(4), to, b.now)) == right);
            CHECK(error_of(p.send_echo(1, pattern(4), to, b.now)) == right);
            CHECK(error_of(u.connect({to, 9}, b.now)) == right);
            CHECK(b.sent().size() == (permitted ? 3 : 0));
            u.disconnect();
        }
    }
    CHECK(b->counters()[mib::ip_out_discards] == 0);
    udp_socket here{*b};
    CHECK(here.send(pattern(4), {any, 9}, b.now).has_value());
}

TEST_CASE("sources: a removed address is not replaced by another") {
    sources_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({"10.0.1.1"_ip, 5000}).has_value());
    REQUIRE(b->add_address(2, "10.0.3.1/24"_net).has_value());
    REQUIRE(b->remove_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(b.send_from(s, far).error == network_unreachable);
    CHECK(b.is_quiet());
}

TEST_CASE("sources: the destination 0.0.0.0 is this host, as the interface has it") {
    check_rows({
        {any, 0, 0, any, {none, ipv4::loopback, 1}},
        {any, 2, 0, any, {none, "10.0.1.1"_ip, 2}},
        {any, 3, 0, any, {none, "10.0.2.1"_ip, 3}},
        {any, 0, 3, any, {none, "10.0.2.1"_ip, 3}},
        {any, 1, 0, any, {none, ipv4::loopback, 1}},
        {"10.0.1.1"_ip, 0, 0, any, {none, "10.0.1.1"_ip, 1}},
        {"10.0.1.1"_ip, 3, 0, any, {none, "10.0.1.1"_ip, 3}},
    });
    // An interface without an address uses the address of lo.
    sources_world b;
    REQUIRE(b->add_interface({.index = 4}).has_value());
    REQUIRE(b.ear.bind({{}, 9}).has_value());
    udp_socket s{*b};
    CHECK(b.send_from(s, any, {.interface = 4}) ==
          sources_world::send_effect{none, ipv4::loopback, 4});
}

TEST_CASE("sources: the source chosen by connect stays, even if bound to a broadcast or group") {
    for (const ipv4::address bound : {any, "10.0.1.255"_ip, all, group}) {
        CAPTURE(bound.value);
        sources_world b;
        udp_socket s{*b};
        s.options().may_broadcast = true;
        REQUIRE(s.bind({bound, 5000}).has_value());
        CHECK(b.send_from(s, neighbour) == sources_world::send_effect{none, "10.0.1.1"_ip, 2});
        REQUIRE(s.connect({far, 9}, b.now).has_value());
        CHECK(s.local().host == (bound == any ? "10.0.2.1"_ip : bound));
        CHECK(b.send_from(s, far) == sources_world::send_effect{none, "10.0.2.1"_ip, 3});
        CHECK(b.send_from(s, neighbour) == sources_world::send_effect{none, "10.0.2.1"_ip, 2});
        // To a broadcast, by the interface with the address.
        CHECK(b.send_from(s, all) == sources_world::send_effect{none, "10.0.2.1"_ip, 3});
        // Connected again, it sends from the same address.
        REQUIRE(s.connect({neighbour, 9}, b.now).has_value());
        CHECK(b.send_from(s, neighbour) == sources_world::send_effect{none, "10.0.2.1"_ip, 2});
    }
}

TEST_CASE("sources: after disconnect, an endpoint bound only by connect chooses anew") {
    sources_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({any, 5000}).has_value());
    REQUIRE(s.connect({far, 9}, b.now).has_value());
    s.disconnect();
    CHECK(b.send_from(s, neighbour) == sources_world::send_effect{none, "10.0.1.1"_ip, 2});
    udp_socket broadcast{*b};
    REQUIRE(broadcast.bind({"10.0.1.255"_ip, 5001}).has_value());
    REQUIRE(broadcast.connect({far, 9}, b.now).has_value());
    broadcast.disconnect();
    CHECK(b.send_from(broadcast, neighbour) == sources_world::send_effect{none, "10.0.2.1"_ip, 2});
}

TEST_CASE("sources: a connect without a route is counted for every kind of endpoint") {
    world<> b;  // no default route
    udp_socket u{*b};
    raw_socket r{*b, 253};
    ping_socket p{*b};
    CHECK(u.connect({far, 9}, b.now).error() == network_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 1);
    CHECK(r.connect(far, b.now).error() == network_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 2);
    CHECK(p.connect(far, b.now).error() == network_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 3);
    // Of sends those of raw endpoints are not.
    CHECK(u.send(pattern(4), {far, 9}, b.now).error() == network_unreachable);
    CHECK(p.send_echo(1, pattern(4), far, b.now).error() == network_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 5);
    CHECK(r.send(pattern(4), far, b.now).error() == network_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 5);
    // Another error is none of these.
    REQUIRE(b->add_route({.prefix = "192.0.2.0/24"_prefix, .type = route_type::unreachable})
                .has_value());
    CHECK(u.connect({far, 9}, b.now).error() == host_unreachable);
    CHECK(b->counters()[mib::ip_out_no_routes] == 5);
}

TEST_CASE("sources: a ping endpoint binds to a local address, not to a broadcast or group") {
    sources_world b;
    for (const ipv4::address to : {"10.0.1.255"_ip, all, group}) {
        CAPTURE(to.value);
        ping_socket p{*b};
        CHECK(p.bind({to, 7}).error() == address_not_available);
        udp_socket u{*b};
        CHECK(u.bind({to, 7}).has_value());
    }
    for (const ipv4::address to : {any, "10.0.1.1"_ip, "127.0.0.2"_ip, local_only}) {
        CAPTURE(to.value);
        ping_socket p{*b};
        CHECK(p.bind({to, 7}).has_value());
    }
}

}  // namespace

}  // namespace endpoint_sources
