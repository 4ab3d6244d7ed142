// The cost of a fragment does not grow with the number of fragments: pieces and words of maps that
// are read are counted.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>

namespace reassembly_many_pieces {
using namespace reassembly_test;

namespace {

constexpr u32 most = 8191;  // of 8 bytes each

struct counting {
    static inline u32 count = 0;
    static void read() { ++count; }
};

// The most that the insertion of a piece reads that overlaps none.
template <class Rule>
constexpr u32 most_reads = refuses_overlaps<Rule> ? 1 : 16;

// A set, its memory, and the most that one insertion read.
template <class Rule, std::size_t Bytes = 64, std::size_t Count = most + 1>
struct subject {
    using pool_type = fixed_pool<Bytes, Count>;
    using packet = pool_type::packet_type;
    using set_type = detail::piece_set<packet, Rule, counting>;
    using piece = typename set_type::piece_type;
    using map = typename set_type::map_type;

    std::unique_ptr<pool_type> buffers = std::make_unique<pool_type>();
    std::vector<piece> pieces = std::vector<piece>(most + 1);
    std::vector<map> maps = std::vector<map>(detail::map_pool<map>::maps_for(most + 1));
    typename set_type::pool free{{pieces.data(), most + 1},
                                 {maps.data(), static_cast<u32>(maps.size())}};
    set_type set;
    u32 most_read = 0;

    detail::insertion insert(u32 start, u32 end) {
        packet p = buffers->take(0);
        std::byte* const data = p.put(end - start);
        REQUIRE(data != nullptr);
        std::fill_n(data, end - start, std::byte{0});  // as of a header of no bytes
        counting::count = 0;
        const detail::fragment_place at{.start = start, .end = end};
        const auto result = set.insert(p, at, free);
        most_read = std::max(most_read, counting::count);
        return result;
    }
    // Whether the pieces are in order and are 0 .. end - 1.
    bool drains_whole(u32 end) {
        u32 at = 0;
        bool in_order = true;
        set.drain(free, [&](piece& p) {
            in_order = in_order && p.start == at;
            at = p.end;
        });
        return in_order && at == end && buffers->available() == Count;
    }
};

std::vector<u32> places(const char* order) {
    std::vector<u32> all(most);
    for (u32 i = 0; i < most; ++i) {
        all[i] = 8 * i;
    }
    std::mt19937 random{7};
    switch (order[0]) {
    case 'r':
        std::reverse(all.begin(), all.end());
        break;
    case 's':
        std::shuffle(all.begin(), all.end(), random);
        break;
    case 'e':  // every other one, then those between
        for (u32 i = 0; i < most; ++i) {
            all[i] = 16 * i < 8 * most ? 16 * i : 16 * (i - (most + 1) / 2) + 8;
        }
        break;
    default:
        break;
    }
    return all;
}

}  // namespace

TEST_CASE_TEMPLATE("8,191 pieces in any order: at most 16 reads for one, or a single one", Rule,
                   overlap::reject_datagram, overlap::reject_fragment, overlap::keep_first,
                   overlap::keep_last) {
    for (const char* order : {"in order", "reversed", "shuffled", "every other"}) {
        CAPTURE(order);
        subject<Rule> s;
        for (const u32 at : places(order)) {
            REQUIRE(s.insert(at, at + 8) == detail::insertion::taken);
        }
        CHECK(s.set.count() == most);
        CHECK(s.most_read <= most_reads<Rule>);
        CHECK(s.drains_whole(8 * most));
    }
}

TEST_CASE("pieces that come again, or overlap, cost no more") {
    subject<overlap::reject_datagram> s;
    for (const u32 at : places("reversed")) {
        REQUIRE(s.insert(at, at + 8) == detail::insertion::taken);
    }
    s.most_read = 0;
    for (const u32 at : places("shuffled")) {
        REQUIRE(s.insert(at, at + 8) == detail::insertion::ignored);
        REQUIRE(s.insert(at, at + 4) == detail::insertion::ignored);
        REQUIRE(s.insert(at, at + 16) == (detail::insertion::drop_datagram));
    }
    CHECK(s.most_read <= 8);
    CHECK(s.drains_whole(8 * most));
}

// Runs that grew are found by any of their bytes, as the last one and when another one is.
TEST_CASE("parts of long runs come again among 40: few reads for each") {
    subject<overlap::reject_fragment> s;
    constexpr u32 size = 16'384;
    constexpr u32 runs[] = {0, 16'392, 40'000};
    for (const u32 from : runs) {
        for (u32 at = from; at < from + size; at += 8) {
            REQUIRE(s.insert(at, at + 8) == detail::insertion::taken);
        }
        REQUIRE(s.insert(from, from + 8) == detail::insertion::duplicate);
    }
    for (u32 at = 60'000; at < 60'640; at += 16) {
        REQUIRE(s.insert(at, at + 8) == detail::insertion::taken);
    }
    s.most_read = 0;
    for (const u32 from : runs) {
        for (u32 at = from; at < from + size; at += 8) {
            REQUIRE(s.insert(at, at + 8) == detail::insertion::duplicate);
        }
        const u32 end = from + size;
        REQUIRE(s.insert(end - 8, end + 8) == detail::insertion::drop_fragment);
    }
    CHECK(s.most_read <= 8);
}

// A fragment that replaces all others gives back the map and their memory.
TEST_CASE("pieces that are replaced, again and again") {
    subject<overlap::keep_last, 2048, 64> s;
    for (u32 round = 0; round < 40; ++round) {
        for (u32 i = 0; i < 40; ++i) {
            REQUIRE(s.insert(1600 - 40 * i, 1600 - 40 * i + 8) == detail::insertion::taken);
        }
        CHECK(s.set.count() == 40);
        REQUIRE(s.insert(0, 2000) == detail::insertion::taken);
        CHECK(s.set.count() == 1);
        CHECK(s.drains_whole(2000));
    }
}

TEST_CASE_TEMPLATE("drained again and again: all pieces and maps come back", Rule,
                   overlap::reject_datagram, overlap::keep_first) {
    subject<Rule> s;
    for (u32 round = 0; round < 1000; ++round) {
        const u32 count = round % 3 == 0 ? 2 : round % 3 == 1 ? 5 : 40;
        for (u32 i = count; i-- > 0;) {
            REQUIRE(s.insert(8 * i, 8 * i + 8) == detail::insertion::taken);
        }
        REQUIRE(s.drains_whole(8 * count));
        REQUIRE_FALSE(s.free.pieces.empty());
    }
}

TEST_CASE_TEMPLATE("cuts and replacements in a datagram with a map: the bytes of a plain model",
                   Rule, overlap::keep_first, overlap::keep_last) {
    std::mt19937 random{11};
    for (u32 round = 0; round < 30; ++round) {
        subject<Rule, 512, 600> s;
        std::vector<bool> covered(4096);
        for (u32 i = 0; i < 300; ++i) {
            const u32 start = 8 * (static_cast<u32>(random()) % 440);
            const u32 length = 8 * (1 + static_cast<u32>(random()) % (i % 7 == 0 ? 60 : 3));
            static_cast<void>(s.insert(start, start + length));
            std::fill_n(covered.begin() + start, length, true);
            REQUIRE(s.set.byte_count() ==
                    static_cast<u32>(std::count(covered.begin(), covered.end(), true)));
        }
        u32 last = 0;
        bool right = true;
        s.set.drain(s.free, [&](auto& p) {
            right = right && p.start >= last && p.start < p.end;
            for (u32 at = last; at < p.end; ++at) {
                right = right && covered[at] == (at >= p.start);
            }
            last = p.end;
        });
        CHECK(right);
        CHECK(s.buffers->available() == 600);
    }
}

TEST_CASE("a cut piece moves to the region of its new place") {
    subject<overlap::keep_last, 2048, 64> s;
    for (u32 i = 0; i < 20; ++i) {
        REQUIRE(s.insert(128 * i, 128 * i + 64) == detail::insertion::taken);
    }
    REQUIRE(s.insert(128, 160) == detail::insertion::taken);  // cuts the front of a piece
    REQUIRE(s.insert(2560, 2816) == detail::insertion::taken);
    REQUIRE(s.insert(2552, 2688) == detail::insertion::taken);  // moves one to another region
    REQUIRE(s.insert(2688, 2696) == detail::insertion::taken);
    CHECK(s.set.byte_count() == 20 * 64 + 8 + 256);
    u32 last = 0;
    s.set.drain(s.free, [&last](auto& p) {
        CHECK(p.start >= last);
        last = p.end;
    });
    CHECK(last == 2816);
}

}  // namespace reassembly_many_pieces
