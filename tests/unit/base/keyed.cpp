// The keyed hash against a second implementation over bytes, and the random numbers made from it.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/base/siphash.hpp>

#include <vector>

namespace base_keyed {

namespace {

using namespace sluice;

u64 rotate(u64 x, unsigned by) {
    return (x << by) | (x >> (64 - by));
}

// SipHash-c-d over bytes as the paper describes it, written apart from the header.
u64 paper_siphash(int c, int d, hash_key key, const std::vector<u8>& message) {
    u64 v[4] = {key.low ^ 0x736f6d6570736575ULL, key.high ^ 0x646f72616e646f6dULL,
                key.low ^ 0x6c7967656e657261ULL, key.high ^ 0x7465646279746573ULL};
    const auto rounds = [&v](int n) {
        for (; n > 0; --n) {
            v[0] += v[1], v[2] += v[3];
            v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
            v[0] = rotate(v[0], 32);
            v[2] += v[1], v[0] += v[3];
            v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
            v[2] = rotate(v[2], 32);
        }
    };
    std::vector<u8> padded = message;
    while (padded.size() % 8 != 7)
        padded.push_back(0);
    padded.push_back(static_cast<u8>(message.size()));
    for (std::size_t i = 0; i < padded.size(); i += 8) {
        u64 word = 0;
        for (std::size_t k = 0; k < 8; ++k)
            word |= u64{padded[i + k]} << (8 * k);
        v[3] ^= word;
        rounds(c);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    rounds(d);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

constexpr hash_key paper_key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

TEST_CASE("the second implementation gives the paper's own example") {
    std::vector<u8> message;
    for (u8 i = 0; i < 15; ++i)
        message.push_back(i);
    CHECK(paper_siphash(2, 4, paper_key, message) == 0xa129ca6149be45e5ULL);  // appendix A
}

void add_word(std::vector<u8>& message, u64 word) {
    for (unsigned k = 0; k < 8; ++k)
        message.push_back(static_cast<u8>(word >> (8 * k)));
}

TEST_CASE("the hash of two words is SipHash-1-3 of their sixteen bytes") {
    keyed_random random{hash_key{9, 9}};
    for (int i = 0; i < 1000; ++i) {
        const hash_key key{random.next(), random.next()};
        const u64 words[2] = {random.next(), random.next()};
        std::vector<u8> message;
        for (const u64 w : words)
            add_word(message, w);
        CHECK(siphash(key, words[0], words[1]) == paper_siphash(1, 3, key, message));
    }
    static_assert(siphash(paper_key, 1, 2) != siphash(paper_key, 2, 1));
}

TEST_CASE("the hashes of a word, and of a word and a byte, are SipHash-1-3 of their bytes") {
    keyed_random random{hash_key{9, 10}};
    for (int i = 0; i < 1000; ++i) {
        const hash_key key{random.next(), random.next()};
        const u64 word = random.next();
        std::vector<u8> message;
        add_word(message, word);
        CHECK(siphash(key, word) == paper_siphash(1, 3, key, message));
        const auto byte = static_cast<u8>(i);
        message.push_back(byte);
        CHECK(siphash_and_byte(key, word, byte) == paper_siphash(1, 3, key, message));
    }
    // The length counts: zeros behind a message make another one.
    static_assert(siphash(paper_key, 1) != siphash(paper_key, 1, 0));
    static_assert(siphash(paper_key, 1) != siphash_and_byte(paper_key, 1, 0));
}

TEST_CASE("a common first word: two words, the second in the place of the length") {
    const hash_key key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    for (const u64 first : {u64{0}, u64{1}, ~u64{0}}) {
        const siphash_prefix prefix{key, first};
        for (const u64 byte : {u64{0}, u64{7}, u64{255}}) {
            CHECK(prefix.with(u64{9} << 56 | byte) ==
                  siphash_and_byte(key, first, static_cast<u8>(byte)));
        }
        CHECK(prefix.with(u64{8} << 56) == siphash(key, first));
        CHECK(prefix.with(1) != prefix.with(2));
    }
}

TEST_CASE("two numbers below a bound are the halves of one draw, the high half first") {
    keyed_random halves{hash_key{3, 4}};
    keyed_random whole{hash_key{3, 4}};
    for (int i = 0; i < 100; ++i) {
        const u64 both = whole.next();
        CHECK(halves.below(1U << 31) == both >> 33);
        CHECK(halves.below(1U << 31) == (both & 0xffffffff) >> 1);
    }
}

TEST_CASE("random numbers: the same from one seed, others from another, spread over the range") {
    keyed_random a{hash_key{1, 2}};
    keyed_random b{hash_key{1, 2}};
    keyed_random c{hash_key{2, 2}};
    u32 equal = 0;
    u32 seen[10]{};
    for (int i = 0; i < 10'000; ++i) {
        const u64 x = a.next();
        CHECK(x == b.next());
        equal += x == c.next() ? 1U : 0U;
        const u32 n = a.below(10);
        REQUIRE(n < 10);
        (void)b.below(10);
        ++seen[n];
    }
    CHECK(equal == 0);
    for (const u32 n : seen) {
        CHECK(n > 850);
        CHECK(n < 1150);
    }
    CHECK(a.below(0) == 0);
    CHECK(a.below(1) == 0);
}

TEST_CASE("a key for each purpose: different ones, and none is the secret") {
    const hash_key secret{1, 2};
    for (u64 purpose = 0; purpose < 4; ++purpose) {
        const hash_key key = derive(secret, purpose);
        CHECK(key.low == siphash(secret, purpose, 0));
        CHECK(key.high == siphash(secret, purpose, 1));
        CHECK(key.low != key.high);
        CHECK(key.low != derive(secret, purpose + 1).low);
    }
}

}  // namespace

}  // namespace base_keyed
