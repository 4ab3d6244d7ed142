// fragment_hash: the key of a fragment and its keyed hash; fragment_hasher: computes it.
//
// The key is source and destination, then routing domain, user, protocol and identification.
//
// Two hashes find a key. The first is universal (NH of UMAC, then a multiplication that spreads
// keys in sequence): two keys of an attacker who does not know the secret share a line of the index
// with a probability of about 1 / lines. SipHash, as the first hash, would add a quarter to a third
// to the time of a fragment. Where a line is full nevertheless, the other line of a key comes from
// SipHash, so that no measured time helps to fill both. An attacker who learns the secrets of the
// first hash makes a fragment cost a SipHash and the twelve records of a line more, and others
// nothing.
//
// Expects: a secret that hashes nothing else.
// Never:   keeps packets.
// Cost:    three multiplications; five rounds of SipHash-1-3 where a line is full.
// Source:  RFC 791 section 3.2; Black, Halevi, Krawczyk, Krovetz and Rogaway, "UMAC: fast and
//          secure message authentication".
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/reassembly/keyed_slots.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

namespace detail {
class fragment_hasher;
}  // namespace detail

// For prefetch() and insert() of the cache that made it.
class fragment_hash {
public:
    constexpr fragment_hash() noexcept = default;

    [[nodiscard]] constexpr const detail::slot_key& key() const noexcept { return key_; }
    [[nodiscard]] constexpr u32 hash() const noexcept { return hash_; }

private:
    friend class detail::fragment_hasher;
    constexpr fragment_hash(detail::slot_key key, u32 hash) noexcept : key_(key), hash_(hash) {}

    detail::slot_key key_;
    u32 hash_ = 0;
};

namespace detail {

// The source and routing domain of a key, and its user.
[[nodiscard]] constexpr u64 source_of(const slot_key& key) noexcept {
    return key.high >> 32 | key.low >> 32 << 32;
}
[[nodiscard]] constexpr reassembly_user user_of(const slot_key& key) noexcept {
    return static_cast<reassembly_user>(static_cast<u8>(key.low >> 24));
}

// The SipHash of a key, and of the first word of one.
class fragment_siphash {
public:
    constexpr explicit fragment_siphash(hash_key secret) noexcept : secret_(secret) {}
    [[nodiscard]] constexpr u32 operator()(slot_key key) const noexcept {
        return static_cast<u32>(siphash_prefix{secret_, key.high}.with(key.low));
    }
    [[nodiscard]] constexpr u64 of_source(u64 source) const noexcept {
        return with(source, u64{0xff} << 56);
    }
    // Independent secrets.
    [[nodiscard]] constexpr u64 another_secret(u64 number) const noexcept {
        return with(number, u64{0xfe} << 56);
    }

private:
    // The second word: no fragment's user has these numbers.
    [[nodiscard]] constexpr u64 with(u64 first, u64 second) const noexcept {
        return siphash_prefix{secret_, first}.with(second);
    }

    hash_key secret_;
};

class fragment_hasher {
public:
    constexpr explicit fragment_hasher(const fragment_siphash& secret) noexcept
        : source_(static_cast<u32>(secret.another_secret(0))),
          destination_(static_cast<u32>(secret.another_secret(1))),
          rest_(static_cast<u32>(secret.another_secret(2))),
          domain_(static_cast<u32>(secret.another_secret(3))),
          spread_(secret.another_secret(4) | 1) {}
    [[nodiscard, gnu::always_inline]] constexpr fragment_hash
    hash_of(ipv4::const_view ip, reassembly_user user, u16 domain) const noexcept {
        const u64 addresses = load_be<u64>(ip.data() + ipv4::source.byte_offset);
        const u32 rest = ip[ipv4::identification] | u32{ip[ipv4::protocol]} << 16 |
                         u32{static_cast<u8>(user)} << 24;
        const u64 sum = u64{static_cast<u32>(addresses >> 32) + source_} *
                            (static_cast<u32>(addresses) + destination_) +
                        u64{rest + rest_} * (domain + domain_);
        return {{addresses, rest | u64{domain} << 32},
                static_cast<u32>((sum ^ sum >> 32) * spread_ >> 32)};
    }

private:
    u32 source_;
    u32 destination_;
    u32 rest_;
    u32 domain_;
    u64 spread_;
};

// The SipHash of a source.
class source_siphash {
public:
    constexpr explicit source_siphash(const fragment_siphash& secret) noexcept : secret_(secret) {}
    [[nodiscard]] constexpr u32 operator()(u64 source) const noexcept {
        return static_cast<u32>(secret_.of_source(source) >> 32);
    }

private:
    fragment_siphash secret_;
};

}  // namespace detail

}  // namespace sluice
