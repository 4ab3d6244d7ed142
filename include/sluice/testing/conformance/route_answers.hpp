// conformance::route_answers: tests whether the answers of a route policy agree with each other: by
// address and by query, short and long, and when repeated.
//
//     my_policy routes{...};  // with routes in it
//     const auto found = testing::conformance::route_answers(routes);
//
// It queries about a thousand destinations and needs no `add`, so that it also serves a policy
// without a table. Tables with `add` and `remove` are tested further by route.hpp.
//
// Never: changes the policy.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/route/concept.hpp>
#include <sluice/route/hop.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/wire/literals.hpp>

namespace sluice::testing::conformance {

namespace detail {

// The queries for one packet: both lookups and the short answer must agree.
template <class Table>
void ask_for_packet(checker& check, const Table& table, ipv4::address to) {
    const next_hop id = table.lookup(to);
    check.given("destination", to);
    check.equal(table.lookup(to), id, "a repeated lookup has the same answer");
    check.equal(table.lookup(route_query{.destination = to}), id,
                "lookup(address) equals lookup(query) with any interface and scope and TOS 0");
    if (id == next_hop::none) {
        return;
    }
    const route_entry& entry = table.at(id);
    check.holds(entry.prefix.contains(to), "the chosen route covers the destination");
    check.holds(entry.type <= route_type::throw_away, "the route's type is one of route_type");
    check.holds(find_hop(table, to, 0) == hop_of(entry), "hop_for() agrees with the route");
    for (u32 interface = 1; interface < 5; ++interface) {
        const next_hop found =
            table.lookup(route_query{.destination = to, .interface = static_cast<u16>(interface)});
        check.holds(found == next_hop::none || table.at(found).interface == interface ||
                        is_refusal(table.at(found).type),
                    "a query with an interface finds a route of it or a refusal");
    }
}

template <class Table>
void ask_answers(checker& check, const Table& table) {
    check.begin("all lookups of a destination agree");
    const u32 version = table.version();
    for (const auto to : {"0.0.0.0"_ip, "10.0.0.1"_ip, "127.0.0.1"_ip, "128.0.0.0"_ip,
                          "224.0.0.1"_ip, "255.255.255.255"_ip}) {
        ask_for_packet(check, table, to);
    }
    keyed_random random{hash_key{1, 2}};
    for (int i = 0; i < 1000; ++i) {
        ask_for_packet(check, table, {random.below(0xffff'ffff)});
    }
    check.clear_given();
    check.equal(table.version(), version, "a lookup leaves version() unchanged");
}

}  // namespace detail

template <route_policy Table>
suite_result route_answers(const Table& table, const reporter& report = print_broken) {
    checker check{"route", report};
    detail::ask_answers(check, table);
    return check.result();
}

}  // namespace sluice::testing::conformance
