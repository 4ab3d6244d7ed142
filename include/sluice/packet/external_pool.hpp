// external_pool<Bytes, Count>: a pool whose packets have the same type as packets in memory of
// others, such as a ring of the kernel (port/af_packet_ring.hpp) or frames of a driver.
//
// Use it as the buffers policy of a stack that receives those packets. owns() returns whether a
// packet lies in the pool; copy_of() copies a packet into the pool, so that its frame returns
// early. default_reserve(Count) further buffers serve ARP and ICMP. Packets may wait while an
// eighth of Count is free.
//
// Expects: it outlives its packets.
// Never:   allocates.
// Cost:    Bytes for each buffer; buffers never used take no memory.
#pragma once

#include <sluice/packet/copy_in_blocks.hpp>
#include <sluice/packet/external_storage.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace sluice {

template <std::size_t Bytes, std::size_t Count, class Ownership = unique>
class external_pool final : external_storage::recycler {
    using block = external_storage::block;

public:
    using packet_type = basic_packet<external_storage, Ownership>;
    static constexpr std::size_t memory_limit =
        (Bytes + sizeof(block)) * (Count + default_reserve(Count));
    static constexpr u32 block_capacity = Bytes;

    external_pool() noexcept {
        for (std::size_t i = all; i-- > 0;) {
            blocks_[i].bytes = &memory_[i * Bytes];
            blocks_[i].size = Bytes;
            blocks_[i].owner = this;
            recycle(blocks_[i]);
        }
    }
    external_pool(const external_pool&) = delete;
    external_pool& operator=(const external_pool&) = delete;

    [[nodiscard]] packet_type take(u16 headroom = default_headroom) noexcept {
        return take_above(reserve, headroom);
    }
    // An empty packet for ARP and ICMP, from the reserve if no other buffer is free.
    [[nodiscard]] packet_type take_reserved(u16 headroom = default_headroom) noexcept {
        return take_above(0, headroom);
    }
    [[nodiscard]] std::size_t available() const noexcept {
        return available_ > reserve ? available_ - reserve : 0;
    }
    // Whether the packet's first buffer is one of this pool; otherwise it lies in memory of others.
    [[nodiscard]] bool owns(const packet_type& p) const noexcept {
        return static_cast<bool>(p) && p.storage_block().owner == this;
    }
    // A copy in as many buffers of this pool as needed; empty when there are too few.
    [[nodiscard]] packet_type copy_of(const packet_type& p) noexcept {
        return copy_in_blocks(p, default_headroom, [this](u16 headroom) { return take(headroom); });
    }

private:
    static constexpr std::size_t reserve = default_reserve(Count);
    static constexpr std::size_t all = Count + reserve;

    [[nodiscard]] packet_type take_above(std::size_t left, u16 headroom) noexcept {
        return packet_type::adopt(headroom > Bytes ? nullptr : pop_above(left), headroom);
    }
    [[nodiscard]] block* pop_above(std::size_t left) noexcept {
        if (available_ <= left) {
            return nullptr;
        }
        --available_;
        block* const b = std::exchange(free_, free_->next);
        b->references = 1;
        return b;
    }
    void recycle(block& b) noexcept override {
        b.next = free_;
        free_ = &b;
        ++available_;
    }
    [[nodiscard]] block* another() noexcept override { return pop_above(reserve); }
    [[nodiscard]] bool may_wait(u32 margins) const noexcept override {
        return available() >= std::size_t{margins} * margin_of(Count);
    }

    block* free_ = nullptr;
    std::size_t available_ = 0;
    std::array<block, all> blocks_{};
    std::array<std::byte, Bytes * all> memory_;
};

}  // namespace sluice
