// Every table against the scan: random routes are added and removed, with random lookups in
// between.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>

#include <memory>

#include "support/given_table.hpp"

namespace route_against_scan {

namespace {

using namespace sluice;

constexpr std::size_t live_routes = 96;
using scan = linear_routes<live_routes>;

// Addresses with long common prefixes, so that prefixes nest and the trie forks at every depth.
ipv4::address near_address(keyed_random& random) {
    constexpr u32 bases[] = {0x0a000100, 0x0a0001ff, 0x0a800000, 0xc0a80000,
                             0x0a00ff00, 0xffffffff, 0};
    const u32 base = bases[random.below(7)];
    const u32 flips = static_cast<u32>(random.next()) & static_cast<u32>(random.next()) &
                      static_cast<u32>(random.next());
    return {base ^ (random.below(3) == 0 ? flips : flips & 0xffff)};
}

route_entry random_route(keyed_random& random, u32 shortest) {
    constexpr u8 tos_values[] = {0, 0, 0, 0x08, 0x10};
    constexpr u8 scope_values[] = {scopes::universe, scopes::universe, scopes::link, scopes::host};
    route_entry r;
    r.prefix = {near_address(random), shortest + random.below(33 - shortest)};
    r.type = static_cast<route_type>(random.below(8));
    r.tos = tos_values[random.below(5)];
    r.metric = random.below(3);
    r.scope = scope_values[random.below(4)];
    r.interface = static_cast<u16>(1 + random.below(3));
    r.gateway = {random.below(2) * 0x0a000102};
    return r;
}

route_query random_query(keyed_random& random) {
    constexpr u8 scope_values[] = {scopes::universe, scopes::universe, scopes::link, scopes::host};
    return {.destination = near_address(random),
            .interface = static_cast<u16>(random.below(4)),
            .tos = static_cast<u8>(random.below(3) == 0 ? random.below(256) : 0),
            .scope = scope_values[random.below(4)]};
}

template <class Table>
struct pair_of_tables {
    std::unique_ptr<scan> expected = std::make_unique<scan>();
    std::unique_ptr<Table> table = std::make_unique<Table>();
    keyed_random random{hash_key{1, 2}};
    std::size_t live = 0;
    u32 differences = 0;
    u32 shortest = 0;  // prefix

    void note(bool same) { differences += same ? 0U : 1U; }

    void add_one() {
        const route_entry r = random_route(random, shortest);
        const bool as_append = random.below(4) == 0;
        const auto want = as_append ? expected->append(r) : expected->add(r);
        if (!want && want.error() == route_error::full) return;
        const auto got = as_append ? table->append(r) : table->add(r);
        note(want.has_value() == got.has_value() && want.error() == got.error());
        if (!got) return;
        ++live;
        note(table->at(*got) == r);
    }

    // A stored route, named by some of its fields, or a route that is probably not stored.
    void remove_one() {
        route_entry wanted = random_route(random, shortest);
        const route_entry& known = expected->at(next_hop{random.below(live_routes)});
        if (random.below(8) != 0 && known != nowhere) wanted = known;
        if (random.below(2) == 0) wanted.metric = 0;
        if (random.below(2) == 0) wanted.gateway = {};
        if (random.below(2) == 0) wanted.interface = 0;
        const auto want = expected->remove(wanted);
        const auto got = table->remove(wanted);
        note(want.has_value() == got.has_value() && want.error() == got.error());
        live -= got ? 1U : 0U;
    }

    void ask() {
        const ipv4::address to = near_address(random);
        note(table->at(table->lookup(to)) == expected->at(expected->lookup(to)));
        note(table->lookup(to) == table->lookup(route_query{.destination = to}));
        const route_query q = random_query(random);
        note(table->at(table->lookup(q)) == expected->at(expected->lookup(q)));
        note(find_hop(*table, to, q.tos) == find_hop(*expected, to, q.tos));
        note(find_hop(*table, to, 0) == find_hop(*expected, to, 0));
    }

    void run(u32 changes) {
        for (u32 i = 0; i < changes; ++i) {
            // Grows to the limit, shrinks to nothing, and again.
            const bool growing = (i / 400) % 2 == 0;
            if (random.below(4) != 0 ? growing : !growing) {
                add_one();
            } else {
                remove_one();
            }
            for (int k = 0; k < 16; ++k)
                ask();
        }
    }
};

// Which root, which stride, and 6000 changes with 16 questions of three kinds after each.
TEST_CASE_TEMPLATE("a trie answers as the scan does", Table, lpm_trie<live_routes>, lpm_trie<1025>,
                   lpm_trie<65537, 256>) {
    pair_of_tables<Table> tables;
    tables.run(6000);
    CHECK(tables.differences == 0);
}

// The shorter a prefix, the more of the table it rewrites: nearly all are longer.
TEST_CASE("a direct table answers as the scan does, by the trie and by its hops") {
    pair_of_tables<support::given_direct<live_routes>> tables;
    tables.run(60);
    tables.shortest = 10;
    tables.run(3000);
    CHECK(tables.differences == 0);
    CHECK(tables.table->hops_in_use() > 0);
    tables.table->remove_if([](const route_entry&) { return true; });
    CHECK(tables.table->hops_in_use() == 0);
    CHECK(tables.table->groups_in_use() == 0);
    for (int i = 0; i < 10'000; ++i) {
        CHECK(tables.table->hop_for(near_address(tables.random), 0) == hop_of(nowhere));
    }
}

TEST_CASE_TEMPLATE("removed routes free their nodes", Table, lpm_trie<live_routes>, lpm_trie<1025>,
                   lpm_trie<65537, 256>) {
    pair_of_tables<Table> tables;
    tables.run(350);
    CHECK(tables.live > 40);
    CHECK(tables.table->nodes_in_use() > 0);
    CHECK(tables.table->nodes_in_use() < 2 * tables.live);
    for (u32 id = 0; id < live_routes; ++id) {
        const route_entry& r = tables.table->at(next_hop{id});
        CHECK_MESSAGE((r == nowhere || tables.table->remove(r).has_value()), "id ", id);
    }
    CHECK(tables.table->nodes_in_use() == 0);
    for (int i = 0; i < 1000; ++i) {
        CHECK(tables.table->lookup(near_address(tables.random)) == next_hop::none);
    }
}

}  // namespace

}  // namespace route_against_scan
