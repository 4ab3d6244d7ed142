// for_each and remove_if of the tables, held against a list; and what `remove` means.
#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/wire/literals.hpp>

#include "support/given_table.hpp"

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

namespace conformance_route_contents {

namespace {

using namespace sluice;
using namespace sluice::literals;

#define SLUICE_LISTED_TABLES                                                                       \
    linear_routes<512>, lpm_trie<512>, lpm_trie<2048>, support::given_table<512>,                  \
        support::given_direct<512>

bool before(const route_entry& a, const route_entry& b) {
    const auto key = [](const route_entry& r) {
        return std::tuple{r.prefix.base.value, r.prefix.length, r.tos, r.metric, r.interface};
    };
    return key(a) < key(b);
}

template <class Table>
std::vector<route_entry> contents(const Table& table) {
    std::vector<route_entry> all;
    table.for_each([&](const route_entry& r) { all.push_back(r); });
    std::sort(all.begin(), all.end(), before);
    return all;
}

template <class Table>
struct grown {
    Table& table;
    std::vector<route_entry> model{};

    void add(std::mt19937& random) {
        route_entry r{.interface = static_cast<u16>(1 + random() % 4),
                      .metric = static_cast<u32>(random() % 3)};
        const u32 length = static_cast<u32>(random() % 33);
        r.prefix = ipv4::prefix({static_cast<u32>(random() & 0xc0c0c0c3)}, length);
        r.tos = random() % 8 == 0 ? 8 : 0;
        if (table.append(r).has_value()) model.push_back(r);
    }
    [[nodiscard]] std::vector<route_entry> sorted() const {
        auto all = model;
        std::sort(all.begin(), all.end(), before);
        return all;
    }
};

TEST_CASE_TEMPLATE("a table tells what it holds, and loses what a question picks", Table,
                   SLUICE_LISTED_TABLES) {
    static Table table;
    grown<Table> g{table};
    std::mt19937 random{7};
    CHECK(contents(table).empty());
    CHECK(table.remove_if([](const route_entry&) { return true; }) == 0);
    std::size_t found = 0;
    for (int round = 0; round < 30; ++round) {
        CAPTURE(round);
        for (int i = 0; i < 40; ++i)
            g.add(random);
        CHECK(contents(table) == g.sorted());
        const auto gone = static_cast<u16>(1 + random() % 4);
        const u32 version = table.version();
        const auto goes = [&](const route_entry& r) { return r.interface == gone; };
        const u32 removed = table.remove_if(goes);
        CHECK(removed == std::erase_if(g.model, goes));
        CHECK((table.version() != version) == (removed != 0));
        CHECK(contents(table) == g.sorted());
        for (const route_entry& r : g.model) {
            const next_hop id = table.lookup(
                route_query{.destination = r.prefix.base, .interface = r.interface, .tos = r.tos});
            REQUIRE(id != next_hop::none);
            CHECK(table.at(id).prefix.length >= r.prefix.length);
            ++found;
        }
    }
    CHECK(found > 3'000);
    table.remove_if([](const route_entry&) { return true; });
    CHECK(contents(table).empty());
    if constexpr (requires { table.nodes_in_use(); }) CHECK(table.nodes_in_use() == 0);
}

TEST_CASE_TEMPLATE("removed is the first that has what is given: MTU, lock, scope", Table,
                   SLUICE_LISTED_TABLES) {
    static Table table;
    const route_entry first{.prefix = "10.0.0.0/8"_prefix, .interface = 1, .mtu = 1000};
    route_entry second = first;
    second.mtu = 900;
    second.mtu_locked = true;
    second.scope = scopes::link;
    REQUIRE(table.add(first).has_value());
    REQUIRE(table.append(second).has_value());
    route_entry wanted{.prefix = first.prefix, .mtu = 800};
    CHECK(table.remove(wanted).error() == route_error::not_found);
    wanted = {.prefix = first.prefix, .mtu_locked = true, .mtu = 1000};
    CHECK(table.remove(wanted).error() == route_error::not_found);
    wanted = {.prefix = first.prefix, .scope = scopes::host};
    CHECK(table.remove(wanted).error() == route_error::not_found);
    SUBCASE("by its MTU") {
        wanted = {.prefix = first.prefix, .mtu = 900};
    }
    SUBCASE("by its lock") {
        wanted = {.prefix = first.prefix, .mtu_locked = true};
    }
    SUBCASE("by its scope") {
        wanted = {.prefix = first.prefix, .scope = scopes::link};
    }
    SUBCASE("by all") {
        wanted = second;
    }
    CHECK(table.remove(wanted).has_value());
    CHECK(contents(table) == std::vector{first});
    CHECK(table.remove(first).has_value());
}

TEST_CASE_TEMPLATE("a route that reaches nobody is refused", Table, SLUICE_LISTED_TABLES) {
    static Table table;
    CHECK(table.add({.scope = scopes::nowhere, .interface = 1}).error() == route_error::invalid);
    CHECK(table.add(nowhere).error() == route_error::invalid);
}

}  // namespace

}  // namespace conformance_route_contents
