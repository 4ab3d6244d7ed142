// siphash: SipHash-1-3, a keyed hash for tables whose keys an outsider chooses.
//
// It maps one word, one word and a byte, or two words to 64 bits. An attacker without the key
// cannot predict them and so cannot aim at one bucket.
//
// Expects: a secret key from the owner's random source.
// Never:   keeps state.
// Cost:    about 20 cycles for two words, a sixth less for one.
// Source:  Aumasson and Bernstein, "SipHash: a fast short-input PRF".
#pragma once

#include <sluice/base/integer.hpp>

#include <bit>

namespace sluice {

// A 128-bit secret. It has no default, because a constant is no secret.
struct hash_key {
    hash_key() = delete;  // use port::system_seed(), or testing::fixed_seed in a test
    constexpr hash_key(u64 low_half, u64 high_half) noexcept : low(low_half), high(high_half) {}

    u64 low;
    u64 high;
};

namespace detail {

struct sip_state {
    u64 v0, v1, v2, v3;

    constexpr void round() noexcept {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
    constexpr void absorb(u64 word) noexcept {
        v3 ^= word;
        round();
        v0 ^= word;
    }
    // `last`: the bytes behind the last whole word; its top byte holds the length of the message in
    // bytes.
    [[nodiscard]] constexpr u64 finish(u64 last) noexcept {
        absorb(last);
        v2 ^= 0xff;
        round();
        round();
        round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

[[nodiscard]] constexpr sip_state sip_begin(hash_key key) noexcept {
    return {key.low ^ 0x736f6d6570736575ULL, key.high ^ 0x646f72616e646f6dULL,
            key.low ^ 0x6c7967656e657261ULL, key.high ^ 0x7465646279746573ULL};
}

}  // namespace detail

// The hash of two 64-bit words: 16 bytes, little-endian, in the paper's terms.
[[nodiscard]] constexpr u64 siphash(hash_key key, u64 first, u64 second) noexcept {
    detail::sip_state s = detail::sip_begin(key);
    s.absorb(first);
    s.absorb(second);
    return s.finish(u64{16} << 56);
}
// The hash of one word (8 bytes).
[[nodiscard]] constexpr u64 siphash(hash_key key, u64 word) noexcept {
    detail::sip_state s = detail::sip_begin(key);
    s.absorb(word);
    return s.finish(u64{8} << 56);
}
// The hash of a word and a byte behind it (9 bytes).
[[nodiscard]] constexpr u64 siphash_and_byte(hash_key key, u64 word, u8 byte) noexcept {
    detail::sip_state s = detail::sip_begin(key);
    s.absorb(word);
    return s.finish(u64{9} << 56 | byte);
}

// The hash of a message of two words whose length is fixed, with the state behind the first word:
// messages that begin with the same word share the work. Do not use a key for messages of other
// lengths too: the second word has the place of the length.
class siphash_prefix {
public:
    constexpr siphash_prefix(hash_key key, u64 first) noexcept : state_(detail::sip_begin(key)) {
        state_.absorb(first);
    }
    [[nodiscard]] constexpr u64 with(u64 second) const noexcept {
        detail::sip_state s = state_;
        return s.finish(second);
    }

private:
    detail::sip_state state_;
};

// Derives the key of one purpose from the owner's seed. A derived key reveals nothing about
// another. A stack uses purposes below purposes_of_programs; programs number theirs from there.
inline constexpr u64 purposes_of_programs = 16;
[[nodiscard]] constexpr hash_key derive(hash_key seed, u64 purpose) noexcept {
    return {siphash(seed, purpose, 0), siphash(seed, purpose, 1)};
}

}  // namespace sluice
