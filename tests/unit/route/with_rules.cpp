// with_rules: which table and route answer, against a scan of all routes; tables that part, and
// what is refused. tests/kernel/vectors/multicast2.vec (rp-filter) holds what Linux does.
#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/route/with_rules.hpp>
#include <sluice/wire/literals.hpp>

#include <algorithm>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace route_with_rules {

namespace {

using namespace sluice;
using namespace sluice::literals;

using table = with_rules<linear_routes<32>, 2, 8>;

constexpr route_entry to(ipv4::prefix p, u16 interface, route_type type = route_type::unicast) {
    return {.prefix = p, .type = type, .interface = interface};
}
constexpr rule_key from(ipv4::address source, u16 incoming = 2) {
    return {.source = source, .incoming = incoming};
}
// The interface of the route that answers; 0: none.
template <class Table>
u16 interface_to(const Table& t, ipv4::address a, const rule_key& k) {
    const next_hop id = t.lookup({.destination = a}, k);
    return id == next_hop::none ? u16{0} : t.at(id).interface;
}

TEST_CASE("a rule by source chooses a table; what it does not answer the next rule does") {
    table t;
    REQUIRE(t.add(to("0.0.0.0/0"_prefix, 2)).has_value());
    REQUIRE(t.add(to("10.9.0.0/16"_prefix, 3), 100).has_value());
    REQUIRE(
        t.add_rule({.priority = 10, .source = "10.1.0.0/16"_prefix, .target = 100}).has_value());
    CHECK(interface_to(t, "10.9.0.1"_ip, from("10.1.0.5"_ip)) == 3);
    CHECK(interface_to(t, "10.9.0.1"_ip, from("10.2.0.5"_ip)) == 2);
    CHECK(interface_to(t, "10.8.0.1"_ip, from("10.1.0.5"_ip)) == 2);
    REQUIRE(t.add(to("10.8.0.0/16"_prefix, 0, route_type::throw_away), 100).has_value());
    CHECK(interface_to(t, "10.8.0.1"_ip, from("10.1.0.5"_ip)) == 2);
    REQUIRE(t.add_rule({.priority = 9, .target = 77}).has_value());  // there is no such table
    CHECK(interface_to(t, "10.9.0.1"_ip, from("10.1.0.5"_ip)) == 3);
}

TEST_CASE("rules that refuse: prohibit and blackhole have a route, unreachable has none") {
    table t;
    REQUIRE(t.add(to("0.0.0.0/0"_prefix, 2)).has_value());
    const auto refusal = [&](rule_action action) {
        REQUIRE(t.add_rule({.priority = 10, .action = action}).has_value());
        const next_hop id = t.lookup({.destination = "10.9.0.1"_ip}, from({}));
        REQUIRE(t.remove_rule(10).has_value());
        return id;
    };
    CHECK(t.at(refusal(rule_action::prohibit)).type == route_type::prohibit);
    CHECK(t.at(refusal(rule_action::blackhole)).type == route_type::blackhole);
    CHECK(refusal(rule_action::unreachable) == next_hop::none);
    CHECK(interface_to(t, "10.9.0.1"_ip, from({})) == 2);
}

TEST_CASE("until a rule changes, local and main are one table; then local is asked first") {
    table t;
    REQUIRE(t.add(to("10.0.0.0/8"_prefix, 1, route_type::local)).has_value());
    REQUIRE(t.add(to("10.1.0.0/16"_prefix, 2)).has_value());
    const u32 before = t.version();
    CHECK(interface_to(t, "10.1.0.1"_ip, from({})) == 2);
    CHECK(t.hop_for("10.1.0.1"_ip, 0).interface == 2);
    CHECK_FALSE(t.has_custom_rules());
    REQUIRE(t.add_rule({.priority = 5, .incoming = 9, .target = 100}).has_value());
    CHECK(t.has_custom_rules());
    CHECK(t.version() != before);
    CHECK(interface_to(t, "10.1.0.1"_ip, from({})) == 1);
    CHECK(t.hop_for("10.1.0.1"_ip, 0).type == route_type::blackhole);
    CHECK(t.at(t.lookup("10.1.0.1"_ip)).interface == 1);
    u32 all = 0;
    t.for_each([&](const route_entry&) { ++all; });
    CHECK(all == 2);
    REQUIRE(t.remove_rule(0).has_value());  // no rule asks the table local
    CHECK(interface_to(t, "10.1.0.1"_ip, from({})) == 2);
    CHECK(interface_to(t, "10.2.0.1"_ip, from({})) == 0);
    REQUIRE(t.remove_rule(5).has_value());
    CHECK(t.has_custom_rules());
}

TEST_CASE("every change of a rule or a route moves the version") {
    table t;
    u32 before = t.version();
    const auto moved = [&] { return std::exchange(before, t.version()) != before; };
    REQUIRE(t.add_rule({.priority = 5, .target = 100}).has_value());
    CHECK(moved());
    REQUIRE(t.add(to("10.1.0.0/16"_prefix, 2), 100).has_value());
    CHECK(moved());
    REQUIRE(t.add(to("10.2.0.1/32"_prefix, 1, route_type::local)).has_value());
    CHECK(moved());
    REQUIRE(t.remove_rule(5).has_value());
    CHECK(moved());
    CHECK(t.remove_rule(5).error() == rule_error::not_found);
    CHECK_FALSE(moved());
}

TEST_CASE("what has no room changes nothing") {
    with_rules<linear_routes<2>, 1, 4> t;
    REQUIRE(t.add(to("10.1.0.0/16"_prefix, 2)).has_value());
    REQUIRE(t.add(to("10.2.0.0/16"_prefix, 2)).has_value());
    // The table main, in which a local route stands too, is full.
    CHECK(t.add(to("10.3.0.1/32"_prefix, 1, route_type::local)).error() == route_error::full);
    CHECK_FALSE(t.has_custom_rules());
    u32 answers = 0;
    t.for_each_answer("10.3.0.1"_ip, [&](next_hop) { ++answers; });
    CHECK(answers == 0);
    REQUIRE(t.add_rule({.priority = 1, .incoming = 9}).has_value());
    CHECK(t.add_rule({.priority = 2}).error() == rule_error::full);
    REQUIRE(t.add(to("10.3.0.1/32"_prefix, 1, route_type::local)).has_value());
    REQUIRE(t.add(to("10.3.0.0/24"_prefix, 4), 100).has_value());
    CHECK(t.add(to("10.3.0.0/24"_prefix, 4), 101).error() == route_error::full);
    CHECK(t.add(to("10.3.0.0/24"_prefix, 4), 100).error() == route_error::exists);
    CHECK(t.remove(to("10.3.0.0/24"_prefix, 4), 101).error() == route_error::not_found);
    t.for_each_answer("10.3.0.1"_ip, [&](next_hop) { ++answers; });
    CHECK(answers == 2);
    REQUIRE(t.remove(to("10.3.0.0/24"_prefix, 4), 100).has_value());
    CHECK(t.remove(to("10.3.0.0/24"_prefix, 4), 100).error() == route_error::not_found);
}

TEST_CASE("a local route in main, and others in local, by the number of the table") {
    table t;
    REQUIRE(t.add(to("10.3.0.0/24"_prefix, 1, route_type::local), route_tables::main).has_value());
    CHECK(t.has_custom_rules());
    REQUIRE(t.add(to("10.3.0.7/32"_prefix, 4), route_tables::local).has_value());
    CHECK(interface_to(t, "10.3.0.1"_ip, from({})) == 1);
    CHECK(interface_to(t, "10.3.0.7"_ip, from({})) == 4);
    REQUIRE(t.remove_rule(32766).has_value());
    CHECK(interface_to(t, "10.3.0.1"_ip, from({})) == 0);
}

TEST_CASE("routes go from every table") {
    table t;
    for (const u32 number : {route_tables::main, 100u, 101u})
        REQUIRE(t.add(to("10.1.0.0/16"_prefix, 2), number).has_value());
    REQUIRE(t.add(to("10.1.0.1/32"_prefix, 2, route_type::local)).has_value());
    REQUIRE(t.add(to("10.2.0.0/16"_prefix, 3), 101).has_value());
    CHECK(t.remove_if([](const route_entry& r) { return r.interface == 2; }) == 4);
    u32 left = 0;
    t.for_each([&](const route_entry&) { ++left; });
    CHECK(left == 1);
}

// A naive model: all routes in one list, with the numbers of their tables.
struct placed {
    u32 table;
    route_entry route;
};
// The best route of a table, as in a table alone.
const route_entry* best_of(const std::vector<placed>& all, u32 number, const route_query& q) {
    const route_entry* best = nullptr;
    for (const placed& p : all) {
        if (p.table == number && p.route.prefix.contains(q.destination) && answers(p.route, q) &&
            (best == nullptr || p.route.prefix.length > best->prefix.length ||
             (p.route.prefix.length == best->prefix.length && is_tried_before(p.route, *best)))) {
            best = &p.route;
        }
    }
    return best;
}

TEST_CASE_TEMPLATE("random rules and routes: as a scan of all", Table,
                   with_rules<linear_routes<64>, 2, 12>, with_rules<lpm_trie<64>, 2, 12>) {
    std::mt19937 draw{11};
    const auto below = [&](u32 n) { return static_cast<u32>(draw() % n); };
    constexpr u32 numbers[] = {100, 101, route_tables::main, route_tables::local};
    for (int round = 0; round < 60; ++round) {
        const auto t = std::make_unique<Table>();
        std::vector<placed> all;
        std::vector<routing_rule> rules(t->rules().begin(), t->rules().end());
        for (int i = 0; i < 40; ++i) {
            const u32 number = numbers[below(4)];
            route_entry r{.prefix = {{0x0a000000 | below(16) << 20 | below(4)}, 8 + below(25)},
                          .type = static_cast<route_type>(below(8)),
                          .tos = static_cast<u8>(below(3) == 0 ? 8 : 0),
                          .interface = static_cast<u16>(2 + below(3)),
                          .metric = below(3)};
            if (is_refusal(r.type)) r.interface = 0;
            if (number >= route_tables::main && is_in_local_table(r) != (number == 255)) continue;
            if (t->add(r, number).has_value()) all.push_back({number, r});
        }
        for (u32 i = 2 + below(6); i > 0; --i) {
            const routing_rule r{.priority = 1 + below(40),
                                 .source = {{0x0a000000 | below(2) << 23}, below(2) * 9},
                                 .incoming = static_cast<u16>(below(2) * 2),
                                 .tos = static_cast<u8>(below(3) == 0 ? 8 : 0),
                                 .is_not = below(4) == 0,
                                 .action =
                                     below(5) == 0 ? rule_action::prohibit : rule_action::table,
                                 .target = numbers[below(4)]};
            if (!t->add_rule(r).has_value()) continue;
            rules.insert(
                std::find_if(rules.begin(), rules.end(),
                             [&](const routing_rule& x) { return x.priority > r.priority; }),
                r);
        }
        for (int i = 0; i < 200; ++i) {
            const u8 tos = static_cast<u8>(below(2) * 8);
            const route_query q{.destination = {0x0a000000 | below(16) << 20 | below(4)},
                                .interface = static_cast<u16>(below(4) == 0 ? 3 : 0),
                                .tos = tos};
            const rule_key k{.source = {0x0a000000 | below(2) << 23},
                             .destination = q.destination,
                             .incoming = static_cast<u16>(2 + below(2)),
                             .outgoing = q.interface,
                             .tos = tos};
            const route_entry* expected = nullptr;
            bool prohibited = false;
            for (const routing_rule& r : rules) {
                if (!r.matches(k)) continue;
                prohibited = r.action == rule_action::prohibit;
                const route_entry* found = prohibited ? nullptr : best_of(all, r.target, q);
                expected =
                    found != nullptr && found->type != route_type::throw_away ? found : nullptr;
                if (prohibited || expected != nullptr) break;
            }
            const next_hop id = t->lookup(q, k);
            if (prohibited) {
                CHECK(t->at(id).type == route_type::prohibit);
            } else {
                REQUIRE((id != next_hop::none) == (expected != nullptr));
                if (expected != nullptr) CHECK(t->at(id) == *expected);
            }
        }
    }
}

}  // namespace

}  // namespace route_with_rules
