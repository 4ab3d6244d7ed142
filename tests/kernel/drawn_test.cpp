// Tests which identifications count as drawn by the kernel: those of packets that were not
// received, also if two runs drew the same by chance.
#include "differential_drawn.hpp"

#include <doctest/doctest.h>

namespace kernel_drawn_test {
using namespace replay;

namespace {

// A header from 10.0.0.`source`, of UDP.
byte_vector header(std::uint8_t source, std::uint16_t id, std::uint8_t flags = 0) {
    return {0x45,
            0,
            0,
            28,
            static_cast<std::uint8_t>(id >> 8),
            static_cast<std::uint8_t>(id),
            flags,
            0,
            64,
            17,
            0,
            0,
            10,
            0,
            0,
            source,
            10,
            0,
            9,
            9};
}

TEST_CASE("drawn identifications: packets of this host are masked even if both runs agree") {
    drawn_identifications drawn;
    drawn.came(header(1, 7));
    CHECK(drawn.has(header(2, 5), header(2, 6), 0));
    CHECK(drawn.has(header(2, 5), header(2, 5), 0));
    CHECK(drawn.has(header(2, 7), header(2, 7), 0));
    CHECK(drawn.has(header(1, 5), header(1, 5), 0));
}

TEST_CASE("drawn identifications: forwarded, fragmented and quoted packets are not masked") {
    drawn_identifications drawn;
    drawn.came({0x45});
    drawn.came(header(1, 7));
    byte_vector passed = header(1, 7, 0x20);  // a fragment
    passed[8] = 63;
    passed[19] = 3;  // by a source route
    CHECK_FALSE(drawn.has(passed, passed, 0));
    byte_vector quoting(28);
    quoting.insert(quoting.end(), passed.begin(), passed.end());
    CHECK_FALSE(drawn.has(quoting, quoting, 28));
}

TEST_CASE("drawn identifications: zero is drawn only without DF") {
    const drawn_identifications drawn;
    CHECK_FALSE(drawn.has(header(2, 0, 0x40), header(2, 0, 0x40), 0));
    CHECK(drawn.has(header(2, 0), header(2, 0), 0));
    CHECK(drawn.has(header(2, 0, 0x40), header(2, 1, 0x40), 0));
}

}  // namespace

}  // namespace kernel_drawn_test
