// The operations of a packet one by one, with each storage.
#include <doctest/doctest.h>

#include <sluice/packet/external_pool.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>

#include <type_traits>
#include <vector>

namespace packet_basic_packet {

namespace {

using namespace sluice;

std::vector<int> values_of(const auto& packet) {
    std::vector<int> all;
    packet.for_each_piece([&](const_bytes piece) {
        for (const std::byte b : piece)
            all.push_back(std::to_integer<int>(b));
    });
    return all;
}

// Appends the bytes first, first + 1, ...
void put_counting(auto& packet, u32 n, int first) {
    std::byte* at = packet.put(n);
    REQUIRE(at != nullptr);
    for (u32 i = 0; i < n; ++i)
        at[i] = static_cast<std::byte>(first + static_cast<int>(i));
}

struct from_pool {
    fixed_pool<256, 8> source;
    auto take(u16 headroom) { return source.take(headroom); }
};
struct from_heap {
    heap_source<256, 8> source;
    auto take(u16 headroom) { return source.take(headroom); }
};
struct from_nowhere {
    auto take(u16 headroom) { return make_inline_packet<256>(headroom); }
};
struct from_driver {
    static void returned(void* driver, u64) noexcept { ++*static_cast<int*>(driver); }
    std::byte frames[8][256];
    int back = 0;
    borrowed_frames<8> source{returned, &back};
    u64 next = 0;
    auto take(u16 headroom) {
        const u64 tag = next++ % 8;
        return source.lend(frames[tag], headroom, 0, tag);
    }
};

TEST_CASE("a handle over a block is 16 bytes and moves only") {
    using plain = fixed_pool<2048, 1>::packet_type;
    static_assert(sizeof(plain) == 16);
    static_assert(sizeof(basic_packet<external_storage, shared>) == 16);
    static_assert(packet_buffer<plain>);
    static_assert(packet_buffer<inline_packet<64>>);
    static_assert(packet_buffer<basic_packet<external_storage, shared>>);
    static_assert(buffer_source<fixed_pool<2048, 4>>);
    static_assert(buffer_source<heap_source<2048, 4, shared>>);
    static_assert(buffer_source<external_pool<2048, 4>>);
    static_assert(fixed_pool<2048, 4>::block_capacity >= 2048);
}

TEST_CASE_TEMPLATE("push, pull, put and trim move the bounds and refuse what does not fit", Place,
                   from_pool, from_heap, from_nowhere, from_driver) {
    Place place;
    auto p = place.take(16);
    REQUIRE(p);
    const u32 room = p.tailroom();
    CHECK(p.size() == 0);
    CHECK(p.headroom() == 16);
    CHECK(p.pull(1) == false);
    put_counting(p, 10, 1);
    CHECK(p.tailroom() == room - 10);
    CHECK(p.put(room - 9) == nullptr);
    CHECK(p.push(17) == nullptr);
    CHECK(p.size() == 10);

    std::byte* front = p.push(2);
    REQUIRE(front == p.data());
    front[0] = front[1] = std::byte{0};
    CHECK(values_of(p) == std::vector<int>{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    CHECK(p.pull(13) == false);
    CHECK(p.pull(5));
    CHECK(p.headroom() == 19);
    p.trim(8);
    CHECK(p.size() == 7);
    p.trim(3);
    CHECK(values_of(p) == std::vector<int>{4, 5, 6});
    CHECK(p.may_pull(3));
    CHECK(p.may_pull(4) == false);
    CHECK(p.push(0) == p.data());
    p.trim(0);
    CHECK(p.size() == 0);
    CHECK_FALSE(p.is_segmented());
}

TEST_CASE_TEMPLATE("metadata moves with the packet and starts at its defaults", Place, from_pool,
                   from_heap, from_nowhere, from_driver) {
    Place place;
    auto p = place.take(0);
    p.set_interface(7);
    p.set_addressing(link_addressing::broadcast);
    CHECK_FALSE(p.has_metadata());
    CHECK(std::as_const(p).metadata().mark == 0);
    CHECK_FALSE(p.has_metadata());
    p.metadata().mark = 5;
    auto q = std::move(p);
    CHECK(q.interface() == 7);
    CHECK(q.addressing() == link_addressing::broadcast);
    CHECK(q.metadata().mark == 5);
    CHECK_FALSE(q.is_forwarded());
    q.set_forwarded();
    CHECK(q.is_forwarded());
    CHECK(q.addressing() == link_addressing::broadcast);
    q.reset();
    CHECK_FALSE(q);
    // The next packet in the same block knows nothing of it.
    for (int i = 0; i < 8; ++i)
        CHECK(place.take(0).metadata().mark == 0);
}

TEST_CASE("a copy has another block, and equal headroom, bytes, interface and metadata") {
    fixed_pool<128, 2> pool;
    auto p = pool.take(32);
    put_counting(p, 4, 1);
    p.set_interface(3);
    p.metadata().segment_size = 9;
    auto q = p.clone();
    REQUIRE(q);
    CHECK(pool.available() == 0);
    CHECK(q.data() != p.data());
    CHECK(q.headroom() == 32);
    CHECK(q.interface() == 3);
    CHECK(q.metadata().segment_size == 9);
    CHECK(values_of(q) == values_of(p));
    CHECK_FALSE(p.clone());
    CHECK_FALSE(pool.take());
}

TEST_CASE("a shared block is copied before its first change") {
    fixed_pool<128, 2, shared> pool;
    auto p = pool.take(32);
    put_counting(p, 4, 1);
    auto q = p.clone();
    CHECK(pool.available() == 1);
    CHECK(p.is_shared());
    CHECK(q.pull(1));
    CHECK(p.size() == 4);
    REQUIRE(q.unshare());
    CHECK_FALSE(p.is_shared());
    CHECK(pool.available() == 0);
    q.writable()[0] = std::byte{99};
    CHECK(values_of(p) == std::vector<int>{1, 2, 3, 4});
    CHECK(values_of(q) == std::vector<int>{99, 3, 4});
    auto r = q.clone();
    CHECK_FALSE(r.unshare());
    CHECK(values_of(r) == values_of(q));
}

TEST_CASE("bytes of another packet are referenced, not copied") {
    fixed_pool<128, 3, shared> pool;
    auto data = pool.take(0);
    put_counting(data, 10, 1);
    auto p = pool.take(0);
    put_counting(p, 2, 100);
    CHECK_FALSE(p.attach(data, 4, 7));
    CHECK_FALSE(p.attach(p, 0, 1));
    CHECK_FALSE(p.has_segments());
    REQUIRE(p.attach(data, 4, 3));
    REQUIRE(p.attach(data, 0, 1));
    auto other = pool.take(0);
    CHECK_FALSE(other.attach(p, 0, 1));  // it goes on in further blocks
    other.reset();
    CHECK(p.has_segments());
    CHECK_FALSE(p.has_packet_list());
    CHECK(p.size() == 6);
    CHECK(p.head_size() == 2);
    CHECK(p.tailroom() == 0);
    data.reset();
    CHECK(pool.available() == 1);
    CHECK(values_of(p) == std::vector<int>{100, 101, 5, 6, 7, 1});

    auto q = p.clone();
    CHECK(q.pull(1));
    CHECK(values_of(p) == std::vector<int>{100, 101, 5, 6, 7, 1});
    REQUIRE(q.may_pull(4));
    CHECK(values_of(q) == std::vector<int>{101, 5, 6, 7, 1});
    CHECK(values_of(p).size() == 6);
    q.reset();

    REQUIRE(p.may_pull(3));
    CHECK(values_of(p) == std::vector<int>{100, 101, 5, 6, 7, 1});
    p.trim(4);
    CHECK(values_of(p) == std::vector<int>{100, 101, 5, 6});
    p.trim(3);
    CHECK_FALSE(p.has_segments());
    CHECK(pool.available() == 2);
    p.reset();
    CHECK(pool.available() == 3);
}

TEST_CASE("at most max_segments are attached") {
    fixed_pool<128, 2, shared> pool;
    auto data = pool.take(0);
    put_counting(data, 10, 1);
    auto p = pool.take(0);
    for (std::size_t i = 0; i < max_segments; ++i)
        CHECK(p.attach(data, static_cast<u32>(i), 1));
    CHECK_FALSE(p.attach(data, 0, 1));
    CHECK(values_of(p) == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("a frame goes back to its driver with its tag; one that cannot be lent stays there") {
    static std::vector<u64> tags;
    tags.clear();
    std::byte frame[64];
    borrowed_frames<1> frames{[](void*, u64 tag) noexcept { tags.push_back(tag); }, nullptr};
    {
        auto p = frames.lend(frame, 4, 60, 77);
        REQUIRE(p);
        CHECK(p.data() == frame + 4);
        CHECK(p.tailroom() == 0);
        CHECK_FALSE(frames.lend(frame, 0, 64, 78));
        CHECK_FALSE(p.clone());
        CHECK(tags.empty());
    }
    CHECK(tags == std::vector<u64>{77});
    CHECK_FALSE(frames.lend(frame, 4, 61, 79));
    CHECK_FALSE(frames.lend(frame, 65, 0, 80));
    CHECK(frames.lend(frame, 64, 0, 81));
    CHECK(tags == std::vector<u64>{77, 81});
}

TEST_CASE("a source refuses a headroom beyond its blocks") {
    fixed_pool<64, 1> pool;
    CHECK_FALSE(pool.take(static_cast<u16>(pool.block_capacity + 1)));
    CHECK(pool.take(static_cast<u16>(pool.block_capacity)));
    heap_source<64, 1> heap;
    CHECK_FALSE(heap.take(65));
    CHECK(heap.take(64));
    CHECK(heap.available() == 1);
}

}  // namespace

}  // namespace packet_basic_packet
