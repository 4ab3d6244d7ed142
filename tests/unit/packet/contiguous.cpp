// may_pull() flattens a packet: its first bytes, or all of them. What it cannot do changes nothing.
#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>

#include <utility>

namespace packet_contiguous {

namespace {

using namespace support;

// Three blocks with 300 bytes each.
template <class Pool>
typename Pool::packet_type listed(Pool& from, u16 headroom = 0) {
    const byte_vector all = pattern(900);
    typename Pool::packet_type made;
    for (std::ptrdiff_t at = 0; at < 900; at += 300) {
        auto piece = from.take(at == 0 ? headroom : u16{0});
        copy_bytes(piece.put(300), all.data() + at, 300);
        if (at == 0) {
            made = std::move(piece);
        } else {
            REQUIRE(made.append(std::move(piece)));
        }
    }
    return made;
}

using unique_pool = fixed_pool<1000, 8, unique, 0>;
using shared_pool = fixed_pool<1000, 8, shared, 0>;

}  // namespace

TEST_CASE_TEMPLATE("a packet of several blocks becomes one", Pool, unique_pool, shared_pool) {
    Pool pool;
    auto p = listed(pool);
    for (const u32 n : {300u, 301u, 600u, 899u, 900u}) {
        CAPTURE(n);
        REQUIRE(p.may_pull(n));
        CHECK(p.head_size() >= n);
        CHECK((content_of(p) == pattern(900)));
    }
    CHECK_FALSE(p.is_segmented());
    CHECK(pool.available() == 7);  // the blocks that are empty now went back
    const byte_vector contiguous{p.data(), p.data() + p.size()};
    CHECK((contiguous == pattern(900)));
}

TEST_CASE_TEMPLATE("too long, or without room: the packet stays as it was", Pool, unique_pool,
                   shared_pool) {
    Pool pool;
    auto p = listed(pool);
    CHECK_FALSE(p.may_pull(901));
    CHECK(p.head_size() == 300);
    auto without_room = listed(pool, Pool::block_capacity - 899);  // one byte too few
    CHECK_FALSE(without_room.may_pull(900));
    CHECK(without_room.head_size() == 300);
    CHECK((content_of(without_room) == pattern(900)));
    CHECK(without_room.may_pull(899));
    CHECK((content_of(without_room) == pattern(900)));
}

TEST_CASE("of shared bytes the handle makes a copy, and the others keep theirs") {
    shared_pool pool;
    auto p = listed(pool);
    auto other = p.clone();
    REQUIRE(p.may_pull(900));
    CHECK_FALSE(p.is_segmented());
    CHECK(other.head_size() == 300);
    CHECK((content_of(other) == pattern(900)));
    other.reset();
    CHECK(pool.available() == 7);
}

TEST_CASE("of shared bytes without memory for a copy nothing changes") {
    shared_pool pool;
    auto p = listed(pool);
    auto other = p.clone();
    std::vector<shared_pool::packet_type> all;
    while (auto taken = pool.take(0)) {
        all.push_back(std::move(taken));
    }
    CHECK_FALSE(p.may_pull(900));
    CHECK(p.head_size() == 300);
    CHECK((content_of(p) == pattern(900)));
    CHECK((content_of(other) == pattern(900)));
}

TEST_CASE("segments of other packets are copied, and these keep their bytes") {
    shared_pool pool;
    auto p = pool.take(0);
    auto data = pool.take(0);
    const byte_vector bytes = pattern(400);
    copy_bytes(p.put(100), bytes.data(), 100);
    copy_bytes(data.put(400), bytes.data(), 400);
    REQUIRE(p.attach(data, 100, 300));
    REQUIRE(p.may_pull(400));
    CHECK_FALSE(p.has_segments());
    CHECK((content_of(p) == bytes));
    p.writable()[200] ^= std::byte{1};
    CHECK((content_of(data) == bytes));
}

}  // namespace packet_contiguous
