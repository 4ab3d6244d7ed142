// send: the requests of a program and the sent packets; the errors.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace stack_send {

namespace {

using namespace stack_test;
using routing::send_error;

TEST_CASE("send: a datagram has the requested header") {
    world<> b;
    REQUIRE(b->send(b.packet(pattern(9)),
                    {.destination = "10.0.2.2"_ip,
                     .protocol = 253,
                     .tos = 0xb8,
                     .ttl = 9,
                     .dont_fragment = true},
                    b.now)
                .has_value());
    const auto all = b.sent();
    REQUIRE(all.size() == 1);
    CHECK(all[0].to == egress{3, link_destination::unicast, "10.0.2.2"_ip});
    check(all[0].datagram, support::right_sums(), support::source("10.0.2.1"_ip),
          support::destination("10.0.2.2"_ip), support::ttl(9), support::tos(0xb8),
          support::protocol(253), support::flags_and_offset(0x4000), support::payload(pattern(9)));
    CHECK(b->counters()[mib::ip_out_requests] == 1);
}

TEST_CASE("send: larger than the MTU") {
    world<> b;
    const send_request to{.destination = "10.0.2.2"_ip, .protocol = 253};
    send_request df = to;
    df.dont_fragment = true;
    REQUIRE(b->send(b.packet(pattern(1481)), to, b.now).has_value());
    const auto pieces = b.sent();
    REQUIRE(pieces.size() == 2);
    check(pieces[0].datagram, support::size(1500), support::flags_and_offset(0x2000));
    check(pieces[1].datagram, support::size(21), support::flags_and_offset(185));
    CHECK(b->send(b.packet(pattern(1481)), df, b.now).error() == send_error::too_big);
    CHECK(b.is_quiet());
    CHECK(b->counters()[mib::ip_frag_creates] == 2);
    REQUIRE(b->send(b.packet(pattern(1480)), df, b.now).has_value());
    CHECK(b.sent().size() == 1);
}

TEST_CASE("send: the errors of a program") {
    world<> b;
    for (const auto& [type, base] : {std::pair{route_type::unreachable, "10.20.0.0/16"_prefix},
                                     std::pair{route_type::prohibit, "10.21.0.0/16"_prefix},
                                     std::pair{route_type::blackhole, "10.22.0.0/16"_prefix}}) {
        REQUIRE(b->add_route({.prefix = base, .type = type}).has_value());
    }
    const struct {
        const char* name;
        send_request wanted;
        send_error error;
    } rows[] = {
        {.name = "no route",
         .wanted = {.destination = "192.0.2.1"_ip},
         .error = send_error::network_unreachable},
        {.name = "unreachable",
         .wanted = {.destination = "10.20.0.1"_ip},
         .error = send_error::host_unreachable},
        {.name = "prohibit",
         .wanted = {.destination = "10.21.0.1"_ip},
         .error = send_error::prohibited},
        {.name = "blackhole",
         .wanted = {.destination = "10.22.0.1"_ip},
         .error = send_error::invalid},
        {.name = "a source that is not local",
         .wanted = {.destination = "10.0.2.2"_ip, .source = "10.0.2.7"_ip},
         .error = send_error::network_unreachable},
        {.name = "no such interface",
         .wanted = {.destination = "10.0.2.2"_ip, .interface = 7},
         .error = send_error::no_interface},
        {.name = "limited broadcast by no interface",
         .wanted = {.destination = ipv4::limited_broadcast},
         .error = send_error::network_unreachable},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        CHECK(b->send(b.packet(pattern(8)), r.wanted, b.now).error() == r.error);
        CHECK(b.is_quiet());
    }
    CHECK(b->counters()[balance::originated] == std::size(rows));
}

TEST_CASE("send: a datagram to a local or loopback address is delivered locally") {
    world<> b;
    receive_queue<world<>::packet_type, 4> queue;
    REQUIRE(b->delivery().add_raw({.protocol = 253}, queue));
    const struct {
        ipv4::address to, source;
    } rows[] = {{.to = "10.0.2.1"_ip, .source = "10.0.2.1"_ip},
                {.to = ipv4::loopback, .source = ipv4::loopback},
                {.to = "127.9.9.9"_ip, .source = ipv4::loopback}};
    for (const auto& r : rows) {
        REQUIRE(b->send(b.packet(pattern(8)), {.destination = r.to, .protocol = 253}, b.now)
                    .has_value());
        CHECK(b.is_quiet());
        auto item = queue.next();
        REQUIRE(item.packet);
        CHECK_FALSE(item.info.broadcast_or_multicast);
        check(support::content_of(item.packet), support::right_sums(), support::source(r.source),
              support::destination(r.to), support::payload(pattern(8)));
    }
}

TEST_CASE("send: a broadcast is looped back; a multicast only if joined") {
    world<> b;
    receive_queue<world<>::packet_type, 4> queue;
    REQUIRE(b->delivery().add_raw({.protocol = 253}, queue));
    const auto send = [&](ipv4::address to, u16 interface) {
        CHECK(b->send(b.packet(pattern(8)),
                      {.destination = to, .interface = interface, .protocol = 253}, b.now)
                  .has_value());
        return b.sent();
    };
    const auto broadcast = send("10.0.2.255"_ip, 0);
    REQUIRE(broadcast.size() == 1);
    CHECK(broadcast[0].to.kind == link_destination::broadcast);
    CHECK(queue.size() == 1);
    auto heard = queue.next();
    CHECK(heard.info.broadcast_or_multicast);
    CHECK(heard.info.interface == 3);
    heard = {};
    const auto group = send("239.1.2.3"_ip, 3);
    REQUIRE(group.size() == 1);
    CHECK(group[0].to.kind == link_destination::multicast);
    check(group[0].datagram, support::ttl(1));
    CHECK(queue.size() == 0);
    REQUIRE(b->groups().join(3, "239.1.2.3"_ip));
    CHECK(send("239.1.2.3"_ip, 3).size() == 1);
    CHECK(queue.size() == 1);
    CHECK(send(ipv4::limited_broadcast, 3).size() == 1);
    CHECK(queue.size() == 2);
    while (queue.next().packet) {
    }
}

TEST_CASE("send: a packet with a complete header is sent unchanged, fragmented if needed") {
    world<> b;
    const byte_vector d = datagram_of({.source = "192.0.2.9"_ip, .ttl = 3});
    REQUIRE(b->send(b.packet(d), b.now).has_value());
    CHECK((b.sent_one() == d));
    REQUIRE(b->send(b.packet(datagram_of({.payload = pattern(1481)})), b.now).has_value());
    CHECK(b.sent().size() == 2);
    byte_vector short_header = d;
    short_header[0] = std::byte{0x44};
    CHECK(b->send(b.packet(short_header), b.now).error() == send_error::invalid);
    CHECK(b->send(b.packet(byte_vector(19)), b.now).error() == send_error::invalid);
    CHECK(b->send(world<>::packet_type{}, b.now).error() == send_error::invalid);
    CHECK(b->send(b.packet(datagram_of({.destination = "192.0.2.1"_ip})), b.now).error() ==
          send_error::network_unreachable);
    CHECK(b.is_quiet());
}

TEST_CASE("send: zero fields of a program's own header are filled in, and it is never fragmented") {
    world<> b;
    const send_request to{.destination = "10.0.2.9"_ip};
    byte_vector d = datagram_of({.source = {}, .ttl = 3, .identification = 0});
    store_be<u16>(d.data() + 2, 0);
    store_be<u16>(d.data() + 10, 0xdead);
    REQUIRE(b->send_raw(b.packet(d), to, b.now).has_value());
    const auto all = b.sent();
    REQUIRE(all.size() == 1);
    CHECK(all[0].to.next_hop == "10.0.2.9"_ip);
    check(all[0].datagram, support::right_sums(), support::source("10.0.2.1"_ip),
          support::destination("10.0.2.2"_ip), support::ttl(3));
    CHECK(b->counters()[mib::ip_out_requests] == 0);
    CHECK(b->send_raw(b.packet(datagram_of({.payload = pattern(1481)})), to, b.now).error() ==
          send_error::too_big);
    byte_vector beyond = d;
    beyond[0] = std::byte{0x4f};
    CHECK(b->send_raw(b.packet(beyond), to, b.now).error() == send_error::invalid);
    CHECK(b->send_raw(b.packet(byte_vector(19)), to, b.now).error() == send_error::invalid);
    CHECK(b->send_raw(world<>::packet_type{}, to, b.now).error() == send_error::no_buffer);
    CHECK(b.is_quiet());
}

TEST_CASE("send: without a packet, without headroom, without room in the output") {
    world<> b;
    const send_request to{.destination = "10.0.2.2"_ip, .protocol = 253};
    CHECK(b->send(b->buffers().take(0), to, b.now).error() == send_error::no_buffer);
    for (int i = 0; i < 60; ++i)
        REQUIRE(b->send(b->buffers().take(), to, b.now).has_value());
    CHECK(b.sent().size() == 60);
    CHECK(b->send(world<>::packet_type{}, to, b.now).error() == send_error::no_buffer);
}

}  // namespace

}  // namespace stack_send
