// originate: the header of a sent datagram, byte by byte.
#include <doctest/doctest.h>

#include <sluice/options/linux_options.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/originate.hpp>

#include "support/packet_checks.hpp"

namespace rewrite_originate {

namespace {

using namespace support;

const routing::output_route route{.interface = 3,
                                  .source = "10.0.2.1"_ip,
                                  .destination = "10.0.2.2"_ip,
                                  .neighbour = "10.0.2.2"_ip};

struct asked {
    static constexpr ipv4::address specific_destination() noexcept { return "10.0.2.1"_ip; }
    static constexpr bool is_unicast(ipv4::address) noexcept { return true; }
    static constexpr u32 midnight_ms() noexcept { return 5; }
    static constexpr ipv4::address output_source(ipv4::address) noexcept { return "10.0.2.1"_ip; }
};

TEST_CASE("originate: the header, DSCP 46 and ECN 1 in their places") {
    fixed_pool<256, 1> pool;
    auto packet = packet_of(pool, list({1, 2, 3, 4}));
    REQUIRE(rewrite::originate(packet, route,
                               {.tos = 46 << 2 | 1,
                                .ttl = 7,
                                .protocol = 253,
                                .identification = 0xbeef,
                                .dont_fragment = true},
                               {}, route.destination, 0));
    const auto expected = "45b9 0018 beef 4000 07fd 5a61 0a000201 0a000202 01020304"_hex;
    byte_vector got = content_of(packet);
    check(got, right_sums());
    copy_bytes(got.data() + 10, expected.data() + 10, 2);  // checked by its sum
    CHECK((got == byte_vector(expected.begin(), expected.end())));
    CHECK(ipv4::const_view{packet.data()}[ipv4::dscp] == 46);
    CHECK(ipv4::const_view{packet.data()}[ipv4::ecn] == 1);
}

TEST_CASE("originate: options precede the payload, and the metadata has their offsets") {
    fixed_pool<256, 1> pool;
    asked here;
    const byte_vector record = list({7, 7, 4, 0, 0, 0, 0, 0});
    const auto made =
        linux_options::compile_request(record, ip_options::sender_rights::ordinary, here);
    REQUIRE(made.has_value());
    auto packet = packet_of(pool, pattern(9));
    REQUIRE(rewrite::originate(packet, route, {.protocol = 253}, *made, route.destination, 5));
    check(content_of(packet), right_sums(), support::field(ipv4::ihl, 7), payload(pattern(9)),
          destination("10.0.2.2"_ip), flags_and_offset(0));
    CHECK(packet.metadata().options.record_route == 20);
    CHECK(packet.metadata().options.length == 8);
}

TEST_CASE("originate: with a source route the first hop is the destination, the last one listed") {
    fixed_pool<256, 1> pool;
    asked here;
    const byte_vector loose = list({131, 7, 4, 10, 0, 2, 2, 0});
    const auto made =
        linux_options::compile_request(loose, ip_options::sender_rights::ordinary, here);
    REQUIRE(made.has_value());
    auto packet = packet_of(pool, pattern(9));
    REQUIRE(rewrite::originate(packet, route, {.protocol = 253}, *made, "10.9.0.1"_ip, 5));
    check(content_of(packet), right_sums(), destination("10.0.2.2"_ip));
    const byte_vector listed = content_of(packet);
    CHECK(
        (byte_vector(listed.begin() + 20, listed.begin() + 27) == list({131, 7, 4, 10, 9, 0, 1})));
}

TEST_CASE("originate: no room in front, or no length for it") {
    static fixed_pool<66000, 1> pool;
    {
        auto packet = pool.take(19);
        CHECK_FALSE(rewrite::originate(packet, route, {}, {}, route.destination, 0));
    }
    for (const u32 n : {65515u, 65516u, 65535u}) {
        CAPTURE(n);
        auto packet = packet_of(pool, byte_vector(n));
        const bool fits = n + 20 <= 65535;
        CHECK(rewrite::originate(packet, route, {}, {}, route.destination, 0) == fits);
        CHECK(packet.size() == (fits ? n + 20 : n));
    }
}

}  // namespace

}  // namespace rewrite_originate
