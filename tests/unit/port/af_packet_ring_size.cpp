// Sizes of a receive ring that are refused before the first system call.
#include <sluice/port/af_packet_ring.hpp>

#include <doctest/doctest.h>

#include <string_view>

#include <unistd.h>

namespace port_af_packet_ring_size {

namespace {

using namespace sluice;
namespace ap = sluice::port::af_packet;

// The interface does not exist: the check of the size comes first, with EINVAL.
port::port_error why(const ap::ring_options& size) {
    const auto made = ap::ring<>::open("no-such", {}, size);
    REQUIRE_FALSE(made.has_value());
    return made.error();
}

}  // namespace

TEST_CASE("sizes of a receive ring: blocks of 128 K or more, in all 2 GB at most") {
    const int asked = ::geteuid() == 0 ? ENODEV : EPERM;
    const struct {
        u32 block_bytes;
        u32 blocks;
        bool fits;
    } rows[] = {
        {.block_bytes = 1u << 17, .blocks = 1, .fits = true},
        {.block_bytes = 1u << 17, .blocks = 1u << 14, .fits = true},
        {.block_bytes = 1u << 17, .blocks = (1u << 14) + 1, .fits = false},
        {.block_bytes = 1u << 31, .blocks = 1, .fits = true},
        {.block_bytes = 1u << 31, .blocks = 2, .fits = false},
        {.block_bytes = 1u << 16, .blocks = 8, .fits = false},
        {.block_bytes = (1u << 18) + 8, .blocks = 8, .fits = false},
        {.block_bytes = 0, .blocks = 8, .fits = false},
        {.block_bytes = 1u << 18, .blocks = 0, .fits = false},
    };
    for (const auto& r : rows) {
        CAPTURE(r.block_bytes);
        CAPTURE(r.blocks);
        const port::port_error e = why({.block_bytes = r.block_bytes, .blocks = r.blocks});
        CHECK(e.error_number == (r.fits ? asked : EINVAL));
        CHECK((std::string_view{e.advice} == "blocks: 128 K or more, of two") == !r.fits);
    }
}

}  // namespace port_af_packet_ring_size
