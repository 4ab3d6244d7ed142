// learn: the exceptions learned from ICMP errors, with tables and output alone. Nothing is sent.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/learn.hpp>

namespace acts_learn {

namespace {

using namespace acts_test;

constexpr instant now = instant{} + 1000_s;

// About a datagram from 10.0.2.1 to `to`.
icmp_error_notice notice_of(u8 type, u8 code, u32 info, ipv4::address to,
                            const byte_vector& quoted) {
    return {.type = type,
            .code = code,
            .info = info,
            .offender = "10.0.2.254"_ip,
            .source = "10.0.2.1"_ip,
            .destination = to,
            .interface = 3,
            .protocol = 253,
            .quoted = quoted};
}

TEST_CASE("learn: an MTU is kept for route_mtu_expires, for one destination alone") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector sent_datagram =
        datagram_of({.source = "10.0.2.1"_ip, .destination = "10.0.2.9"_ip});
    standing before = standing_of(c);
    acts::learn(c.tables, c.device.output, notice_of(3, 4, 1200, "10.0.2.9"_ip, sent_datagram),
                now);
    const route_exception* e = c.tables.exceptions.find({"10.0.2.9"_ip, {}, 3}, now);
    REQUIRE(e != nullptr);
    CHECK(e->mtu == 1200);
    CHECK_FALSE(e->mtu_locked);
    CHECK(e->gateway.is_unspecified());
    CHECK(e->expires == now + 600_s);
    CHECK(c.tables.exceptions.find({"10.0.2.10"_ip, {}, 3}, now) == nullptr);
    CHECK(standing_of(c).generation != before.generation);
    before.generation = standing_of(c).generation;
    CHECK(standing_of(c) == before);
}

TEST_CASE("learn: an MTU below route_min_pmtu is clamped and locked; a larger one is ignored") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector sent_datagram =
        datagram_of({.source = "10.0.2.1"_ip, .destination = "10.0.2.9"_ip});
    const u32 generation = c.tables.route_generation();
    for (const u32 mtu : {1501u, 9000u}) {
        acts::learn(c.tables, c.device.output, notice_of(3, 4, mtu, "10.0.2.9"_ip, sent_datagram),
                    now);
    }
    acts::learn(c.tables, c.device.output, notice_of(3, 1, 1200, "10.0.2.9"_ip, sent_datagram),
                now);
    CHECK_FALSE(c.tables.exceptions.any());
    CHECK(c.tables.route_generation() == generation);
    acts::learn(c.tables, c.device.output, notice_of(3, 4, 100, "10.0.2.9"_ip, sent_datagram), now);
    const route_exception* e = c.tables.exceptions.find({"10.0.2.9"_ip, {}, 3}, now);
    REQUIRE(e != nullptr);
    CHECK(e->mtu == 552);
    CHECK(e->mtu_locked);
}

TEST_CASE("learn: a redirect is followed only from the gateway in use") {
    core<small_host> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::add_route(c.tables, {.prefix = {"20.0.0.0"_ip, 8}, .gateway = "10.0.2.254"_ip})
                .has_value());
    const ipv4::address there = "20.0.0.1"_ip;
    const byte_vector sent_datagram = datagram_of({.source = "10.0.2.1"_ip, .destination = there});
    const exception_key key{there, "10.0.2.254"_ip, 3};
    icmp_error_notice n =
        notice_of(5, 1, ipv4::address{"10.0.2.253"_ip}.value, there, sent_datagram);
    n.offender = "10.0.2.99"_ip;  // not the gateway in use
    acts::learn(c.tables, c.device.output, n, now);
    CHECK(c.tables.exceptions.find(key, now) == nullptr);
    n.offender = "10.0.2.254"_ip;
    acts::learn(c.tables, c.device.output, n, now);
    const route_exception* e = c.tables.exceptions.find(key, now);
    REQUIRE(e != nullptr);
    CHECK(e->gateway == "10.0.2.253"_ip);
    CHECK(e->mtu == 0);
    CHECK(e->expires == now + 300_s);
    CHECK(c.device.output.size() == 0);
}

}  // namespace

}  // namespace acts_learn
