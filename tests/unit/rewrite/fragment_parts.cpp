// fragment of lists whose packets do not fit, and of packets with segments: the fragments refer to
// their bytes, wherever they lie, and copy them only where they lie in too many parts or where the
// chain is shared.
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
using support::packet_of;

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

u32 below(std::mt19937& random, u32 n) {
    return static_cast<u32>(random()) % n;
}
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

TEST_CASE("fragment: a fragment that refers is shared, trimmed and continued as any packet") {
    pool_type pool;
    const byte_vector whole = datagram_of({.payload = support::pattern(2960)});
    kept pieces;
    CHECK(rewrite::fragment<true>(list_of(pool, whole, {1480, 1480}), 576, pool, pieces).complete);
    packet& third = pieces.all[2];  // 376 octets of the first block, 176 of the second
    byte_vector expected = content_of(third);
    for (const std::size_t end : {500U, 300U}) {
        packet other = third.clone();
        third.trim(static_cast<u32>(end));
        other.reset();
        CHECK(third.unshare());
        packet tail = pool.take();
        CHECK(tail.append(const_bytes{whole}.first(7)));
        CHECK(third.append_list(std::move(tail)));
        expected.resize(end);
        expected.insert(expected.end(), whole.begin(), whole.begin() + 7);
        CHECK((content_of(third) == expected));
    }
    CHECK(third.may_pull(third.size()));
    CHECK((content_of(third) == expected));
    pieces.all.clear();
    CHECK(pool.available() == blocks);
}

TEST_CASE("fragment: a header without data makes no fragment") {
    pool_type pool;
    const byte_vector header = datagram_of({.payload = support::pattern(0)});
    CHECK(header.size() == 20);
    const auto none = [](packet&&) { return false; };
    CHECK(rewrite::fragment<true>(packet_of(pool, header), 576, pool, none).complete);
    CHECK(rewrite::fragment<false>(packet_of(pool, header), 576, pool, none).complete);
    CHECK(pool.available() == blocks);
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

TEST_CASE("fragment: a shared list is copied") {
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
    CHECK(pool.available() == blocks);
}

// A packet of the octets, in a list of packets with up to four segments each, some without octets
// of their own; other packets share some of the segments' blocks.
struct chain {
    packet whole;
    std::vector<packet> others;

    chain(pool_type& pool, const byte_vector& octets, std::mt19937& random) {
        for (std::size_t done = 0; done < octets.size();) {
            const auto next = [&](u32 most) {
                const std::size_t n =
                    std::min<std::size_t>(octets.size() - done, below(random, most));
                done += n;
                return const_bytes{octets}.subspan(done - n, n);
            };
            packet part = pool.take();
            CHECK(part.append(done == 0 ? const_bytes{octets}.first(done = 60) : next(300)));
            for (u32 i = below(random, max_segments + 1); i > 0; --i) {
                const const_bytes in = next(400);
                packet of = pool.take(0);
                CHECK(of.append(in));
                CHECK(part.attach(of, 0, of.size()));
                if (below(random, 2) == 0) others.push_back(std::move(of));
            }
            if (!whole) {
                whole = std::move(part);
            } else {
                CHECK(whole.append(std::move(part)));
            }
        }
    }
};

std::vector<const std::byte*> places_of(const packet& p, std::size_t skip) {
    std::vector<const std::byte*> all;
    p.for_each_piece([&](const_bytes piece) {
        for (const std::byte& b : piece) {
            if (skip > 0) {
                --skip;
            } else {
                all.push_back(&b);
            }
        }
    });
    return all;
}

TEST_CASE("fragment: chains of lists and segments are cut where they lie") {
    pool_type pool;
    std::mt19937 random{3};
    u32 referring = 0;
    u32 copied = 0;
    for (u32 round = 0; round < 400; ++round) {
        CAPTURE(round);
        const bool has_options = below(random, 2) == 0;
        const byte_vector octets =
            datagram_of({.options = has_options ? record : byte_vector{},
                         .payload = support::pattern(1000 + below(random, 4000))});
        const u32 header = has_options ? 32 : 20;
        const u32 mtu = 68 + below(random, 900);
        chain of{pool, octets, random};
        of.whole.writable_metadata().mark = round;
        const auto places = places_of(of.whole, header);
        const bool at_once = below(random, 2) == 0;
        piece_audit audit{octets, mtu};
        if (has_options) audit.expect_options(later_of_record());
        std::vector<packet> waiting;
        std::size_t seen = 0;
        std::size_t moved = 0;
        u32 marked = 0;
        const auto r = rewrite::fragment<true>(std::move(of.whole), mtu, pool, [&](packet&& piece) {
            marked += std::as_const(piece).metadata().mark == round ? 1u : 0u;
            const auto now = places_of(piece, header);
            if (piece.is_segmented()) {
                for (std::size_t i = 0; i < now.size(); ++i)
                    moved += now[i] == places[seen + i] ? 0u : 1u;
                ++referring;
            } else {
                ++copied;
            }
            seen += now.size();
            audit(piece.clone());
            if (!at_once) waiting.push_back(std::move(piece));
            piece.reset();
            return true;
        });
        CHECK(r.complete);
        CHECK(audit.complete());
        CHECK(doctest::String{audit.first_fault() != nullptr ? audit.first_fault() : "none"} ==
              "none");
        CHECK(seen == places.size());
        CHECK(moved == 0);
        CHECK(marked == r.created);
        std::shuffle(waiting.begin(), waiting.end(), random);
        waiting.clear();
        of.others.clear();
        CHECK(pool.available() == blocks);
    }
    CHECK(referring > 4000);
    CHECK(copied > 100);
}

TEST_CASE("fragment: a chain that ends anywhere, by a sink or for lack of buffers, is returned") {
    pool_type pool;
    std::mt19937 random{4};
    const byte_vector octets = datagram_of({.payload = support::pattern(3000)});
    u32 incomplete = 0;
    for (u32 round = 0; round < 400; ++round) {
        CAPTURE(round);
        const u32 mtu = 68 + below(random, 500);
        const u32 pieces = (3000 - 1) / ((mtu - 20) / 8 * 8) + 1;
        const u32 most = below(random, pieces);
        const bool by_sink = round % 2 == 0;
        chain of{pool, octets, random};
        std::vector<packet> blockers;
        while (!by_sink && pool.available() > most)
            blockers.push_back(pool.take());
        kept taken;
        const auto r = rewrite::fragment<true>(std::move(of.whole), mtu, pool, [&](packet&& piece) {
            return !(by_sink && taken.all.size() == most) && taken(std::move(piece));
        });
        // Packets of the list that have no octets of their own are free for fragments early.
        CHECK((!by_sink || (!r.complete && r.created == most)));
        CHECK(r.created == taken.all.size());
        CHECK(r.complete == (r.created == pieces));
        incomplete += r.complete ? 0u : 1u;
        taken.all.clear();
        blockers.clear();
        of.others.clear();
        CHECK(pool.available() == blocks);
    }
    CHECK(incomplete > 300);
}

TEST_CASE("fragment: buffers of two pools return each to its own") {
    pool_type ours;
    pool_type theirs;
    const byte_vector whole = datagram_of({.payload = support::pattern(2960)});
    kept pieces;
    CHECK(
        rewrite::fragment<true>(list_of(theirs, whole, {1480, 1480}), 576, ours, pieces).complete);
    CHECK(ours.available() == blocks - 6);
    CHECK(theirs.available() == blocks - 2);
    pieces.all.clear();
    CHECK(ours.available() == blocks);
    CHECK(theirs.available() == blocks);
    std::vector<packet> all;
    for (std::size_t i = 0; i < blocks; ++i)
        all.push_back(theirs.take());
    CHECK(
        std::all_of(all.begin(), all.end(), [](const packet& p) { return static_cast<bool>(p); }));
    CHECK_FALSE(theirs.take());
    CHECK(ours.available() == blocks);
}

TEST_CASE("fragment: a list that was trimmed while it was shared is cut up to its end") {
    pool_type pool;
    const byte_vector whole = datagram_of({.payload = support::pattern(2960)});
    for (const u32 mtu : {576u, 1500u}) {
        CAPTURE(mtu);
        for (const u32 end : {700u, 1500u, 1501u, 2000u, 2979u}) {
            CAPTURE(end);
            packet packet_to_cut = list_of(pool, whole, {1480, 1480});
            packet other = packet_to_cut.clone();
            packet_to_cut.trim(end);
            other.reset();
            kept pieces;
            CHECK(rewrite::fragment<true>(std::move(packet_to_cut), mtu, pool, pieces).complete);
            byte_vector data;
            for (const packet& p : pieces.all) {
                const byte_vector one = content_of(p);
                CHECK(one.size() <= mtu);
                data.insert(data.end(), one.begin() + 20, one.end());
            }
            CHECK(equal_bytes(data, const_bytes{whole}.subspan(20, end - 20)));
            pieces.all.clear();
            CHECK(pool.available() == blocks);
        }
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
