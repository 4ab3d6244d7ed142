// Packets that cannot be rewritten are refused unchanged: invalid headers, messages that are too
// short, shared bytes without memory for a copy.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/fragment.hpp>
#include <sluice/rewrite/icmp_reply.hpp>
#include <sluice/rewrite/originate.hpp>

#include "support/datagrams.hpp"

namespace rewrite_refused {

namespace {

using namespace support;

TEST_CASE("a header shorter than 20 bytes, or longer than what is there, is not fragmented") {
    const struct {
        const char* name;
        int first_byte;
        std::size_t size;
    } rows[] = {
        {.name = "16 bytes of header", .first_byte = 0x44, .size = 200},
        {.name = "no bytes of header", .first_byte = 0x40, .size = 200},
        {.name = "60 bytes of header in 40", .first_byte = 0x4f, .size = 40},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        fixed_pool<512, 4> pool;
        byte_vector wrong = datagram_of({.payload = pattern(row.size - 20)});
        wrong[0] = static_cast<std::byte>(row.first_byte);
        u32 pieces = 0;
        const auto r =
            rewrite::fragment<true>(packet_of(pool, wrong), 128, pool, [&](auto&& piece) {
                piece.reset();
                ++pieces;
                return true;
            });
        CHECK_FALSE(r.complete);
        CHECK(r.created == 0);
        CHECK(pieces == 0);
        CHECK(pool.available() == 4);
    }
}

TEST_CASE("no request is turned round that is shorter than a header") {
    for (const std::size_t size : {0U, 1U, 4U, 7U}) {
        CAPTURE(size);
        fixed_pool<256, 1> pool;
        auto packet = packet_of(pool, byte_vector(size));
        CHECK_FALSE(rewrite::turn_echo_round(packet));
        CHECK(content_of(packet) == byte_vector(size));
    }
}

TEST_CASE("a request whose bytes others hold is not turned round without memory for a copy") {
    const byte_vector request = icmp_message(8, 0, 0x00070001, pattern(8));
    fixed_pool<256, 1, shared> pool;
    auto packet = packet_of(pool, request);
    const auto other = packet.clone();
    REQUIRE(other);
    CHECK_FALSE(rewrite::turn_echo_round(packet));
    CHECK_FALSE(rewrite::turn_timestamp_round(packet, 0));
    CHECK(content_of(other) == request);
}

TEST_CASE("a default header has the TTL that IANA recommends, and zeros") {
    const rewrite::header_choice none;
    CHECK(none.tos == 0);
    CHECK(none.ttl == 64);
    CHECK(none.protocol == 0);
    CHECK(none.identification == 0);
    CHECK_FALSE(none.dont_fragment);
}

}  // namespace

}  // namespace rewrite_refused
