// Asserts that this binary runs on a big-endian machine.
#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <cstring>

static_assert(std::endian::native == std::endian::big);

TEST_CASE("this machine stores the most significant byte first") {
    const std::uint32_t word = 0x01020304;
    unsigned char bytes[4];
    std::memcpy(bytes, &word, 4);
    CHECK(bytes[0] == 1);
}
