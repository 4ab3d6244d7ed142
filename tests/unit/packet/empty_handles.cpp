// Empty handles: never filled, from a source without buffers, moved from, reset. Every member has a
// result, and none reads memory.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>

#include <type_traits>
#include <utility>

namespace packet_empty_handles {

namespace {

using namespace sluice;

#define EMPTY_HANDLES                                                                              \
    basic_packet<pool_storage<128>>, basic_packet<pool_storage<128>, shared>,                      \
        basic_packet<external_storage>, basic_packet<external_storage, shared>, inline_packet<64>

// A packet with something in every field of its handle.
template <class Packet>
struct maker;
template <class Ownership>
struct maker<basic_packet<pool_storage<128>, Ownership>> {
    fixed_pool<128, 4, Ownership> source;
    auto take() { return source.take(20); }
};
template <class Ownership>
struct maker<basic_packet<external_storage, Ownership>> {
    heap_source<128, 4, Ownership> source;
    auto take() { return source.take(20); }
};
template <>
struct maker<inline_packet<64>> {
    auto take() { return make_inline_packet<64>(20); }
};

template <class Packet>
Packet full(maker<Packet>& from) {
    Packet p = from.take();
    fill_bytes(p.put(10), 10, std::byte{1});
    p.set_interface(3);
    p.set_addressing(link_addressing::broadcast);
    p.set_forwarded();
    p.writable_metadata().mark = 9;
    return p;
}

template <class Packet>
void check_is_empty(Packet& p) {
    const Packet& c = p;
    CHECK_FALSE(static_cast<bool>(p));
    CHECK(p.size() == 0);
    CHECK(p.head_size() == 0);
    CHECK(p.headroom() == 0);
    CHECK(p.tailroom() == 0);
    CHECK(p.data() == nullptr);
    CHECK(c.data() == nullptr);
    CHECK(p.writable() == nullptr);
    CHECK(p.head().data() == nullptr);
    CHECK(c.head().empty());
    CHECK(p.push(0) == nullptr);
    CHECK(p.push(1) == nullptr);
    CHECK(p.put(0) == nullptr);
    CHECK(p.put(1) == nullptr);
    CHECK(p.pull(0));
    CHECK_FALSE(p.pull(1));
    CHECK(p.unpull(0));
    CHECK_FALSE(p.unpull(1));
    CHECK(p.may_pull(0));
    CHECK_FALSE(p.may_pull(1));
    p.trim(0);
    p.trim(5);
    CHECK(p.interface() == 0);
    CHECK(p.addressing() == link_addressing::host);
    CHECK(p.is_plain_host());
    CHECK_FALSE(p.is_forwarded());
    CHECK_FALSE(p.has_metadata());
    CHECK_FALSE(p.is_segmented());
    CHECK_FALSE(p.has_segments());
    CHECK_FALSE(p.has_packet_list());
    CHECK_FALSE(p.is_shared());
    CHECK(p.unshare());
    CHECK_FALSE(p.clone());
    CHECK_FALSE(p.copy());
    p.writable_metadata().mark = 77;  // is lost
    CHECK(p.metadata().mark == 0);
    CHECK(c.metadata().mark == 0);
    CHECK_FALSE(p.has_metadata());
    u32 size = 0;
    c.for_each_piece([&](const_bytes piece) { size += static_cast<u32>(piece.size()); });
    packet_reader<Packet> reader{c};
    std::byte read{7};
    reader.copy(&read, 1);
    CHECK(size == 0);
    CHECK(read == std::byte{7});
    CHECK(packet_sum(c, 0, 100) == 0);
    p.reset();
    CHECK_FALSE(static_cast<bool>(p));
}

TEST_CASE_TEMPLATE("empty handles: never filled", Packet, EMPTY_HANDLES) {
    Packet p;
    check_is_empty(p);
}

TEST_CASE_TEMPLATE("empty handles: moved from, nothing of the packet is left", Packet,
                   EMPTY_HANDLES) {
    maker<Packet> from;
    Packet p = full(from);
    Packet q = std::move(p);
    check_is_empty(p);
    CHECK(q.size() == 10);
    CHECK(q.interface() == 3);
    CHECK(q.metadata().mark == 9);
    Packet r;
    r = std::move(q);
    check_is_empty(q);
    CHECK(r.size() == 10);
    CHECK(r.headroom() == 20);
    // Of an empty one over a full one, too.
    r = std::move(q);
    check_is_empty(q);
    check_is_empty(r);
}

TEST_CASE_TEMPLATE("empty handles: reset", Packet, EMPTY_HANDLES) {
    maker<Packet> from;
    Packet p = full(from);
    p.reset();
    check_is_empty(p);
}

TEST_CASE("a source without buffers gives an empty handle, whatever headroom was asked for") {
    fixed_pool<128, 1> pool;
    const auto taken = pool.take(20);
    auto none = pool.take(20);
    check_is_empty(none);
    heap_source<128, 1, shared> heap;
    const auto held = heap.take(20);
    auto nothing = heap.take(20);
    check_is_empty(nothing);
    fixed_pool<64, 1> small_blocks;
    auto beyond = small_blocks.take(60'000);
    check_is_empty(beyond);
    std::byte frame[64];
    borrowed_frames<1> frames{[](void*, u64) noexcept {}, nullptr};
    const auto lent = frames.lend(frame, 4, 60, 1);
    auto refused = frames.lend(frame, 4, 60, 2);
    check_is_empty(refused);
}

TEST_CASE_TEMPLATE("chains: an empty handle can neither be appended nor be appended to", Packet,
                   basic_packet<pool_storage<128>>, basic_packet<pool_storage<128>, shared>,
                   basic_packet<external_storage>, basic_packet<external_storage, shared>) {
    maker<Packet> from;
    Packet none;
    Packet some = full(from);
    CHECK_FALSE(none.append(std::move(some)));
    CHECK(some.size() == 10);
    CHECK(some.append(std::move(none)));
    CHECK_FALSE(some.is_segmented());
    CHECK(none.append(Packet{}));
    CHECK_FALSE(none.split_list());
    CHECK_FALSE(copy_in_blocks(none, 0, [&](u16) { return from.take(); }));
    if constexpr (Packet::ownership::counts_references) {
        CHECK_FALSE(none.attach(some, 0, 1));
        CHECK_FALSE(some.attach(none, 0, 0));
        CHECK_FALSE(none.attach(none, 0, 0));
    }
    check_is_empty(none);
    CHECK(some.size() == 10);
    CHECK(some.append(full(from)));
    Packet moved = std::move(some);
    check_is_empty(some);
    CHECK(moved.size() == 20);
}

// Whatever is done to empty handles, none becomes anything else.
TEST_CASE_TEMPLATE("any operations on empty handles", Packet, basic_packet<pool_storage<128>>,
                   basic_packet<pool_storage<128>, shared>,
                   basic_packet<external_storage, shared>) {
    keyed_random random{hash_key{5, 6}};
    Packet held[4];
    u32 wrong = 0;
    for (int i = 0; i < 20'000; ++i) {
        Packet& p = held[random.below(4)];
        Packet& q = held[random.below(4)];
        const u32 n = random.below(3) == 0 ? 0 : random.below(70'000);
        switch (random.below(12)) {
        case 0:
            wrong += p.put(n) != nullptr;
            break;
        case 1:
            wrong += p.push(n) != nullptr;
            break;
        case 2:
            wrong += p.pull(n) != (n == 0);
            break;
        case 3:
            wrong += p.unpull(n) != (n == 0);
            break;
        case 4:
            p.trim(n);
            break;
        case 5:
            wrong += p.may_pull(n) != (n == 0);
            break;
        case 6:
            wrong += !p.append(std::move(q));
            break;
        case 7:
            wrong += static_cast<bool>(p.split_list());
            break;
        case 8:
            q = p.clone();
            break;
        case 9:
            q = p.copy();
            break;
        case 10:
            p = std::move(q);
            break;
        default:
            wrong += !p.unshare();
            p.writable_metadata().mark = n;
            break;
        }
        wrong += p || q || p.size() + q.size() != 0;
    }
    CHECK(wrong == 0);
}

}  // namespace

}  // namespace packet_empty_handles
