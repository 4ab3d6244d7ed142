// Handles of shared bytes: an operation on one does not change the bytes that others read. Single
// cases, then random operations against vectors of bytes.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>

#include "support/datagrams.hpp"

#include <algorithm>
#include <concepts>
#include <iterator>
#include <memory>
#include <type_traits>
#include <vector>

namespace packet_shared_handles {

namespace {

using namespace sluice;
using support::byte_vector;
using support::content_of;
using support::part;
using support::pattern;

using pool = fixed_pool<256, 12, shared>;
using packet = pool::packet_type;

byte_vector joined(const byte_vector& a, const byte_vector& b) {
    byte_vector all = a;
    all.insert(all.end(), b.begin(), b.end());
    return all;
}

packet filled(pool& from, std::size_t n, u16 headroom = 40) {
    const byte_vector content = pattern(n);
    packet p = from.take(headroom);
    copy_bytes(p.put(static_cast<u32>(n)), content.data(), n);
    return p;
}

// A list of packets of 200 bytes with the pattern of the whole in them.
packet chained(pool& from, std::size_t n) {
    const byte_vector content = pattern(n);
    packet whole;
    for (std::size_t at = 0; at < n; at += 200) {
        const std::size_t size = std::min<std::size_t>(200, n - at);
        packet next = from.take(20);
        copy_bytes(next.put(static_cast<u32>(size)), content.data() + at, size);
        if (whole) {
            CHECK(whole.append(std::move(next)));
        } else {
            whole = std::move(next);
        }
    }
    return whole;
}

TEST_CASE("shared bytes can be read, and written only through writable()") {
    packet p;
    static_assert(std::same_as<decltype(p.data()), const std::byte*>);
    static_assert(std::same_as<decltype(p.head()), const_bytes>);
    static_assert(std::same_as<decltype(p.metadata()), const metadata&>);
    static_assert(std::same_as<decltype(p.writable()), std::byte*>);
    fixed_pool<64, 1>::packet_type alone;
    static_assert(std::same_as<decltype(alone.data()), std::byte*>);
    static_assert(std::same_as<decltype(alone.metadata()), metadata&>);
}

TEST_CASE("two handles put, and each has its own bytes behind those of both") {
    pool source;
    packet a = filled(source, 10);
    packet b = a.clone();
    fill_bytes(a.put(4), 4, std::byte{1});
    fill_bytes(b.put(4), 4, std::byte{2});
    CHECK((content_of(a) == joined(pattern(10), byte_vector(4, std::byte{1}))));
    CHECK((content_of(b) == joined(pattern(10), byte_vector(4, std::byte{2}))));
}

TEST_CASE("two handles push, and each has its own bytes in front of those of both") {
    pool source;
    packet a = filled(source, 10);
    packet b = a.clone();
    fill_bytes(a.push(4), 4, std::byte{1});
    fill_bytes(b.push(4), 4, std::byte{2});
    CHECK((content_of(a) == joined(byte_vector(4, std::byte{1}), pattern(10))));
    CHECK((content_of(b) == joined(byte_vector(4, std::byte{2}), pattern(10))));
}

TEST_CASE("shared headroom and tailroom are not used when no copy can be made") {
    fixed_pool<256, 1, shared> source;
    auto a = source.take(40);
    fill_bytes(a.put(10), 10, std::byte{5});
    auto b = a.clone();
    CHECK(b.put(1) == nullptr);
    CHECK(b.push(1) == nullptr);
    CHECK_FALSE(b.unshare());
    CHECK(b.size() == 10);
    CHECK(b.pull(4));
    CHECK(b.unpull(4));
    a.reset();
    CHECK(b.push(1) != nullptr);
    CHECK(b.put(1) != nullptr);
    CHECK(b.size() == 12);
}

TEST_CASE("trim of one handle leaves the chain to the other") {
    pool source;
    packet whole = chained(source, 1000);
    packet seen = whole.clone();
    whole.trim(450);
    CHECK(whole.size() == 450);
    CHECK((content_of(whole) == part(pattern(1000), 0, 450)));
    CHECK((content_of(seen) == pattern(1000)));
    whole.trim(30);  // inside the first block
    CHECK(whole.head_size() == 30);
    CHECK((content_of(whole) == part(pattern(1000), 0, 30)));
    CHECK((content_of(seen) == pattern(1000)));
    packet_reader<packet> reader{whole};
    byte_vector read(100, std::byte{0xee});
    reader.copy(read.data(), 100);
    CHECK((read == joined(part(pattern(1000), 0, 30), byte_vector(70, std::byte{0xee}))));
    // Once it has the chain alone, blocks outside its bounds are returned.
    seen.reset();
    CHECK(source.available() == 7);
    REQUIRE(whole.unshare());
    CHECK_FALSE(whole.is_segmented());
    CHECK(source.available() == 11);
    CHECK(whole.tailroom() > 0);
}

TEST_CASE("making bytes contiguous in one handle leaves the chain to the other") {
    pool source;
    packet whole = chained(source, 600);
    packet seen = whole.clone();
    REQUIRE(whole.may_pull(210));
    CHECK(whole.head_size() >= 210);
    CHECK((content_of(whole) == pattern(600)));
    CHECK(seen.head_size() == 200);
    CHECK((content_of(seen) == pattern(600)));
}

TEST_CASE("appending to one handle, or a handle that others have, changes none of them") {
    pool source;
    packet a = filled(source, 30);
    packet b = a.clone();
    packet tail = filled(source, 20);
    packet tail_seen = tail.clone();
    REQUIRE(a.append(std::move(tail)));
    CHECK_FALSE(tail);
    CHECK((content_of(a) == joined(pattern(30), pattern(20))));
    CHECK((content_of(b) == pattern(30)));
    CHECK_FALSE(b.is_segmented());
    // The same packet in two lists.
    packet again = tail_seen.clone();
    REQUIRE(b.append(std::move(again)));
    REQUIRE(b.append(filled(source, 7)));
    CHECK((content_of(a) == joined(pattern(30), pattern(20))));
    CHECK((content_of(b) == joined(joined(pattern(30), pattern(20)), pattern(7))));
    CHECK((content_of(tail_seen) == pattern(20)));
}

TEST_CASE("a packet that cannot be appended stays with the caller") {
    pool source;
    packet a = filled(source, 30);
    packet list = chained(source, 400);
    CHECK_FALSE(a.append(std::move(list)));
    CHECK((content_of(list) == pattern(400)));
    CHECK_FALSE(a.append(std::move(a)));
    CHECK((content_of(a) == pattern(30)));
    packet none;
    CHECK_FALSE(none.append(std::move(a)));
    CHECK((content_of(a) == pattern(30)));
    CHECK(a.append(packet{}));
    CHECK((content_of(a) == pattern(30)));
}

TEST_CASE("segments attached to one handle are not in the other") {
    pool source;
    packet data = filled(source, 50);
    packet a = filled(source, 10);
    packet b = a.clone();
    REQUIRE(a.attach(data, 5, 10));
    CHECK((content_of(a) == joined(pattern(10), part(pattern(50), 5, 15))));
    CHECK((content_of(b) == pattern(10)));
    // Nor are bytes that another packet refers to written by their own.
    REQUIRE(data.is_shared());
    fill_bytes(data.push(2), 2, std::byte{9});
    REQUIRE(data.unshare());
    data.writable()[10] = std::byte{0xaa};
    CHECK((content_of(a) == joined(pattern(10), part(pattern(50), 5, 15))));
}

TEST_CASE("a shared list is not split; a copy of it is as long as it was") {
    pool source;
    packet whole = chained(source, 600);
    packet seen = whole.clone();
    CHECK_FALSE(seen.split_list());
    CHECK((content_of(whole) == pattern(600)));
    REQUIRE(seen.unshare());
    CHECK((content_of(seen) == pattern(600)));
    const packet rest = whole.split_list();
    CHECK((content_of(whole) == part(pattern(600), 0, 200)));
    CHECK((content_of(rest) == part(pattern(600), 200, 600)));
    CHECK((content_of(seen) == pattern(600)));
}

TEST_CASE("metadata written through one handle does not change another handle's") {
    pool source;
    packet a = filled(source, 10);
    packet b = a.clone();
    REQUIRE(b.unshare());
    b.writable_metadata().mark = 7;
    CHECK_FALSE(a.has_metadata());
    CHECK(a.metadata().mark == 0);
    packet c = b.clone();
    REQUIRE(c.unshare());
    c.writable_metadata().mark = 8;
    CHECK(b.metadata().mark == 7);
    CHECK(c.metadata().mark == 8);
}

TEST_CASE("a packet larger than a block is copied into several blocks, or not at all") {
    pool source;
    packet whole = chained(source, 1000);
    whole.set_interface(5);
    whole.set_addressing(link_addressing::multicast);
    whole.writable_metadata().segment_size = 3;
    REQUIRE(source.available() == 7);
    CHECK_FALSE(whole.copy());
    packet seen = whole.clone();
    REQUIRE(seen.unshare());
    CHECK_FALSE(seen.is_shared());
    CHECK_FALSE(whole.is_shared());
    CHECK((content_of(seen) == pattern(1000)));
    CHECK(seen.headroom() == whole.headroom());
    CHECK(seen.interface() == 5);
    CHECK(seen.addressing() == link_addressing::multicast);
    CHECK(seen.metadata().segment_size == 3);
    packet third = whole.clone();
    CHECK_FALSE(third.unshare());  // too few blocks are left
    CHECK((content_of(third) == pattern(1000)));
    seen.reset();
    CHECK(third.unshare());
}

TEST_CASE("a packet in several blocks has a clone where each block has one handle, too") {
    auto source = std::make_unique<fixed_pool<256, 6>>();
    auto whole = source->take(0);
    const byte_vector content = pattern(500);
    const u32 room = whole.tailroom();
    copy_bytes(whole.put(room), content.data(), room);
    auto more = source->take(0);
    copy_bytes(more.put(500 - room), content.data() + room, 500 - room);
    REQUIRE(whole.append(std::move(more)));
    auto other = whole.clone();
    REQUIRE(other);
    CHECK((content_of(other) == content));
    whole.reset();
    CHECK((content_of(other) == content));
}

// -- any operations, in any order --

struct held_packet {
    packet handle;
    byte_vector bytes;   // the bytes to read
    byte_vector pulled;  // the bytes that unpull() restores, the nearest last
    u32 mark = 0;
};

struct model {
    static constexpr std::size_t hands = 8;
    static constexpr unsigned operations = 13;

    pool source;
    keyed_random random{hash_key{11, 12}};
    held_packet held[hands];
    u32 differences = 0;
    u32 done[operations]{};

    void note(bool same) { differences += same ? 0U : 1U; }
    byte_vector fill(std::byte* at, u32 n) {
        byte_vector made(n);
        for (u32 i = 0; i < n; ++i) {
            made[i] = at[i] = static_cast<std::byte>(random.next());
        }
        return made;
    }
    // A copy does not have the bytes pulled off before.
    void forget_pulled(held_packet& h, const packet::block* before) {
        if (before != &h.handle.storage_block()) {
            h.pulled.clear();
        }
    }

    bool push(held_packet& h) {
        const u32 n = random.below(12);
        std::byte* const at = h.handle.push(n);
        if (at == nullptr) {
            return false;
        }
        h.bytes = joined(fill(at, n), h.bytes);
        h.pulled.resize(h.pulled.size() - std::min<std::size_t>(n, h.pulled.size()));
        return true;
    }
    bool put(held_packet& h) {
        const u32 n = random.below(60);
        std::byte* const at = h.handle.put(n);
        if (at == nullptr) {
            return false;
        }
        h.bytes = joined(h.bytes, fill(at, n));
        return true;
    }
    bool pull(held_packet& h) {
        const u32 n = random.below(20);
        const bool there = n <= h.handle.head_size();
        note(h.handle.pull(n) == there);
        if (there) {
            h.pulled = joined(h.pulled, part(h.bytes, 0, n));
            h.bytes = part(h.bytes, n, h.bytes.size());
        }
        return there;
    }
    bool unpull(held_packet& h) {
        const u32 n = random.below(static_cast<u32>(h.pulled.size()) + 1);
        note(h.handle.unpull(n));
        const std::size_t stay = h.pulled.size() - n;
        h.bytes = joined(part(h.pulled, stay, h.pulled.size()), h.bytes);
        h.pulled.resize(stay);
        return n != 0;
    }
    bool trim(held_packet& h) {
        const u32 n = random.below(static_cast<u32>(h.bytes.size()) + 10);
        h.handle.trim(n);
        const bool less = n < h.bytes.size();
        h.bytes.resize(std::min<std::size_t>(n, h.bytes.size()));
        return less;
    }
    bool may_pull(held_packet& h) {
        const u32 n = random.below(240);
        const bool got = h.handle.may_pull(n);
        note(!got || (n <= h.handle.head_size() && n <= h.bytes.size()));
        return got;
    }
    bool append(held_packet& h, held_packet& tail) {
        if (&h == &tail || h.bytes.size() + tail.bytes.size() > 1500 ||
            !h.handle.append(std::move(tail.handle))) {
            return false;
        }
        note(!tail.handle);
        h.bytes = joined(h.bytes, tail.bytes);
        tail = {};
        return true;
    }
    bool split(held_packet& h, held_packet& into) {
        if (&h == &into) {
            return false;
        }
        packet rest = h.handle.split_list();
        if (!rest) {
            return false;
        }
        const std::size_t head = h.handle.size();
        into = {std::move(rest), part(h.bytes, head, h.bytes.size()), {}, 0};
        h.bytes.resize(head);
        return true;
    }
    bool attach(held_packet& h, held_packet& of) {
        const u32 at = random.below(static_cast<u32>(of.bytes.size()) + 1);
        const u32 n = random.below(40);
        if (!h.handle.attach(of.handle, at, n)) {
            return false;
        }
        h.bytes = joined(h.bytes, part(of.bytes, at, at + n));
        return true;
    }
    bool clone(const held_packet& h, held_packet& into) {
        if (&h == &into) {
            return false;
        }
        const bool counted = random.below(3) != 0;
        packet other = counted ? h.handle.clone() : h.handle.copy();
        if (!other) {
            return false;
        }
        into = {std::move(other), h.bytes, counted ? h.pulled : byte_vector{}, h.mark};
        return true;
    }
    bool write(held_packet& h) {
        const u32 head = h.handle.head_size();
        if (head == 0 || !h.handle.unshare()) {
            return false;
        }
        const u32 at = random.below(head);
        h.bytes[at] = h.handle.writable()[at] = static_cast<std::byte>(random.next());
        return true;
    }
    bool mark(held_packet& h) {
        if (!h.handle.unshare()) {
            return false;
        }
        h.mark = h.handle.writable_metadata().mark = random.below(1000);
        return true;
    }

    bool act(unsigned what, held_packet& h, held_packet& other) {
        switch (what) {
        case 0:
            return push(h);
        case 1:
            return put(h);
        case 2:
            return pull(h);
        case 3:
            return unpull(h);
        case 4:
            return trim(h);
        case 5:
            return may_pull(h);
        case 6:
            return other.handle && append(h, other);
        case 7:
            return split(h, other);
        case 8:
            return attach(h, other);
        case 9:
        case 10:
            return clone(h, other);
        case 11:
            return write(h);
        default:
            return mark(h);
        }
    }
    void step() {
        auto& h = held[random.below(hands)];
        auto& other = held[random.below(hands)];
        if (!h.handle || random.below(30) == 0) {
            h = {source.take(static_cast<u16>(random.below(60))), {}, {}, 0};
            return;
        }
        const auto what = random.below(operations);
        const packet::block* const block = &h.handle.storage_block();
        done[what] += act(what, h, other) ? 1U : 0U;
        forget_pulled(h, block);
    }
    void check(const held_packet& h) {
        note(h.handle.size() == h.bytes.size());
        note(content_of(h.handle) == h.bytes);
        note(h.handle.metadata().mark == h.mark);
        byte_vector read(h.bytes.size() + 1, std::byte{0x77});
        packet_reader<packet>{h.handle}.copy(read.data(), static_cast<u32>(read.size()));
        note(read == joined(h.bytes, byte_vector(1, std::byte{0x77})));
    }
};

TEST_CASE("every handle reads its own bytes whatever other handles of the same blocks do") {
    const auto table = std::make_unique<model>();
    for (int i = 0; i < 60'000 && table->differences == 0; ++i) {
        table->step();
        for (const auto& h : table->held) {
            table->check(h);
        }
    }
    CHECK(table->differences == 0);
    for (unsigned i = 0; i < model::operations; ++i) {
        CAPTURE(i);
        CHECK(table->done[i] > 100);
    }
    for (auto& h : table->held) {
        h = {};
    }
    CHECK(table->source.available() == 12);
}

}  // namespace

}  // namespace packet_shared_handles
