// Raw endpoints: receive whole datagrams of one protocol, send payloads or whole datagrams.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_raw {

namespace {

using namespace endpoint_test;

const byte_vector to_us = datagram_of({.destination = "10.0.1.1"_ip});

byte_vector ping_of(u8 type) {
    return datagram_of({.destination = "10.0.1.1"_ip,
                        .protocol = ipv4::protocols::icmp,
                        .payload = support::icmp_message(type, 0, 1)});
}

TEST_CASE("raw endpoint: it gets whole datagrams of its protocol, and no ICMP error answers them") {
    endpoint_world b;
    raw_socket s{*b, 253};
    raw_socket of_other{*b, 254};
    raw_socket elsewhere{*b, 253};
    REQUIRE(s.bind().has_value());
    REQUIRE(of_other.bind().has_value());
    REQUIRE(elsewhere.bind("10.0.2.1"_ip).has_value());
    CHECK(b.receive(to_us) == fate::absorbed);
    CHECK(b.is_quiet());
    const heard h = hear_one(s);
    CHECK((h.bytes == to_us));
    CHECK(h.what.from.host == "10.0.1.2"_ip);
    CHECK(h.what.from.port == 0);
    CHECK(of_other.waiting_packets() == 0);
    CHECK(elsewhere.waiting_packets() == 0);
    REQUIRE(s.connect("10.0.1.3"_ip, b.now).has_value());
    CHECK(b.receive(to_us) == fate::dropped);
    CHECK(b.sent().size() == 1);
}

TEST_CASE("raw endpoint: a payload gets a header, a datagram keeps its own") {
    endpoint_world b;
    raw_socket s{*b, 253};
    s.options().ttl = 7;
    REQUIRE(s.send(pattern(30), "10.0.2.9"_ip, b.now).has_value());
    check(b.sent_one(), support::right_sums(), support::ttl(7), support::protocol(253),
          support::source("10.0.2.1"_ip), support::payload(pattern(30)));
    raw_socket own{*b, 255};
    const byte_vector d = datagram_of({.source = "192.0.2.7"_ip, .ttl = 99, .payload = pattern(5)});
    REQUIRE(own.send(d, "10.0.2.9"_ip, b.now).has_value());
    CHECK((b.sent_one() == d));
    own.options().receive_errors = true;
    CHECK(own.send(byte_vector(1501, std::byte{0x45}), "10.0.2.9"_ip, b.now).error() ==
          endpoint_error::too_big);
    CHECK(own.receive_error({})->info == 1500);
    CHECK(own.send(byte_vector(8), "10.0.2.9"_ip, b.now).error() == endpoint_error::invalid);
    CHECK(s.send(pattern(4), b.now).error() == endpoint_error::destination_required);
    CHECK(s.send(pattern(4), "10.0.2.255"_ip, b.now).error() == endpoint_error::access_denied);
    CHECK(b.is_quiet());
}

TEST_CASE("raw endpoint: options of the endpoint that apply to a header of the caller's") {
    constexpr auto group = "239.1.1.1"_ip;
    const byte_vector d = datagram_of({.source = "10.0.2.1"_ip, .payload = pattern(5)});
    {
        endpoint_world b;
        raw_socket own{*b, 255};
        REQUIRE(b->groups().join(3, group));
        const byte_vector to_group = datagram_of(
            {.source = "10.0.2.1"_ip, .destination = group, .ttl = 0, .payload = pattern(5)});
        raw_socket ear{*b, ipv4::const_view{to_group.data()}[ipv4::protocol]};
        REQUIRE(ear.bind().has_value());
        own.options().multicast_interface = 3;
        REQUIRE(own.send(to_group, group, b.now).has_value());
        CHECK((hear_one(ear).bytes == to_group));
        own.options().multicast_loop = false;
        REQUIRE(own.send(to_group, group, b.now).has_value());
        CHECK(ear.waiting_packets() == 0);
        CHECK(b.is_quiet());  // TTL 0
    }
    endpoint_world b;
    raw_socket own{*b, 255};
    // SO_MARK, SO_PRIORITY
    own.options().mark = 9;
    own.options().priority = 5;
    REQUIRE(own.send(d, "10.0.2.9"_ip, b.now).has_value());
    {
        const auto left = b->output().next();
        CHECK(left.packet.metadata().mark == 9);
        CHECK(left.packet.metadata().priority == 5);
    }
    CHECK(b.is_quiet());
    // SO_DONTROUTE, MSG_DONTROUTE: through no gateway.
    REQUIRE(own.send(d, "192.0.2.1"_ip, b.now).has_value());
    CHECK(b.sent().size() == 1);
    CHECK(own.send(d, "192.0.2.1"_ip, b.now, {.on_link_only = true}).error() ==
          endpoint_error::network_unreachable);
    own.options().on_link_only = true;
    CHECK(own.send(d, "192.0.2.1"_ip, b.now).error() == endpoint_error::network_unreachable);
    REQUIRE(own.send(d, "10.0.2.9"_ip, b.now).has_value());
    CHECK(b.sent().size() == 1);
    CHECK(b->counters()[mib::ip_out_no_routes] == 0);
    // SO_BROADCAST
    for (const auto to : {"10.0.2.255"_ip, "255.255.255.255"_ip}) {
        own.options().interface = 3;
        own.options().may_broadcast = false;
        CHECK(own.send(d, to, b.now).error() == endpoint_error::access_denied);
        CHECK(b.is_quiet());
        own.options().may_broadcast = true;
        REQUIRE(own.send(d, to, b.now).has_value());
        const auto left = b.sent();
        REQUIRE(left.size() == 1);
        CHECK(left[0].to.kind == link_destination::broadcast);
    }
    // IP_OPTIONS: they belong to the caller's header.
    REQUIRE(own.set_ip_options(list({7, 7, 4, 0, 0, 0, 0}), b.now));
    CHECK(own.send(d, "10.0.2.9"_ip, b.now).error() == endpoint_error::invalid);
    REQUIRE(own.set_ip_options({}, b.now));
    REQUIRE(own.send(d, "10.0.2.9"_ip, b.now).has_value());
    CHECK(b.sent().size() == 1);
    CHECK(b->counters()[mib::ip_out_discards] == 0);
}

TEST_CASE("raw endpoint: a probe with a header of the caller's checks its length alone") {
    endpoint_world b;
    raw_socket own{*b, 255};
    const auto probe = [&](std::size_t size, ipv4::address to) {
        const auto r = own.send(byte_vector(size), to, b.now, {.probe = true});
        return r.has_value() ? endpoint_error::none : r.error();
    };
    CHECK(probe(20, "10.0.2.9"_ip) == endpoint_error::none);
    CHECK(probe(1500, "10.0.2.9"_ip) == endpoint_error::none);
    CHECK(probe(19, "10.0.2.9"_ip) == endpoint_error::invalid);
    CHECK(probe(1501, "10.0.2.9"_ip) == endpoint_error::too_big);
    CHECK(probe(20, "10.0.2.255"_ip) == endpoint_error::access_denied);
    CHECK(b.is_quiet());
    CHECK(b->counters()[mib::ip_out_discards] == 0);
    // Sent, the same bytes are a bad header.
    CHECK(own.send(byte_vector(20), "10.0.2.9"_ip, b.now).error() == endpoint_error::invalid);
    CHECK(b->counters()[mib::ip_out_discards] == 1);
}

TEST_CASE("raw endpoint: the filter of ICMP types") {
    endpoint_world b;
    raw_socket s{*b, ipv4::protocols::icmp};
    s.options().icmp_filter = 1u << icmp::types::echo_request;
    REQUIRE(s.bind().has_value());
    b.receive(ping_of(icmp::types::echo_request));
    CHECK(s.waiting_packets() == 0);
    b.receive(ping_of(icmp::types::timestamp_reply));
    CHECK((hear_one(s).bytes == ping_of(icmp::types::timestamp_reply)));
    b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                           .protocol = ipv4::protocols::icmp,
                           .payload = byte_vector(7)}));
    CHECK(s.waiting_packets() == 0);
    CHECK(s.send(byte_vector(1), "10.0.2.9"_ip, b.now).error() == endpoint_error::fault);
    static_cast<void>(b.sent());
}

TEST_CASE("raw endpoint: a router alert is delivered instead of forwarded") {
    endpoint_world b;
    raw_socket s{*b, 253};
    REQUIRE(s.receive_alerts().has_value());
    REQUIRE(s.bind().has_value());
    const byte_vector d = datagram_of(
        {.destination = "10.0.2.9"_ip, .options = list({0x94, 4, 0, 0}), .payload = pattern(8)});
    CHECK(b.receive(d) == fate::absorbed);
    CHECK(b.is_quiet());
    const heard h = hear_one(s);
    CHECK((h.bytes == d));
    CHECK(h.what.ttl == 64);
    REQUIRE(s.ignore_alerts().has_value());
    CHECK(b.receive(d) == fate::forwarded);
    CHECK(b.sent().size() == 1);
}

TEST_CASE("raw endpoint: options are checked, and sent") {
    endpoint_world b;
    raw_socket s{*b, 253};
    CHECK_FALSE(s.set_ip_options(list({7, 2}), b.now));
    REQUIRE(s.set_ip_options(list({7, 7, 4, 0, 0, 0, 0}), b.now));
    REQUIRE(s.send(pattern(8), "10.0.2.9"_ip, b.now).has_value());
    const byte_vector sent = b.sent_one();
    CHECK(sent[0] == std::byte{0x47});
    check(sent, support::right_sums());
    s.options().discovery = mtu_discovery::always;
    s.options().receive_errors = true;
    CHECK(s.send(pattern(1473), "10.0.2.9"_ip, b.now).error() == endpoint_error::too_big);
    CHECK(s.receive_error({})->info == 1492);
    REQUIRE(s.set_ip_options({}, b.now));
    REQUIRE(s.send(pattern(8), "10.0.2.9"_ip, b.now).has_value());
    CHECK(b.sent_one()[0] == std::byte{0x45});
}

TEST_CASE("raw endpoint: an error quotes the bytes behind the header") {
    endpoint_world b;
    raw_socket s{*b, 253};
    s.options().receive_errors = true;
    REQUIRE(s.bind().has_value());
    const byte_vector d = datagram_of(
        {.source = "10.0.2.1"_ip, .destination = "10.8.8.8"_ip, .payload = pattern(20)});
    for (const bool with_header : {false, true}) {
        s.options().header_included = with_header;
        b.error(11, 0, 0, d);
        byte_vector quote(64);
        const auto r = s.receive_error(quote);
        REQUIRE(r.has_value());
        quote.resize(r->copied);
        CHECK((quote == (with_header ? d : pattern(20))));
    }
}

}  // namespace

}  // namespace endpoint_raw
