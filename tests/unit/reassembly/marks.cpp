// Marks of the fragments in the whole datagram: ECN, DF, the largest fragment, metadata.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

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

// Linux ip_frag_ecn_table, entry by entry: index bits 1 not-ECT, 2 ECT(1), 4 ECT(0), 8 CE; the
// value is what the whole gets beside the bits of its first fragment, 0xff: it is dropped.
TEST_CASE("ECN: the fifteen sets of codepoints by Linux's table") {
    constexpr u8 table[16] = {0, 0,    0, 0xff, 0, 0xff, 0, 0xff,  //
                              0, 0xff, 3, 0xff, 3, 0xff, 3, 0xff};
    pool_type pool;
    cache_type cache{secret};
    for (unsigned set = 1; set < 16; ++set) {
        for (u8 first = 0; first < 4; ++first) {
            if ((set >> first & 1) == 0) continue;
            CAPTURE(set);
            CAPTURE(int{first});
            std::vector<u8> codepoints{first};
            for (u8 c = 0; c < 4; ++c) {
                if ((set >> c & 1) != 0) codepoints.push_back(c);
            }
            reassembly_step<pool_type::packet_type> step;
            for (std::size_t i = 0; i < codepoints.size(); ++i) {
                const u32 start = static_cast<u32>(8 * i);
                step = feed_fragment(cache, pool,
                                     {.start = start,
                                      .length = 8,
                                      .more = i + 1 < codepoints.size(),
                                      .tos = codepoints[i]});
            }
            if (table[set] == 0xff) {
                CHECK(step.reason == drop_reason::fragment_ecn);
                continue;
            }
            REQUIRE(step.kind == reassembly_result::complete);
            CHECK(ipv4::const_view{step.packet.data()}[ipv4::tos] == (first | table[set]));
        }
    }
    CHECK(pool.available() == 8);
}

TEST_CASE("ECN of a fragment that is dropped does not count") {
    pool_type pool;
    cache_type cache{secret};
    CHECK(held(feed_fragment(cache, pool, {.start = 0, .length = 8, .tos = 2})));
    CHECK(feed_fragment(cache, pool, {.start = 0, .length = 8, .tos = 0}).reason ==
          drop_reason::fragment_duplicate);
    CHECK(feed_fragment(cache, pool, {.start = 0, .length = 8, .tos = 3}).reason ==
          drop_reason::fragment_duplicate);
    const auto step =
        feed_fragment(cache, pool, {.start = 8, .length = 8, .more = false, .tos = 2});
    REQUIRE(step.kind == reassembly_result::complete);
    CHECK(ipv4::const_view{step.packet.data()}[ipv4::tos] == 2);
}

// Linux q->stamp: that of the fragment that was taken last, whatever its place and its time.
TEST_CASE("the whole has the time of the fragment that came last; duplicates do not count") {
    pool_type pool;
    cache_type cache{secret};
    const auto feed = [&](const fragment_fields& f, duration at) {
        auto p = fragment_of(pool, f);
        p.metadata().received_at = at;
        return cache.insert(pipeline::validate(p).value(), reassembly_user::local_delivery, 0, {},
                            {});
    };
    CHECK(held(feed({.start = 16, .length = 8, .more = false}, 9_s)));
    CHECK(held(feed({.start = 0, .length = 8}, 5_s)));
    CHECK(feed({.start = 0, .length = 8}, 11_s).reason == drop_reason::fragment_duplicate);
    const auto step = feed({.start = 8, .length = 8}, 7_s);
    REQUIRE(step.kind == reassembly_result::complete);
    CHECK(std::as_const(step.packet).metadata().received_at == 7_s);
}

TEST_CASE("DF stays if one of the largest fragments had it, in either order") {
    for (const bool first : {true, false}) {
        CAPTURE(first);
        pool_type pool;
        cache_type cache{secret};
        CHECK(held(feed_fragment(cache, pool, {.start = 0, .length = 16, .dont_fragment = first})));
        const auto step = feed_fragment(
            cache, pool, {.start = 16, .length = 16, .more = false, .dont_fragment = !first});
        REQUIRE(step.kind == reassembly_result::complete);
        CHECK(ipv4::const_view{step.packet.data()}[ipv4::dont_fragment]);
        CHECK(step.packet.metadata().largest_fragment == 36);
    }
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
