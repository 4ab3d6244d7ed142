// Ping endpoints that share an identifier: which may bind, and which gets the reply. Each row was
// measured on Linux 6.18 with two SOCK_DGRAM sockets for ICMP.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_shared_identifiers {

namespace {

using namespace endpoint_test;

byte_vector answer() {
    return datagram_of({.source = "10.0.1.2"_ip,
                        .destination = "10.0.1.1"_ip,
                        .protocol = ipv4::protocols::icmp,
                        .payload = support::icmp_message(0, 0, 0x00070001, pattern(12))});
}

// Whether the second one of two has the answer; one of them has it.
bool second_hears(endpoint_world& b, ping_socket& first, ping_socket& second) {
    const std::size_t before = first.waiting_packets() + second.waiting_packets();
    const std::size_t of_second = second.waiting_packets();
    CHECK(b.receive(answer()) == fate::delivered);
    CHECK(first.waiting_packets() + second.waiting_packets() == before + 1);
    return second.waiting_packets() == of_second + 1;
}

TEST_CASE("shared identifiers: two endpoints share one with SO_REUSEADDR, the default") {
    CHECK_FALSE(endpoint_options{}.reuse);
    const struct {
        ipv4::address first, second;
        bool second_hears;
    } rows[] = {{.first = {}, .second = {}, .second_hears = true},
                {.first = "10.0.1.1"_ip, .second = {}, .second_hears = true},
                {.first = "10.0.1.1"_ip, .second = "10.0.1.1"_ip, .second_hears = true},
                {.first = {}, .second = "10.0.1.1"_ip, .second_hears = true},
                {.first = "10.0.1.1"_ip, .second = "10.0.2.1"_ip, .second_hears = false}};
    for (const auto& r : rows) {
        for (const bool first_shares : {true, false}) {
            for (const bool second_shares : {true, false}) {
                endpoint_world b;
                ping_socket first{*b};
                ping_socket second{*b};
                REQUIRE(first.options().reuse);
                first.options().reuse = first_shares;
                second.options().reuse = second_shares;
                REQUIRE(first.bind({r.first, 7}).has_value());
                const bool both = first_shares && second_shares;
                // Also where addresses differ.
                CHECK(second.bind({r.second, 7}).error() ==
                      (both ? endpoint_error::none : endpoint_error::address_in_use));
                if (both) CHECK(second_hears(b, first, second) == r.second_hears);
            }
        }
    }
}

TEST_CASE("shared identifiers: different interfaces do not separate endpoints") {
    for (const bool share : {true, false}) {
        endpoint_world b;
        ping_socket first{*b};
        ping_socket second{*b};
        first.options().interface = 2;
        second.options().interface = 3;
        first.options().reuse = second.options().reuse = share;
        REQUIRE(first.bind({{}, 7}).has_value());
        CHECK(second.bind({{}, 7}).error() ==
              (share ? endpoint_error::none : endpoint_error::address_in_use));
        if (share) CHECK_FALSE(second_hears(b, first, second));
    }
    endpoint_world b;
    ping_socket by_interface{*b};
    ping_socket any{*b};
    by_interface.options().interface = 2;
    REQUIRE(by_interface.bind({{}, 7}).has_value());
    REQUIRE(any.bind({{}, 7}).has_value());
    CHECK(second_hears(b, by_interface, any));
}

TEST_CASE("shared identifiers: the endpoint bound last gets replies and errors until it closes") {
    endpoint_world b;
    ping_socket first{*b};
    ping_socket second{*b};
    first.options().receive_errors = second.options().receive_errors = true;
    REQUIRE(first.bind({{}, 7}).has_value());
    REQUIRE(second.bind({{}, 7}).has_value());
    CHECK(second_hears(b, first, second));
    // Connecting the first one changes nothing, though it has an address now.
    REQUIRE(first.connect("10.0.1.2"_ip, b.now).has_value());
    CHECK(first.local().host == "10.0.1.1"_ip);
    CHECK(second_hears(b, first, second));
    b.error(3, 1, 0,
            datagram_of({.source = "10.0.1.1"_ip,
                         .destination = "10.0.1.2"_ip,
                         .protocol = ipv4::protocols::icmp,
                         .payload = support::icmp_message(8, 0, 0x00070001, pattern(12))}));
    CHECK(first.waiting_errors() == 0);
    CHECK(second.waiting_errors() == 1);
    second.close();
    CHECK_FALSE(second_hears(b, first, second));
}

TEST_CASE("shared identifiers: an endpoint that asks for a free identifier shares none") {
    u16 drawn = 0;
    {
        endpoint_world b;
        ping_socket s{*b};
        REQUIRE(s.bind().has_value());
        drawn = s.local().port;
    }
    // The same stack again would draw the same one.
    endpoint_world b;
    ping_socket owner{*b};
    REQUIRE(owner.bind({{}, drawn}).has_value());
    ping_socket next{*b};
    REQUIRE(next.bind().has_value());
    CHECK(next.local().port == drawn % 0xffff + 1);
}

}  // namespace

}  // namespace endpoint_shared_identifiers
