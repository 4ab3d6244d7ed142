// Packets that wait for link addresses are bounded by the bytes of their blocks, for each neighbour
// and in total.
#include "support.hpp"

#include "support/chains.hpp"

#include <doctest/doctest.h>

namespace link_bytes_bounds {
using namespace link_test;
using support::of_size;

namespace {

using blocks = fixed_pool<2048, 1024>;
using chain = blocks::packet_type;

template <class Table>
void ask_all(Table& t, blocks& from, u32 size, u32 hosts, u32 each) {
    for (u32 n = 0; n < hosts * each; ++n) {
        const auto use = t.use_for_output(1, ipv4::address{0x0a000000 + n % hosts}, at(0));
        REQUIRE(use.neighbour != nullptr);
        static_cast<void>(t.hold(*use.neighbour, of_size(from, size), {}));
        REQUIRE(t.held_bytes() <= Table::most_held_bytes);
        REQUIRE(t.held_bytes() == (1024 - from.available()) * blocks::block_capacity);
        REQUIRE(use.neighbour->held.byte_count() <= t.times().held_bytes);
    }
}

}  // namespace

TEST_CASE("packets of 64 KB to 16 silent hosts leave half of the pool") {
    blocks from;
    neighbour_table<chain, 256> t{{1, 2}};
    static_assert(decltype(t)::most_held_bytes == 1024 * 1024);
    ask_all(t, from, 65'535, 16, 8);
    CHECK(t.held() == 15);  // of 33 blocks each
    CHECK(from.available() == 1024 - 15 * 33);
    CHECK(t.abandoned() != 0);
    t.flush(1);
    CHECK(from.available() == 1024);
    CHECK(t.held_bytes() == 0);
}

TEST_CASE("one silent host holds Linux's 212,992 bytes, the newest packets") {
    blocks from;
    neighbour_table<chain, 256, 64> t{{1, 2}};
    ask_all(t, from, 65'535, 1, 64);
    CHECK(t.held() == 3);
    ask_all(t, from, 28, 1, 200);
    CHECK(t.held() == 64);  // and no more packets than the ring has
    CHECK(t.abandoned() == 0);
    t.erase(1, ipv4::address{0x0a000000});
    CHECK(from.available() == 1024);
}

TEST_CASE("small packets to many silent hosts are bounded by their number") {
    blocks from;
    neighbour_table<chain, 256> t{{1, 2}};
    ask_all(t, from, 28, 400, 1);
    CHECK(t.held() == 256);
}

TEST_CASE("unres_qlen_bytes can change at run time; a larger packet is dropped") {
    blocks from;
    neighbour_table<chain, 8> t{{1, 2}, {.held_bytes = 10'000}};
    const auto use = t.use_for_output(1, ipv4::address{0x0a000001}, at(0));
    CHECK(t.hold(*use.neighbour, of_size(from, 28), {}) == 0);
    CHECK(t.hold(*use.neighbour, of_size(from, 3'900), {}) == 0);
    CHECK(t.hold(*use.neighbour, of_size(from, 3'900), {}) == 1);
    CHECK(t.held() == 2);
    CHECK(t.hold(*use.neighbour, of_size(from, 10'000), {}) == 3);
    CHECK(t.held() == 0);
    CHECK(from.available() == 1024);
    t.set_times({});
    CHECK(t.hold(*use.neighbour, of_size(from, 10'000), {}) == 0);
    CHECK(t.take_held(*use.neighbour).size() == 10'000);
    CHECK(t.held_bytes() == 0);
}

}  // namespace link_bytes_bounds
