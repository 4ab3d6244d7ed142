// fragment(bytes): the same fragments as of packets, with the payload in place; also in constant
// evaluation.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/fragment.hpp>
#include <sluice/rewrite/fragment_bytes.hpp>

#include "support/datagrams.hpp"

#include <array>
#include <memory>

namespace rewrite_fragment_bytes {

namespace {

using namespace support;

using pool_type = fixed_pool<4096, 3>;
using packet = pool_type::packet_type;

std::vector<byte_vector> pieces_of_packets(const byte_vector& whole, u32 mtu) {
    pool_type pool;
    std::vector<byte_vector> all;
    rewrite::fragment(packet_of(pool, whole), mtu, pool, [&all](packet&& piece) {
        all.push_back(content_of(piece));
        return true;
    });
    return all;
}
std::vector<byte_vector> pieces_of_bytes(const byte_vector& whole, u32 mtu) {
    std::vector<byte_vector> all;
    const auto cut = rewrite::fragment(whole, mtu, [&all](const_bytes header, const_bytes payload) {
        all.emplace_back(header.begin(), header.end());
        all.back().insert(all.back().end(), payload.begin(), payload.end());
        return true;
    });
    REQUIRE(cut.has_value());
    CHECK(cut->created == all.size());
    CHECK(cut->complete);
    return all;
}

}  // namespace

TEST_CASE("fragment of bytes: the checksum is right whatever the words sum to") {
    const struct {
        u16 word;
        std::size_t payload;
        u32 mtu;
    } rows[] = {{.word = 0, .payload = 90, .mtu = 80},
                // Length and flags alone exceed 16 bits: two carries.
                {.word = 0x3fff, .payload = 60'000, .mtu = 50'016}};
    for (const auto& r : rows) {
        byte_vector whole = datagram_of({.flags_and_offset = r.word,
                                         .options = list({7, 7, 4, 1, 2, 3, 4, 131, 3, 4, 0, 0}),
                                         .payload = pattern(r.payload)});
        u32 pieces = 0;
        u32 wrong = 0;
        for (u32 identification = 0; identification <= 0xffff; ++identification) {
            const ipv4::view ip{whole.data()};
            ip.set(ipv4::identification, static_cast<u16>(identification));
            ipv4::set_checksum(ip);
            const auto cut = rewrite::fragment(whole, r.mtu, [&](const_bytes header, const_bytes) {
                std::array<std::byte, ipv4::max_header_length> again{};
                copy_bytes(again.data(), header.data(), header.size());
                ipv4::set_checksum(ipv4::view{again.data()});
                wrong += equal_bytes(const_bytes{again}.first(header.size()), header) ? 0u : 1u;
                ++pieces;
                return true;
            });
            wrong += cut && cut->complete ? 0u : 1u;
        }
        CHECK(pieces == 2 * 65536);
        CHECK(wrong == 0);
    }
}

TEST_CASE("fragment of bytes: the pieces are those of packets") {
    const byte_vector options[] = {
        {}, list({148, 4, 0, 0}), list({7, 7, 4, 1, 2, 3, 4, 131, 3, 4, 0})};
    for (const byte_vector& o : options) {
        for (const u16 word : {u16{0}, u16{0x4000}, u16{0x2000}, u16{0x2003}, u16{5}}) {
            for (const std::size_t size : {200u, 201u, 207u, 208u, 209u, 1500u}) {
                for (const u32 mtu : {68u, 71u, 75u, 76u, 150u}) {
                    const byte_vector whole = datagram_of(
                        {.flags_and_offset = word, .options = o, .payload = pattern(size)});
                    REQUIRE(pieces_of_bytes(whole, mtu) == pieces_of_packets(whole, mtu));
                }
            }
        }
    }
}

TEST_CASE("fragment of bytes: a datagram that fits is one piece without padding") {
    const byte_vector whole = datagram_of({.flags_and_offset = 0x4000, .payload = pattern(100)});
    byte_vector padded = whole;
    padded.resize(160);
    CHECK(pieces_of_bytes(padded, 120) == std::vector<byte_vector>{whole});
    CHECK(pieces_of_bytes(padded, 119).size() == 2);
    const byte_vector empty = datagram_of({.payload = {}});
    CHECK(pieces_of_bytes(empty, 28) == std::vector<byte_vector>{empty});
}

TEST_CASE("fragment of bytes: nothing of the payload is copied") {
    const byte_vector whole = datagram_of({.payload = pattern(100)});
    const std::byte* next = whole.data() + 20;
    const auto cut = rewrite::fragment(whole, 68, [&next](const_bytes, const_bytes payload) {
        CHECK(payload.data() == next);
        next += payload.size();
        return true;
    });
    CHECK(cut->complete);
    CHECK(next == whole.data() + whole.size());
}

TEST_CASE("fragment of bytes: errors, an MTU without room, a sink that had enough") {
    const auto never = [](const_bytes, const_bytes) {
        FAIL("no piece");
        return true;
    };
    byte_vector whole = datagram_of({.payload = pattern(100)});
    CHECK(rewrite::fragment(whole, 27, never)->created == 0);
    CHECK_FALSE(rewrite::fragment(whole, 27, never)->complete);
    CHECK_FALSE(rewrite::fragment(whole, 0, never)->complete);
    int sent = 0;
    const auto two = [&sent](const_bytes, const_bytes) { return ++sent <= 2; };
    const auto some = rewrite::fragment(whole, 28, two);
    CHECK(some->created == 2);
    CHECK_FALSE(some->complete);
    CHECK(sent == 3);
    whole[12] ^= std::byte{1};
    CHECK(rewrite::fragment(whole, 68, never).error() == drop_reason::header_checksum);
    CHECK(rewrite::fragment({}, 68, never).error() == drop_reason::header_truncated);
    CHECK(message(drop_reason::header_truncated)[0] != 0);
}

TEST_CASE("fragment of bytes: in constant evaluation") {
    constexpr u32 pieces = [] {
        std::array<std::byte, 120> whole{};
        const ipv4::view ip{whole.data()};
        ip.set(ipv4::version, 4).set(ipv4::ihl, 5).set(ipv4::total_length, 120);
        ipv4::set_checksum(ip);
        return rewrite::fragment(whole, 60, [](const_bytes, const_bytes) { return true; })->created;
    }();
    CHECK(pieces == 3);
}

}  // namespace rewrite_fragment_bytes
