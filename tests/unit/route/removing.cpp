// The predicate of remove_if may change the table: a route that it removes is not removed twice,
// and a route that it adds in the freed place stays.
#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/route/with_local_routes.hpp>
#include <sluice/wire/literals.hpp>

#include <array>
#include <utility>

namespace route_removing {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr std::array<route_entry, 4> routes{
    route_entry{.prefix = "10.1.0.0/16"_prefix, .interface = 2},
    route_entry{.prefix = "10.1.0.0/16"_prefix, .tos = 0x10, .interface = 3},
    route_entry{.prefix = "10.2.0.0/16"_prefix, .interface = 2},
    route_entry{.prefix = "10.3.0.1/32"_prefix, .type = route_type::local, .interface = 2}};
constexpr route_entry other{.prefix = "30.0.0.0/8"_prefix, .interface = 4};

template <class Table>
unsigned count(const Table& t) {
    unsigned n = 0;
    for (const route_entry& r : routes) {
        n += t.lookup(route_query{.destination = r.prefix.base, .tos = r.tos}) != next_hop::none;
    }
    return n;
}

}  // namespace

TEST_CASE_TEMPLATE("removing routes: a predicate may itself remove routes", Table, linear_routes<8>,
                   lpm_trie<8>, with_local_routes<linear_routes<8>>,
                   with_local_routes<lpm_trie<8>>) {
    for (const bool says : {false, true}) {
        CAPTURE(says);
        Table t;
        for (const route_entry& r : routes) {
            REQUIRE(t.add(r).has_value());
        }
        unsigned asked = 0;
        CHECK(t.remove_if([&](const route_entry& r) {
            ++asked;
            const route_entry seen = r;
            CHECK(t.remove(seen).has_value());
            CHECK(r == seen);  // the predicate sees the stored route
            return says;
        }) == 0);
        CHECK(asked == routes.size());
        CHECK(count(t) == 0);
    }
}

TEST_CASE_TEMPLATE("removing routes: a route in the place of a removed one stays", Table,
                   linear_routes<8>, lpm_trie<8>, with_local_routes<linear_routes<8>>) {
    Table t;
    REQUIRE(t.add(routes[0]).has_value());
    bool first = true;
    static_cast<void>(t.remove_if([&](const route_entry& r) {
        if (!std::exchange(first, false)) {
            return false;
        }
        CHECK(t.remove(route_entry{r}).has_value());
        CHECK(t.add(other).has_value());
        return true;
    }));
    CHECK(t.lookup("10.1.0.9"_ip) == next_hop::none);
    CHECK(t.lookup("30.0.0.1"_ip) != next_hop::none);
}

TEST_CASE_TEMPLATE(
    "removing routes: a predicate may remove a route; the others are removed as it answered", Table,
    linear_routes<8>, lpm_trie<8>, with_local_routes<lpm_trie<8>>) {
    Table t;
    for (const route_entry& r : routes) {
        REQUIRE(t.add(r).has_value());
    }
    const u32 before = t.version();
    CHECK(t.remove_if([&](const route_entry& r) {
        static_cast<void>(t.remove(routes[2]));
        return r.interface == 2;
    }) == 2);
    CHECK(t.version() != before);
    CHECK(count(t) == 1);  // by 3
}

}  // namespace route_removing
