// A handler that unwraps a datagram and has it delivered again as another protocol.
#include <doctest/doctest.h>

#include "unit/stack/recorder.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace stack_tunnels {

namespace {

using namespace stack_test;

// IP in IP: takes the outer header off and has the inner datagram delivered. RFC 2003.
struct tunnel_end final : protocol_handler<packet> {
    u32 calls = 0;
    handler_result receive(packet& p, const delivery_info&, services&) noexcept override {
        ++calls;
        const auto outer = static_cast<u32>(ipv4::header_length(ipv4::const_view{p.data()}));
        if (!p.may_pull(outer + 20) || !p.pull(outer)) return handler_result::ignored();
        return handler_result::again(ipv4::const_view{p.data()}[ipv4::protocol]);
    }
};

byte_vector in_tunnel(const byte_vector& inner) {
    return datagram_of({.destination = "10.0.1.1"_ip, .protocol = 4, .payload = inner});
}

TEST_CASE("tunnels: the inner datagram of a tunnel is delivered as its own protocol") {
    world<> b;
    tunnel_end tunnel;
    recorder inner;
    receive_queue<packet, 4> tap;
    REQUIRE(b->delivery().set_handler(4, &tunnel).has_value());
    REQUIRE(b->delivery().set_handler(253, &inner).has_value());
    REQUIRE(b->delivery().add_raw({.protocol = 253}, tap));
    const byte_vector d = datagram_of({.source = "172.16.0.1"_ip, .destination = "10.0.1.1"_ip});
    CHECK(b.receive(in_tunnel(d)) == fate::delivered);
    CHECK(tunnel.calls == 1);
    CHECK(inner.calls == 1);
    CHECK((inner.last == d));
    CHECK(tap.size() == 1);
    tap.next().packet.reset();
    CHECK(b.receive(in_tunnel(in_tunnel(d))) == fate::delivered);
    CHECK(tunnel.calls == 3);
    CHECK(inner.calls == 2);
    tap.next().packet.reset();
}

TEST_CASE("tunnels: an inner ping is answered to its own source") {
    world<> b;
    tunnel_end tunnel;
    REQUIRE(b->delivery().set_handler(4, &tunnel).has_value());
    const byte_vector ping = datagram_of({.source = "10.0.2.9"_ip,
                                          .destination = "10.0.1.1"_ip,
                                          .protocol = 1,
                                          .payload = support::echo_request()});
    CHECK(b.receive(in_tunnel(ping)) == fate::delivered);
    check(b.sent_one(), support::right_sums(), support::destination("10.0.2.9"_ip),
          support::icmp_is(0, 0, 0x00070001));
}

TEST_CASE("tunnels: an inner datagram is validated like any other") {
    tunnel_end tunnel;
    world<> b;
    REQUIRE(b->delivery().set_handler(4, &tunnel).has_value());
    byte_vector d = datagram_of({.destination = "10.0.1.1"_ip});
    const struct {
        const char* name;
        std::size_t at = 0;
        int value;
        drop_reason reason;
    } rows[] = {
        {.name = "header length 4", .value = 0x44, .reason = drop_reason::header_invalid},
        {.name = "version 6", .value = 0x65, .reason = drop_reason::header_invalid},
        {.name = "checksum", .at = 10, .value = 0xee, .reason = drop_reason::header_checksum},
        {.name = "longer than the outer says",
         .at = 2,
         .value = 0xff,
         .reason = drop_reason::length_beyond_packet},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        byte_vector bad = d;
        bad[r.at] = static_cast<std::byte>(r.value);
        if (r.at == 2) ipv4::set_checksum(ipv4::view{bad.data()});
        const u64 before = b->counters()[r.reason];
        CHECK(b.receive(in_tunnel(bad)) == fate::dropped);
        CHECK(b->counters()[r.reason] == before + 1);
    }
    CHECK(b.receive(in_tunnel(byte_vector(19))) == fate::dropped);
}

TEST_CASE("tunnels: tunnels in tunnels end, whatever a sender packs") {
    world<> b;
    tunnel_end tunnel;
    recorder inner;
    REQUIRE(b->delivery().set_handler(4, &tunnel).has_value());
    REQUIRE(b->delivery().set_handler(253, &inner).has_value());
    byte_vector d = datagram_of({.destination = "10.0.1.1"_ip});
    for (int i = 0; i < 30; ++i)
        d = in_tunnel(d);
    CHECK(b.receive(d) == fate::dropped);
    CHECK(tunnel.calls == 5);
    CHECK(inner.calls == 0);
}

// The inner addresses count: for the UDP checksum, and in the delivery_info that the
// endpoint gets.
TEST_CASE("tunnels: inner UDP is delivered by its own addresses") {
    world<> b;
    tunnel_end tunnel;
    receive_queue<packet, 4> at_7000;
    REQUIRE(b->delivery().set_handler(4, &tunnel).has_value());
    REQUIRE(b->delivery().add_udp({.local_port = 7000}, at_7000));
    const struct {
        const char* name;
        ipv4::address destination;
        bool broadcast_or_multicast;
    } rows[] = {
        {.name = "unicast", .destination = "10.0.2.1"_ip, .broadcast_or_multicast = false},
        {.name = "group", .destination = "239.1.2.3"_ip, .broadcast_or_multicast = true},
        {.name = "broadcast", .destination = "10.0.2.255"_ip, .broadcast_or_multicast = true},
        {.name = "limited broadcast",
         .destination = ipv4::limited_broadcast,
         .broadcast_or_multicast = true},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        byte_vector message = support::udp_message(9, 7000, pattern(8));
        udp::set_checksum("172.16.0.1"_ip, r.destination, message);
        CHECK(b.receive(in_tunnel(datagram_of({.source = "172.16.0.1"_ip,
                                               .destination = r.destination,
                                               .ttl = 5,
                                               .protocol = ipv4::protocols::udp,
                                               .payload = message}))) == fate::delivered);
        REQUIRE(at_7000.size() == 1);
        const auto item = at_7000.next();
        CHECK(item.info.source == "172.16.0.1"_ip);
        CHECK(item.info.destination == r.destination);
        CHECK(item.info.broadcast_or_multicast == r.broadcast_or_multicast);
        CHECK(item.info.ttl == 5);
    }
}

TEST_CASE("tunnels: inner fragments are made whole") {
    world<> b;
    tunnel_end tunnel;
    recorder inner;
    REQUIRE(b->delivery().set_handler(4, &tunnel).has_value());
    REQUIRE(b->delivery().set_handler(253, &inner).has_value());
    const byte_vector data = pattern(16);
    const auto piece = [&](u16 word, std::size_t from) {
        return in_tunnel(
            datagram_of({.destination = "10.0.1.1"_ip,
                         .identification = 77,
                         .flags_and_offset = word,
                         .payload = byte_vector(data.begin() + std::ptrdiff_t(from),
                                                data.begin() + std::ptrdiff_t(from) + 8)}));
    };
    CHECK(b.receive(piece(0x2000, 0)) == fate::held);
    CHECK(inner.calls == 0);
    CHECK(b.receive(piece(1, 8)) == fate::delivered);
    CHECK(inner.calls == 1);
    CHECK((support::payload_of(inner.last) == data));
}

}  // namespace

}  // namespace stack_tunnels
