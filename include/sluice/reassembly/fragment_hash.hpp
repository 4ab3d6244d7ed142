// fragment_hash: the key of a fragment and its keyed hash; fragment_hasher: computes it.
//
// The key is source and routing domain, then destination, identification, protocol and user. The
// hash of a source continues from the same first word, so it costs no second full hash. Fragments
// of one datagram that come one after the other are hashed once.
//
// Expects: a secret that hashes nothing else.
// Never:   keeps packets.
// Cost:    five rounds of SipHash-1-3, four more for a fragment of offset 0, which may begin a
//          datagram; two comparisons if the fragment before had the same key.
// Source:  RFC 791 section 3.2; Linux ip4_key_hashfn.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/reassembly/keyed_slots.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

namespace detail {
class fragment_hasher;
}  // namespace detail

// For prefetch() and insert() of the cache that computed it.
class fragment_hash {
public:
    constexpr fragment_hash() noexcept = default;

    [[nodiscard]] constexpr const detail::slot_key& key() const noexcept { return key_; }
    [[nodiscard]] constexpr u64 datagram() const noexcept { return datagram_; }
    // Whether the fragment may begin a datagram: then its source is hashed already.
    [[nodiscard]] constexpr bool begins() const noexcept { return begins_; }
    [[nodiscard]] constexpr u64 source() const noexcept { return source_; }

private:
    friend class detail::fragment_hasher;

    detail::slot_key key_;
    u64 datagram_ = 0;
    u64 source_ = 0;
    bool begins_ = false;
};

namespace detail {

class fragment_hasher {
public:
    constexpr explicit fragment_hasher(hash_key secret) noexcept : secret_(secret) {
        last_.datagram_ = siphash_prefix{secret_, last_.key_.high}.with(last_.key_.low);
    }
    [[nodiscard]] constexpr const fragment_hash& hash_of(ipv4::const_view ip, reassembly_user user,
                                                         u16 domain) noexcept {
        const slot_key key = key_of(ip, user, domain);
        if (!(key == last_.key_)) {
            const siphash_prefix prefix{secret_, key.high};
            last_.key_ = key;
            last_.datagram_ = prefix.with(key.low);
            last_.begins_ = ipv4::offset_in_bytes(ip) == 0;
            if (last_.begins_) {
                last_.source_ = prefix.with(of_source);
            }
        }
        return last_;
    }
    [[nodiscard]] constexpr u64 source_of(const fragment_hash& h) const noexcept {
        return h.begins_ ? h.source_ : siphash_prefix{secret_, h.key_.high}.with(of_source);
    }

private:
    // In place of the second word: no fragment's user has this number.
    static constexpr u64 of_source = u64{0xff} << 56;

    [[nodiscard]] static constexpr slot_key key_of(ipv4::const_view ip, reassembly_user user,
                                                   u16 domain) noexcept {
        return {ip[ipv4::source].value | (u64{domain} << 32),
                ip[ipv4::destination].value | (u64{ip[ipv4::identification]} << 32) |
                    (u64{ip[ipv4::protocol]} << 48) | (u64{static_cast<u8>(user)} << 56)};
    }

    hash_key secret_;
    fragment_hash last_;  // of the fragment that was hashed last
};

}  // namespace detail

}  // namespace sluice
