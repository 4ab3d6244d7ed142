// A direct table without free hops, groups or memory, and how it takes and frees them.
// against_scan.cpp compares its answers with the scan.
#include <doctest/doctest.h>

#include <sluice/route/direct_table.hpp>
#include <sluice/route/with_local_routes.hpp>
#include <sluice/wire/literals.hpp>

#include "support/zeros.hpp"

namespace route_direct_table {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::zeros;

constexpr direct_limits few{.routes = 32, .hops = 3, .groups = 2};

struct small_table : private zeros, direct_table {
    small_table() : small_table{few} {}
    explicit small_table(const direct_limits& l) : zeros{memory_for(l)}, direct_table{{all(), l}} {}
};

route_entry via(ipv4::prefix p, u16 interface, ipv4::address gateway = {}) {
    return {.prefix = p, .interface = interface, .gateway = gateway};
}

u16 leads_to(const direct_table& t, ipv4::address to) {
    return t.hop_for(to, 0).interface;
}

TEST_CASE("a hop has the fields that a plain packet needs of its route") {
    small_table table;
    const route_entry route{.prefix = "10.0.0.0/8"_prefix,
                            .scope = scopes::link,
                            .interface = 7,
                            .mtu = 900,
                            .gateway = "192.0.2.1"_ip,
                            .preferred_source = "192.0.2.9"_ip};
    REQUIRE(table.add(route).has_value());
    CHECK(table.hop_for("10.255.255.255"_ip, 0) ==
          hop_entry{
              .gateway = "192.0.2.1"_ip, .interface = 7, .mtu = 900, .type = route_type::unicast});
    CHECK(table.hop_for("9.255.255.255"_ip, 0) == hop_of(nowhere));
    CHECK(table.hop_for("11.0.0.0"_ip, 0).type == route_type::blackhole);
    table.prefetch("10.0.0.1"_ip);
}

TEST_CASE("routes share hops, and the last gives it back") {
    small_table table;
    for (const auto& p : {"10.0.0.0/8"_prefix, "11.0.0.0/24"_prefix, "12.0.0.1/32"_prefix}) {
        REQUIRE(table.add(via(p, 1, "192.0.2.1"_ip)).has_value());
    }
    CHECK(table.hops_in_use() == 1);
    REQUIRE(table.add(via("13.0.0.0/8"_prefix, 2, "192.0.2.1"_ip)).has_value());
    REQUIRE(table.add(via("14.0.0.0/8"_prefix, 1)).has_value());
    CHECK(table.hops_in_use() == 3);
    REQUIRE(table.remove(via("10.0.0.0/8"_prefix, 0)).has_value());
    CHECK(table.hops_in_use() == 3);
    CHECK(leads_to(table, "11.0.0.1"_ip) == 1);
    REQUIRE(table.remove(via("13.0.0.0/8"_prefix, 0)).has_value());
    CHECK(table.hops_in_use() == 2);
    CHECK(leads_to(table, "13.0.0.1"_ip) == 0);
    REQUIRE(table.add(via("15.0.0.0/8"_prefix, 9)).has_value());
    CHECK(leads_to(table, "15.0.0.1"_ip) == 9);
    CHECK(leads_to(table, "14.0.0.1"_ip) == 1);
}

TEST_CASE("when hops are used up a route is refused whole, one that shares is not") {
    small_table table;
    for (u16 i = 1; i <= 3; ++i) {
        REQUIRE(table.add(via({{u32{i} << 24}, 8}, i)).has_value());
    }
    const u32 version = table.version();
    CHECK(table.add(via("9.0.0.0/30"_prefix, 4)).error() == route_error::full);
    CHECK(table.append(via("1.0.0.0/9"_prefix, 4)).error() == route_error::full);
    CHECK(table.add(via("1.0.0.0/8"_prefix, 4)).error() == route_error::exists);
    CHECK(table.version() == version);
    CHECK(table.groups_in_use() == 0);
    CHECK(table.nodes_in_use() == 0);
    CHECK(table.lookup("9.0.0.1"_ip) == next_hop::none);
    CHECK(leads_to(table, "1.0.0.1"_ip) == 1);
    CHECK(table.add(via("9.0.0.0/30"_prefix, 3)).has_value());
    CHECK(leads_to(table, "9.0.0.3"_ip) == 3);
    CHECK(leads_to(table, "9.0.0.4"_ip) == 0);
}

TEST_CASE("a network of 24 bits takes one group for all its longer prefixes") {
    small_table table;
    REQUIRE(table.add(via("10.0.0.0/16"_prefix, 1)).has_value());
    REQUIRE(table.add(via("10.0.7.128/25"_prefix, 2)).has_value());
    REQUIRE(table.add(via("10.0.7.129/32"_prefix, 3)).has_value());
    CHECK(table.groups_in_use() == 1);
    REQUIRE(table.add(via("10.0.8.0/31"_prefix, 2)).has_value());
    const u32 version = table.version();
    const std::size_t nodes = table.nodes_in_use();
    CHECK(table.add(via("10.0.9.0/25"_prefix, 1)).error() == route_error::full);
    CHECK(table.version() == version);
    CHECK(table.nodes_in_use() == nodes);
    CHECK(table.hops_in_use() == 3);
    CHECK(leads_to(table, "10.0.9.1"_ip) == 1);
    CHECK(leads_to(table, "10.0.7.127"_ip) == 1);
    CHECK(leads_to(table, "10.0.7.128"_ip) == 2);
    CHECK(leads_to(table, "10.0.7.129"_ip) == 3);
    CHECK(leads_to(table, "10.0.7.255"_ip) == 2);

    // A shorter prefix goes through the group, where no longer one answers.
    REQUIRE(table.add(via("10.0.7.0/24"_prefix, 3)).has_value());
    CHECK(leads_to(table, "10.0.7.127"_ip) == 3);
    CHECK(leads_to(table, "10.0.7.128"_ip) == 2);
    REQUIRE(table.remove(via("10.0.7.128/25"_prefix, 0)).has_value());
    CHECK(leads_to(table, "10.0.7.128"_ip) == 3);
    CHECK(table.groups_in_use() == 2);
    REQUIRE(table.remove(via("10.0.7.129/32"_prefix, 0)).has_value());
    CHECK(table.groups_in_use() == 1);
    for (const u32 last : {0U, 127U, 128U, 129U, 255U}) {
        CHECK(leads_to(table, {0x0a000700 + last}) == 3);
    }
    REQUIRE(table.add(via("10.0.9.0/25"_prefix, 1)).has_value());
    CHECK(table.groups_in_use() == 2);
    CHECK(leads_to(table, "10.0.8.1"_ip) == 2);
    CHECK(leads_to(table, "10.0.8.2"_ip) == 1);
}

TEST_CASE("a route that finds no group gives its hop back") {
    small_table table;
    REQUIRE(table.add(via("10.0.7.0/25"_prefix, 1)).has_value());
    REQUIRE(table.add(via("10.0.8.0/25"_prefix, 2)).has_value());
    CHECK(table.hops_in_use() == 2);
    CHECK(table.add(via("10.0.9.0/25"_prefix, 3)).error() == route_error::full);
    CHECK(table.hops_in_use() == 2);
    REQUIRE(table.add(via("10.0.0.0/16"_prefix, 4)).has_value());
    CHECK(leads_to(table, "10.0.9.1"_ip) == 4);
}

TEST_CASE("a longer prefix without an answer takes a group too, and gives it back") {
    small_table table;
    REQUIRE(table.add(via("10.0.0.0/16"_prefix, 1)).has_value());
    route_entry low_delay = via("10.0.7.0/25"_prefix, 2);
    low_delay.tos = 0x10;
    REQUIRE(table.add(low_delay).has_value());
    REQUIRE(
        table.add({.prefix = "10.0.7.128/25"_prefix, .type = route_type::throw_away}).has_value());
    CHECK(table.groups_in_use() == 1);
    CHECK(leads_to(table, "10.0.7.1"_ip) == 1);
    CHECK(table.hop_for("10.0.7.1"_ip, 0x10).interface == 2);
    CHECK(table.hop_for("10.0.7.1"_ip, 0x08).interface == 1);
    CHECK(table.hop_for("10.0.7.129"_ip, 0) == hop_of(nowhere));
    CHECK(table.remove_if([](const route_entry& r) { return r.prefix.length == 25; }) == 2);
    CHECK(table.groups_in_use() == 0);
    CHECK(leads_to(table, "10.0.7.129"_ip) == 1);
    CHECK(table.hop_for("10.0.7.1"_ip, 0x10).interface == 1);
}

TEST_CASE("a default route is behind all networks, and routes are a limit too") {
    small_table table{{.routes = 3, .hops = 3, .groups = 1}};
    REQUIRE(table.add(via("10.1.0.0/16"_prefix, 1)).has_value());
    REQUIRE(table.add(via("0.0.0.0/0"_prefix, 2)).has_value());
    REQUIRE(table.add(via("255.255.255.255/32"_prefix, 3)).has_value());
    CHECK(table.add(via("10.2.0.0/16"_prefix, 1)).error() == route_error::full);
    const ipv4::address behind[] = {"0.0.0.0"_ip, "10.0.255.255"_ip, "10.2.0.0"_ip,
                                    "255.255.255.254"_ip};
    for (const ipv4::address a : behind) {
        CHECK(leads_to(table, a) == 2);
    }
    CHECK(leads_to(table, "10.1.255.255"_ip) == 1);
    CHECK(leads_to(table, "255.255.255.255"_ip) == 3);
    REQUIRE(table.remove(via("0.0.0.0/0"_prefix, 0)).has_value());
    for (const ipv4::address a : behind) {
        CHECK(leads_to(table, a) == 0);
    }
}

TEST_CASE("without enough memory, and beyond its limits, it refuses every route") {
    const zeros memory{direct_table::memory_for(few) + 1};
    const std::span<std::byte> all = memory.all();
    const direct_table::parts refused[] = {
        {},
        {{}, few},
        {all.first(direct_table::memory_for(few) - 1), few},
        {all, {.routes = 0}},
        {all, {.routes = 1, .hops = 0x8000, .groups = 1}},
        {all, {.routes = 1, .hops = 1, .groups = 0x8001}},
    };
    for (const auto& p : refused) {
        direct_table table{p};
        CHECK(table.capacity() == 0);
        CHECK(table.add(via("10.0.0.0/8"_prefix, 1)).error() == route_error::full);
        CHECK(table.add(via("10.0.0.0/32"_prefix, 1)).error() == route_error::full);
        CHECK(table.remove(via("10.0.0.0/8"_prefix, 1)).error() == route_error::not_found);
        CHECK(table.hop_for("10.0.0.1"_ip, 0) == hop_of(nowhere));
        table.prefetch("10.0.0.1"_ip);
    }
    direct_table table{{all.subspan(1), few}};  // on whatever boundary
    CHECK(table.capacity() == few.routes);
    CHECK(table.add(via("10.0.0.0/8"_prefix, 1)).has_value());
    CHECK(leads_to(table, "10.0.0.1"_ip) == 1);
}

struct without_local_routes : small_table {
    static constexpr bool has_local_routes = false;
};

TEST_CASE("local addresses precede the hops of a table without local routes") {
    with_local_routes<without_local_routes> table;
    static_assert(has_hops<with_local_routes<without_local_routes>>);
    static_assert(has_prefetch<with_local_routes<without_local_routes>>);
    REQUIRE(table.add(via("10.0.0.0/8"_prefix, 1)).has_value());
    REQUIRE(table.add({.prefix = "10.0.0.1/32"_prefix, .type = route_type::local, .interface = 5})
                .has_value());
    CHECK(table.hop_for("10.0.0.1"_ip, 0).type == route_type::local);
    CHECK(table.hop_for("10.0.0.2"_ip, 0).interface == 1);
    table.prefetch("10.0.0.2"_ip);
}

}  // namespace

}  // namespace route_direct_table
