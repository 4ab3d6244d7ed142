// fit: whole, in segments, in fragments, or too big: by size, DF and the metadata about received
// fragments.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/fit.hpp>

#include "support/datagrams.hpp"

namespace pipeline_fit {

namespace {

using namespace support;
using pipeline::fitting;

struct row {
    const char* name;
    std::size_t size;
    u32 mtu;
    bool dont_fragment;
    bool ignore_df;
    u32 largest_fragment;
    bool exceeds;  // forwarding reports it. Linux ip_exceeds_mtu
    fitting fits;
};
constexpr row rows[] = {
    {.name = "as large as the MTU",
     .size = 600,
     .mtu = 600,
     .dont_fragment = true,
     .ignore_df = false,
     .largest_fragment = 0,
     .exceeds = false,
     .fits = fitting::whole},
    {.name = "larger",
     .size = 601,
     .mtu = 600,
     .dont_fragment = false,
     .ignore_df = false,
     .largest_fragment = 0,
     .exceeds = false,
     .fits = fitting::fragments},
    {.name = "larger, DF",
     .size = 601,
     .mtu = 600,
     .dont_fragment = true,
     .ignore_df = false,
     .largest_fragment = 0,
     .exceeds = true,
     .fits = fitting::too_big},
    {.name = "larger, its DF ignored",
     .size = 601,
     .mtu = 600,
     .dont_fragment = true,
     .ignore_df = true,
     .largest_fragment = 0,
     .exceeds = false,
     .fits = fitting::fragments},
    {.name = "joined of fragments as large as the MTU",
     .size = 900,
     .mtu = 600,
     .dont_fragment = true,
     .ignore_df = true,
     .largest_fragment = 600,
     .exceeds = false,
     .fits = fitting::fragments},
    {.name = "joined of larger ones",
     .size = 900,
     .mtu = 600,
     .dont_fragment = true,
     .ignore_df = true,
     .largest_fragment = 601,
     .exceeds = true,
     .fits = fitting::too_big},
    // A later fragment has no options left.
    {.name = "joined of larger ones, though no larger itself",
     .size = 600,
     .mtu = 600,
     .dont_fragment = true,
     .ignore_df = true,
     .largest_fragment = 601,
     .exceeds = false,
     .fits = fitting::too_big},
};

TEST_CASE("fit: size, DF and the largest received fragment") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        fixed_pool<2048, 1> pool;
        auto p = packet_of(
            pool, datagram_of({.flags_and_offset = static_cast<u16>(r.dont_fragment ? 0x4000 : 0),
                               .payload = pattern(r.size - 20)}));
        p.writable_metadata().ignore_df = r.ignore_df;
        p.writable_metadata().largest_fragment = static_cast<u16>(r.largest_fragment);
        CHECK(pipeline::exceeds_mtu(p, r.mtu) == r.exceeds);
        CHECK(pipeline::fit(p, r.mtu) == r.fits);
    }
}

}  // namespace

}  // namespace pipeline_fit
