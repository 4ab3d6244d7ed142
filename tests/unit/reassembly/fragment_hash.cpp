// The hash of a fragment: each part of the key counts, and so does the secret.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace reassembly_fragment_hash {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 400>;
using cache_type = bounded_cache<256, overlap::reject_datagram, 256>::model<pool_type::packet_type>;

// The n-th key that differs from the others in one part alone.
struct flood {
    const char* name;
    u32 keys;
    fragment_fields (*fragment)(u32 n);
    u16 (*domain)(u32 n) = [](u32) { return u16{0}; };
};
const flood floods[] = {
    {.name = "source",
     .keys = 256,
     .fragment =
         [](u32 n) {
             fragment_fields f = head_fragment(1);
             f.source += n;
             return f;
         }},
    {.name = "destination",
     .keys = 256,
     .fragment =
         [](u32 n) {
             fragment_fields f = head_fragment(1);
             f.destination += n;
             return f;
         }},
    {.name = "identification",
     .keys = 256,
     .fragment = [](u32 n) { return head_fragment(static_cast<u16>(n)); }},
    {.name = "protocol",
     .keys = 256,
     .fragment =
         [](u32 n) {
             fragment_fields f = head_fragment(1);
             f.protocol = static_cast<u8>(n);
             return f;
         }},
    {.name = "source against identification",
     .keys = 256,
     .fragment =
         [](u32 n) {
             fragment_fields f = head_fragment(static_cast<u16>(1000 - n));
             f.source += n;
             return f;
         }},
    {.name = "destination against identification",
     .keys = 256,
     .fragment =
         [](u32 n) {
             fragment_fields f = head_fragment(static_cast<u16>(1000 - n));
             f.destination += n;
             return f;
         }},
    {.name = "routing domain",
     .keys = 256,
     .fragment = [](u32) { return head_fragment(1); },
     .domain = [](u32 n) { return static_cast<u16>(n); }},
};

}  // namespace

// One part that did not count would leave room for 24 keys: two lines of the index.
TEST_CASE("fragment_hash: keys that differ in one part fill the cache") {
    for (const flood& each : floods) {
        CAPTURE(each.name);
        const auto pool = std::make_unique<pool_type>();
        const auto cache = std::make_unique<cache_type>(secret);
        u32 taken = 0;
        for (u32 n = 0; n < each.keys; ++n) {
            taken += held(feed_fragment(*cache, *pool, each.fragment(n), {}, {},
                                        reassembly_user::local_delivery, each.domain(n)))
                         ? 1u
                         : 0u;
        }
        CHECK(taken == each.keys);
    }
}

// Else an attacker could compute the lines at home.
TEST_CASE("fragment_hash: each part is multiplied by the secret") {
    const detail::fragment_siphash one{{1, 2}}, other{{1, 3}};
    const detail::fragment_hasher a{one}, b{other};
    const auto pool = std::make_unique<pool_type>();
    for (const flood& each : floods) {
        CAPTURE(each.name);
        u32 same = 0;
        for (u32 n = 1; n < each.keys; ++n) {
            const auto change = [&](const detail::fragment_hasher& h) {
                const auto hash = [&](u32 i) {
                    auto p = fragment_of(*pool, each.fragment(i));
                    return h
                        .hash_of(ipv4::const_view{std::as_const(p).data()},
                                 reassembly_user::local_delivery, each.domain(i))
                        .hash();
                };
                return hash(n) - hash(0);  // without the secret that is added
            };
            same += change(a) - change(b) + 1 < 3 ? 1u : 0u;
        }
        CHECK(same < 4);
    }
}

}  // namespace reassembly_fragment_hash
