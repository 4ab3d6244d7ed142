// validate(bytes): the same result as validate of a packet, for any bytes.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/pipeline/validate_bytes.hpp>

#include "support/datagrams.hpp"
#include "support/validated.hpp"

#include <array>
#include <random>

namespace pipeline_validate_bytes {

namespace {

using namespace support;

}  // namespace

TEST_CASE("validate of bytes agrees with validate of a packet") {
    fixed_pool<256, 1> pool;
    std::mt19937 random{3};
    const auto below = [&random](u32 n) { return static_cast<u32>(random() % n); };
    std::array<unsigned, 256> seen{};
    for (int i = 0; i < 50'000; ++i) {
        byte_vector some = datagram_of(
            {.options = byte_vector(4 * below(4), std::byte{1}), .payload = pattern(below(20))});
        if (below(2) == 0) {
            constexpr std::size_t places[] = {0, 2, 3, 10, 11, 12};
            some[places[below(6)]] = static_cast<std::byte>(below(256));
            if (const u32 words = static_cast<u32>(some[0]) & 15;
                below(2) == 0 && words >= 5 && 4 * words <= some.size()) {
                ipv4::set_checksum(ipv4::view{some.data()});
            }
        }
        some.resize(below(4) == 0 ? below(static_cast<u32>(some.size())) : some.size() + below(9));
        const auto of_packet = validated(packet_of(pool, some));
        const auto of_bytes = pipeline::validate(some);
        REQUIRE(of_bytes.error() == of_packet.error());
        ++seen[static_cast<std::size_t>(of_bytes.error())];
        if (of_bytes) {
            REQUIRE(of_bytes->data() == some.data());
            REQUIRE(of_bytes->size() == of_packet->packet().size());
        }
    }
    for (const drop_reason each :
         {drop_reason::none, drop_reason::header_truncated, drop_reason::header_invalid,
          drop_reason::header_checksum, drop_reason::length_beyond_packet,
          drop_reason::length_below_header}) {
        CAPTURE(message(each));
        CHECK(seen[static_cast<std::size_t>(each)] > 20);
    }
}

}  // namespace pipeline_validate_bytes
