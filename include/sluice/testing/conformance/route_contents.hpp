// conformance::route_contents: tests whether your route table with `append`, `remove_if` and
// `for_each` holds exactly the routes that were added and not removed.
//
//     const auto found = testing::conformance::route_contents<my_table>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// It adds 1,200 random routes, removes those of one interface again and again, and compares the
// table with a list. Routes that the table refuses, because it is full or has them already, are not
// in the list.
//
// Expects: a default-constructible table; the more routes it holds, the more is compared.
// Source:  Linux fib_table_delete.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/route/concept.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/wire/literals.hpp>

#include <algorithm>
#include <memory>
#include <tuple>
#include <vector>

namespace sluice::testing::conformance {

template <class Table>
concept listed_routes = mutable_route_policy<Table> &&
                        requires(Table& t, const route_entry& r, bool (*f)(const route_entry&),
                                 void (*visit)(const route_entry&)) {
                            t.append(r);
                            t.remove_if(f);
                            t.for_each(visit);
                        };

namespace detail {

template <class Table>
class route_contents_suite {
public:
    explicit route_contents_suite(checker& check) : check_{check} {}

    void run() {
        random_routes(*std::make_unique<Table>());
        for (const auto& row : removals) {
            removed_by(*std::make_unique<Table>(), row);
        }
        unreachable_routes(*std::make_unique<Table>());
    }

private:
    using list = std::vector<route_entry>;

    [[nodiscard]] static list sorted(list all) {
        const auto key = [](const route_entry& r) {
            return std::tuple{r.prefix.base.value, r.prefix.length, r.tos, r.metric, r.interface};
        };
        std::sort(all.begin(), all.end(),
                  [&key](const route_entry& a, const route_entry& b) { return key(a) < key(b); });
        return all;
    }
    void holds(const Table& table, const list& expected) {
        list all;
        table.for_each([&all](const route_entry& r) { all.push_back(r); });
        check_.holds(sorted(all) == sorted(expected),
                     "for_each() visits exactly the routes added and not removed");
    }

    [[nodiscard]] route_entry some_route() {
        route_entry r{.interface = static_cast<u16>(1 + random_.below(4)),
                      .metric = random_.below(3)};
        const u32 bits = random_.below(0xffff'ffff) & 0xc0c0'c0c3;
        r.prefix = ipv4::prefix({bits}, random_.below(33));
        r.tos = random_.below(8) == 0 ? 8 : 0;
        return r;
    }
    void random_routes(Table& table) {
        check_.begin("for_each() visits all routes, and remove_if() removes the chosen ones");
        const auto all = [](const route_entry&) { return true; };
        list expected;
        holds(table, expected);
        check_.equal(table.remove_if(all), 0U, "remove_if() of an empty table removes no route");
        for (u32 round = 0; round < 30; ++round) {
            check_.given("round", round);
            for (int i = 0; i < 40; ++i) {
                const route_entry r = some_route();
                if (table.append(r).has_value()) {
                    expected.push_back(r);
                }
            }
            holds(table, expected);
            remove_interface(table, expected, static_cast<u16>(1 + random_.below(4)));
            holds(table, expected);
            ask_for_each(table, expected);
        }
        check_.clear_given();
        static_cast<void>(table.remove_if(all));
        holds(table, {});
    }
    void remove_interface(Table& table, list& expected, u16 interface) {
        const u32 version = table.version();
        const auto goes = [interface](const route_entry& r) { return r.interface == interface; };
        const u32 removed = table.remove_if(goes);
        check_.equal(removed, static_cast<u32>(std::erase_if(expected, goes)),
                     "remove_if() returns the number of removed routes");
        check_.equal(table.version() != version, removed != 0,
                     "remove_if() changes version() exactly if it removed a route");
    }
    void ask_for_each(const Table& table, const list& expected) {
        for (const route_entry& r : expected) {
            const next_hop id = table.lookup(
                route_query{.destination = r.prefix.base, .interface = r.interface, .tos = r.tos});
            if (check_.holds(id != next_hop::none,
                             "lookup() finds an answer for each stored route")) {
                check_.holds(table.at(id).prefix.length >= r.prefix.length,
                             "lookup() finds this route or one with a longer prefix");
            }
        }
    }

    struct removal {
        const char* name;
        route_entry wanted;
    };
    static constexpr ipv4::prefix net = "10.0.0.0/8"_prefix;
    static constexpr route_entry first{.prefix = net, .interface = 1, .mtu = 1000};
    static constexpr route_entry second{.prefix = net,
                                        .scope = scopes::link,
                                        .mtu_locked = true,
                                        .hop_limit = 9,
                                        .interface = 1,
                                        .mtu = 900};
    static constexpr removal removals[] = {
        {"by its MTU", {.prefix = net, .mtu = 900}},
        {"by its MTU lock", {.prefix = net, .mtu_locked = true}},
        {"by its hop limit", {.prefix = net, .hop_limit = 9}},
        {"by its scope", {.prefix = net, .scope = scopes::link}},
        {"by all fields", second},
    };
    static constexpr removal strangers[] = {
        {"another MTU", {.prefix = net, .mtu = 800}},
        {"the MTU lock of another route", {.prefix = net, .mtu_locked = true, .mtu = 1000}},
        {"another hop limit", {.prefix = net, .hop_limit = 8}},
        {"another scope", {.prefix = net, .scope = scopes::host}},
    };
    void removed_by(Table& table, const removal& row) {
        check_.begin("remove() removes the first route that has the given fields");
        check_.holds(table.add(first).has_value(), "add() accepts a route");
        check_.holds(table.append(second).has_value(),
                     "append() accepts a second route with the same key");
        for (const removal& other : strangers) {
            check_.given(other.name);
            check_.refused(table.remove(other.wanted), route_error::not_found,
                           "remove() returns not_found if no route has the given fields");
        }
        check_.given(row.name);
        check_.holds(table.remove(row.wanted).has_value(),
                     "remove() removes the second route, which has the given fields");
        holds(table, {first});
        check_.holds(table.remove(first).has_value(),
                     "remove() removes the first route, which is left");
    }

    void unreachable_routes(Table& table) {
        check_.begin("a route with scope nowhere is refused");
        check_.refused(table.add({.scope = scopes::nowhere, .interface = 1}), route_error::invalid,
                       "add() refuses scope nowhere");
        check_.refused(table.add(nowhere), route_error::invalid, "add() refuses `nowhere`");
    }

    checker& check_;
    keyed_random random_{hash_key{7, 7}};
};

}  // namespace detail

template <listed_routes Table>
suite_result route_contents(const reporter& report = print_broken) {
    checker check{"route_contents", report};
    detail::route_contents_suite<Table>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
