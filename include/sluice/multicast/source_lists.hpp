// source_lists<N>: lists of multicast sources that share room for N sources, found by a keyed hash.
//
// Each list belongs to an owner (a group's number) and is one of its two: the sources of its
// filter, or those that were removed and are still to be reported. Lists keep their order, because
// reports do.
//
// Expects: owners below 2^31; an address is at most once in a list.
// Never:   allocates.
// Cost:    one SipHash and a short chain to find a source; 36 bytes for each.
// Source:  Linux ip_sf_list.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/siphash.hpp>
#include <sluice/multicast/filter.hpp>

#include <array>
#include <bit>
#include <cstddef>

namespace sluice::detail {

inline constexpr u32 no_entry = 0xffff'ffff;

enum class source_kind : u8 { present, removed };

struct source_list {
    u32 first = no_entry;
    u32 last = no_entry;

    [[nodiscard]] constexpr bool empty() const noexcept { return first == no_entry; }
};

struct multicast_source {
    ipv4::address address{};
    u32 owner = 0;
    u32 next = no_entry;  // in the list; of a free entry: the next free one
    u32 previous = no_entry;
    u32 chain = no_entry;  // the next entry of the bucket
    u32 listeners[2]{};    // by filter_mode
    u8 changes_left = 0;   // reports that still name the change of this source
    source_kind kind = source_kind::present;
    bool was_active = false;  // before the change that is being made
    bool asked = false;       // a query asked about it

    [[nodiscard]] constexpr u32& count(filter_mode m) noexcept {
        return listeners[static_cast<u8>(m)];
    }
    [[nodiscard]] constexpr u32 count(filter_mode m) const noexcept {
        return listeners[static_cast<u8>(m)];
    }
};

template <std::size_t N>
class source_lists {
    static_assert(N >= 1 && N < 0x7fff'ffff, "sluice: a table of multicast sources has room");

public:
    constexpr explicit source_lists(hash_key key) noexcept : key_(key) {
        for (u32& b : buckets_) {
            b = no_entry;
        }
    }

    [[nodiscard]] constexpr multicast_source& operator[](u32 i) noexcept { return entries_[i]; }
    [[nodiscard]] constexpr const multicast_source& operator[](u32 i) const noexcept {
        return entries_[i];
    }

    [[nodiscard]] constexpr u32 find(u32 owner, source_kind kind, ipv4::address a) const noexcept {
        u32 i = buckets_[bucket_of(owner, kind, a)];
        while (i != no_entry && !(entries_[i].address == a && entries_[i].owner == owner &&
                                  entries_[i].kind == kind)) {
            i = entries_[i].chain;
        }
        return i;
    }
    // A new source at the end of the list (present) or at its front (removed). no_entry: no room.
    [[nodiscard]] constexpr u32 add(source_list& to, u32 owner, source_kind kind,
                                    ipv4::address a) noexcept {
        u32 i = free_;
        if (i != no_entry) {
            free_ = entries_[i].next;
        } else if (fresh_ < N) {
            i = fresh_++;
        } else {
            return no_entry;
        }
        entries_[i] = {};
        entries_[i].address = a;
        link(to, i, owner, kind);
        ++used_;
        return i;
    }
    // Moves a present source to the front of the removed ones of its owner.
    constexpr void retire(source_list& from, source_list& to, u32 i) noexcept {
        unlink(from, i);
        link(to, i, entries_[i].owner, source_kind::removed);
    }
    constexpr void erase(source_list& from, u32 i) noexcept {
        unlink(from, i);
        entries_[i].next = free_;
        free_ = i;
        --used_;
    }
    constexpr void clear(source_list& all) noexcept {
        while (!all.empty()) {
            erase(all, all.first);
        }
    }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return used_; }

private:
    static constexpr std::size_t bucket_count = std::bit_ceil(N);

    [[nodiscard]] constexpr std::size_t bucket_of(u32 owner, source_kind kind,
                                                  ipv4::address a) const noexcept {
        const u64 word = u64{static_cast<u8>(kind)} << 63 | u64{owner} << 32 | a.value;
        return siphash(key_, word) & (bucket_count - 1);
    }
    constexpr void link(source_list& to, u32 i, u32 owner, source_kind kind) noexcept {
        multicast_source& s = entries_[i];
        s.owner = owner;
        s.kind = kind;
        const bool front = kind == source_kind::removed;
        s.next = front ? to.first : no_entry;
        s.previous = front ? no_entry : to.last;
        (s.next != no_entry ? entries_[s.next].previous : to.last) = i;
        (s.previous != no_entry ? entries_[s.previous].next : to.first) = i;
        u32& bucket = buckets_[bucket_of(owner, kind, s.address)];
        s.chain = bucket;
        bucket = i;
    }
    constexpr void unlink(source_list& from, u32 i) noexcept {
        const multicast_source& s = entries_[i];
        (s.next != no_entry ? entries_[s.next].previous : from.last) = s.previous;
        (s.previous != no_entry ? entries_[s.previous].next : from.first) = s.next;
        u32* at = &buckets_[bucket_of(s.owner, s.kind, s.address)];
        while (*at != i) {
            at = &entries_[*at].chain;
        }
        *at = s.chain;
    }

    hash_key key_;
    std::array<multicast_source, N> entries_{};
    std::array<u32, bucket_count> buckets_{};
    u32 free_ = no_entry;
    u32 fresh_ = 0;
    std::size_t used_ = 0;
};

}  // namespace sluice::detail
