// append(bytes): fills the tailroom, then further blocks; all of it or nothing.
#include <doctest/doctest.h>

#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/pool_storage.hpp>

#include "support/datagrams.hpp"

#include <memory>
#include <utility>

namespace packet_append {

namespace {

using namespace support;

const byte_vector all = pattern(2000);
const_bytes between(std::size_t from, std::size_t to) {
    return const_bytes{all}.subspan(from, to - from);
}

}  // namespace

TEST_CASE("append: bytes that fit the tailroom stay in one block") {
    fixed_pool<64, 1> pool;
    const std::size_t room = pool.block_capacity - 16;
    auto p = pool.take(16);
    CHECK(p.append(between(0, 40)));
    CHECK(p.append(between(40, room)));
    CHECK_FALSE(p.is_segmented());
    CHECK(content_of(p) == part(all, 0, room));
    CHECK(p.append(const_bytes{}));
    CHECK_FALSE(p.append(between(room, room + 1)));  // no other block
    CHECK(content_of(p) == part(all, 0, room));
    CHECK_FALSE(p.is_segmented());
}

TEST_CASE("append: further bytes go into further blocks, each filled") {
    fixed_pool<64, 8> pool;
    const std::size_t block = pool.block_capacity;
    auto p = pool.take(16);
    std::size_t size = 0;
    // In blocks: the first, and 14 more in a second; one each; two; one.
    for (const std::size_t more : {block - 32, std::size_t{30}, std::size_t{1}, 2 * block, block}) {
        CAPTURE(more);
        REQUIRE(p.append(between(size, size + more)));
        size += more;
        REQUIRE(content_of(p) == part(all, 0, size));
    }
    CHECK(p.has_packet_list());
    CHECK(pool.available() == 2);
    CHECK_FALSE(p.append(between(size, size + 2 * block + 1)));
    CHECK(pool.available() == 2);
    CHECK(content_of(p) == part(all, 0, size));
    REQUIRE(p.append(between(size, size + 2 * block)));
    CHECK(content_of(p) == part(all, 0, size + 2 * block));
    p.reset();
    CHECK(pool.available() == 8);
}

TEST_CASE("append: the bytes of a packet may be appended to it") {
    fixed_pool<64, 4> pool;
    auto p = pool.take(0);
    REQUIRE(p.append(between(0, 40)));
    REQUIRE(p.append(std::as_const(p).head()));
    byte_vector twice = part(all, 0, 40);
    twice.insert(twice.end(), all.begin(), all.begin() + 40);
    CHECK(content_of(p) == twice);
}

TEST_CASE("append: others that hold the block keep their bytes") {
    fixed_pool<64, 3, shared> pool;
    const std::size_t more = pool.block_capacity;
    auto p = pool.take(0);
    REQUIRE(p.append(between(0, 40)));
    const auto held = p.clone();
    REQUIRE(p.append(between(40, more + 40)));
    CHECK(content_of(held) == part(all, 0, 40));
    CHECK(content_of(p) == part(all, 0, more + 40));
    auto again = held.clone();
    CHECK_FALSE(again.append(between(40, 41)));  // no block for a copy
    CHECK(content_of(again) == part(all, 0, 40));
}

TEST_CASE("append: inline packets and lent frames have their tailroom alone") {
    auto in = make_inline_packet<64>();
    CHECK(in.append(between(0, 60)));
    CHECK_FALSE(in.append(between(60, 65)));
    CHECK(in.append(between(60, 64)));
    CHECK(content_of(in) == part(all, 0, 64));
    byte_vector frame(64);
    borrowed_frames<1> driver{[](void*, u64) noexcept {}, nullptr};
    auto lent = driver.lend(frame, 0, 0, 7);
    CHECK(lent.append(between(0, 64)));
    CHECK_FALSE(lent.append(between(64, 65)));
    CHECK(content_of(lent) == part(all, 0, 64));
}

TEST_CASE("append: an empty handle takes nothing, and no packet more than the longest") {
    fixed_pool<64, 1>::packet_type none;
    CHECK(none.append(const_bytes{}));
    CHECK_FALSE(none.append(between(0, 1)));
    const auto pool = std::make_unique<fixed_pool<65536, 300>>();
    const byte_vector much(65536);
    auto p = pool->take(0);
    while (p.size() + much.size() <= p.max_size) {
        REQUIRE(p.append(much));
    }
    const u32 size = p.size();
    CHECK_FALSE(p.append(much));
    CHECK(p.size() == size);
}

}  // namespace packet_append
