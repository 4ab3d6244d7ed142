// The table is bounded. Neither a scan of a network through this host nor ARP with many sender
// addresses displaces entries in use.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_neighbour_bounds {
using namespace link_test;

namespace {

constexpr ethernet::address first{{2, 0, 0, 0, 0, 1}};
constexpr ethernet::address second{{2, 0, 0, 0, 0, 2}};
constexpr auto no_requests = [](const auto&, ethernet::address) {};
constexpr auto none_fails = [](packet&&) { FAIL_CHECK("a packet came back"); };

constexpr ipv4::address number(u32 n) {
    return ipv4::address{0x0a000000 + n};
}

// Eight neighbours of 64 that answered once: 0 to 3 count as reachable, 4 and 5 are stale and in
// use, 6 and 7 only stale.
template <class Table>
void meet(Table& t) {
    for (u32 n = 0; n < 8; ++n) {
        REQUIRE(t.learn({1, number(n), first, true, true, true}, at(n < 4 ? 2'000 : 0)) != nullptr);
    }
    static_cast<void>(t.poll(at(30'000), no_requests, none_fails));
    for (u32 n = 4; n < 6; ++n) {
        REQUIRE(t.use_for_output(1, number(n), at(30'000)).neighbour->state ==
                neighbour_state::delayed);
    }
    REQUIRE(t.find(1, number(0))->state == neighbour_state::reachable);
    REQUIRE(t.find(1, number(6))->state == neighbour_state::stale);
}
template <class Table>
u32 met(const Table& t, u32 begin, u32 end) {
    u32 found = 0;
    for (u32 n = begin; n < end; ++n) {
        found +=
            t.find(1, number(n)) != nullptr && t.find(1, number(n))->hardware == first ? 1u : 0u;
    }
    return found;
}
using table = neighbour_table<packet, 64>;

}  // namespace

TEST_CASE("a scan of 65536 silent hosts displaces its own questions") {
    table t{{1, 2}, {.spread = false}};
    meet(t);
    for (u32 n = 0; n < 0x10000; ++n) {
        const auto use = t.use_for_output(1, number(0x10000 + n), at(30'001));
        REQUIRE(use.neighbour != nullptr);
        REQUIRE(use.ask);
    }
    CHECK(t.size() == 64);
    CHECK(met(t, 0, 8) == 8);
    CHECK(t.find(1, number(0x1ffff)) != nullptr);  // the newest questions stand
    CHECK(t.find(1, number(0x1ffff - 56)) == nullptr);
    CHECK(t.overflows() == 0);
}

TEST_CASE("a slow scan whose requests fail displaces failed entries") {
    table t{{1, 2}, {.spread = false}};
    meet(t);
    for (u32 n = 0; n < 2'000; ++n) {
        const i64 now = 30'001 + n;  // one each millisecond: each has failed 3 seconds later
        static_cast<void>(t.use_for_output(1, number(0x10000 + n), at(now)));
        static_cast<void>(t.poll(at(now), no_requests, none_fails));
    }
    for (const i64 now : {33'100, 34'200, 35'300}) {
        static_cast<void>(t.poll(at(now), no_requests, none_fails));
    }
    REQUIRE(t.find(1, number(0x10000 + 1'999))->state == neighbour_state::failed);
    for (u32 n = 0; n < 2'000; ++n) {
        static_cast<void>(t.use_for_output(1, number(0x20000 + n), at(35'301)));
    }
    CHECK(met(t, 0, 8) == 8);
}

TEST_CASE("requests in the names of a /8 displace each other") {
    table t{{1, 2}, {.spread = false}};
    meet(t);
    // Meanwhile this host resolves an address, too.
    REQUIRE(t.use_for_output(1, "10.0.99.1"_ip, at(30'000)).ask);
    for (u32 n = 0; n < 0x1000000; n += 97) {
        REQUIRE(t.learn({1, number(0x1000000 + n), second, false, true, true}, at(30'001)) !=
                nullptr);
    }
    CHECK(t.size() == 64);
    CHECK(met(t, 0, 8) == 8);
    CHECK(t.find(1, "10.0.99.1"_ip) != nullptr);
    SUBCASE("also when we send to each, as an echo in its name makes us do") {
        for (u32 n = 0; n < 0x10000; ++n) {
            const ipv4::address from = number(0x2000000 + n);
            static_cast<void>(t.learn({1, from, second, false, true, true}, at(30'002)));
            static_cast<void>(t.use_for_output(1, from, at(30'002)));
        }
        CHECK(met(t, 0, 8) == 8);
    }
    SUBCASE("and a new next hop finds a place") {
        const auto use = t.use_for_output(1, "10.0.99.2"_ip, at(30'002));
        CHECK(use.ask);
        CHECK(t.find(1, "10.0.99.1"_ip) != nullptr);
    }
}

TEST_CASE("a request displaces idle entries, not used ones; the operator displaces both") {
    table t{{1, 2}, {.spread = false}};
    meet(t);
    for (u32 n = 100; n < 156; ++n) {
        REQUIRE(t.learn({1, number(n), first, true, true, true}, at(30'000)) != nullptr);
    }
    REQUIRE(t.size() == 64);
    CHECK(t.learn({1, number(0x20000), second, false, true, true}, at(30'000)) == nullptr);
    for (u32 n = 0; n < 1'000; ++n) {
        REQUIRE(t.use_for_output(1, number(0x10000 + n), at(30'001)).neighbour != nullptr);
    }
    CHECK(met(t, 0, 6) == 6);
    CHECK(met(t, 6, 8) == 0);
    CHECK(met(t, 100, 156) == 56);
    for (u32 n = 200; n < 202; ++n) {  // they answer, so that all are in use
        REQUIRE(t.learn({1, number(0x10000 + 798 + n), first, true}, at(30'002)) != nullptr);
    }
    CHECK(t.use_for_output(1, number(0x20000), at(30'003)).neighbour == nullptr);
    CHECK(t.learn({1, number(0x20000), second, false, true, true}, at(30'003)) == nullptr);
    CHECK(t.overflows() == 3);
    CHECK(t.size() == 64);
    CHECK(t.set_permanent(1, number(0x20000), second, at(30'004)) != nullptr);
    CHECK(t.size() == 64);
}

TEST_CASE("permanent entries are never displaced, packets of displaced ones are counted") {
    pool buffers;
    neighbour_table<packet, 8> t{{1, 2}};
    for (u32 n = 0; n < 7; ++n) {
        REQUIRE(t.set_permanent(1, number(n), first, at(0)) != nullptr);
    }
    const auto use = t.use_for_output(1, number(50), at(0));
    CHECK_FALSE(t.hold(*use.neighbour, buffers.take(), {}));
    REQUIRE(t.use_for_output(1, number(51), at(0)).neighbour != nullptr);
    CHECK(t.abandoned() == 1);
    CHECK(buffers.available() == 64);
    REQUIRE(t.set_permanent(1, number(7), first, at(0)) != nullptr);
    CHECK(t.use_for_output(1, number(52), at(0)).neighbour == nullptr);
    CHECK(t.set_permanent(1, number(8), first, at(0)) == nullptr);
    t.erase(1, number(3));
    CHECK(t.find(1, number(3)) == nullptr);
    CHECK(t.use_for_output(1, number(52), at(0)).ask);
}

TEST_CASE("a scan holds no more packets than the table has entries") {
    linked_host<16> b;
    for (u32 n = 0; n < 200; ++n) {
        REQUIRE(b.send(datagram_hex, 3, number(0x300 + n / 3), at(0)));  // three packets to each
        CHECK(b.link.neighbours().held() <= 16);
    }
    CHECK(b.buffers.available() >= 64 - 16);
    CHECK(b.link.neighbours().held() + b.link.neighbours().abandoned() == 200);
    b.link.flush(3);
    CHECK(b.link.neighbours().held() == 0);
    CHECK(b.buffers.available() == 64);
}

TEST_CASE("of unresolved entries that hold too many bytes the newest stay") {
    linked_host<4> b;  // four packets in all
    REQUIRE_FALSE(b.link.resolve(3, number(0x300), at(0)));
    for (u32 n = 1; n < 4; ++n) {
        REQUIRE(b.send(datagram_hex, 3, number(0x300 + n), at(0)));
    }
    REQUIRE(b.send(datagram_hex, 3, number(0x303), at(0)));
    REQUIRE(b.send(datagram_hex, 3, number(0x300), at(0)));  // the oldest question, used now
    CHECK(b.link.neighbours().find(3, number(0x301)) == nullptr);
    CHECK(b.link.neighbours().find(3, number(0x300)) != nullptr);
    CHECK(b.link.neighbours().held() == 4);
}

}  // namespace link_neighbour_bounds
