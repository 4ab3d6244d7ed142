// The IP options of received datagrams, and those of an answer. Linux IP_RECVOPTS, IP_RETOPTS.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_received_options {

namespace {

using namespace endpoint_test;

byte_vector bytes_of(const option_area& a) {
    return {a.area().begin(), a.area().end()};
}

struct option_world : endpoint_world {
    option_world() {
        (*this)->change([](settings& s) { s.all.accept_source_route = true; });
    }
};

// A record route with a free slot, and one that this host has filled.
const byte_vector record = list({7, 7, 4, 0, 0, 0, 0, 0});
const byte_vector recorded = list({7, 7, 8, 10, 0, 1, 1, 0});

byte_vector udp_with(const byte_vector& options, const char* to = "10.0.1.1") {
    return datagram_of({.destination = ipv4::parse_address(to).value(),
                        .protocol = ipv4::protocols::udp,
                        .options = options,
                        .payload = support::udp_message(9, 7, pattern(4))});
}

// What the endpoint received, with the options.
template <class Endpoint>
received_options options_at(Endpoint& e, const byte_vector& expected) {
    received_options with;
    with.received.length = 3;  // cleared by receive()
    byte_vector to(200);
    const auto r = e.receive(to, &with);
    REQUIRE(r.has_value());
    to.resize(r->copied);
    CHECK((to == expected));
    return with;
}

TEST_CASE("received options: UDP, raw and ping endpoints get them as the header has them") {
    option_world b;
    udp_socket u{*b};
    raw_socket r{*b, 17};
    ping_socket p{*b};
    REQUIRE(u.bind({{}, 7}).has_value());
    REQUIRE(r.bind().has_value());
    REQUIRE(p.bind({{}, 3}).has_value());
    REQUIRE(b.receive(udp_with(record)) == fate::delivered);
    CHECK((bytes_of(options_at(u, pattern(4)).received) == recorded));
    const heard whole = hear_one(r);
    CHECK(whole.bytes.size() == 40);
    REQUIRE(b.receive(udp_with(record)) == fate::delivered);
    CHECK((bytes_of(options_at(u, pattern(4)).received) == recorded));
    CHECK((bytes_of(options_at(r, whole.bytes).received) == recorded));
    const byte_vector reply = support::icmp_message(0, 0, 3u << 16);
    REQUIRE(b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                                   .protocol = ipv4::protocols::icmp,
                                   .options = record,
                                   .payload = reply})) == fate::delivered);
    CHECK((bytes_of(options_at(p, reply).received) == recorded));
    REQUIRE(b.receive(udp_with({})) == fate::delivered);
    const received_options none = options_at(u, pattern(4));
    CHECK(none.received.length == 0);
    CHECK(none.reply.length == 0);
    CHECK(none.reversible);
}

TEST_CASE("received options: each endpoint that gets a copy of a broadcast gets them") {
    option_world b;
    udp_socket first{*b};
    udp_socket second{*b};
    for (udp_socket* s : {&first, &second}) {
        s->options().reuse = true;
        REQUIRE(s->bind({{}, 7}).has_value());
    }
    REQUIRE(b.receive(udp_with(record, "10.0.1.255"), 2, link_addressing::broadcast) ==
            fate::delivered);
    for (udp_socket* s : {&first, &second})
        CHECK((bytes_of(options_at(*s, pattern(4)).received) == recorded));
}

TEST_CASE("received options: an answer goes back along the reversed source route") {
    option_world b;
    udp_socket u{*b};
    REQUIRE(u.bind({{}, 7}).has_value());
    // Came by 10.0.1.8, then 10.0.1.9, which sent it here: the list is used up.
    REQUIRE(b.receive(udp_with(list({131, 11, 12, 10, 0, 1, 8, 10, 0, 1, 9, 0}))) ==
            fate::delivered);
    const received_options with = options_at(u, pattern(4));
    REQUIRE(with.reversible);
    CHECK((bytes_of(with.reply) == list({131, 11, 4, 10, 0, 1, 9, 10, 0, 1, 8, 0})));
    REQUIRE(u.set_ip_options(with.reply.area(), b.now));
    REQUIRE(u.send(pattern(4), {"10.0.1.2"_ip, 9}, b.now).has_value());
    const byte_vector sent = b.sent_one();
    check(sent, support::destination("10.0.1.9"_ip));
    CHECK((support::part(sent, 20, 32) == list({131, 11, 4, 10, 0, 1, 8, 10, 0, 1, 2, 0})));
}

TEST_CASE("received options: slots that this host filled are empty again in the answer") {
    option_world b;
    udp_socket u{*b};
    REQUIRE(u.bind({{}, 7}).has_value());
    // Record route with two slots, timestamp with addresses and two slots.
    REQUIRE(b.receive(udp_with(list({7,  11, 4, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                     68, 20, 5, 1, 0, 0, 0, 0, 0, 0, 0,
                                     0,  0,  0, 0, 0, 0, 0, 0, 0, 0}))) == fate::delivered);
    const received_options with = options_at(u, pattern(4));
    CHECK(with.received.area()[2] == std::byte{8});
    REQUIRE(with.reversible);
    // The answer's own slots come behind those that this host filled on reception.
    const byte_vector reply = bytes_of(with.reply);
    CHECK((support::part(reply, 0, 11) == list({7, 11, 8, 10, 0, 1, 1, 0, 0, 0, 0})));
    CHECK(reply[11 + 2] == std::byte{13});
    CHECK((support::part(reply, 11 + 4, 11 + 8) == list({10, 0, 1, 1})));
    CHECK((support::part(reply, 11 + 12, 11 + 20) == byte_vector(8)));
    CHECK(u.set_ip_options(with.reply.area(), b.now));
}

TEST_CASE("received options: an answer that no option may have is said to be impossible") {
    option_world b;
    udp_socket u{*b};
    REQUIRE(u.bind({{}, 7}).has_value());
    // Half a slot is left for the answer. Linux __ip_options_echo: EINVAL.
    REQUIRE(b.receive(udp_with(list({68, 10, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}))) == fate::delivered);
    const received_options with = options_at(u, pattern(4));
    CHECK(with.received.length == 12);
    CHECK_FALSE(with.reversible);
    CHECK(with.reply.length == 0);
}

}  // namespace

}  // namespace endpoint_received_options
