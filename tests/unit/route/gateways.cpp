// Which gateways a table knows: those of its routes, on the interface of the route. Linux
// ip_fib_check_default, for secure_redirects.
#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/wire/literals.hpp>

namespace route_gateways {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr ipv4::address gateway = "10.0.1.254"_ip;

TEST_CASE_TEMPLATE("gateways: a gateway is known on the interface of its route", Table,
                   lpm_trie<16>, linear_routes<16>) {
    Table t;
    CHECK_FALSE(t.has_gateway(gateway, 2));
    const route_entry by2{.prefix = "10.7.0.0/16"_prefix, .interface = 2, .gateway = gateway};
    REQUIRE(t.add(by2).has_value());
    CHECK(t.has_gateway(gateway, 2));
    CHECK_FALSE(t.has_gateway(gateway, 3));
    CHECK_FALSE(t.has_gateway("10.0.1.253"_ip, 2));
    // A route without a gateway names none, on no interface.
    REQUIRE(t.add({.prefix = "10.8.0.0/16"_prefix, .interface = 3}).has_value());
    CHECK_FALSE(t.has_gateway(gateway, 3));
    // The same gateway by two interfaces is known on both, until its last route there went.
    const route_entry by3{.prefix = "10.9.0.0/16"_prefix, .interface = 3, .gateway = gateway};
    route_entry again = by2;
    again.prefix = "10.10.0.0/16"_prefix;
    REQUIRE(t.add(by3).has_value());
    REQUIRE(t.add(again).has_value());
    CHECK(t.has_gateway(gateway, 3));
    REQUIRE(t.remove(by2).has_value());
    CHECK(t.has_gateway(gateway, 2));
    REQUIRE(t.remove(again).has_value());
    CHECK_FALSE(t.has_gateway(gateway, 2));
    CHECK(t.has_gateway(gateway, 3));
    REQUIRE(t.remove(by3).has_value());
    CHECK_FALSE(t.has_gateway(gateway, 3));
}

}  // namespace

}  // namespace route_gateways
