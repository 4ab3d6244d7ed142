// Times set per interface, and how long a reply counts.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_neighbour_times {
using namespace link_test;
using table = neighbour_table<packet, 8>;

namespace {

constexpr ethernet::address someone{{2, 0, 0, 0, 0, 1}};
constexpr ipv4::address peer = "10.0.2.77"_ip;

}  // namespace

TEST_CASE("Linux's defaults") {
    const neighbour_times t;
    CHECK(t.retransmit == 1_s);
    CHECK(t.reachable == 30_s);
    CHECK(t.first_probe == 5_s);
    CHECK(t.forget == 60_s);
    CHECK(t.lock == 1_s);
    CHECK(t.broadcast_requests == 3);
    CHECK(t.unicast_requests == 3);
    CHECK(t.broadcast_probes == 0);
}

TEST_CASE("the reachable time is random between 0.5 and 1.5, drawn every five minutes") {
    neighbour_clocks exact{{1, 2}, {.spread = false}};
    CHECK(exact.reachable(1) == 30_s);
    i64 least = INT64_MAX;
    i64 most = 0;
    neighbour_clocks c{{1, 2}, {}};
    const duration at_first = c.reachable(1);
    for (i64 n = 0; n < 400; ++n) {
        c.renew(at(300'000 * n));
        least = std::min(least, c.reachable(1).milliseconds());
        most = std::max(most, c.reachable(1).milliseconds());
    }
    CHECK(least >= 15'000);
    CHECK(least < 16'000);
    CHECK(most < 45'000);
    CHECK(most >= 44'000);
    neighbour_clocks again{{1, 2}, {}};
    again.renew(at(299'999));
    CHECK(again.reachable(1) == at_first);
    again.renew(at(300'000));
    CHECK(again.reachable(1) != at_first);
}

TEST_CASE("an interface has times of its own") {
    table t{{1, 2}, {.spread = false}};
    REQUIRE(t.set_times(7, {.retransmit = 100_ms, .reachable = 2_s, .spread = false}));
    t.set_times({.reachable = 10_s, .spread = false});
    CHECK(t.times().reachable == 10_s);
    CHECK(t.times(7).reachable == 2_s);
    CHECK(t.times(8).reachable == 10_s);
    for (const u16 interface : {u16{7}, u16{8}}) {
        REQUIRE(t.learn({interface, peer, someone, true, true, true}, at(0)) != nullptr);
        REQUIRE(t.use_for_output(interface, "10.0.2.78"_ip, at(0)).ask);
    }
    CHECK(t.find(7, peer)->deadline == at(2'000));
    CHECK(t.find(8, peer)->deadline == at(10'000));
    CHECK(t.find(7, "10.0.2.78"_ip)->deadline == at(100));
    CHECK(t.find(8, "10.0.2.78"_ip)->deadline == at(1'000));
}

TEST_CASE("as many interfaces as there is room for have their own") {
    neighbour_clocks c{{1, 2}, {}};
    for (u16 i = 1; i <= neighbour_clocks::most_own; ++i) {
        CHECK(c.set(i, {.lock = duration::from_seconds(i)}));
    }
    CHECK_FALSE(c.set(100, {}));
    CHECK(c.set(3, {.lock = 77_s}));  // one that is there already is changed
    CHECK(c.of(3).lock == 77_s);
    CHECK(c.of(8).lock == 8_s);
    CHECK(c.of(100).lock == 1_s);
}

}  // namespace link_neighbour_times
