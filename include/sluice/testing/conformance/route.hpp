// conformance::route: tests the answers of every route_policy on yours.
//
//     const auto found = testing::conformance::route<my_table>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// It queries new tables. If the policy has `add` and `remove`, it also tests longest prefix, TOS
// and metric, interface and scope, types and errors; if it has `append`, that too. For an object
// that already has routes, use route_answers.hpp.
//
// Expects: a default-constructible table with room for 12 routes.
// Source:  Linux fib_trie.c, as route/selection.hpp says it.
#pragma once

#include <sluice/route/concept.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/testing/conformance/route_answers.hpp>

#include <memory>

namespace sluice::testing::conformance {

namespace detail {

[[nodiscard]] constexpr route_entry route_via(ipv4::prefix p, u16 interface, u32 metric = 0) {
    return {.prefix = p, .interface = interface, .metric = metric};
}
[[nodiscard]] constexpr route_entry route_with_tos(ipv4::prefix p, u16 interface, u8 tos) {
    return {.prefix = p, .tos = tos, .interface = interface};
}
[[nodiscard]] constexpr route_entry route_of(route_type type, ipv4::prefix p, u16 interface = 0,
                                             u32 metric = 0) {
    return {.prefix = p, .type = type, .interface = interface, .metric = metric};
}

template <class Table>
class route_suite {
public:
    explicit route_suite(checker& check) : check_{check} {}

    void run() {
        using self = route_suite;
        for (const auto each : {&self::empty, &self::longest_prefix, &self::metrics, &self::tos,
                                &self::interface_and_scope, &self::local_routes, &self::refusals,
                                &self::wrong_changes, &self::counted_changes}) {
            const auto made = std::make_unique<Table>();
            (this->*each)(*made);
        }
    }

private:
    void empty(Table& table) {
        check_.begin("an empty table has no route");
        check_.equal(table.lookup("10.0.0.1"_ip), next_hop::none, "lookup(address) finds no route");
        check_.equal(table.lookup(route_query{.destination = "0.0.0.0"_ip, .tos = 8}),
                     next_hop::none, "lookup(query) finds no route");
        for (const next_hop id : {next_hop::none, next_hop{0}, next_hop{0xffff'fffe}}) {
            check_.given("id", static_cast<u32>(id));
            check_.holds(table.at(id) == nowhere,
                         "at() returns `nowhere` for an id without a route");
        }
        check_.clear_given();
        check_.equal(table.version(), 0U, "version() of a new table is 0");
    }

    void longest_prefix(Table& table) {
        check_.begin("the route with the longest prefix is chosen");
        const ipv4::prefix prefixes[] = {"0.0.0.0/0"_prefix,     "10.0.0.0/7"_prefix,
                                         "10.0.0.0/8"_prefix,    "10.1.0.0/16"_prefix,
                                         "10.1.2.0/23"_prefix,   "10.1.2.0/24"_prefix,
                                         "10.1.2.128/25"_prefix, "10.1.2.128/31"_prefix,
                                         "10.1.2.129/32"_prefix, "255.255.255.255/32"_prefix};
        for (u16 i = 0; const auto& p : prefixes) {
            add(table, route_via(p, ++i));
        }
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
        for (const auto& row : rows) {
            leads(table, row.to, row.interface);
        }
        remove(table, route_via("10.1.2.128/31"_prefix, 0));
        leads(table, "10.1.2.128"_ip, 7);
        leads(table, "10.1.2.129"_ip, 9);
        remove(table, route_via("0.0.0.0/0"_prefix, 0));
        leads(table, "12.0.0.0"_ip, 0);
        ask_answers(check_, table);
    }

    void metrics(Table& table) {
        check_.begin("of one prefix the smallest metric is chosen, then the oldest route");
        const auto p = "10.50.1.128/25"_prefix;
        add(table, route_via(p, 3, 10));
        add(table, route_via(p, 2, 5));
        leads(table, "10.50.1.200"_ip, 2);
        if constexpr (has_append) {
            check_.holds(table.append(route_via(p, 4, 5)).has_value(),
                         "append() accepts a second route with the same key");
            leads(table, "10.50.1.200"_ip, 2);
            remove(table, route_via(p, 2));
            leads(table, "10.50.1.200"_ip, 4);
        }
        remove(table, route_via(p, 0, 5));
        leads(table, "10.50.1.200"_ip, 3);
    }

    void tos(Table& table) {
        check_.begin("a route with a TOS is chosen only for this TOS");
        add(table, route_via("10.0.0.0/8"_prefix, 1));
        add(table, route_with_tos("10.1.0.0/16"_prefix, 2, 0x10));
        add(table, route_with_tos("10.0.0.0/8"_prefix, 3, 0x08));
        const struct {
            const char* name;
            u8 tos;
            u16 interface;
        } rows[] = {
            {.name = "TOS 0: the shorter prefix", .tos = 0x00, .interface = 1},
            {.name = "the route's TOS: the longer prefix", .tos = 0x10, .interface = 2},
            {.name = "ECN bits are ignored", .tos = 0x13, .interface = 2},
            {.name = "precedence is ignored", .tos = 0xf0, .interface = 2},
            {.name = "TOS 8: before the route for any TOS", .tos = 0x08, .interface = 3},
            {.name = "another TOS", .tos = 0x18, .interface = 1},
        };
        for (const auto& row : rows) {
            check_.given(row.name);
            leads(table, route_query{.destination = "10.1.2.3"_ip, .tos = row.tos}, row.interface);
        }
        leads(table, "10.1.2.3"_ip, 1);
    }

    void interface_and_scope(Table& table) {
        check_.begin("interface and scope exclude routes, except routes that refuse");
        add(table, route_via("0.0.0.0/0"_prefix, 1));
        add(table, {.prefix = "10.0.0.0/8"_prefix, .scope = scopes::link, .interface = 2});
        if constexpr (has_append) {
            check_.holds(table.append({.prefix = "10.0.0.0/8"_prefix, .interface = 3}).has_value(),
                         "append() accepts a second route with the same key");
        } else {
            add(table, {.prefix = "10.0.0.0/8"_prefix, .interface = 3, .metric = 1});
        }
        add(table, route_of(route_type::prohibit, "10.9.0.0/16"_prefix, 7));
        const struct {
            u16 required;
            u8 scope;
            u16 interface;
        } rows[] = {
            {.required = 0, .scope = scopes::universe, .interface = 2},
            {.required = 3, .scope = scopes::universe, .interface = 3},
            {.required = 1, .scope = scopes::universe, .interface = 1},
            {.required = 4, .scope = scopes::universe, .interface = 0},
            {.required = 0, .scope = scopes::link, .interface = 2},
            {.required = 3, .scope = scopes::link, .interface = 0},
            {.required = 0, .scope = scopes::host, .interface = 0},
        };
        for (const auto& row : rows) {
            check_.given("query with interface", row.required);
            leads(table,
                  {.destination = "10.1.1.1"_ip, .interface = row.required, .scope = row.scope},
                  row.interface);
        }
        check_.given("prohibit route, query with interface", 1);
        leads(table, {.destination = "10.9.1.1"_ip, .interface = 1}, 7);
    }

    void local_routes(Table& table) {
        if constexpr (Table::has_local_routes) {
            check_.begin("local and broadcast routes come before others of their prefix");
            add(table, route_via("10.0.1.1/32"_prefix, 5));
            add(table, route_of(route_type::local, "10.0.1.1/32"_prefix, 1, 900));
            add(table, route_of(route_type::broadcast, "10.0.1.255/32"_prefix, 2, 900));
            add(table, route_of(route_type::unreachable, "10.0.1.255/32"_prefix));
            has_type(table, "10.0.1.1"_ip, route_type::local);
            has_type(table, "10.0.1.255"_ip, route_type::broadcast);
            check_.refused(table.add(route_of(route_type::broadcast, "10.0.1.1/32"_prefix, 9, 900)),
                           route_error::exists,
                           "a local route refuses a broadcast route with the same key");
        }
    }

    void refusals(Table& table) {
        check_.begin("throw ends the lookup without a route; other refusals are found as routes");
        add(table, route_via("0.0.0.0/0"_prefix, 1));
        add(table, route_of(route_type::throw_away, "10.33.0.0/16"_prefix));
        add(table, route_via("10.33.1.0/24"_prefix, 2));
        leads(table, "10.33.9.9"_ip, 0);
        check_.equal(table.lookup("10.33.9.9"_ip), next_hop::none,
                     "lookup(address) finds no route at a throw route");
        check_.equal(table.lookup(route_query{.destination = "10.33.9.9"_ip, .interface = 1}),
                     next_hop::none, "lookup(query) finds no route at a throw route");
        leads(table, "10.33.1.9"_ip, 2);
        leads(table, {.destination = "10.33.1.9"_ip, .interface = 1}, 0);
        leads(table, "10.34.0.0"_ip, 1);
        for (const route_type t :
             {route_type::blackhole, route_type::unreachable, route_type::prohibit}) {
            add(table, route_of(t, {"10.30.0.0"_ip, 20U + static_cast<unsigned>(t)}));
            has_type(table, "10.30.0.0"_ip, t);
        }
    }

    void wrong_changes(Table& table) {
        check_.begin("an invalid route is refused");
        route_entry host_bits = route_via("10.0.0.0/8"_prefix, 1);
        host_bits.prefix.base.value |= 1;
        route_entry too_long = route_via("10.0.0.0/8"_prefix, 1);
        too_long.prefix.length = 33;
        const struct {
            const char* name;
            route_entry route;
        } rows[] = {
            {"a prefix with host bits", host_bits},
            {"a prefix of 33 bits", too_long},
            {"an unknown type", route_of(static_cast<route_type>(8), "10.0.0.0/8"_prefix, 1)},
            {"ECN bits in the TOS", route_with_tos("10.0.0.0/8"_prefix, 1, 0x03)},
        };
        for (const auto& row : rows) {
            check_.given(row.name);
            check_.refused(table.add(row.route), route_error::invalid,
                           "add() refuses the route with `invalid`");
        }
        check_.refused(table.remove(too_long), route_error::not_found,
                       "remove() refuses the route with `not_found`");
        check_.equal(table.version(), 0U, "a refused change leaves version() unchanged");
    }

    void counted_changes(Table& table) {
        check_.begin("each change increments version(), and a key has one route");
        const route_entry first = route_via("10.1.0.0/16"_prefix, 1, 7);
        const auto id = table.add(first);
        if (!check_.holds(id.has_value(), "add() accepts a new route")) {
            return;
        }
        check_.equal(table.version(), 1U, "add() increments version() by 1");
        check_.refused(table.add(route_via("10.1.0.0/16"_prefix, 2, 7)), route_error::exists,
                       "add() refuses a second route with the same prefix, TOS and metric");
        if constexpr (has_append) {
            check_.refused(table.append(first), route_error::exists,
                           "append() refuses a route that the table has");
        }
        add(table, route_via("10.1.0.0/16"_prefix, 2, 8));
        check_.equal(table.version(), 2U, "a refused change leaves version() unchanged");
        const route_entry wrong[] = {
            route_via("10.1.0.0/17"_prefix, 0), route_via("10.1.0.0/16"_prefix, 3),
            route_via("10.1.0.0/16"_prefix, 1, 8), route_with_tos("10.1.0.0/16"_prefix, 0, 0x10),
            route_of(route_type::blackhole, "10.1.0.0/16"_prefix)};
        for (const auto& r : wrong) {
            check_.refused(table.remove(r), route_error::not_found,
                           "remove() refuses a different route with `not_found`");
        }
        check_.equal(table.version(), 2U, "a refused removal leaves version() unchanged");
        remove(table, table.at(*id));
        check_.equal(table.version(), 3U, "remove() increments version() by 1");
        check_.holds(table.at(*id) == nowhere, "at() returns `nowhere` for a removed route");
        leads(table, "10.1.0.1"_ip, 2);
    }

    static constexpr bool has_append = requires(Table& t, const route_entry& r) { t.append(r); };

    void add(Table& table, const route_entry& route) {
        check_.equal(error_of(table.add(route)), route_error::none, "add() accepts the route");
    }
    void remove(Table& table, const route_entry& route) {
        check_.equal(error_of(table.remove(route)), route_error::none, "remove() finds the route");
    }
    template <class Result>
    [[nodiscard]] static route_error error_of(const Result& r) {
        return r.has_value() ? route_error::none : r.error();
    }
    // Interface 0: no route.
    void leads(const Table& table, const route_query& q, u16 interface) {
        const next_hop id = table.lookup(q);
        check_.equal(id == next_hop::none ? u16{0} : table.at(id).interface, interface,
                     "lookup(query) chooses this egress (0: no route)");
        if (q.interface == 0 && q.scope == scopes::universe) {
            check_.holds(find_hop(table, q.destination, q.tos) == hop_of(table.at(id)),
                         "hop_for() agrees with the route");
        }
    }
    void leads(const Table& table, ipv4::address to, u16 interface) {
        check_.given("destination", to);
        const next_hop id = table.lookup(to);
        check_.equal(id == next_hop::none ? u16{0} : table.at(id).interface, interface,
                     "lookup(address) chooses this egress (0: no route)");
        leads(table, route_query{.destination = to}, interface);
    }
    void has_type(const Table& table, ipv4::address to, route_type type) {
        check_.given("destination", to);
        const next_hop id = table.lookup(to);
        check_.equal(id == next_hop::none ? route_type::throw_away : table.at(id).type, type,
                     "the chosen route has this type");
    }

    checker& check_;
};

}  // namespace detail

template <route_policy Table>
suite_result route(const reporter& report = print_broken) {
    checker check{"route", report};
    const auto fresh = std::make_unique<Table>();
    detail::ask_answers(check, *fresh);
    if constexpr (mutable_route_policy<Table>) {
        detail::route_suite<Table>{check}.run();
    }
    return check.result();
}

}  // namespace sluice::testing::conformance
