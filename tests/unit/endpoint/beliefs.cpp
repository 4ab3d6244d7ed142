// Which ICMP errors the stack learns from: an error teaches a path MTU or a gateway only if it
// quotes a datagram that an endpoint may have sent. An attacker who guesses must not lower the path
// MTU of others (RFC 5927 section 7). Linux raw_v4_match, udp4_lib_lookup, ip_sk_accept_pmtu.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_beliefs {

namespace {

using namespace endpoint_test;

constexpr ipv4::address far = "192.0.2.1"_ip;
constexpr ipv4::address farther = "192.0.2.2"_ip;
constexpr ipv4::address better = "10.0.2.253"_ip;

struct quote {
    ipv4::address to = far;
    ipv4::address from = "10.0.2.1"_ip;
    u8 protocol = ipv4::protocols::experiment1;
    byte_vector payload = pattern(8);
};
byte_vector datagram_of_quote(const quote& q) {
    return datagram_of(
        {.source = q.from, .destination = q.to, .protocol = q.protocol, .payload = q.payload});
}
byte_vector udp_quote(u16 from, u16 to) {
    return support::udp_message(from, to, pattern(8));
}

u16 mtu(endpoint_world& b, ipv4::address to) {
    const auto r = b->route({.destination = to}, b.now);
    REQUIRE(r.has_value());
    return r->mtu;
}
ipv4::address gateway(endpoint_world& b, ipv4::address to) {
    const auto r = b->route({.destination = to}, b.now);
    REQUIRE(r.has_value());
    return r->neighbour;
}

TEST_CASE("beliefs: a raw endpoint believes quotes of its own flow alone") {
    const struct {
        const char* name;
        quote what = {};
        ipv4::address bound = {}, peer = {};
        u16 interface = 0;
        bool believed = false;
    } rows[] = {
        {.name = "its protocol", .believed = true},
        {.name = "another protocol", .what = {.protocol = 254}},
        {.name = "to its peer", .peer = far, .believed = true},
        {.name = "to another host", .what = {.to = farther}, .peer = far},
        {.name = "from the address that it is bound to", .bound = "10.0.2.1"_ip, .believed = true},
        {.name = "from another local address",
         .what = {.from = "10.0.1.1"_ip},
         .bound = "10.0.2.1"_ip},
        {.name = "its interface", .interface = 3, .believed = true},
        {.name = "another interface", .interface = 2},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        raw_socket s{*b, ipv4::protocols::experiment1};
        s.options().interface = r.interface;
        s.options().receive_errors = true;
        REQUIRE(s.bind(r.bound).has_value());
        if (!r.peer.is_unspecified()) {
            s.options().interface = 0;
            REQUIRE(s.connect(r.peer, b.now).has_value());
        }
        b.error(3, 4, 1000, datagram_of_quote(r.what));
        CHECK(mtu(b, r.what.to) == (r.believed ? 1000 : 0));
        CHECK(b->exceptions().any() == r.believed);
        // Errors about its own datagrams alone are reported, too.
        CHECK(s.waiting_errors() == (r.believed ? 1u : 0u));
        b.error(5, 1, better.value, datagram_of_quote(r.what));
        CHECK_FALSE(gateway(b, r.what.to) == better);  // not from the gateway in use
    }
}

TEST_CASE("beliefs: a UDP endpoint believes quotes of its port, address and peer") {
    const struct {
        const char* name;
        u16 from = 7000, to = 9;
        ipv4::address whom = far;
        bool connected = false;
        bool believed = false;
    } rows[] = {
        {.name = "unconnected", .believed = true},
        {.name = "unconnected, to any host", .to = 10, .whom = farther, .believed = true},
        {.name = "another local port", .from = 7001},
        {.name = "connected", .connected = true, .believed = true},
        {.name = "another port of the peer", .to = 10, .connected = true},
        {.name = "another host", .whom = farther, .connected = true},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket s{*b};
        REQUIRE(s.bind({{}, 7000}).has_value());
        if (r.connected) REQUIRE(s.connect({far, 9}, b.now).has_value());
        const byte_vector quoted = datagram_of_quote(
            {.to = r.whom, .protocol = ipv4::protocols::udp, .payload = udp_quote(r.from, r.to)});
        b.error(3, 4, 1000, quoted);
        CHECK(mtu(b, r.whom) == (r.believed ? 1000 : 0));
    }
}

TEST_CASE("beliefs: a ping endpoint believes quotes of requests with its identifier") {
    const struct {
        const char* name;
        u8 type;
        u16 identifier;
        bool believed = false;
    } rows[] = {
        {.name = "its own", .type = 8, .identifier = 7, .believed = true},
        {.name = "another identifier", .type = 8, .identifier = 8},
        {.name = "no request", .type = 13, .identifier = 7},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        ping_socket s{*b};
        REQUIRE(s.bind({{}, 7}).has_value());
        b.error(3, 4, 1000,
                datagram_of_quote(
                    {.protocol = ipv4::protocols::icmp,
                     .payload = support::icmp_message(r.type, 0, u32{r.identifier} << 16 | 1)}));
        CHECK(mtu(b, far) == (r.believed ? 1000 : 0));
    }
}

// Linux ip_sk_accept_pmtu: sockets that look at the interface alone learn nothing for others; a
// redirect is followed all the same (ipv4_sk_redirect asks nothing).
TEST_CASE("beliefs: endpoints that use only the interface's MTU learn gateways, not path MTUs") {
    const struct {
        const char* name;
        mtu_discovery how;
        bool believes;
    } rows[] = {
        {.name = "dont", .how = mtu_discovery::dont, .believes = true},
        {.name = "want", .how = mtu_discovery::want, .believes = true},
        {.name = "always", .how = mtu_discovery::always, .believes = true},
        {.name = "probe", .how = mtu_discovery::probe, .believes = true},
        {.name = "interface", .how = mtu_discovery::interface, .believes = false},
        {.name = "omit", .how = mtu_discovery::omit, .believes = false},
    };
    const byte_vector quoted =
        datagram_of_quote({.protocol = ipv4::protocols::udp, .payload = udp_quote(7000, 9)});
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket s{*b};
        REQUIRE(s.bind({{}, 7000}).has_value());
        s.options().discovery = r.how;
        b.error(3, 4, 1000, quoted);
        CHECK(mtu(b, far) == (r.believes ? 1000 : 0));
        b->forget_exceptions();
        b->change([](settings& w) { w.all.accept_redirects = true; });  // forwarding turns it off
        CHECK(b.receive(datagram_of({.source = "10.0.2.254"_ip,
                                     .destination = "10.0.2.1"_ip,
                                     .protocol = ipv4::protocols::icmp,
                                     .payload = support::icmp_message(5, 1, better.value, quoted)}),
                        3) == fate::delivered);
        CHECK(gateway(b, far) == better);
    }
}

// Another endpoint learned it; these send by the interface's MTU all the same.
TEST_CASE(
    "beliefs: a path MTU learned by others does not bind endpoints that use the interface MTU") {
    const struct {
        const char* name;
        mtu_discovery how;
        std::size_t size = 1472;
        std::size_t pieces = 1;  // 0: too big
        bool df = false;
    } rows[] = {
        {.name = "want", .how = mtu_discovery::want, .pieces = 2},
        {.name = "probe", .how = mtu_discovery::probe, .df = true},
        {.name = "interface", .how = mtu_discovery::interface},
        {.name = "interface, one byte more",
         .how = mtu_discovery::interface,
         .size = 1473,
         .pieces = 0},
        {.name = "omit", .how = mtu_discovery::omit},
        {.name = "omit, one byte more", .how = mtu_discovery::omit, .size = 1473, .pieces = 2},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket learner{*b};
        REQUIRE(learner.bind({{}, 7001}).has_value());
        b.error(
            3, 4, 1000,
            datagram_of_quote({.protocol = ipv4::protocols::udp, .payload = udp_quote(7001, 9)}));
        REQUIRE(mtu(b, far) == 1000);
        udp_socket s{*b};
        s.options().discovery = r.how;
        CHECK(s.send(pattern(r.size), {far, 9}, b.now).has_value() == (r.pieces != 0));
        const auto out = b.sent();
        REQUIRE(out.size() == r.pieces);
        for (const auto& piece : out)
            CHECK(ipv4::const_view{piece.datagram.data()}[ipv4::dont_fragment] == r.df);
        // The first piece is as large as the interface takes, in units of eight.
        if (r.how == mtu_discovery::omit && r.pieces == 2) CHECK(out[0].datagram.size() == 1500);
    }
}

}  // namespace

}  // namespace endpoint_beliefs
