// A trie without free routes or nodes.
#include <doctest/doctest.h>

#include <sluice/route/lpm_trie.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>

namespace route_capacity {

namespace {

using namespace sluice;
using namespace sluice::literals;

route_entry to(ipv4::prefix p, u16 interface = 1) {
    return {.prefix = p, .interface = interface};
}

TEST_CASE("the worst prefixes for nodes still fit") {
    // Each two of these fork below the root and end at different depths.
    constexpr std::size_t n = 256;
    auto table = std::make_unique<lpm_trie<n>>();
    for (u32 i = 0; i < n; ++i) {
        const u32 spread = ((i & 0xf0) << 16) | ((i & 0x0f) << 8) | 1;
        REQUIRE(table->add(to({{0x0a000000 | spread}, 32})).has_value());
    }
    CHECK(table->add(to("192.0.2.0/24"_prefix)).error() == route_error::full);
    CHECK(table->nodes_in_use() < 2 * n);
}

TEST_CASE("a refused route leaves the table as it was") {
    lpm_trie<8, 2> table;
    REQUIRE(table.add(to("10.0.0.1/32"_prefix)).has_value());
    const u32 version = table.version();
    // A fork and its own node: two, and one is left.
    CHECK(table.add(to("10.128.0.1/32"_prefix)).error() == route_error::full);
    CHECK(table.version() == version);
    CHECK(table.nodes_in_use() == 1);
    CHECK(table.lookup("10.128.0.1"_ip) == next_hop::none);
    CHECK(table.at(table.lookup("10.0.0.1"_ip)).prefix == "10.0.0.1/32"_prefix);
    // One node is enough for this, and routes in the root take none.
    CHECK(table.add(to("172.16.0.0/12"_prefix)).has_value());
    CHECK(table.add(to("0.0.0.0/0"_prefix)).has_value());
    CHECK(table.add(to("192.0.2.0/24"_prefix)).error() == route_error::full);
    REQUIRE(table.remove(to("10.0.0.1/32"_prefix)).has_value());
    CHECK(table.add(to("192.0.2.0/24"_prefix)).has_value());
}

TEST_CASE("an id keeps its route while others come and go") {
    lpm_trie<32> table;
    const next_hop kept = *table.add(to("10.1.2.0/24"_prefix, 7));
    for (u32 round = 0; round < 20; ++round) {
        for (u32 length = 1; length <= 32; ++length) {
            const auto added = table.add(to({{0x0a010203 + round}, length}));
            CHECK(added.has_value() == (length != 24));
        }
        CHECK(table.at(kept).interface == 7);
        for (u32 length = 1; length <= 32; ++length) {
            if (length != 24) CHECK(table.remove(to({{0x0a010203 + round}, length})).has_value());
        }
        CHECK(table.lookup("10.1.2.255"_ip) == kept);
        CHECK(table.lookup("10.1.3.0"_ip) == next_hop::none);
    }
}

TEST_CASE("the limit that the table states is its size") {
    CHECK(lpm_trie<16>::memory_limit == sizeof(lpm_trie<16>));
    CHECK(lpm_trie<16>::memory_limit < 64 * 1024);
}

TEST_CASE("a fork of the trie disappears with one of its branches") {
    lpm_trie<16> table;
    REQUIRE(table.add(to("10.0.0.1/32"_prefix)).has_value());
    const auto alone = table.nodes_in_use();
    for (const auto& other : {"10.128.0.1/32"_prefix, "10.0.0.129/32"_prefix}) {
        REQUIRE(table.add(to(other)).has_value());
        CHECK(table.nodes_in_use() > alone);
        REQUIRE(table.remove(to(other)).has_value());
        CHECK(table.nodes_in_use() == alone);
        CHECK(table.at(table.lookup("10.0.0.1"_ip)).prefix == "10.0.0.1/32"_prefix);
    }
}

TEST_CASE("a route of a tos is found by it, where no route is without one") {
    lpm_trie<16> table;
    route_entry low_delay = to("10.0.0.0/8"_prefix);
    low_delay.tos = 0x10;
    REQUIRE(table.add(low_delay).has_value());
    const route_query asked{.destination = "10.0.0.1"_ip, .tos = 0x10};
    CHECK(table.at(table.lookup(asked)) == low_delay);
    CHECK(table.lookup("10.0.0.1"_ip) == next_hop::none);
    REQUIRE(table.remove(low_delay).has_value());
    CHECK(table.lookup(asked) == next_hop::none);
}

}  // namespace

}  // namespace route_capacity
