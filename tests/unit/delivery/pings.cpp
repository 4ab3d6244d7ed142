// Ping endpoints: which one gets an echo reply, and which one an error about its request.
#include <doctest/doctest.h>

#include "unit/delivery/registry.hpp"

namespace delivery_pings {

namespace {

using namespace delivery_test;
using support::byte_vector;

constexpr delivery_info reply{.source = "10.0.1.2"_ip,
                              .destination = "10.0.1.1"_ip,
                              .local = "10.0.1.1"_ip,
                              .interface = 2,
                              .destination_port = 7,
                              .protocol = ipv4::protocols::icmp};

struct row {
    const char* name;
    endpoint_filter filter;
    bool taken;
};
const row rows[] = {
    {.name = "its identifier", .filter = {.local_port = 7}, .taken = true},
    {.name = "another identifier", .filter = {.local_port = 8}, .taken = false},
    {.name = "identifier 0 of the filter: any", .filter = {}, .taken = true},
    {.name = "its address", .filter = {.local = "10.0.1.1"_ip, .local_port = 7}, .taken = true},
    {.name = "another local address",
     .filter = {.local = "10.0.2.1"_ip, .local_port = 7},
     .taken = false},
    {.name = "its interface", .filter = {.local_port = 7, .interface = 2}, .taken = true},
    {.name = "another interface", .filter = {.local_port = 7, .interface = 3}, .taken = false},
    {.name = "a peer does not count",
     .filter = {.peer = "10.9.9.9"_ip, .local_port = 7, .peer_port = 5},
     .taken = true},
    {.name = "nor a protocol", .filter = {.protocol = 17, .local_port = 7}, .taken = true},
};

TEST_CASE("pings: the identifier finds the endpoint") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        pool_type pool;
        endpoints e;
        sink s;
        REQUIRE(e.add_ping(r.filter, s));
        const delivery_count n = e.ping(pool.take(), reply);
        CHECK(n.taken == (r.taken ? 1 : 0));
        CHECK(n.full == 0);
        CHECK(s.taken == n.taken);
        if (r.taken) CHECK(s.reported.destination_port == 7);
    }
}

TEST_CASE("pings: a full endpoint has no room, a removed one nothing; UDP is another list") {
    pool_type pool;
    endpoints e;
    sink s{1};
    REQUIRE(e.add_ping({.local_port = 7}, s));
    CHECK(e.ping(pool.take(), reply).taken == 1);
    CHECK(e.ping(pool.take(), reply).full == 1);
    CHECK_FALSE(e.udp(pool.take(), reply).any());
    e.remove(s);
    CHECK_FALSE(e.ping(pool.take(), reply).any());
    for (int i = 0; i < 8; ++i)
        REQUIRE(e.add_ping({}, s));
    CHECK_FALSE(e.add_ping({}, s));
}

TEST_CASE("pings: an error about an echo request is for the endpoint that sent it") {
    const struct {
        const char* name;
        byte_vector message;
        u16 identifier = 7;
        bool reported = false;
    } quotes[] = {
        {.name = "echo request", .message = support::echo_request(), .reported = true},
        {.name = "extended echo request",
         .message = support::icmp_message(42, 0, 0x00070001),
         .reported = true},
        {.name = "another identifier", .message = support::echo_request(), .identifier = 8},
        {.name = "with a code", .message = support::icmp_message(8, 1, 0x00070001)},
        {.name = "echo reply", .message = support::icmp_message(0, 0, 0x00070001)},
        {.name = "timestamp request", .message = support::icmp_message(13, 0, 0x00070001)},
    };
    for (const auto& q : quotes) {
        INFO(doctest::String{q.name});
        endpoints e;
        sink s;
        REQUIRE(e.add_ping({.local_port = 7}, s));
        const byte_vector sent = support::datagram_of({.protocol = 1, .payload = q.message});
        icmp_error_notice n{.type = 3,
                            .source = "10.0.1.1"_ip,
                            .destination = "10.0.1.2"_ip,
                            .source_port = q.identifier,
                            .protocol = ipv4::protocols::icmp,
                            .quoted = sent};
        CHECK(e.believes(n) == q.reported);
        CHECK(e.report(n));  // no endpoint sent the ping: no error
        CHECK(s.errors == (q.reported ? 1 : 0));
        for (const std::size_t shorter : {0u, 19u, 20u, 27u}) {
            n.quoted = const_bytes{sent}.first(shorter);
            CHECK_FALSE(e.believes(n));
        }
    }
}

}  // namespace

}  // namespace delivery_pings
