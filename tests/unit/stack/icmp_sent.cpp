// ICMP messages that the stack sends: codes, source and type of service, extensions, probes,
// limits.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_icmp_sent {

namespace {

using namespace stack_test;

byte_vector ask(const byte_vector& message, ipv4::address to = "10.0.1.1"_ip) {
    return datagram_of({.destination = to, .protocol = 1, .payload = message});
}

TEST_CASE("icmp sent: the code of each refusal") {
    const struct {
        const char* name;
        support::datagram_fields fields;
        u8 code;
    } rows[] = {
        {.name = "no route: net unreachable", .fields = {.destination = "99.0.0.1"_ip}, .code = 0},
        {.name = "a route says unreachable: host unreachable",
         .fields = {.destination = "10.20.0.1"_ip},
         .code = 1},
        {.name = "no such protocol",
         .fields = {.destination = "10.0.1.1"_ip, .protocol = 253},
         .code = 2},
        {.name = "no such port",
         .fields = {.destination = "10.0.1.1"_ip,
                    .protocol = 17,
                    .payload = support::udp_message(5, 9, pattern(3))},
         .code = 3},
        {.name = "too big and not to be cut",
         .fields = {.flags_and_offset = 0x4000, .payload = pattern(1481)},
         .code = 4},
        {.name = "a strict route that leads through a router",
         .fields = {.destination = "10.0.1.1"_ip, .options = list({137, 7, 4, 10, 9, 0, 1, 0})},
         .code = 5},
        {.name = "a route says prohibited", .fields = {.destination = "10.21.0.1"_ip}, .code = 13},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        world<> b;
        b->change([](settings& s) { s.all.accept_source_route = true; });
        for (const route_entry& route :
             {route_entry{.prefix = "10.20.0.0/16"_prefix, .type = route_type::unreachable},
              route_entry{.prefix = "10.21.0.0/16"_prefix, .type = route_type::prohibit},
              route_entry{.prefix = "10.9.0.0/16"_prefix, .gateway = "10.0.2.254"_ip}}) {
            REQUIRE(b->add_route(route).has_value());
        }
        CHECK(b.receive(datagram_of(r.fields)) == fate::dropped);
        const byte_vector sent = b.sent_one();
        check(sent, support::right_sums(), support::icmp_is(3, r.code, r.code == 4 ? 1500 : 0),
              support::destination("10.0.1.2"_ip));
    }
}

TEST_CASE("icmp sent: source and type of service") {
    world<> b;
    REQUIRE(b->add_address(2, "10.0.1.9/24"_net).has_value());
    REQUIRE(b->add_route({.prefix = "30.0.0.0/8"_prefix, .gateway = "10.0.2.254"_ip}).has_value());
    const struct {
        const char* name;
        support::datagram_fields fields;
        bool by_inbound = false;
        ipv4::address source;
        u8 tos;
    } rows[] = {
        {.name = "about a packet for this host: the address it was sent to",
         .fields = {.destination = "10.0.1.9"_ip, .tos = 0xff},
         .source = "10.0.1.9"_ip,
         .tos = 0xde},
        {.name = "about a forwarded packet: of the route back",
         .fields = {.source = "30.1.1.1"_ip, .ttl = 1, .tos = 0x10},
         .source = "10.0.2.1"_ip,
         .tos = 0xd0},
        {.name = "or of the ingress, by the switch",
         .fields = {.source = "30.1.1.1"_ip, .ttl = 1},
         .by_inbound = true,
         .source = "10.0.1.1"_ip,
         .tos = 0xc0},
        {.name = "the switch does not count for a packet for this host",
         .fields = {.destination = "10.0.1.9"_ip},
         .by_inbound = true,
         .source = "10.0.1.9"_ip,
         .tos = 0xc0},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        b->change([&](settings& s) { s.icmp_errors_use_inbound_ifaddr = r.by_inbound; });
        b.receive(datagram_of(r.fields));
        check(b.sent_one(), support::source(r.source), support::tos(r.tos), support::right_sums());
        b.now.now = b.now.now + 60_s;
    }
    b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                           .protocol = 1,
                           .tos = 0xff,
                           .payload = support::echo_request()}));
    check(b.sent_one(), support::tos(0xff), support::icmp_is(0, 0, 0x00070001));
}

TEST_CASE("icmp sent: the extension, where it is switched on and fits") {
    world<> b;
    REQUIRE(
        b->add_interface({.index = 4, .address = "10.0.3.1/24"_net, .name = "if4"}).has_value());
    b->change([](settings& s) {
        s.icmp_errors_extension_mask = 1;
        s.icmp_ratemask = 0;
    });
    const byte_vector redirectable =
        datagram_of({.source = "10.0.3.2"_ip, .destination = "10.9.1.1"_ip});
    REQUIRE(b->add_route({.prefix = "10.9.0.0/16"_prefix, .gateway = "10.0.3.9"_ip}).has_value());
    const struct {
        const char* name;
        byte_vector offending;
        u32 mtu;
        u8 type = 11;
        std::size_t size;  // of the error
    } rows[] = {
        {.name = "a short packet is filled up",
         .offending = datagram_of({.source = "10.0.3.2"_ip, .ttl = 1}),
         .mtu = 1500,
         .size = 28 + 128 + 44},
        {.name = "a long one is cut",
         .offending = datagram_of({.source = "10.0.3.2"_ip, .ttl = 1, .payload = pattern(900)}),
         .mtu = 1500,
         .size = 28 + 128 + 44},
        {.name = "an MTU that it just fits",
         .offending = datagram_of({.source = "10.0.3.2"_ip, .ttl = 1}),
         .mtu = 200,
         .size = 200},
        {.name = "one byte less: none",
         .offending = datagram_of({.source = "10.0.3.2"_ip, .ttl = 1}),
         .mtu = 199,
         .size = 64},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        REQUIRE(b->set_mtu(4, r.mtu).has_value());
        b.receive(r.offending, 4);
        const byte_vector sent = b.sent_one();
        check(sent, support::right_sums(), support::size(r.size));
        const byte_vector message = support::payload_of(sent);
        const auto split = icmp::split_extended(message);
        REQUIRE(split.has_value());
        const std::size_t quoted = r.offending.size() < 128 ? r.offending.size() : 128;
        CHECK(equal_bytes(split->quote.first(quoted), const_bytes{r.offending}.first(quoted)));
        CHECK(split->extension.size() == (r.size == 64 ? 0 : 44));
        if (r.size != 64) CHECK(split->extension[23] == std::byte{'4'});
    }
    REQUIRE(b->set_mtu(4, 1500).has_value());
    b.receive(redirectable, 4);
    const auto both = b.sent();
    REQUIRE(both.size() == 2);
    check(both[0].datagram, support::icmp_is(5, 1, 0x0a000309),
          support::size(28 + redirectable.size()));
}

TEST_CASE("icmp sent: a probe is answered with the switch only, and counted as Linux does") {
    world<> b;
    const byte_vector probe = ask(
        support::icmp_message(42, 0, 0x00070901, list({0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 3})));
    CHECK(b.receive(probe) == fate::delivered);
    CHECK(b.is_quiet());
    b->change([](settings& s) { s.icmp_echo_enable_probe = true; });
    CHECK(b.receive(probe) == fate::delivered);
    check(b.sent_one(), support::right_sums(), support::icmp_is(43, 0, 0x00070906),
          support::source("10.0.1.1"_ip), support::destination("10.0.1.2"_ip));
    CHECK(b->counters()[mib::icmp_out_echo_reps] == 1);
    REQUIRE(b->add_interface({.index = 5, .name = "dummy0"}).has_value());
    b.receive(ask(support::icmp_message(
        42, 0, 0x00070901, list({0x20, 0, 0, 0, 0, 10, 3, 1, 'd', 'u', 'm', 'm', 'y', '0'}))));
    check(b.sent_one(), support::icmp_is(43, 0, 0x00070904));
    b.receive(ask(support::icmp_message(42, 0, 0x00070901,
                                        list({0x20, 0, 0, 0, 0, 8, 3, 1, 'l', 'o', 0, 0}))));
    check(b.sent_one(), support::icmp_is(43, 0, 0x00070906));
}

TEST_CASE("icmp sent: each kind of message is limited by its own bit of the mask") {
    const byte_vector echo = support::echo_request();
    const byte_vector timestamp = support::icmp_message(13, 0, 0x00070001, byte_vector(12));
    const byte_vector probe =
        support::icmp_message(42, 0, 0x00070001, list({0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 3}));
    const struct {
        const char* name;
        byte_vector message;
        u32 mask;
        std::size_t sent = 10;
    } rows[] = {
        {.name = "echo replies", .message = echo, .mask = 1u << 0, .sent = 6},
        {.name = "echo replies, unmasked", .message = echo, .mask = ~(1u << 0)},
        {.name = "timestamp replies", .message = timestamp, .mask = 1u << 14, .sent = 6},
        {.name = "timestamp replies, unmasked", .message = timestamp, .mask = ~(1u << 14)},
        {.name = "extended echo replies have no bit", .message = probe, .mask = ~0u},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        world<> b;
        b->change([&](settings& s) {
            s.icmp_ratemask = r.mask;
            s.icmp_echo_enable_probe = true;
            s.icmp_msgs_burst = 1000;
        });
        for (int i = 0; i < 10; ++i)
            b.receive(ask(r.message));
        CHECK(b.sent().size() == r.sent);
        CHECK(b->counters()[mib::icmp_out_rate_limit_host] == 10 - r.sent);
        CHECK(b->counters()[mib::icmp_out_rate_limit_global] == 0);
    }
}

TEST_CASE("icmp sent: the limits for one host and in total, and the unlimited messages") {
    const byte_vector unknown = datagram_of({.destination = "10.0.1.1"_ip});
    const byte_vector big = datagram_of({.flags_and_offset = 0x4000, .payload = pattern(1481)});
    world<> b;
    for (int i = 0; i < 10; ++i)
        b.receive(unknown);
    CHECK(b.sent().size() == 6);
    CHECK(b->counters()[mib::icmp_out_rate_limit_host] == 4);
    for (int i = 0; i < 10; ++i)
        b.receive(big);
    CHECK(b.sent().size() == 10);

    world<> none;
    none->change([](settings& s) {
        s.icmp_msgs_per_sec = 0;
        s.icmp_msgs_burst = 0;
    });
    none.receive(unknown);
    CHECK(none.is_quiet());
    CHECK(none->counters()[mib::icmp_out_rate_limit_global] == 1);
    none.receive(big);
    CHECK(none.sent().size() == 1);
    none.receive(ask(support::echo_request()));
    CHECK(none.sent().size() == 1);

    // What we tell ourselves goes over loopback, and no limit counts it.
    for (int i = 0; i < 10; ++i) {
        REQUIRE(none->send(none.packet(support::udp_message(5, 9, pattern(3))),
                           {.destination = "10.0.1.1"_ip, .protocol = 17}, none.now)
                    .has_value());
    }
    CHECK(none->counters()[mib::icmp_out_dest_unreachs] == 11);
    CHECK(none->counters()[mib::icmp_out_rate_limit_global] == 1);
}

}  // namespace

}  // namespace stack_icmp_sent
