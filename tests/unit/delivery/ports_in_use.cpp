// A UDP port is in use for an address and an interface, or for any: Linux inet_rcv_saddr_equal.
#include "registry.hpp"

#include <doctest/doctest.h>

namespace delivery_ports_in_use {

namespace {

using namespace delivery_test;

TEST_CASE("whether a port is in use, by address, interface and reuse") {
    const struct {
        const char* name;
        endpoint_filter there;
        endpoint_filter asked;
        bool in_use = false;
    } rows[] = {
        {.name = "the same",
         .there = {.local_port = 7000},
         .asked = {.local_port = 7000},
         .in_use = true},
        {.name = "another port", .there = {.local_port = 7000}, .asked = {.local_port = 7001}},
        {.name = "both share it",
         .there = {.local_port = 7000, .reuse = true},
         .asked = {.local_port = 7000, .reuse = true}},
        {.name = "one shares it",
         .there = {.local_port = 7000, .reuse = true},
         .asked = {.local_port = 7000},
         .in_use = true},
        {.name = "the same interface",
         .there = {.local_port = 7000, .interface = 2},
         .asked = {.local_port = 7000, .interface = 2},
         .in_use = true},
        {.name = "another interface",
         .there = {.local_port = 7000, .interface = 2},
         .asked = {.local_port = 7000, .interface = 3}},
        {.name = "one on an interface, for any",
         .there = {.local_port = 7000, .interface = 2},
         .asked = {.local_port = 7000},
         .in_use = true},
        {.name = "one for any, on an interface",
         .there = {.local_port = 7000},
         .asked = {.local_port = 7000, .interface = 2},
         .in_use = true},
        {.name = "another address",
         .there = {.local = "10.0.1.1"_ip, .local_port = 7000},
         .asked = {.local = "10.0.2.1"_ip, .local_port = 7000}},
        {.name = "one of an address, for any",
         .there = {.local = "10.0.1.1"_ip, .local_port = 7000},
         .asked = {.local_port = 7000},
         .in_use = true},
        {.name = "one for any, of an address",
         .there = {.local_port = 7000},
         .asked = {.local = "10.0.1.1"_ip, .local_port = 7000},
         .in_use = true},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        endpoints all;
        sink s;
        REQUIRE(all.add_udp(row.there, s));
        CHECK(all.udp_in_use(row.asked) == row.in_use);
    }
}

TEST_CASE("a default notice or filter names no protocol, port or interface") {
    CHECK(icmp_error_notice{}.type == 0);
    CHECK(icmp_error_notice{}.code == 0);
    CHECK(icmp_error_notice{}.info == 0);
    CHECK(icmp_error_notice{}.source_port == 0);
    CHECK(icmp_error_notice{}.destination_port == 0);
    CHECK(icmp_error_notice{}.protocol == 0);
    CHECK(icmp_error_notice{}.interface == 0);
    CHECK(endpoint_filter{}.local_port == 0);
    CHECK(endpoint_filter{}.interface == 0);
}

}  // namespace

}  // namespace delivery_ports_in_use
