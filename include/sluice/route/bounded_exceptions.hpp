// bounded_exceptions<Buckets>: up to ten exceptions in each of Buckets buckets, in place.
//
// A keyed hash chooses the bucket. A full bucket evicts its oldest exception, at random also
// earlier: an attacker who makes it learn cannot tell which destinations the host talks to
// (CVE-2021-20322).
//
// Expects: a secret key.
// Never:   allocates.
// Cost:    a multiplication for destinations without an exception; a keyed hash and ten compares
//          for those with one; 48 bytes an exception. expire() scans all places, only after a
//          deadline.
// Source:  Linux update_or_create_fnhe, find_exception.
//
// Models exceptions_policy (route/exceptions.hpp).
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/route/exceptions.hpp>

#include <bit>
#include <utility>

namespace sluice {

namespace detail {

template <std::size_t Buckets>
consteval bool is_exception_bucket_count() {
    constexpr bool is_power_of_two = Buckets > 0 && (Buckets & (Buckets - 1)) == 0;
    static_assert(is_power_of_two,
                  "sluice: bounded_exceptions<Buckets>: the number of buckets is a power of two");
    return true;
}

}  // namespace detail

template <std::size_t Buckets = 32>
class bounded_exceptions {
    static_assert(detail::is_exception_bucket_count<Buckets>());

    // Linux FNHE_RECLAIM_DEPTH: a bucket holds this number, and at random up to twice as many.
    static constexpr u32 reclaim_depth = 5;
    static constexpr u32 bucket_size = 2 * reclaim_depth;

    struct place {
        exception_key key{};
        bool used = false;
        route_exception learned{};
        instant changed{};
    };

public:
    static constexpr bool never_learns = false;
    static constexpr std::size_t memory_limit =
        Buckets * (bucket_size * sizeof(place) + sizeof(u64)) + sizeof(hash_key) +
        sizeof(keyed_random);
    static constexpr std::size_t capacity = Buckets * bucket_size;

    constexpr explicit bounded_exceptions(hash_key key) noexcept : key_(key), random_(key) {}

    [[nodiscard]] constexpr bool any() const noexcept { return size_ != 0; }
    // The number of exceptions, with those that expired since the last expire().
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

    [[nodiscard]] constexpr const route_exception* find(const exception_key& key,
                                                        instant now) const noexcept {
        if (!may_have(key.destination)) {
            return nullptr;
        }
        for (const place& p : places_[bucket_of(key)]) {
            if (p.used && p.key == key) {
                return p.learned.expires > now ? &p.learned : nullptr;
            }
        }
        return nullptr;
    }

    constexpr void learn(const exception_key& key, const route_exception& news,
                         instant now) noexcept {
        if (unmarked_ > capacity) {  // too many marks of freed exceptions
            keep_if([](const exception_key&, const route_exception&) noexcept { return true; });
        }
        place* const bucket = places_[bucket_of(key)];
        free_expired(bucket, now);
        place& p = place_for(bucket, key);
        if (!news.gateway.is_unspecified()) {
            p.learned.gateway = news.gateway;
        }
        if (news.mtu != 0) {
            p.learned.mtu = news.mtu;
            p.learned.mtu_locked = news.mtu_locked;
        }
        p.learned.expires = news.expires;
        p.changed = now;
        mark(key.destination);
        deadline_ = news.expires < deadline_ ? news.expires : deadline_;
    }

    template <class F>
    constexpr void keep_if(F&& f) noexcept {
        deadline_ = instant::never();
        unmark_all();
        for (auto& bucket : places_) {
            for (place& p : bucket) {
                if (p.used && !f(std::as_const(p.key), p.learned)) {
                    free(p);
                }
                if (p.used) {
                    mark(p.key.destination);
                    deadline_ = p.learned.expires < deadline_ ? p.learned.expires : deadline_;
                }
            }
        }
    }

    constexpr instant expire(instant now) noexcept {
        if (deadline_ <= now) {
            keep_if([now](const exception_key&, const route_exception& e) noexcept {
                return e.expires > now;
            });
        }
        return deadline_;
    }

private:
    [[nodiscard]] constexpr std::size_t bucket_of(const exception_key& key) const noexcept {
        const u64 next_hop = (u64{key.gateway.value} << 16) | key.interface;
        return static_cast<std::size_t>(siphash(key_, key.destination.value, next_hop)) &
               (Buckets - 1);
    }
    constexpr void free(place& p) noexcept {
        p = place{};
        --size_;
        ++unmarked_;
    }

    // One bit for each destination with an exception; few other destinations share one. Packets to
    // all others skip the keyed hash and the bucket.
    [[nodiscard]] constexpr u64 mark_of(ipv4::address destination) const noexcept {
        constexpr int bits = std::countr_zero(Buckets) + 6;
        return (destination.value * (key_.low | 1)) >> (64 - bits);
    }
    [[nodiscard]] constexpr bool may_have(ipv4::address destination) const noexcept {
        const u64 m = mark_of(destination);
        return ((marks_[m / 64] >> (m % 64)) & 1) != 0;
    }
    constexpr void mark(ipv4::address destination) noexcept {
        const u64 m = mark_of(destination);
        marks_[m / 64] |= u64{1} << (m % 64);
    }
    constexpr void unmark_all() noexcept {
        unmarked_ = 0;
        for (u64& word : marks_) {
            word = 0;
        }
    }
    constexpr void free_expired(place* bucket, instant now) noexcept {
        for (u32 i = 0; i < bucket_size; ++i) {
            if (bucket[i].used && bucket[i].learned.expires <= now) {
                free(bucket[i]);
            }
        }
    }

    // The place of this key, or a new one: evicts the oldest until a random number at most are
    // left.
    [[nodiscard]] constexpr place& place_for(place* bucket, const exception_key& key) noexcept {
        u32 depth = 0;
        for (u32 i = 0; i < bucket_size; ++i) {
            if (bucket[i].used && bucket[i].key == key) {
                return bucket[i];
            }
            depth += bucket[i].used ? 1 : 0;
        }
        for (const u32 most = reclaim_depth + random_.below(reclaim_depth); depth > most; --depth) {
            free(*oldest(bucket));
        }
        place* p = bucket;
        while (p->used) {
            ++p;  // a place is free: most < bucket_size
        }
        p->used = true;
        p->key = key;
        ++size_;
        return *p;
    }
    [[nodiscard]] static constexpr place* oldest(place* bucket) noexcept {
        place* found = nullptr;
        for (u32 i = 0; i < bucket_size; ++i) {
            if (bucket[i].used && (found == nullptr || bucket[i].changed < found->changed)) {
                found = &bucket[i];
            }
        }
        return found;
    }

    hash_key key_;
    keyed_random random_;
    std::size_t size_ = 0;
    std::size_t unmarked_ = 0;             // freed since the marks were made
    instant deadline_ = instant::never();  // no exception expires before it
    u64 marks_[Buckets]{};
    place places_[Buckets][bucket_size]{};
};

}  // namespace sluice
