// reassembler: datagrams in memory, fragmented and reassembled; refusals, bounds and time.
#include <doctest/doctest.h>

#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/rewrite/fragment_bytes.hpp>
#include <sluice/rewrite/reassembler.hpp>

#include "support/datagrams.hpp"

#include <algorithm>
#include <memory>
#include <random>

namespace rewrite_reassembler {

namespace {

using namespace support;

constexpr hash_key secret{0x0123456789abcdef, 0xfedcba9876543210};

std::vector<byte_vector> cut(const byte_vector& whole, u32 mtu) {
    std::vector<byte_vector> all;
    static_cast<void>(
        rewrite::fragment(whole, mtu, [&all](const_bytes header, const_bytes payload) {
            all.emplace_back(header.begin(), header.end());
            all.back().insert(all.back().end(), payload.begin(), payload.end());
            return true;
        }));
    return all;
}
bool same(const_bytes found, const byte_vector& expected) {
    return equal_bytes(found, expected);
}

}  // namespace

TEST_CASE("reassembler: cut and made whole, any order, any size") {
    const auto fragments = std::make_unique<rewrite::reassembler<>>(secret);
    std::mt19937 random{5};
    for (const std::size_t size : {9u, 100u, 1480u, 1481u, 5000u, 65515u}) {
        CAPTURE(size);
        const byte_vector whole =
            datagram_of({.identification = static_cast<u16>(size), .payload = pattern(size)});
        auto pieces = cut(whole, size < 2000 ? 28 + static_cast<u32>(size) / 24 * 8 : 1500);
        REQUIRE(pieces.size() > 1);
        std::shuffle(pieces.begin(), pieces.end(), random);
        for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
            const auto held = fragments->add(pieces[i], instant{});
            REQUIRE(held.has_value());
            REQUIRE(held->empty());
        }
        CHECK(fragments->held() == pieces.size() - 1);
        const auto made = fragments->add(pieces.back(), instant{});
        REQUIRE(made.has_value());
        CHECK(same(*made, whole));
        CHECK(fragments->held() == 0);
    }
}

TEST_CASE("reassembler: a whole datagram is returned in place, without padding") {
    rewrite::reassembler<bounded_cache<2, overlap::reject_datagram, 4>, 64> fragments{secret};
    byte_vector padded = datagram_of({.payload = pattern(2000)});  // more than a fragment may have
    const std::size_t size = padded.size();
    padded.resize(size + 6);
    const auto found = fragments.add(padded, instant{});
    REQUIRE(found.has_value());
    CHECK(found->data() == padded.data());
    CHECK(found->size() == size);
}

TEST_CASE("reassembler: why a fragment was refused") {
    rewrite::reassembler<bounded_cache<2, overlap::reject_datagram, 4>, 64> fragments{secret};
    const auto add = [&fragments](u16 id, u16 word, std::size_t size) {
        return fragments
            .add(datagram_of(
                     {.identification = id, .flags_and_offset = word, .payload = pattern(size)}),
                 instant{})
            .error();
    };
    CHECK(add(1, 0x2000, 16) == drop_reason::none);
    CHECK(add(1, 0x2000, 16) == drop_reason::fragment_duplicate);
    CHECK(add(1, 0x2001, 16) == drop_reason::fragment_overlap);
    CHECK(fragments.held() == 0);
    CHECK(add(1, 0x2000, 0) == drop_reason::fragment_invalid);
    CHECK(add(1, 0x2000, 400) == drop_reason::fragment_limit);  // more than FragmentBytes
    byte_vector broken = datagram_of({.flags_and_offset = 0x2000});
    broken[11] ^= std::byte{1};
    CHECK(fragments.add(broken, instant{}).error() == drop_reason::header_checksum);
    CHECK(fragments.held() == 0);
}

TEST_CASE("reassembler: memory is bounded, and expiry frees it") {
    rewrite::reassembler<bounded_cache<2, overlap::reject_datagram, 8>, 64> fragments{secret};
    const auto add = [&fragments](u16 unit, instant now) {
        return fragments
            .add(datagram_of({.flags_and_offset = static_cast<u16>(0x2000 | (2 * unit)),
                              .payload = pattern(8)}),
                 now)
            .error();
    };
    for (u16 unit = 0; unit < 8; ++unit) {
        CHECK(add(unit, instant{} + 1_s) == drop_reason::none);
    }
    CHECK(fragments.held() == 8);
    CHECK(fragments.next_deadline() == instant{} + 31_s);
    CHECK(add(8, instant{} + 30_s) == drop_reason::fragment_limit);
    CHECK(add(8, instant{} + 31_s) == drop_reason::none);
    CHECK(fragments.held() == 1);
}

TEST_CASE("reassembler: the policy is the user's") {
    struct lower_offset_wins {
        static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
            return held.start <= incoming.start ? overlap_answer::keep_held
                                                : overlap_answer::keep_incoming;
        }
    };
    rewrite::reassembler<bounded_cache<2, lower_offset_wins, 8>, 64> fragments{secret};
    const auto add = [&fragments](u16 word, int value) {
        return fragments.add(
            datagram_of({.flags_and_offset = word, .payload = byte_vector(16, std::byte(value))}),
            instant{});
    };
    static_cast<void>(add(0x2002, 2));
    static_cast<void>(add(0x2001, 1));  // its upper half is lower than that of the held one
    const auto made = add(0x0003, 3);
    CHECK(made->empty());
    const auto whole = add(0x2000, 0);
    REQUIRE(whole.has_value());
    const byte_vector expected = [] {
        byte_vector all(16, std::byte{0});
        for (const int v : {1, 2, 3}) {
            all.insert(all.end(), 8, std::byte(v));
        }
        return all;
    }();
    CHECK(same(whole->subspan(20), expected));
    rewrite::reassembler<no_reassembly, 64> none{secret};
    CHECK(none.add(datagram_of({.flags_and_offset = 0x2000}), instant{}).error() ==
          drop_reason::reassembly_refused);
}

TEST_CASE("reassembler: a hostile stream") {
    const auto fragments =
        std::make_unique<rewrite::reassembler<bounded_cache<4, overlap::keep_last, 24>, 256>>(
            secret);
    std::mt19937 random{11};
    const auto below = [&random](u32 n) { return static_cast<u32>(random() % n); };
    unsigned made = 0;
    for (int i = 0; i < 30'000; ++i) {
        byte_vector bytes_in = datagram_of(
            {.identification = static_cast<u16>(below(6)),
             .flags_and_offset = static_cast<u16>((below(3) != 0 ? 0x2000 : 0) | below(16)),
             .payload = pattern(below(150))});
        if (below(8) == 0) {
            bytes_in[below(static_cast<u32>(bytes_in.size()))] ^= std::byte{1};
        }
        if (below(8) == 0) {
            bytes_in.resize(below(static_cast<u32>(bytes_in.size())));
        }
        const auto whole = fragments->add(bytes_in, instant{} + duration::from_seconds(below(2)) +
                                                        duration::from_seconds(i / 100));
        if (whole && !whole->empty()) {
            ++made;
            REQUIRE(pipeline::validate(*whole).has_value());
            REQUIRE(pipeline::validate(*whole)->size() == whole->size());
        }
        REQUIRE(fragments->held() <= 24);
    }
    CHECK(made > 100);
}

}  // namespace rewrite_reassembler
