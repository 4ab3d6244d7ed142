// fragment of lists whose packets do not fit: the fragments refer to their bytes, wherever they
// lie, and copy them only where they lie in too many parts or where the list is shared.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>

#include "unit/rewrite/pieces.hpp"

#include <algorithm>
#include <random>

namespace rewrite_fragment_parts {

namespace {

using namespace rewrite_test;
using support::datagram_of;
using support::list;

constexpr std::size_t blocks = 400;
using pool_type = fixed_pool<2048, blocks, shared>;
using packet = pool_type::packet_type;

// The fragments stay until the caller frees them, as in the queue of an output.
struct kept {
    std::vector<packet> all;
    bool operator()(packet&& piece) {
        all.push_back(std::move(piece));
        return true;
    }
};

std::vector<u32> sizes_of(std::size_t n, u32 each, u32 last) {
    std::vector<u32> all(n, each);
    all.push_back(last);
    return all;
}
std::size_t sum_of(const std::vector<u32>& sizes) {
    std::size_t total = 0;
    for (const u32 n : sizes)
        total += n;
    return total;
}

const byte_vector record = list({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0});
byte_vector later_of_record() {
    byte_vector later(12, std::byte{1});
    later[11] = std::byte{0};
    return later;
}

struct row {
    const char* name;
    std::vector<u32> sizes;
    u32 mtu;
    u16 word = 0;
    byte_vector options = {};
    u32 copied = 0;  // fragments
};
const row rows[] = {
    {.name = "as from a link with a larger MTU", .sizes = sizes_of(5, 1480, 311), .mtu = 576},
    {.name = "the last one is too long", .sizes = {80, 80, 1481}, .mtu = 1500},
    {.name = "the first one is too long", .sizes = {1488, 80, 5}, .mtu = 1500},
    {.name = "no multiple of 8", .sizes = {81, 83, 900}, .mtu = 200},
    {.name = "with options", .sizes = {1464, 1464, 40}, .mtu = 576, .options = record},
    {.name = "a fragment with MF", .sizes = {800, 808, 8}, .mtu = 400, .word = 0x2007},
    {.name = "four parts in a fragment", .sizes = sizes_of(8, 48, 900), .mtu = 212},
    {.name = "five parts in a fragment", .sizes = sizes_of(10, 48, 900), .mtu = 260, .copied = 2},
    {.name = "single octets", .sizes = sizes_of(64, 1, 900), .mtu = 68, .copied = 2},
    {.name = "the smallest MTU", .sizes = sizes_of(3, 1480, 1), .mtu = 68},
};

TEST_CASE("fragment: a list that does not fit is cut by reference") {
    pool_type pool;
    std::mt19937 random{1};
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        const byte_vector whole = datagram_of({.flags_and_offset = r.word,
                                               .options = r.options,
                                               .payload = support::pattern(sum_of(r.sizes))});
        kept pieces;
        CHECK(rewrite::fragment<true>(list_of(pool, whole, r.sizes), r.mtu, pool, pieces).complete);
        u32 copied = 0;
        for (const packet& p : pieces.all)
            copied += p.is_segmented() ? 0u : 1u;
        CHECK(copied == r.copied);
        CHECK(pool.available() < blocks);

        piece_audit audit{whole, r.mtu};
        if (!r.options.empty()) audit.expect_options(later_of_record());
        for (packet& p : pieces.all)
            audit(p.clone());
        CHECK(audit.complete());
        CHECK(doctest::String{audit.first_fault() != nullptr ? audit.first_fault() : "none"} ==
              "none");

        std::shuffle(pieces.all.begin(), pieces.all.end(), random);
        pieces.all.clear();
        CHECK(pool.available() == blocks);
    }
}

TEST_CASE("fragment: an edit of one fragment leaves those that refer to the same block alone") {
    pool_type pool;
    const byte_vector whole = datagram_of({.payload = support::pattern(2960)});
    kept pieces;
    CHECK(rewrite::fragment<true>(list_of(pool, whole, {1480, 1480}), 576, pool, pieces).complete);
    REQUIRE(pieces.all.size() == 6);
    CHECK(pieces.all[1].may_pull(pieces.all[1].size()));
    fill_bytes(pieces.all[1].writable() + 20, 552, std::byte{0});
    piece_audit audit{whole, 576};
    audit(pieces.all[0].clone());
    CHECK(audit.first_fault() == nullptr);
    const byte_vector third = content_of(pieces.all[2]);
    CHECK(equal_bytes(const_bytes{third}.subspan(20), const_bytes{whole}.subspan(20 + 1104, 552)));
}

TEST_CASE("fragment: a list that ends in the middle, by a sink or for lack of buffers") {
    const byte_vector whole = datagram_of({.payload = support::pattern(2960)});
    for (u32 n = 1; n <= 6; ++n) {
        CAPTURE(n);
        pool_type pool;
        u32 seen = 0;
        const auto r = rewrite::fragment<true>(list_of(pool, whole, {1480, 1480}), 576, pool,
                                               [&](packet&&) { return ++seen != n; });
        CHECK_FALSE(r.complete);
        CHECK(r.created == n - 1);
        CHECK(pool.available() == blocks);
    }
    for (std::size_t free = 0; free < 6; ++free) {
        CAPTURE(free);
        pool_type pool;
        auto packet_to_cut = list_of(pool, whole, {1480, 1480});
        std::vector<packet> others;
        while (pool.available() > free)
            others.push_back(pool.take());
        kept pieces;
        const auto r = rewrite::fragment<true>(std::move(packet_to_cut), 576, pool, pieces);
        CHECK_FALSE(r.complete);
        CHECK(r.created == free);
        pieces.all.clear();
        others.clear();
        CHECK(pool.available() == blocks);
    }
}

TEST_CASE("fragment: a shared list, and one with segments, are copied") {
    pool_type pool;
    const byte_vector whole = datagram_of({.payload = support::pattern(2960)});
    {
        auto packet_to_cut = list_of(pool, whole, {1480, 1480});
        packet other = packet_to_cut.clone();
        kept pieces;
        CHECK(rewrite::fragment<true>(std::move(packet_to_cut), 576, pool, pieces).complete);
        for (const packet& p : pieces.all)
            CHECK_FALSE(p.is_segmented());
        other.trim(1000);
        CHECK(equal_bytes(content_of(other), const_bytes{whole}.first(1000)));
    }
    {
        packet bytes_of = pool.take();
        copy_bytes(bytes_of.put(1480), whole.data() + 1500, 1480);
        packet tail = pool.take();
        CHECK(tail.attach(bytes_of, 0, 1480));
        packet packet_to_cut = list_of(pool, whole, {1480});
        CHECK(packet_to_cut.append(std::move(tail)));
        kept pieces;
        CHECK(rewrite::fragment<true>(std::move(packet_to_cut), 576, pool, pieces).complete);
        piece_audit audit{whole, 576};
        for (packet& p : pieces.all) {
            CHECK_FALSE(p.is_segmented());
            audit(std::move(p));
        }
        CHECK(audit.complete());
        CHECK(audit.first_fault() == nullptr);
    }
    CHECK(pool.available() == blocks);
}

TEST_CASE("fragment: a list that was trimmed while it was shared is cut up to its end") {
    pool_type pool;
    const byte_vector whole = datagram_of({.payload = support::pattern(2960)});
    for (const u32 end : {700u, 1500u, 1501u, 2000u, 2979u}) {
        CAPTURE(end);
        packet packet_to_cut = list_of(pool, whole, {1480, 1480});
        packet other = packet_to_cut.clone();
        packet_to_cut.trim(end);
        other.reset();
        kept pieces;
        CHECK(rewrite::fragment<true>(std::move(packet_to_cut), 576, pool, pieces).complete);
        byte_vector data;
        for (const packet& p : pieces.all) {
            const byte_vector one = content_of(p);
            CHECK(one.size() <= 576);
            data.insert(data.end(), one.begin() + 20, one.end());
        }
        CHECK(equal_bytes(data, const_bytes{whole}.subspan(20, end - 20)));
        pieces.all.clear();
        CHECK(pool.available() == blocks);
    }
}

TEST_CASE("fragment: each fragment of a list that does not fit has its metadata") {
    pool_type pool;
    packet whole = list_of(pool, datagram_of({.payload = support::pattern(2960)}), {1480, 1480});
    whole.set_interface(5);
    whole.set_addressing(link_addressing::broadcast);
    whole.writable_metadata().mark = 7;
    kept pieces;
    CHECK(rewrite::fragment<true>(std::move(whole), 576, pool, pieces).complete);
    CHECK(pieces.all.size() == 6);
    for (const packet& p : pieces.all) {
        CHECK(p.interface() == 5);
        CHECK(p.addressing() == link_addressing::broadcast);
        CHECK(p.metadata().mark == 7);
    }
}

}  // namespace

}  // namespace rewrite_fragment_parts
