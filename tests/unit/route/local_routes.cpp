// The list of local and broadcast routes in front of a table without them: looked up first, longest
// prefix first, with its own removals. Linux looks up table local before main.
#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/with_local_routes.hpp>
#include <sluice/wire/literals.hpp>

namespace route_local_routes {

namespace {

using namespace sluice;
using namespace sluice::literals;

using table = with_local_routes<linear_routes<16>, 3>;

constexpr route_entry network{.prefix = "10.0.0.0/24"_prefix, .interface = 2};
constexpr route_entry host_route{.prefix = "10.0.0.1/32"_prefix, .interface = 3};
constexpr route_entry loopback{.prefix = "127.0.0.0/8"_prefix,
                               .type = route_type::local,
                               .scope = scopes::host,
                               .interface = 1};
constexpr route_entry own{.prefix = "10.0.0.1/32"_prefix,
                          .type = route_type::local,
                          .scope = scopes::host,
                          .interface = 2};
constexpr route_entry broadcast{.prefix = "10.0.0.255/32"_prefix,
                                .type = route_type::broadcast,
                                .scope = scopes::link,
                                .interface = 2};

const route_entry& answer(const table& t, ipv4::address to) {
    return t.at(t.lookup(to));
}

TEST_CASE("local routes precede those of the table, and are kept apart") {
    table t;
    for (const auto& r : {network, host_route, loopback, own, broadcast}) {
        const auto added = t.add(r);
        REQUIRE(added.has_value());
        CHECK(t.at(*added) == r);
    }
    CHECK(answer(t, "10.0.0.1"_ip) == own);
    CHECK(answer(t, "10.0.0.255"_ip) == broadcast);
    CHECK(answer(t, "10.0.0.9"_ip) == network);
    CHECK(answer(t, "127.1.2.3"_ip) == loopback);
    CHECK(t.lookup("11.0.0.1"_ip) == next_hop::none);
    CHECK(t.table().at(t.table().lookup("10.0.0.1"_ip)) == host_route);
    CHECK(t.add(own).error() == route_error::exists);
    CHECK(t.append(own).error() == route_error::exists);
    route_entry another = own;
    another.prefix = "10.0.0.2/32"_prefix;
    CHECK(t.add(another).error() == route_error::full);
}

TEST_CASE("the longest local prefix answers, in whatever order they came") {
    route_entry wide = loopback;
    wide.prefix = "10.0.0.0/8"_prefix;
    for (const bool wide_first : {true, false}) {
        table t;
        REQUIRE(t.add(wide_first ? wide : own).has_value());
        REQUIRE(t.add(wide_first ? own : wide).has_value());
        CHECK(answer(t, "10.0.0.1"_ip) == own);
        CHECK(answer(t, "10.0.0.2"_ip) == wide);
    }
}

TEST_CASE("a removal removes the named route, and changes the version") {
    table t;
    for (const auto& r : {loopback, own, network, host_route}) {
        REQUIRE(t.add(r).has_value());
    }
    const u32 before = t.version();
    CHECK(t.remove(broadcast).error() == route_error::not_found);
    CHECK(t.version() == before);
    REQUIRE(t.remove(own).has_value());
    CHECK(t.version() != before);
    CHECK(answer(t, "10.0.0.1"_ip) == host_route);
    CHECK(answer(t, "127.0.0.1"_ip) == loopback);
    REQUIRE(t.remove(host_route).has_value());
    CHECK(answer(t, "10.0.0.1"_ip) == network);
}

TEST_CASE("remove_if removes from both tables and returns the sum") {
    table t;
    for (const auto& r : {loopback, own, broadcast, network, host_route}) {
        REQUIRE(t.add(r).has_value());
    }
    const u32 before = t.version();
    CHECK(t.remove_if([](const route_entry& r) { return r.interface == 2; }) == 3);
    CHECK(t.version() != before);
    CHECK(answer(t, "10.0.0.1"_ip) == host_route);
    CHECK(t.lookup("10.0.0.255"_ip) == next_hop::none);
    CHECK(answer(t, "127.0.0.1"_ip) == loopback);
    CHECK(t.remove_if([](const route_entry&) { return true; }) == 2);
    CHECK(t.lookup("127.0.0.1"_ip) == next_hop::none);
    CHECK(t.lookup("10.0.0.1"_ip) == next_hop::none);
}

}  // namespace

}  // namespace route_local_routes
