// icmp_reply: a request turned into its reply in place, against replies built from scratch.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/icmp_reply.hpp>

#include "support/datagrams.hpp"

namespace rewrite_icmp_reply {

namespace {

using namespace support;

constexpr u32 noon = 0x02932e00;

byte_vector turned(const byte_vector& request, bool is_echo) {
    fixed_pool<256, 1> pool;
    auto packet = packet_of(pool, request);
    const bool done =
        is_echo ? rewrite::turn_echo_round(packet) : rewrite::turn_timestamp_round(packet, noon);
    REQUIRE(done);
    return content_of(packet);
}

TEST_CASE("an echo reply repeats the request with the reply type and a right checksum") {
    for (const std::size_t size : {0U, 1U, 2U, 3U, 56U, 57U}) {
        CAPTURE(size);
        CHECK(turned(icmp_message(8, 0, 0x00070001, pattern(size)), true) ==
              icmp_message(0, 0, 0x00070001, pattern(size)));
    }
}

TEST_CASE("an echo whose sum runs over by the change of the type") {
    for (const u32 word : {0xf7ff0000u, 0xf7fe0000u, 0xf8000000u, 0xfffff7ffu, 0xffffffffu}) {
        CAPTURE(word);
        CHECK(turned(icmp_message(8, 0, word), true) == icmp_message(0, 0, word));
    }
}

// RFC 1624 section 3: the sum of nothing but zeros is stored as 0xffff.
TEST_CASE("an echo of nothing but zeros") {
    CHECK(turned(icmp_message(8, 0, 0, byte_vector(6)), true) ==
          list({0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_CASE("a timestamp request of any length gets both of our times and twenty bytes") {
    const byte_vector asked = list({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    const byte_vector answered = list({1, 2, 3, 4, 0x02, 0x93, 0x2e, 0, 0x02, 0x93, 0x2e, 0});
    const byte_vector expected = icmp_message(14, 0, 0x00070001, answered);
    byte_vector longer = asked;
    longer.push_back(std::byte{13});
    byte_vector shorter{asked.begin(), asked.begin() + 4};
    CHECK(turned(icmp_message(13, 0, 0x00070001, asked), false) == expected);
    CHECK(turned(icmp_message(13, 5, 0x00070001, longer), false) == expected);
    CHECK(turned(icmp_message(13, 0, 0x00070001, shorter), false) == expected);
}

TEST_CASE("a timestamp request without room to fill up is not answered") {
    fixed_pool<256, 1> pool;
    auto packet = packet_of(pool, icmp_message(13, 0, 0, pattern(4)));
    REQUIRE(packet.pull(12));
    while (packet.tailroom() > 0) {
        REQUIRE(packet.put(1) != nullptr);
    }
    REQUIRE(packet.pull(packet.size() - 12));
    CHECK_FALSE(rewrite::turn_timestamp_round(packet, noon));
}

}  // namespace

}  // namespace rewrite_icmp_reply
