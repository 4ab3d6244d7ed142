// external_storage: packets whose bytes lie in memory of others: a driver's ring frame, an
// rte_mbuf, a mapped file, the heap.
//
// A block names memory, its capacity and a recycler. When the packet ends, the recycler gets the
// block and returns the frame to the driver. Three sources use it: borrowed_frames<Count> wraps
// memory that the caller lends, heap_source allocates, and external_pool (external_pool.hpp) has a
// fixed pool.
//
// Expects: a recycler that outlives its blocks.
// Never:   frees or copies memory by itself.
// Cost:    one load more than pool storage to reach the bytes. One virtual call when a packet ends:
//          it lets frames of several owners have one packet type.
#pragma once

#include <sluice/packet/basic_packet.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <array>
#include <cstddef>
#include <new>

namespace sluice {

struct external_storage {
    struct block;
    using reference = block*;
    static constexpr bool is_inline = false;

    // Takes blocks back, and supplies another block for a copy (nullptr: none is available).
    class recycler {
    public:
        constexpr virtual void recycle(block& b) noexcept = 0;
        [[nodiscard]] constexpr virtual block* another() noexcept = 0;
        // Whether a packet may wait, because this many of the owner's margins of free blocks are
        // left (bounded_packet_queue.hpp). True by default.
        [[nodiscard]] constexpr virtual bool may_wait(u32) const noexcept { return true; }

    protected:
        constexpr ~recycler() = default;
    };

    // In front of the base: a plain packet touches the first cache line of its block only.
    struct frame {
        std::byte* bytes = nullptr;
        recycler* owner = nullptr;
        u32 size = 0;
    };
    struct block : frame, block_base<block> {
        u64 tag = 0;  // chosen by the owner: a frame number, an address
    };

    static constexpr std::byte* memory(const block& b) noexcept { return b.bytes; }
    static constexpr u32 capacity(const block& b) noexcept { return b.size; }
    static constexpr block* take_like(const block& b) noexcept { return b.owner->another(); }
    static constexpr void release(block& b) noexcept { b.owner->recycle(b); }
    static constexpr bool have_one_source(const block& a, const block& b) noexcept {
        return a.owner == b.owner;
    }
    static constexpr bool may_wait(const block& b, u32 margins) noexcept {
        return b.owner->may_wait(margins);
    }
};

// Wraps up to Count frames at a time that a driver lends. lend() makes a packet from a frame; when
// the packet ends, the driver's function gets the frame back.
template <std::size_t Count, class Ownership = unique>
class borrowed_frames final : external_storage::recycler {
public:
    using packet_type = basic_packet<external_storage, Ownership>;
    // Called when the frame's last packet ends; `tag` is the argument of lend().
    using returned = void (*)(void* driver, u64 tag) noexcept;

    constexpr borrowed_frames(returned on_return, void* driver) noexcept
        : on_return_(on_return), driver_(driver) {
        for (auto& b : blocks_) {
            b.owner = this;
            b.next = free_;
            free_ = &b;
        }
    }
    borrowed_frames(const borrowed_frames&) = delete;
    borrowed_frames& operator=(const borrowed_frames&) = delete;

    // A packet over the driver's frame: `length` bytes at `offset`. Empty when Count frames are
    // lent or the bounds are wrong; the caller then keeps the frame.
    [[nodiscard]] constexpr packet_type lend(bytes frame, u16 offset, u32 length,
                                             u64 tag) noexcept {
        external_storage::block* b = free_;
        if (b == nullptr || frame.size() > 0xffffff || offset > frame.size() ||
            length > frame.size() - offset) {
            return {};
        }
        free_ = b->next;
        ++lent_;
        b->references = 1;
        b->bytes = frame.data();
        b->size = static_cast<u32>(frame.size());
        b->tag = tag;
        return packet_type::adopt(b, offset, length);
    }

private:
    constexpr void recycle(external_storage::block& b) noexcept override {
        b.next = free_;
        free_ = &b;
        --lent_;
        on_return_(driver_, b.tag);
    }
    // A driver's frame cannot be allocated: copies come from the stack's own source.
    [[nodiscard]] constexpr external_storage::block* another() noexcept override { return nullptr; }
    [[nodiscard]] constexpr bool may_wait(u32 margins) const noexcept override {
        return Count - lent_ >= std::size_t{margins} * margin_of(Count);
    }

    returned on_return_;
    void* driver_;
    external_storage::block* free_ = nullptr;
    std::size_t lent_ = 0;
    std::array<external_storage::block, Count> blocks_{};
};

// Packets of up to Bytes bytes from the heap: at most Count at a time, and default_reserve(Count)
// more for ARP and ICMP. For tools and tests, not for the packet path.
template <std::size_t Bytes, std::size_t Count, class Ownership = unique>
class heap_source final : external_storage::recycler {
public:
    using packet_type = basic_packet<external_storage, Ownership>;
    static constexpr std::size_t memory_limit =
        (Bytes + sizeof(external_storage::block)) * (Count + default_reserve(Count));
    static constexpr u32 block_capacity = Bytes;

    constexpr heap_source() noexcept = default;
    heap_source(const heap_source&) = delete;
    heap_source& operator=(const heap_source&) = delete;

    [[nodiscard]] packet_type take(u16 headroom = default_headroom) noexcept {
        return headroom > Bytes ? packet_type{} : packet_type::adopt(another(), headroom);
    }
    [[nodiscard]] packet_type take_reserved(u16 headroom = default_headroom) noexcept {
        return headroom > Bytes
                   ? packet_type{}
                   : packet_type::adopt(make(Count + default_reserve(Count)), headroom);
    }
    [[nodiscard]] std::size_t available() const noexcept {
        return taken_ < Count ? Count - taken_ : 0;
    }

private:
    struct cell : external_storage::block {
        std::byte room[Bytes];
    };
    void recycle(external_storage::block& b) noexcept override {
        --taken_;
        delete static_cast<cell*>(&b);
    }
    [[nodiscard]] bool may_wait(u32 margins) const noexcept override {
        return available() >= std::size_t{margins} * margin_of(Count);
    }
    [[nodiscard]] external_storage::block* another() noexcept override { return make(Count); }
    [[nodiscard]] external_storage::block* make(std::size_t most) noexcept {
        if (taken_ >= most) {
            return nullptr;
        }
        cell* c = new (std::nothrow) cell;
        if (c == nullptr) {
            return nullptr;
        }
        ++taken_;
        c->bytes = c->room;
        c->size = Bytes;
        c->owner = this;
        return c;
    }
    std::size_t taken_ = 0;
};

}  // namespace sluice
