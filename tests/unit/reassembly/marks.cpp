// Marks of the fragments in the whole datagram: ECN, DF, the largest fragment, metadata.
#include "fragments.hpp"

#include <doctest/doctest.h>

namespace reassembly_marks {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 8>;
using cache_type = bounded_cache<4, overlap::reject_datagram, 8>::model<pool_type::packet_type>;

}  // namespace

TEST_CASE("ECN of all 64 combinations over three fragments") {
    pool_type pool;
    cache_type cache{secret};
    for (u8 first = 0; first < 4; ++first) {
        for (u8 second = 0; second < 4; ++second) {
            for (u8 third = 0; third < 4; ++third) {
                CAPTURE(int{first});
                CAPTURE(int{second});
                CAPTURE(int{third});
                const u8 dscp = 46 << 2;
                CHECK(feed_fragment(cache, pool, {.start = 8, .length = 8, .tos = second}).kind ==
                      reassembly_result::held);
                CHECK(feed_fragment(cache, pool,
                                    {.start = 16, .length = 8, .more = false, .tos = third})
                          .kind == reassembly_result::held);
                auto step = feed_fragment(
                    cache, pool, {.start = 0, .length = 8, .tos = static_cast<u8>(dscp | first)});
                const int plain = (first == 0) + (second == 0) + (third == 0);
                if (plain == 1 || plain == 2) {
                    CHECK(step.reason == drop_reason::fragment_ecn);
                    CHECK(step.pieces_dropped == 2);
                } else {
                    REQUIRE(step.kind == reassembly_result::complete);
                    const bool congested = first == 3 || second == 3 || third == 3;
                    const u8 tos = ipv4::const_view{step.packet.data()}[ipv4::tos];
                    CHECK(tos == (dscp | (congested ? 3 : first)));
                    CHECK(is_whole_datagram(step.packet, 24));
                }
            }
        }
    }
    CHECK(pool.available() == 8);
}

TEST_CASE("DF stays if the largest fragment had it") {
    struct row {
        const char* name;
        bool small_df = false;
        bool large_df = false;
        bool whole_df = false;
    };
    const row rows[] = {{.name = "none"},
                        {.name = "the small one", .small_df = true},
                        {.name = "the large one", .large_df = true, .whole_df = true},
                        {.name = "both", .small_df = true, .large_df = true, .whole_df = true}};
    pool_type pool;
    cache_type cache{secret};
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(feed_fragment(cache, pool, {.start = 0, .length = 8, .dont_fragment = r.small_df})
                  .kind == reassembly_result::held);
        auto step = feed_fragment(
            cache, pool,
            {.start = 8, .length = 48, .more = false, .dont_fragment = r.large_df, .options = 8});
        REQUIRE(step.kind == reassembly_result::complete);
        const ipv4::const_view ip{step.packet.data()};
        CHECK(ip[ipv4::dont_fragment] == r.whole_df);
        CHECK(ipv4::checksum_ok(ip));
        CHECK(step.packet.metadata().fragment_df == r.whole_df);
        CHECK(step.packet.metadata().largest_fragment == 76);
    }
}

TEST_CASE(
    "interface, mark and header are the first fragment's; the transport checksum is unknown") {
    pool_type pool;
    cache_type cache{secret};
    const reassembly_limits limits;
    auto last = fragment_of(pool, {.start = 8, .length = 8, .more = false});
    last.set_interface(2);
    last.metadata().mark = 7;
    CHECK(cache
              .insert(pipeline::validate(last).value(), reassembly_user::local_delivery, 0, {},
                      limits)
              .kind == reassembly_result::held);
    auto first = fragment_of(pool, {.start = 0, .length = 8});
    first.set_interface(1);
    first.metadata().mark = 9;
    first.metadata().checksum = checksum_state::verified;
    ipv4::view ip{first.data()};
    ip.set(ipv4::reserved_flag, true);
    ipv4::set_checksum(ip);
    auto step = cache.insert(pipeline::validate(first).value(), reassembly_user::local_delivery, 0,
                             {}, limits);
    REQUIRE(step.kind == reassembly_result::complete);
    CHECK(step.packet.interface() == 1);
    CHECK(step.packet.metadata().mark == 9);
    CHECK(step.packet.metadata().checksum == checksum_state::unknown);
    CHECK(ipv4::const_view{step.packet.data()}[ipv4::flags_and_offset] == 0);
}

TEST_CASE("more than 65,535 bytes are refused when they are complete") {
    fixed_pool<16640, 5> pool;
    bounded_cache<1, overlap::reject_datagram, 8>::model<fixed_pool<16640, 5>::packet_type> cache{
        secret};
    struct row {
        u32 last;
        bool fits;
    };
    for (const row& r : {row{.last = 16363, .fits = true}, row{.last = 16364, .fits = false}}) {
        for (const u32 at : {0u, 16384u, 32768u}) {
            CHECK(feed_fragment(cache, pool, {.start = at, .length = 16384}).kind ==
                  reassembly_result::held);
        }
        auto step = feed_fragment(cache, pool, {.start = 49152, .length = r.last, .more = false});
        CHECK(step.kind == (r.fits ? reassembly_result::complete : reassembly_result::refused));
        CHECK(step.reason == (r.fits ? drop_reason::none : drop_reason::reassembled_too_long));
        CHECK(step.pieces_dropped == (r.fits ? 0 : 3));
        step.packet.reset();
        CHECK(pool.available() == 5);
    }
}

}  // namespace reassembly_marks
