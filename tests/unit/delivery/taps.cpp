// Raw endpoints: each match gets a copy (Linux raw_v4_match); router alerts; ICMP errors.
#include "registry.hpp"
#include "support/validated.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace delivery_taps {

namespace {

using namespace delivery_test;

constexpr delivery_info raw{
    .source = "10.0.1.2"_ip, .destination = "10.0.1.1"_ip, .interface = 2, .protocol = 253};

TEST_CASE("which raw endpoint matches") {
    const struct {
        const char* name;
        endpoint_filter filter;
        bool matches;
    } rows[] = {
        {.name = "the protocol", .filter = {.protocol = 253}, .matches = true},
        {.name = "another protocol", .filter = {.protocol = 254}, .matches = false},
        {.name = "a local address",
         .filter = {.protocol = 253, .local = "10.0.1.1"_ip},
         .matches = true},
        {.name = "another local address",
         .filter = {.protocol = 253, .local = "10.0.2.1"_ip},
         .matches = false},
        {.name = "the sender", .filter = {.protocol = 253, .peer = "10.0.1.2"_ip}, .matches = true},
        {.name = "another sender",
         .filter = {.protocol = 253, .peer = "10.0.1.3"_ip},
         .matches = false},
        {.name = "the interface", .filter = {.protocol = 253, .interface = 2}, .matches = true},
        {.name = "another interface",
         .filter = {.protocol = 253, .interface = 3},
         .matches = false},
        {.name = "all of it",
         .filter = {.protocol = 253, .local = "10.0.1.1"_ip, .peer = "10.0.1.2"_ip, .interface = 2},
         .matches = true},
        {.name = "ports do not count",
         .filter = {.protocol = 253, .local_port = 1, .peer_port = 2},
         .matches = true},
    };
    for (const auto& row : rows) {
        pool_type pool;
        endpoints all;
        sink s;
        REQUIRE(all.add_raw(row.filter, s));
        const delivery_count n = all.tap(datagram_from(pool), raw);
        CAPTURE(row.name);
        CHECK(n.taken == (row.matches ? 1 : 0));
        CHECK(n.full == 0);
        CHECK(s.taken == n.taken);
    }
}

TEST_CASE("each raw endpoint gets its own copy of the whole datagram") {
    pool_type pool;
    endpoints all;
    std::vector<sink> sinks(3);
    for (auto& s : sinks)
        REQUIRE(all.add_raw({.protocol = 253}, s));
    const unsummed_datagram<packet> d = datagram_from(pool);
    const auto before = support::content_of(d.packet());
    CHECK(all.tap(d, raw).taken == 3);
    sinks[0].last.data()[0] = std::byte{0};
    CHECK(support::content_of(d.packet()) == before);
    CHECK(support::content_of(sinks[1].last) == before);
    CHECK(support::content_of(sinks[2].last) == before);
    CHECK(sinks[2].reported.source == "10.0.1.2"_ip);
}

TEST_CASE("a full tap or a missing buffer is counted, and the other taps get their copies") {
    fixed_pool<512, 2> pool;
    endpoints all;
    sink full{0};
    sink roomy;
    sink late;
    REQUIRE(all.add_raw({.protocol = 253}, late));
    REQUIRE(all.add_raw({.protocol = 253}, roomy));
    REQUIRE(all.add_raw({.protocol = 253}, full));
    const unsummed_datagram<packet> d =
        support::validated(support::packet_of(pool, support::datagram_of({}))).value();
    const delivery_count n = all.tap(d, raw);
    CHECK(n.taken == 1);  // the one buffer that was left
    CHECK(n.full == 2);
    CHECK(roomy.taken == 1);
}

TEST_CASE("registered until removed, and no more than there is room for") {
    pool_type pool;
    endpoints all;
    sink a;
    sink b;
    for (int i = 0; i < 7; ++i)
        REQUIRE(all.add_raw({.protocol = 253}, a));
    REQUIRE(all.add_raw({.protocol = 253}, b));
    CHECK_FALSE(all.add_raw({.protocol = 253}, b));
    all.remove(a);
    CHECK(all.tap(datagram_from(pool), raw).taken == 1);
    CHECK(a.taken == 0);
    CHECK(b.taken == 1);
}

// A sink that takes itself, and others, off the list while it takes.
struct leaver final : packet_sink<packet> {
    explicit leaver(endpoints& from) : from_(&from) {}
    bool take(packet& p, const delivery_info&) noexcept override {
        ++taken;
        p.reset();
        from_->remove(*this);
        for (auto* other : others)
            from_->remove(*other);
        return true;
    }
    std::vector<leaver*> others;
    int taken = 0;

private:
    endpoints* from_;
};

TEST_CASE("a sink may remove itself during delivery; the others get their copies") {
    pool_type pool;
    endpoints all;
    std::vector<leaver> sinks(4, leaver{all});
    for (auto& s : sinks)
        REQUIRE(all.add_raw({.protocol = 253}, s));
    CHECK(all.tap(datagram_from(pool), raw).taken == 4);
    for (const auto& s : sinks)
        CHECK(s.taken == 1);
    CHECK(all.tap(datagram_from(pool), raw).taken == 0);
}

TEST_CASE("a sink that removes all others does no harm") {
    pool_type pool;
    endpoints all;
    std::vector<leaver> sinks(4, leaver{all});
    for (auto& s : sinks) {
        for (auto& other : sinks)
            s.others.push_back(&other);
        REQUIRE(all.add_raw({.protocol = 253}, s));
        REQUIRE(all.add_udp({.local_port = 7000}, s));
    }
    delivery_info info = heard;
    info.broadcast_or_multicast = true;
    CHECK(all.udp(pool.take(), info).taken == 1);
    CHECK_FALSE(all.udp(pool.take(), info).any());
    CHECK_FALSE(all.tap(datagram_from(pool), raw).any());
}

// RFC 2113 section 2.1.
TEST_CASE("router alerts go to the listener for the protocol on the interface") {
    pool_type pool;
    endpoints all;
    sink everywhere;
    sink there;
    REQUIRE(all.add_alert({.protocol = 253, .local = "192.0.2.1"_ip}, everywhere));
    REQUIRE(all.add_alert({.protocol = 253, .interface = 3}, there));
    CHECK(all.has_alert_listener(253, 2));
    CHECK_FALSE(all.has_alert_listener(254, 2));
    CHECK(all.alert(datagram_from(pool), raw).taken == 1);
    delivery_info other = raw;
    other.interface = 3;
    CHECK(all.alert(datagram_from(pool), other).taken == 2);
    all.remove(everywhere);
    CHECK_FALSE(all.has_alert_listener(253, 2));
    CHECK(all.has_alert_listener(253, 3));
    CHECK(all.tap(datagram_from(pool), raw).taken == 0);
}

TEST_CASE("an ICMP error reaches the endpoints that may have sent the quoted datagram") {
    endpoints all;
    sink matching;
    sink other;
    REQUIRE(all.add_raw({.protocol = 253, .peer = "10.9.9.9"_ip}, matching));
    REQUIRE(all.add_raw({.protocol = 253, .peer = "10.8.8.8"_ip}, other));
    REQUIRE(all.add_udp({.local = "10.0.1.1"_ip, .local_port = 7000}, matching));
    icmp_error_notice n{.type = 3,
                        .code = 3,
                        .source = "10.0.1.1"_ip,
                        .destination = "10.9.9.9"_ip,
                        .source_port = 7000,
                        .destination_port = 53,
                        .interface = 2,
                        .protocol = 253};
    CHECK(all.believes(n));
    CHECK(matching.errors == 0);
    CHECK(all.report(n));
    CHECK(matching.errors == 1);
    CHECK(matching.notice.code == 3);
    CHECK(other.errors == 0);
    n.protocol = ipv4::protocols::udp;
    CHECK(all.believes(n));
    CHECK(all.report(n));
    CHECK(matching.errors == 2);
    n.source_port = 7001;
    CHECK_FALSE(all.believes(n));
    CHECK_FALSE(all.report(n));
    CHECK(matching.errors == 2);
}

}  // namespace

}  // namespace delivery_taps
