// Identifications of connected endpoints: a counter of the endpoint's own for datagrams with DF.
// Linux inet_id, ip_select_ident_segs, ip4_datagram_connect.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_identification {

namespace {

using namespace endpoint_test;

constexpr endpoint_address peer{"10.0.1.2"_ip, 9};

u16 sent_identification(endpoint_world& b) {
    const byte_vector d = b.sent_one();
    const ipv4::const_view ip{d.data()};
    CHECK(ip[ipv4::dont_fragment]);
    return ip[ipv4::identification];
}

TEST_CASE("identification: a connected endpoint counts its datagrams with DF from a random start") {
    for (const mtu_discovery how : {mtu_discovery::always, mtu_discovery::want}) {
        CAPTURE(static_cast<int>(how));
        endpoint_world b;
        udp_socket s{*b};
        s.options().discovery = how;
        REQUIRE(s.connect(peer, b.now).has_value());
        u16 starts[3]{};
        for (u16& start : starts) {
            REQUIRE(s.connect(peer, b.now).has_value());
            REQUIRE(s.send(pattern(4), b.now).has_value());
            start = sent_identification(b);
            for (u16 i = 1; i < 4; ++i) {
                // By the prepared flow, corked, and to another host.
                s.options().cork = i == 2;
                REQUIRE((i == 3 ? s.send(pattern(4), {"10.0.2.9"_ip, 9}, b.now)
                                : s.send(pattern(4), b.now))
                            .has_value());
                REQUIRE(s.push(b.now).has_value());
                CHECK(sent_identification(b) == static_cast<u16>(start + i));
            }
        }
        CHECK(starts[1] != static_cast<u16>(starts[0] + 4));
        CHECK(starts[2] != static_cast<u16>(starts[1] + 4));
    }
}

TEST_CASE("identification: raw and ping endpoints have a counter each") {
    endpoint_world b;
    raw_socket r{*b, 253};
    raw_socket other{*b, 253};
    ping_socket p{*b};
    for (raw_socket* s : {&r, &other}) {
        s->options().discovery = mtu_discovery::always;
        REQUIRE(s->connect(peer.host, b.now).has_value());
    }
    p.options().discovery = mtu_discovery::always;
    REQUIRE(p.connect(peer.host, b.now).has_value());
    REQUIRE(r.send(pattern(4), b.now).has_value());
    const u16 start = sent_identification(b);
    REQUIRE(other.send(pattern(4), b.now).has_value());
    CHECK(sent_identification(b) != static_cast<u16>(start + 1));
    const byte_vector question = support::icmp_message(8, 0, 1, pattern(4));
    REQUIRE(p.send(question, b.now).has_value());
    const u16 asked = sent_identification(b);
    REQUIRE(p.send(question, b.now).has_value());
    CHECK(sent_identification(b) == static_cast<u16>(asked + 1));
    REQUIRE(r.send(pattern(4), b.now).has_value());
    CHECK(sent_identification(b) == static_cast<u16>(start + 1));
}

TEST_CASE("identification: an unconnected endpoint that forbids fragments sends 0") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().discovery = mtu_discovery::always;
    REQUIRE(s.send(pattern(4), peer, b.now).has_value());
    CHECK(sent_identification(b) == 0);
    REQUIRE(s.connect(peer, b.now).has_value());
    REQUIRE(s.send(pattern(4), b.now).has_value());
    static_cast<void>(sent_identification(b));
    s.disconnect();
    REQUIRE(s.send(pattern(4), peer, b.now).has_value());
    CHECK(sent_identification(b) == 0);
}

}  // namespace

}  // namespace endpoint_identification
