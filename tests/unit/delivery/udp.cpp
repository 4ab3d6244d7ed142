// UDP endpoints: which ones match, which one is preferred (Linux compute_score), broadcasts and
// multicasts.
#include "registry.hpp"

#include <doctest/doctest.h>

#include <sluice/delivery/receive_queue.hpp>

#include <random>
#include <vector>

namespace delivery_udp {

namespace {

using namespace delivery_test;

// Most specific first. A port, then a local address, then any of the rest; as a Linux 6.18 kernel
// chooses among sockets with SO_REUSEADDR.
TEST_CASE("the more specific endpoint is preferred in any order of registration") {
    const struct {
        const char* name;
        endpoint_filter better;
        endpoint_filter worse;
    } rows[] = {
        {.name = "port", .better = {.local_port = 7000}, .worse = {}},
        {.name = "port over address",
         .better = {.local_port = 7000},
         .worse = {.local = "10.0.1.1"_ip, .interface = 2}},
        {.name = "address",
         .better = {.local = "10.0.1.1"_ip, .local_port = 7000},
         .worse = {.local_port = 7000}},
        {.name = "peer",
         .better = {.peer = "10.0.1.2"_ip, .local_port = 7000},
         .worse = {.local_port = 7000}},
        {.name = "peer's port",
         .better = {.local_port = 7000, .peer_port = 1234},
         .worse = {.local_port = 7000}},
        {.name = "interface",
         .better = {.local_port = 7000, .interface = 2},
         .worse = {.local_port = 7000}},
        {.name = "two over one",
         .better = {.peer = "10.0.1.2"_ip, .local_port = 7000, .peer_port = 1234},
         .worse = {.local_port = 7000, .interface = 2}},
        {.name = "address over all others",
         .better = {.local = "10.0.1.1"_ip, .local_port = 7000},
         .worse = {.peer = "10.0.1.2"_ip, .local_port = 7000, .peer_port = 1234, .interface = 2}},
    };
    for (const auto& row : rows) {
        for (const bool better_first : {true, false}) {
            pool_type pool;
            endpoints all;
            sink better;
            sink worse;
            if (better_first) REQUIRE(all.add_udp(row.better, better));
            REQUIRE(all.add_udp(row.worse, worse));
            if (!better_first) REQUIRE(all.add_udp(row.better, better));
            CAPTURE(row.name);
            CAPTURE(better_first);
            CHECK(all.udp(pool.take(), heard).taken == 1);
            CHECK(better.taken == 1);
            CHECK(worse.taken == 0);
        }
    }
}

TEST_CASE("of equal endpoints the latest receives, until it is removed") {
    pool_type pool;
    endpoints all;
    std::vector<sink> sinks(3);
    for (auto& s : sinks)
        REQUIRE(all.add_udp({.local_port = 7000}, s));
    for (std::size_t latest = 3; latest-- > 0;) {
        CHECK(all.udp(pool.take(), heard).taken == 1);
        CHECK(sinks[latest].taken == 1);
        all.remove(sinks[latest]);
    }
    CHECK_FALSE(all.udp(pool.take(), heard).any());
}

// All filters over a few values against the sentence "each that is given agrees".
TEST_CASE("which endpoint matches, against a naive reading") {
    std::mt19937 random{3};
    const auto one_of = [&](auto a, auto b, auto c) {
        const decltype(a) all[] = {a, b, c};
        return all[random() % 3];
    };
    int matched = 0;
    for (int i = 0; i < 2000; ++i) {
        const endpoint_filter f{.local = one_of(ipv4::address{}, "10.0.1.1"_ip, "10.0.1.9"_ip),
                                .peer = one_of(ipv4::address{}, "10.0.1.2"_ip, "10.0.1.9"_ip),
                                .local_port = one_of(u16{0}, u16{7000}, u16{7001}),
                                .peer_port = one_of(u16{0}, u16{1234}, u16{1235}),
                                .interface = one_of(u16{0}, u16{2}, u16{3})};
        const bool expected = f.local != "10.0.1.9"_ip && f.peer != "10.0.1.9"_ip &&
                              f.local_port != 7001 && f.peer_port != 1235 && f.interface != 3;
        pool_type pool;
        endpoints all;
        sink s;
        REQUIRE(all.add_udp(f, s));
        delivery_info info = heard;
        info.broadcast_or_multicast = i % 2 == 1;
        CHECK(all.udp(pool.take(), info).taken == (expected ? 1 : 0));
        CHECK(s.taken == (expected ? 1 : 0));
        matched += expected ? 1 : 0;
    }
    CHECK(matched > 100);
}

TEST_CASE("a broadcast or multicast goes to all matching endpoints, each with its own copy") {
    pool_type pool;
    endpoints all;
    sink a;
    sink b;
    sink full{0};
    sink elsewhere;
    REQUIRE(all.add_udp({.local_port = 7000}, a));
    REQUIRE(all.add_udp({.local_port = 7000, .interface = 2}, b));
    REQUIRE(all.add_udp({.local_port = 7000}, full));
    REQUIRE(all.add_udp({.local_port = 7001}, elsewhere));
    delivery_info info = heard;
    info.broadcast_or_multicast = true;
    packet p = support::packet_of(pool, support::list({1, 2, 3}));
    const delivery_count n = all.udp(std::move(p), info);
    CHECK(n.taken == 2);
    CHECK(n.full == 1);
    CHECK(elsewhere.taken == 0);
    a.last.data()[0] = std::byte{9};
    CHECK(support::content_of(b.last) == support::list({1, 2, 3}));
}

TEST_CASE("a full endpoint refuses, and no other endpoint gets its datagram") {
    pool_type pool;
    endpoints all;
    sink full{0};
    sink less_specific;
    REQUIRE(all.add_udp({.local = "10.0.1.1"_ip, .local_port = 7000}, full));
    REQUIRE(all.add_udp({.local_port = 7000}, less_specific));
    const delivery_count n = all.udp(pool.take(), heard);
    CHECK(n.taken == 0);
    CHECK(n.full == 1);
    CHECK(n.any());
    CHECK(less_specific.taken == 0);
}

TEST_CASE("a receive queue keeps packets with their delivery_info, and refuses when full") {
    pool_type pool;
    endpoints all;
    receive_queue<packet, 2> queue;
    REQUIRE(all.add_udp({.local_port = 7000}, queue));
    for (u16 i = 0; i < 3; ++i) {
        delivery_info info = heard;
        info.source_port = static_cast<u16>(100 + i);
        const delivery_count n = all.udp(support::packet_of(pool, support::list({i})), info);
        CHECK(n.taken == (i < 2 ? 1 : 0));
        CHECK(n.full == (i < 2 ? 0 : 1));
    }
    CHECK(pool.available() == 14);
    for (u16 i = 0; i < 2; ++i) {
        const auto item = queue.next();
        CHECK(support::content_of(item.packet) == support::list({i}));
        CHECK(item.info.source_port == 100 + i);
    }
    CHECK_FALSE(queue.next().packet);
    CHECK(pool.available() == 16);
}

}  // namespace

}  // namespace delivery_udp
