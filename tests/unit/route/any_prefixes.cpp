// A trie for N routes holds any N prefixes, also those that need the most nodes.
#include <doctest/doctest.h>

#include <sluice/route/lpm_table.hpp>
#include <sluice/route/lpm_trie.hpp>

#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "support/zeros.hpp"

namespace route_any_prefixes {

namespace {

using namespace sluice;
using support::zeros;

// Under each slot of the root, nodes fork in two at every level down to /32: a leaf for a prefix
// and a node for every two leaves, four leaves and so on.
template <class Shape>
ipv4::prefix worst(u32 i) {
    constexpr u32 leaves = u32{1} << (Shape::levels - 1);
    u32 address = (i / leaves) << (32 - Shape::root_bits);
    for (u32 level = 0; level + 1 < Shape::levels; ++level) {
        const u32 shift = 32 - Shape::root_bits - (level + 1) * Shape::stride;
        address |= (i % leaves >> level & 1) << shift;
    }
    return {{address}, 32};
}

template <class Table>
u32 fill(Table& table, u32 n, ipv4::prefix (*prefix)(u32)) {
    u32 taken = 0;
    for (u32 i = 0; i < n; ++i)
        taken +=
            table.add({.prefix = prefix(i), .interface = static_cast<u16>(1 + i % 1000)}) ? 1U : 0U;
    return taken;
}
template <class Table>
u32 found(const Table& table, u32 n, ipv4::prefix (*prefix)(u32)) {
    u32 right = 0;
    for (u32 i = 0; i < n; ++i) {
        const next_hop id = table.lookup(prefix(i).base);
        right += id != next_hop::none && table.at(id).interface == 1 + i % 1000 ? 1U : 0U;
    }
    return right;
}

// An odd multiplier makes each number another one: none comes twice.
ipv4::prefix scattered_hosts(u32 i) {
    return {{i * 2654435761U}, 32};
}
ipv4::prefix scattered_networks(u32 i) {
    return ipv4::prefix({(i * 11184811U) << 8}, 24);
}
ipv4::prefix dense_hosts(u32 i) {
    return {{0x0a000000 + i}, 32};
}

TEST_CASE("any prefixes: 100,000 scattered hosts and networks") {
    constexpr u32 n = 100'000;
    for (const auto prefix : {scattered_hosts, scattered_networks, dense_hosts}) {
        const auto table = std::make_unique<lpm_trie<131'072>>();
        CHECK(fill(*table, n, prefix) == n);
        CHECK(found(*table, n, prefix) == n);
    }
}

template <std::size_t N>
void takes_the_worst() {
    CAPTURE(N);
    const auto table = std::make_unique<lpm_trie<N>>();
    constexpr auto prefix = worst<detail::lpm_trie_shape<N>>;
    CHECK(fill(*table, N, prefix) == N);
    CHECK(found(*table, N, prefix) == N);
    CHECK(table->nodes_in_use() == detail::lpm_trie_shape<N>::nodes_for(N));
}

TEST_CASE("any prefixes: the worst ones use up the nodes, not one is missing") {
    takes_the_worst<8>();
    takes_the_worst<1024>();
    takes_the_worst<16 * 100>();
    takes_the_worst<65'536>();
    takes_the_worst<131'072>();
}

// Few routes in few networks: many forks for each route.
template <std::size_t N>
void takes_random(u32 mask, u32 seed) {
    CAPTURE(N);
    CAPTURE(mask);
    std::mt19937 random{seed};
    const auto table = std::make_unique<lpm_trie<N>>();
    u32 taken = 0;
    for (u32 tries = 0; taken < N && tries < 100'000; ++tries) {
        const auto length = static_cast<u32>(random() % 33);
        const auto added = table->add(
            {.prefix = ipv4::prefix({static_cast<u32>(random()) & mask}, length), .interface = 1});
        if (!added) {
            REQUIRE(added.error() == route_error::exists);
            table->remove_if([&](const route_entry&) { return random() % N == 0; });
        }
        taken = 0;
        table->for_each([&](const route_entry&) { ++taken; });
    }
    CHECK(taken == N);
}

TEST_CASE("any prefixes: random ones are added and removed; only their number is limited") {
    for (u32 seed = 1; seed <= 5; ++seed) {
        takes_random<1>(0xffffffff, seed);
        takes_random<3>(0x01010101, seed);
        takes_random<20>(0x11111111, seed);
        takes_random<100>(0x0f0f0f0f, seed);
        takes_random<1100>(0x33333333, seed);
    }
}

TEST_CASE("a table in given memory: as many routes as it was asked for, and no more") {
    constexpr u32 n = 4096;
    const zeros memory{lpm_table::memory_for(n)};
    lpm_table table{memory.all()};
    CHECK(table.capacity() == n);
    constexpr auto prefix = worst<detail::trie_shape<u32, 16, 4>>;
    CHECK(fill(table, n + 5, prefix) == n);
    CHECK(found(table, n, prefix) == n);
    CHECK(table.add({.prefix = prefix(n), .interface = 1}).error() == route_error::full);
    REQUIRE(table.remove({.prefix = prefix(7)}).has_value());
    CHECK(table.add({.prefix = prefix(n), .interface = 1}).has_value());
}

TEST_CASE("a table in given memory: it grows while it is used, and ids stay") {
    const zeros small{lpm_table::memory_for(100)};
    const zeros large{lpm_table::memory_for(50'000)};
    lpm_table table{small.all()};
    REQUIRE(fill(table, 101, scattered_hosts) == 100);
    REQUIRE(table.remove({.prefix = scattered_hosts(3)}).has_value());
    const next_hop kept = table.lookup(scattered_hosts(42).base);
    REQUIRE(table.add({.prefix = scattered_hosts(42), .interface = 9, .metric = 5}).has_value());
    const u32 version = table.version();
    REQUIRE(table.move_to(large.all()));
    std::memset(small.start, 0xff, small.size);
    CHECK(table.version() == version);
    CHECK(table.lookup(scattered_hosts(42).base) == kept);
    CHECK(table.at(kept).prefix == scattered_hosts(42));
    CHECK(table.lookup(scattered_hosts(3).base) == next_hop::none);
    // What stood behind it in the list of its prefix is there, too.
    REQUIRE(table.remove({.prefix = scattered_hosts(42), .metric = 5}).has_value());
    CHECK(table.at(table.lookup(scattered_hosts(42).base)).interface == 43);
    CHECK(fill(table, 50'000, scattered_hosts) == 50'000 - 99);
    CHECK(found(table, 50'000, scattered_hosts) == 50'000);
    // Too small for the stored routes: nothing changes.
    const zeros tiny{lpm_table::memory_for(1000)};
    CHECK_FALSE(table.move_to(tiny.all()));
    CHECK(found(table, 50'000, scattered_hosts) == 50'000);
}

TEST_CASE("a table without memory refuses every route and leads nowhere") {
    const zeros none{lpm_table::memory_for(0)};
    for (const auto memory : {std::span<std::byte>{}, none.all().first(3), none.all()}) {
        lpm_table table{memory};
        CHECK(table.capacity() == 0);
        for (const u32 length : {0U, 16U, 24U, 32U}) {
            const ipv4::prefix p({0x0a000000}, length);
            CHECK(table.add({.prefix = p, .interface = 1}).error() == route_error::full);
            CHECK(table.remove({.prefix = p}).error() == route_error::not_found);
        }
        CHECK(table.lookup(ipv4::address{0x0a000001}) == next_hop::none);
        CHECK(table.lookup(route_query{.destination = {1}, .interface = 2}) == next_hop::none);
        CHECK_FALSE(table.move_to({}));
    }
    lpm_table later;
    const zeros memory{lpm_table::memory_for(1) + 1};
    REQUIRE(later.move_to(memory.all().subspan(1)));  // on whatever boundary
    CHECK(later.add({.interface = 1}).has_value());
}

}  // namespace

}  // namespace route_any_prefixes
