// shared_hops: the hops of many routes, each kept once, under ids of 15 bits.
//
// Equal hops have the same id. It counts the users of a hop and frees the hop with the last. Id 0
// is the hop of no route.
//
// Expects: zeroed memory for `capacity` hops.
// Never:   allocates, moves a hop.
// Cost:    24 bytes a hop; a change finds a hop by an unkeyed hash (administrators choose hops,
//          senders do not).
#pragma once

#include <sluice/route/hop.hpp>
#include <sluice/route/selection.hpp>
#include <sluice/route/trie_memory.hpp>

#include <bit>
#include <cstddef>

namespace sluice::detail {

class shared_hops {
public:
    // Without the hop of id 0.
    static constexpr std::size_t max_hops = 0x7fff;

    shared_hops() noexcept = default;
    // Takes memory_for(capacity) bytes from `next` on; `next` is aligned for hops.
    shared_hops(std::byte*& next, std::size_t capacity) noexcept
        : capacity_{static_cast<u16>(capacity)} {
        take_array(next, hops_, capacity + 1);
        take_array(next, uses_, capacity + 1);
        take_array(next, following_, capacity + 1);
        take_array(next, chains_, std::bit_ceil(capacity + 1));
        hops_[0] = hop_of(nowhere);
    }
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t capacity) noexcept {
        return (capacity + 1) * (sizeof(hop_entry) + sizeof(u32) + sizeof(u16)) +
               std::bit_ceil(capacity + 1) * sizeof(u16);
    }

    [[nodiscard]] const hop_entry& at(u16 id) const noexcept { return hops_[id]; }
    // The array of hops, indexed by id.
    [[nodiscard]] const hop_entry* all() const noexcept { return hops_; }
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

    // The id of this hop, with one more user; 0: all ids are in use.
    [[nodiscard]] u16 acquire(const hop_entry& hop) noexcept {
        u16& chain = chain_of(hop);
        u16 id = chain;
        while (id != 0 && hops_[id] != hop) {
            id = following_[id];
        }
        if (id == 0) {
            if (in_use_ == capacity_) {
                return 0;
            }
            id = first_free_ != 0 ? first_free_ : ++touched_;
            first_free_ = first_free_ != 0 ? following_[id] : u16{0};
            hops_[id] = hop;
            following_[id] = chain;
            chain = id;
            ++in_use_;
        }
        ++uses_[id];
        return id;
    }
    void release(u16 id) noexcept {
        if (--uses_[id] != 0) {
            return;
        }
        u16* link = &chain_of(hops_[id]);
        while (*link != id) {
            link = &following_[*link];
        }
        *link = following_[id];
        following_[id] = first_free_;
        first_free_ = id;
        --in_use_;
    }

private:
    [[nodiscard]] u16& chain_of(const hop_entry& h) noexcept {
        const u64 mixed =
            (u64{h.gateway.value} << 32 | u64{h.interface} << 16 | h.mtu) * 0x9e3779b97f4a7c15ULL +
            static_cast<u64>(h.type) * 0xff51afd7ed558ccdULL;
        return chains_[(mixed >> 40) & (std::bit_ceil(std::size_t{capacity_} + 1) - 1)];
    }

    hop_entry* hops_ = nullptr;
    u32* uses_ = nullptr;
    u16* following_ = nullptr;  // by id: the next hop of the same chain, or the next free one
    u16* chains_ = nullptr;
    u16 capacity_ = 0;
    u16 in_use_ = 0;
    u16 touched_ = 0;
    u16 first_free_ = 0;
};

}  // namespace sluice::detail
