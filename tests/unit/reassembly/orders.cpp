// Fragments in any order make the same datagram; sizes from the smallest to the largest.
#include "fragments.hpp"
#include "support/validated.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>

namespace reassembly_orders {
using namespace reassembly_test;

namespace {

std::vector<fragment_fields> cut(u32 length, u32 step) {
    std::vector<fragment_fields> all;
    for (u32 at = 0; at < length; at += step) {
        const u32 size = std::min(step, length - at);
        all.push_back({.start = at, .length = size, .more = at + size < length});
    }
    return all;
}

}  // namespace

TEST_CASE("four fragments in all orders") {
    fixed_pool<256, 4> pool;
    bounded_cache<4, overlap::reject_datagram, 8>::model<fixed_pool<256, 4>::packet_type> cache{
        secret};
    std::vector<fragment_fields> pieces = cut(91, 24);
    std::vector<std::size_t> order{0, 1, 2, 3};
    do {
        for (std::size_t i = 0; i < 4; ++i) {
            auto step = feed_fragment(cache, pool, pieces[order[i]]);
            if (i < 3) {
                CHECK(step.kind == reassembly_result::held);
                CHECK(cache.held() == i + 1);
                continue;
            }
            REQUIRE(step.kind == reassembly_result::complete);
            CHECK(step.pieces == 4);
            CHECK(is_whole_datagram(step.packet, 91));
            CHECK(step.packet.metadata().largest_fragment == 44);
        }
        CHECK(pool.available() == 4);
        CHECK(cache.held() == 0);
        CHECK(cache.charged() == 0);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("the header is that of the fragment with offset 0, options included") {
    fixed_pool<256, 4> pool;
    bounded_cache<1, overlap::reject_datagram, 4>::model<fixed_pool<256, 4>::packet_type> cache{
        secret};
    CHECK(feed_fragment(cache, pool,
                        {.start = 48, .length = 5, .more = false, .tos = 0x20, .options = 40})
              .kind == reassembly_result::held);
    CHECK(feed_fragment(cache, pool, {.start = 16, .length = 32, .options = 4}).kind ==
          reassembly_result::held);
    auto step = feed_fragment(cache, pool, {.start = 0, .length = 16, .tos = 0xb8, .options = 12});
    REQUIRE(step.kind == reassembly_result::complete);
    CHECK(is_whole_datagram(step.packet, 53, 12));
    CHECK(ipv4::const_view{step.packet.data()}[ipv4::tos] == 0xb8);
    auto again = pipeline::validate(step.packet);
    CHECK(again.has_value());
}

TEST_CASE("65,535 bytes over MTU 1500, 576 and 68, in four orders") {
    struct row {
        const char* name;
        u32 mtu;
    };
    using pool_type = fixed_pool<1536, 1900>;
    const auto pool = std::make_unique<pool_type>();
    using cache_type = bounded_cache<4>::model<pool_type::packet_type>;
    const auto cache = std::make_unique<cache_type>(secret);
    for (const row& r : {row{"Ethernet", 1500}, row{"X.25", 576}, row{"smallest", 68}}) {
        CAPTURE(r.name);
        std::vector<fragment_fields> pieces = cut(65515, (r.mtu - 20) & ~7u);
        std::mt19937 random{r.mtu};
        for (int order = 0; order < 4; ++order) {
            if (order == 1) {
                std::reverse(pieces.begin(), pieces.end());
            } else if (order > 1) {
                std::shuffle(pieces.begin(), pieces.end(), random);
            }
            for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
                REQUIRE(feed_fragment(*cache, *pool, pieces[i]).kind == reassembly_result::held);
            }
            auto step = feed_fragment(*cache, *pool, pieces.back());
            REQUIRE(step.kind == reassembly_result::complete);
            CHECK(step.pieces == pieces.size());
            CHECK(is_whole_datagram(step.packet, 65515));
        }
        CHECK(pool->available() == 1900);
    }
}

TEST_CASE("shared buffers are copied before they become part of a list") {
    fixed_pool<256, 4, shared> pool;
    bounded_cache<1, overlap::reject_datagram, 4>::model<fixed_pool<256, 4, shared>::packet_type>
        cache{secret};
    auto tap = fragment_of(pool, {.start = 24, .length = 8, .more = false});
    auto fragment = support::validated(tap.clone());
    CHECK(cache.insert(std::move(fragment).value(), reassembly_user::local_delivery, 0, {}, {})
              .kind == reassembly_result::held);
    CHECK(pool.available() == 2);
    auto step = feed_fragment(cache, pool, {.start = 0, .length = 24});
    REQUIRE(step.kind == reassembly_result::complete);
    CHECK(is_whole_datagram(step.packet, 32));
    CHECK(content_of(tap).size() == 28);
    step.packet.reset();
    CHECK(pool.available() == 3);
}

TEST_CASE("a fragment that is a list of packets is made one block") {
    fixed_pool<256, 4> pool;
    bounded_cache<1, overlap::reject_datagram, 4>::model<fixed_pool<256, 4>::packet_type> cache{
        secret};
    auto head = fragment_of(pool, {.start = 24, .length = 32, .more = false});
    for (const u32 at : {32u, 40u}) {
        auto rest = pool.take(0);
        for (u32 i = 0; i < 8; ++i) {
            *rest.put(1) = fragment_byte(at + i);
        }
        if (at == 32) {
            head.trim(28);
        }
        head.append(std::move(rest));
    }
    auto more = pool.take(0);
    for (u32 i = 0; i < 8; ++i) {
        *more.put(1) = fragment_byte(48 + i);
    }
    head.append(std::move(more));
    auto step =
        cache.insert(pipeline::validate(head).value(), reassembly_user::local_delivery, 0, {}, {});
    REQUIRE(step.kind == reassembly_result::held);
    CHECK(pool.available() == 3);
    step = feed_fragment(cache, pool, {.start = 0, .length = 24});
    REQUIRE(step.kind == reassembly_result::complete);
    CHECK(is_whole_datagram(step.packet, 56));
}

}  // namespace reassembly_orders
