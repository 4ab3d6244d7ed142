// The longest packet: no packet grows beyond the largest length, even in a larger block.
#include <doctest/doctest.h>

#include <sluice/testing/exact_source.hpp>

namespace packet_longest {

namespace {

using namespace sluice;

TEST_CASE("no packet grows beyond 16,777,215 bytes, however large its block is") {
    testing::exact_source<0x100'0100, 1> source;
    using packet = decltype(source)::packet_type;
    static_assert(packet::max_size == 16'777'215);
    packet p = source.take(32);
    REQUIRE(p);
    REQUIRE(p.tailroom() > packet::max_size);
    CHECK(p.put(packet::max_size + 1) == nullptr);
    CHECK(p.size() == 0);
    REQUIRE(p.put(packet::max_size) != nullptr);
    CHECK(p.size() == packet::max_size);
    CHECK(p.put(1) == nullptr);
    CHECK(p.push(1) == nullptr);
    REQUIRE(p.pull(8));
    CHECK(p.put(9) == nullptr);
    REQUIRE(p.put(8) != nullptr);
    CHECK_FALSE(p.unpull(1));
    CHECK(p.size() == packet::max_size);
}

}  // namespace

}  // namespace packet_longest
