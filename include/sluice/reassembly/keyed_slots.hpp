// keyed_slots: a fixed number of records in place, found by a 128-bit key through a keyed hash.
//
// Expects: a Record with members `slot_key key`, `Record* chain` and a default state.
// Never:   allocates, moves a record, evicts. A chain longer than max_chain refuses new records, so
//          that work stays bounded even against an attacker who knows the secret.
// Cost:    one SipHash and a short chain.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/siphash.hpp>

#include <array>
#include <bit>
#include <cstddef>

namespace sluice::detail {

struct slot_key {
    u64 high = 0;
    u64 low = 0;
    friend constexpr bool operator==(const slot_key&, const slot_key&) noexcept = default;
};

template <class Record, std::size_t Count>
class keyed_slots {
public:
    static constexpr std::size_t bucket_count = std::bit_ceil(Count);
    static constexpr u32 max_chain = 16;

    constexpr explicit keyed_slots(hash_key secret) noexcept : secret_(secret) {}
    keyed_slots(const keyed_slots&) = delete;
    keyed_slots& operator=(const keyed_slots&) = delete;

    // The record of the key, or nullptr.
    [[nodiscard]] constexpr Record* find(slot_key key) noexcept {
        Record* r = bucket_of(key);
        while (r != nullptr && !(r->key == key)) {
            r = r->chain;
        }
        return r;
    }
    // A new record for a key that has none; nullptr: all are in use, or the chain is too long.
    [[nodiscard]] constexpr Record* take(slot_key key) noexcept {
        Record*& first = bucket_of(key);
        u32 length = 0;
        for (const Record* r = first; r != nullptr; r = r->chain) {
            ++length;
        }
        if ((free_ == nullptr && fresh_ == Count) || length >= max_chain) {
            return nullptr;
        }
        Record* r = free_;
        if (r != nullptr) {
            free_ = r->chain;
        } else {
            r = &records_[fresh_++];
        }
        r->key = key;
        r->chain = first;
        first = r;
        return r;
    }
    // Frees a record and resets it to its default state.
    constexpr void release(Record& released) noexcept {
        Record** link = &bucket_of(released.key);
        while (*link != &released) {
            link = &(*link)->chain;
        }
        *link = released.chain;
        released = Record{};
        released.chain = free_;
        free_ = &released;
    }

private:
    [[nodiscard]] constexpr Record*& bucket_of(slot_key key) noexcept {
        return buckets_[siphash(secret_, key.high, key.low) & (bucket_count - 1)];
    }

    hash_key secret_;
    Record* free_ = nullptr;  // freed records
    std::size_t fresh_ = 0;   // records from here on were never used
    std::array<Record*, bucket_count> buckets_{};
    std::array<Record, Count> records_{};
};

}  // namespace sluice::detail
