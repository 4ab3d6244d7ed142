// special_addresses: every IANA block at its edges, as source, as destination, and forwarded.
#include <sluice/security/special_addresses.hpp>

#include "unit/security/asked_policy.hpp"

namespace security_special_addresses {

namespace {

using namespace security_test;

byte_vector from(ipv4::address a) {
    return datagram_of({.source = a});
}
byte_vector to(ipv4::address a) {
    return datagram_of({.destination = a});
}

TEST_CASE("special addresses: the blocks of the registry") {
    asked_policy<special_addresses> b;
    const struct {
        const char* name;
        ipv4::address first, last;
        bool source = false, destination = false, from_forwarded = false, to_forwarded = false;
    } rows[] = {
        {.name = "this network", .first = "0.0.0.0"_ip, .last = "0.255.255.255"_ip, .source = true},
        {.name = "loopback",
         .first = "127.0.0.0"_ip,
         .last = "127.255.255.255"_ip,
         .source = true,
         .destination = true},
        {.name = "link local",
         .first = "169.254.0.0"_ip,
         .last = "169.254.255.255"_ip,
         .source = true,
         .destination = true},
        {.name = "DS-Lite",
         .first = "192.0.0.0"_ip,
         .last = "192.0.0.7"_ip,
         .source = true,
         .destination = true,
         .from_forwarded = true,
         .to_forwarded = true},
        {.name = "dummy source",
         .first = "192.0.0.8"_ip,
         .last = "192.0.0.8"_ip,
         .source = true,
         .from_forwarded = true},
        {.name = "port control, relays",
         .first = "192.0.0.9"_ip,
         .last = "192.0.0.10"_ip,
         .source = true,
         .destination = true,
         .from_forwarded = true,
         .to_forwarded = true},
        {.name = "protocol assignments", .first = "192.0.0.11"_ip, .last = "192.0.0.255"_ip},
        {.name = "documentation 1", .first = "192.0.2.0"_ip, .last = "192.0.2.255"_ip},
        {.name = "documentation 2", .first = "198.51.100.0"_ip, .last = "198.51.100.255"_ip},
        {.name = "documentation 3", .first = "203.0.113.0"_ip, .last = "203.0.113.255"_ip},
        {.name = "reserved", .first = "240.0.0.0"_ip, .last = "255.255.255.254"_ip},
        {.name = "limited broadcast",
         .first = "255.255.255.255"_ip,
         .last = "255.255.255.255"_ip,
         .destination = true},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        for (const auto a : {r.first, r.last}) {
            CHECK(b.permits(security_point::in, from(a)) == r.source);
            CHECK(b.permits(security_point::out, from(a)) == r.source);
            CHECK(b.permits(security_point::in, to(a)) == r.destination);
            CHECK(b.permits(security_point::out, to(a)) == r.destination);
            CHECK(b.permits(security_point::forward, from(a)) == r.from_forwarded);
            CHECK(b.permits(security_point::forward, to(a)) == r.to_forwarded);
        }
    }
}

TEST_CASE("special addresses: their neighbours and networks of any use pass everywhere") {
    asked_policy<special_addresses> b;
    for (const auto a :
         {"1.0.0.0"_ip,         "10.0.0.1"_ip,        "100.64.0.1"_ip,  "126.255.255.255"_ip,
          "128.0.0.0"_ip,       "169.253.255.255"_ip, "169.255.0.0"_ip, "172.16.0.1"_ip,
          "191.255.255.255"_ip, "192.0.1.0"_ip,       "192.0.1.255"_ip, "192.0.3.0"_ip,
          "192.88.99.1"_ip,     "192.168.0.1"_ip,     "198.18.0.1"_ip,  "198.51.99.255"_ip,
          "198.51.101.0"_ip,    "203.0.112.255"_ip,   "203.0.114.0"_ip, "224.0.0.1"_ip,
          "239.255.255.255"_ip}) {
        CAPTURE(a.value);
        for (const security_point at : points) {
            CHECK(b.permits(at, from(a)));
            CHECK(b.permits(at, to(a)));
        }
    }
}

TEST_CASE("special addresses: the drop reason names source or destination, the source first") {
    asked_policy<special_addresses> b;
    const auto reserved = "240.0.0.1"_ip;
    for (const security_point at : points) {
        CHECK(b.asked(at, from(reserved)) == drop_reason::source_invalid);
        CHECK(b.asked(at, to(reserved)) == drop_reason::destination_invalid);
        CHECK(b.asked(at, datagram_of({.source = reserved, .destination = reserved})) ==
              drop_reason::source_invalid);
    }
}

TEST_CASE("special addresses: a source route does not bypass the check") {
    asked_policy<special_addresses> b;
    packet p = support::packet_of(b.pool, to("10.0.1.1"_ip));
    option_offsets& o = p.metadata().options;
    o.next_hop = "240.0.0.1"_ip;
    CHECK(b.model.refusal(security_point::forward, p, {}) == drop_reason::none);
    o.route_hit = true;
    CHECK(b.model.refusal(security_point::forward, p, {}) == drop_reason::destination_invalid);
}

}  // namespace

}  // namespace security_special_addresses
