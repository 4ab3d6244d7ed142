// What every route_policy must do, asked of each model: named tables of routes and questions.
#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/wire/literals.hpp>

#include "support/given_table.hpp"

namespace conformance_route {

namespace {

using namespace sluice;
using namespace sluice::literals;

#define SLUICE_ROUTE_MODELS                                                                        \
    linear_routes<16>, lpm_trie<16>, lpm_trie<2000>, lpm_trie<70000, 64>,                          \
        support::given_table<16>, support::given_direct<16>

route_entry via(ipv4::prefix p, u16 interface, u32 metric = 0, u8 tos = 0) {
    return {.prefix = p, .tos = tos, .interface = interface, .metric = metric};
}

route_entry of_type(route_type type, ipv4::prefix p, u16 interface = 0, u32 metric = 0) {
    return {.prefix = p, .type = type, .interface = interface, .metric = metric};
}

// What is asked for each packet, by any interface and in any scope.
bool is_of_packets(const route_query& q) {
    return q.interface == 0 && q.scope == scopes::universe;
}
bool is_of_packets(ipv4::address) {
    return true;
}
route_query query_of(const route_query& q) {
    return q;
}
route_query query_of(ipv4::address to) {
    return {.destination = to};
}

// The interface of the answer; 0: none. The short answer is the same.
template <class Table, class Question>
u16 leads_to(const Table& table, const Question& question) {
    const next_hop id = table.lookup(question);
    if (is_of_packets(question)) {
        const route_query q = query_of(question);
        CHECK(find_hop(table, q.destination, q.tos) == hop_of(table.at(id)));
    }
    return id == next_hop::none ? u16{0} : table.at(id).interface;
}

TEST_CASE_TEMPLATE("the model fits its concept", Table, SLUICE_ROUTE_MODELS) {
    static_assert(mutable_route_policy<Table>);
    static_assert(Table::memory_limit >= sizeof(Table));
    static_assert(Table::has_local_routes);
}

TEST_CASE_TEMPLATE("an empty table leads nowhere and its dummy entry is safe", Table,
                   SLUICE_ROUTE_MODELS) {
    static Table table;
    CHECK(table.lookup("10.0.0.1"_ip) == next_hop::none);
    CHECK(table.lookup(route_query{.destination = "0.0.0.0"_ip, .tos = 8}) == next_hop::none);
    CHECK(table.at(next_hop::none) == nowhere);
    CHECK(table.at(next_hop{0}) == nowhere);
    CHECK(table.at(next_hop{0xfffffffe}) == nowhere);
    CHECK(nowhere.type == route_type::blackhole);
    CHECK(table.version() == 0);
}

TEST_CASE_TEMPLATE("the longest prefix answers", Table, SLUICE_ROUTE_MODELS) {
    static Table table;
    const ipv4::prefix prefixes[] = {"0.0.0.0/0"_prefix,     "10.0.0.0/7"_prefix,
                                     "10.0.0.0/8"_prefix,    "10.1.0.0/16"_prefix,
                                     "10.1.2.0/23"_prefix,   "10.1.2.0/24"_prefix,
                                     "10.1.2.128/25"_prefix, "10.1.2.128/31"_prefix,
                                     "10.1.2.129/32"_prefix, "255.255.255.255/32"_prefix};
    for (u16 i = 0; const auto& p : prefixes)
        REQUIRE(table.add(via(p, ++i)).has_value());
    const struct {
        ipv4::address to;
        u16 interface;
    } rows[] = {
        {"0.0.0.0"_ip, 1},         {"9.255.255.255"_ip, 1}, {"12.0.0.0"_ip, 1},
        {"11.0.0.1"_ip, 2},        {"10.0.255.1"_ip, 3},    {"10.1.4.0"_ip, 4},
        {"10.1.3.255"_ip, 5},      {"10.1.2.127"_ip, 6},    {"10.1.2.130"_ip, 7},
        {"10.1.2.128"_ip, 8},      {"10.1.2.129"_ip, 9},    {"255.255.255.255"_ip, 10},
        {"255.255.255.254"_ip, 1},
    };
    for (const auto& row : rows)
        CHECK_MESSAGE(leads_to(table, row.to) == row.interface, row.to.value);
    REQUIRE(table.remove(via("10.1.2.128/31"_prefix, 0)).has_value());
    CHECK(leads_to(table, "10.1.2.128"_ip) == 7);
    CHECK(leads_to(table, "10.1.2.129"_ip) == 9);
    REQUIRE(table.remove(via("0.0.0.0/0"_prefix, 0)).has_value());
    CHECK(leads_to(table, "12.0.0.0"_ip) == 0);
}

TEST_CASE_TEMPLATE("of one prefix the smaller metric answers, then the older", Table,
                   SLUICE_ROUTE_MODELS) {
    static Table table;
    const auto p = "10.50.1.128/25"_prefix;
    REQUIRE(table.add(via(p, 3, 10)).has_value());
    REQUIRE(table.add(via(p, 2, 5)).has_value());
    REQUIRE(table.append(via(p, 4, 5)).has_value());
    CHECK(leads_to(table, "10.50.1.200"_ip) == 2);
    REQUIRE(table.remove(via(p, 2)).has_value());
    CHECK(leads_to(table, "10.50.1.200"_ip) == 4);
    REQUIRE(table.remove(via(p, 0, 5)).has_value());
    CHECK(leads_to(table, "10.50.1.200"_ip) == 3);
}

TEST_CASE_TEMPLATE("a route with a tos answers that tos only", Table, SLUICE_ROUTE_MODELS) {
    static Table table;
    REQUIRE(table.add(via("10.0.0.0/8"_prefix, 1)).has_value());
    REQUIRE(table.add(via("10.1.0.0/16"_prefix, 2, 0, 0x10)).has_value());
    REQUIRE(table.add(via("10.0.0.0/8"_prefix, 3, 0, 0x08)).has_value());
    const struct {
        const char* name;
        u8 tos;
        u16 interface;
    } rows[] = {
        {.name = "none: back to the shorter prefix", .tos = 0x00, .interface = 1},
        {.name = "the longer prefix", .tos = 0x10, .interface = 2},
        {.name = "ECN bits do not count", .tos = 0x13, .interface = 2},
        {.name = "precedence does not count", .tos = 0xf0, .interface = 2},
        {.name = "before the route for any tos", .tos = 0x08, .interface = 3},
        {.name = "another", .tos = 0x18, .interface = 1},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(leads_to(table, route_query{.destination = "10.1.2.3"_ip, .tos = row.tos}) ==
              row.interface);
    }
    CHECK(leads_to(table, "10.1.2.3"_ip) == 1);
}

TEST_CASE_TEMPLATE("interface and scope turn routes down, a refusal has no interface", Table,
                   SLUICE_ROUTE_MODELS) {
    static Table table;
    REQUIRE(table.add(via("0.0.0.0/0"_prefix, 1)).has_value());
    REQUIRE(table.add({.prefix = "10.0.0.0/8"_prefix, .scope = scopes::link, .interface = 2})
                .has_value());
    REQUIRE(table.append({.prefix = "10.0.0.0/8"_prefix, .interface = 3}).has_value());
    REQUIRE(table.add(of_type(route_type::prohibit, "10.9.0.0/16"_prefix, 7)).has_value());
    const auto ask = [](u16 interface, u8 scope) {
        return route_query{.destination = "10.1.1.1"_ip, .interface = interface, .scope = scope};
    };
    CHECK(leads_to(table, ask(0, scopes::universe)) == 2);
    CHECK(leads_to(table, ask(3, scopes::universe)) == 3);
    CHECK(leads_to(table, ask(1, scopes::universe)) == 1);
    CHECK(leads_to(table, ask(4, scopes::universe)) == 0);
    CHECK(leads_to(table, ask(0, scopes::link)) == 2);
    CHECK(leads_to(table, ask(3, scopes::link)) == 0);
    CHECK(leads_to(table, ask(0, scopes::host)) == 0);
    CHECK(leads_to(table, route_query{.destination = "10.9.1.1"_ip, .interface = 1}) == 7);
}

TEST_CASE_TEMPLATE("local and broadcast routes stand before the others of their prefix", Table,
                   SLUICE_ROUTE_MODELS) {
    static Table table;
    REQUIRE(table.add(via("10.0.1.1/32"_prefix, 5)).has_value());
    REQUIRE(table.add(of_type(route_type::local, "10.0.1.1/32"_prefix, 1, 900)).has_value());
    REQUIRE(table.add(of_type(route_type::broadcast, "10.0.1.255/32"_prefix, 2, 900)).has_value());
    REQUIRE(table.add(of_type(route_type::unreachable, "10.0.1.255/32"_prefix)).has_value());
    CHECK(table.at(table.lookup("10.0.1.1"_ip)).type == route_type::local);
    CHECK(table.at(table.lookup("10.0.1.255"_ip)).type == route_type::broadcast);
    CHECK(table.add(of_type(route_type::broadcast, "10.0.1.1/32"_prefix, 9, 900)).error() ==
          route_error::exists);
}

TEST_CASE_TEMPLATE("throw ends as no route, not at a shorter prefix", Table, SLUICE_ROUTE_MODELS) {
    static Table table;
    REQUIRE(table.add(via("0.0.0.0/0"_prefix, 1)).has_value());
    REQUIRE(table.add(of_type(route_type::throw_away, "10.33.0.0/16"_prefix)).has_value());
    REQUIRE(table.add(via("10.33.1.0/24"_prefix, 2)).has_value());
    CHECK(table.lookup("10.33.9.9"_ip) == next_hop::none);
    CHECK(table.lookup(route_query{.destination = "10.33.9.9"_ip, .interface = 1}) ==
          next_hop::none);
    CHECK(leads_to(table, "10.33.1.9"_ip) == 2);
    CHECK(leads_to(table, route_query{.destination = "10.33.1.9"_ip, .interface = 1}) == 0);
    CHECK(leads_to(table, "10.34.0.0"_ip) == 1);
    for (const route_type t :
         {route_type::blackhole, route_type::unreachable, route_type::prohibit}) {
        REQUIRE(
            table.add(of_type(t, {"10.30.0.0"_ip, 20U + static_cast<unsigned>(t)})).has_value());
        CHECK(table.at(table.lookup("10.30.0.0"_ip)).type == t);
    }
}

TEST_CASE_TEMPLATE("a change is refused with its reason and counted when it is made", Table,
                   SLUICE_ROUTE_MODELS) {
    static Table table;
    route_entry host_bits = via("10.0.0.0/8"_prefix, 1);
    host_bits.prefix.base.value |= 1;
    route_entry too_long = via("10.0.0.0/8"_prefix, 1);
    too_long.prefix.length = 33;
    route_entry no_type = via("10.0.0.0/8"_prefix, 1);
    no_type.type = static_cast<route_type>(8);
    CHECK(table.add(host_bits).error() == route_error::invalid);
    CHECK(table.add(too_long).error() == route_error::invalid);
    CHECK(table.add(no_type).error() == route_error::invalid);
    CHECK(table.add(via("10.0.0.0/8"_prefix, 1, 0, 0x03)).error() == route_error::invalid);
    CHECK(table.remove(too_long).error() == route_error::not_found);
    CHECK(table.version() == 0);

    const auto id = table.add(via("10.1.0.0/16"_prefix, 1, 7));
    REQUIRE(id.has_value());
    CHECK(table.version() == 1);
    CHECK(table.add(via("10.1.0.0/16"_prefix, 2, 7)).error() == route_error::exists);
    CHECK(table.append(via("10.1.0.0/16"_prefix, 1, 7)).error() == route_error::exists);
    CHECK(table.add(via("10.1.0.0/16"_prefix, 2, 8)).has_value());
    CHECK(table.version() == 2);

    const route_entry wrong[] = {via("10.1.0.0/17"_prefix, 0), via("10.1.0.0/16"_prefix, 3),
                                 via("10.1.0.0/16"_prefix, 1, 8),
                                 via("10.1.0.0/16"_prefix, 0, 0, 0x10),
                                 of_type(route_type::blackhole, "10.1.0.0/16"_prefix)};
    for (const auto& r : wrong)
        CHECK(table.remove(r).error() == route_error::not_found);
    CHECK(table.version() == 2);
    REQUIRE(table.remove(table.at(*id)).has_value());
    CHECK(table.version() == 3);
    CHECK(table.at(*id) == nowhere);
    CHECK(leads_to(table, "10.1.0.1"_ip) == 2);
}

}  // namespace

}  // namespace conformance_route
