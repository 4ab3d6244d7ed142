// frame_pool: a buffer source of external_storage, so that packets that lie in a ring of the kernel
// and packets of our own are of one type. Shows how to bring memory of one's own.
//
// Expects: to outlive its packets. Does: gives Count buffers of Bytes octets and takes them back,
// the last few to ARP and ICMP alone; lets packets wait while an eighth is free. Never: asks the
// heap. Cost: Count * Bytes octets, of which what was never used takes no memory.
#pragma once

#include <sluice/packet/external_storage.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace router {

template <std::size_t Bytes, std::size_t Count>
class frame_pool final : sluice::external_storage::recycler {
    using block = sluice::external_storage::block;

public:
    using packet_type = sluice::basic_packet<sluice::external_storage>;
    static constexpr std::size_t memory_limit = (Bytes + sizeof(block)) * Count;
    static constexpr sluice::u32 block_capacity = Bytes;

    frame_pool() noexcept {
        for (std::size_t i = Count; i-- > 0;) {
            blocks_[i].bytes = &memory_[i * Bytes];
            blocks_[i].size = Bytes;
            blocks_[i].owner = this;
            blocks_[i].next = free_;
            free_ = &blocks_[i];
        }
    }
    frame_pool(const frame_pool&) = delete;
    frame_pool& operator=(const frame_pool&) = delete;

    [[nodiscard]] packet_type take(sluice::u16 headroom = sluice::default_headroom) noexcept {
        return take_above(reserve, headroom);
    }
    // For ARP and ICMP.
    [[nodiscard]] packet_type take_reserved(sluice::u16 headroom) noexcept {
        return take_above(0, headroom);
    }
    // Whether the packet's first buffer is one of these; else it lies in somebody's ring.
    [[nodiscard]] bool owns(const packet_type& p) const noexcept {
        return p.storage_block().owner == this;
    }

    // A packet in buffers of this pool, as many as it takes; empty when there are too few.
    [[nodiscard]] packet_type copy_of(const packet_type& p) noexcept {
        return sluice::copy_in_blocks(p, sluice::default_headroom,
                                      [this](sluice::u16 headroom) { return take(headroom); });
    }

private:
    static constexpr std::size_t reserve = sluice::default_reserve(Count);

    [[nodiscard]] packet_type take_above(std::size_t left, sluice::u16 headroom) noexcept {
        block* const b = headroom > Bytes ? nullptr : pop_above(left);
        return b == nullptr ? packet_type{} : packet_type::adopt(b, headroom);
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
    [[nodiscard]] bool may_wait(sluice::u32 margins) const noexcept override {
        return available_ >= std::size_t{margins} * sluice::margin_of(Count);
    }

    block* free_ = nullptr;
    std::size_t available_ = Count;
    std::array<block, Count> blocks_{};
    std::array<std::byte, Bytes * Count> memory_;
};

}  // namespace router
