// Both bytes of an identification: a counter carries from one into the other, and neither byte of a
// random sequence reveals the next. RFC 7739 section 3.
#include <doctest/doctest.h>

#include <sluice/identification/linux_identification.hpp>
#include <sluice/identification/random_identification.hpp>
#include <sluice/wire/literals.hpp>

#include <vector>

namespace identification_bytes {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr ipv4::address us = "10.0.1.1"_ip;
constexpr ipv4::address them = "10.0.2.2"_ip;

u32 high(u16 id) {
    return id >> 8;
}
u32 low(u16 id) {
    return id & 0xffu;
}

TEST_CASE("identification bytes: a flow counts up by one through all values") {
    for (const u64 key : {1u, 2u, 3u}) {
        basic_identification<1> ids{{key, ~key}};
        u16 last = ids.next(us, them, 17, 1, instant{});
        u32 low_moved = 0;
        u32 high_moved = 0;
        for (u32 i = 0; i < 65536; ++i) {
            const u16 id = ids.next(us, them, 17, 1, instant{});
            CHECK(id == static_cast<u16>(last + 1));
            low_moved += low(id) != low(last) ? 1u : 0u;
            high_moved += high(id) != high(last) ? 1u : 0u;
            last = id;
        }
        CHECK(low_moved == 65536);
        CHECK(high_moved == 256);
    }
}

// Of 65535 steps, a random byte is one more than the last in about 256: sixteen standard
// deviations are 256 more. At each distance that the counter's own bytes have a rule for.
TEST_CASE("identification bytes: neither byte of a random sequence counts up") {
    for (const u64 key : {1u, 2u, 3u}) {
        random_identification ids{{key, ~key}};
        std::vector<u16> walk(65536);
        for (u16& id : walk)
            id = ids.next(us, them, 17, 1, instant{});
        for (const std::size_t apart : {1u, 2u, 256u, 257u, 512u, 32768u}) {
            CAPTURE(apart);
            std::vector<u32> high_steps(256);
            std::vector<u32> low_steps(256);
            std::vector<u32> high_bits(256);
            std::vector<u32> low_bits(256);
            for (std::size_t i = apart; i < walk.size(); ++i) {
                const u16 a = walk[i - apart];
                const u16 b = walk[i];
                ++high_steps[(high(b) - high(a)) & 0xff];
                ++low_steps[(low(b) - low(a)) & 0xff];
                ++high_bits[high(a) ^ high(b)];
                ++low_bits[low(a) ^ low(b)];
            }
            for (const auto* counted : {&high_steps, &low_steps, &high_bits, &low_bits})
                for (const u32 n : *counted)
                    CHECK(n < 512);
        }
    }
}

}  // namespace

}  // namespace identification_bytes
