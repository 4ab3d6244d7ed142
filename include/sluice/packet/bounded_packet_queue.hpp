// bounded_packet_queue<Item, N>: a queue of packets, bounded by their number and their memory.
//
// Use it to keep packets in a hook, a sink or a link. Where a peer or a reading program decides how
// long packets wait, ask may_wait() first. The queue is first in, first out, in place. It refuses a
// packet that would exceed a bound; the caller keeps it. memory_kept() is the memory that one
// packet keeps; may_wait() says whether its source can spare it.
//
// Expects: N is a power of two; Item is a packet or has a member `packet`; a waiting packet does
//          not change.
// Never:   allocates or drops.
// Cost:    an addition for a packet of one block, a walk over the blocks for others.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/ring.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// Linux's default bounds: net.core.rmem_default, neigh unres_qlen_bytes.
inline constexpr u32 default_waiting_bytes = 212'992;

// Bytes for `packets` packets of 4,096 bytes, and at least for three packets of 64 KB.
[[nodiscard]] consteval u32 waiting_bytes_for(std::size_t packets) noexcept {
    return packets * 4096 > default_waiting_bytes ? static_cast<u32>(packets * 4096)
                                                  : default_waiting_bytes;
}

// The capacity of the packet's own blocks, used or not, and the bytes that it references in blocks
// of other packets. Linux skb->truesize.
template <class Packet>
[[nodiscard]] constexpr u64 memory_kept(const Packet& packet) noexcept {
    using storage = typename Packet::storage;
    if (!packet) {
        return 0;
    }
    const auto& head = packet.storage_block();
    u64 byte_count = storage::capacity(head);
    if constexpr (!storage::is_inline) {
        if (packet.is_segmented()) {
            const auto referred = [](const auto& b) {
                u64 sum = 0;
                for (u32 i = 0; i < b.segment_count; ++i) {
                    sum += b.segments[i].length;
                }
                return sum;
            };
            byte_count += referred(head);
            for (const auto* b = head.list; b != nullptr; b = b->next) {
                byte_count += storage::capacity(*b) + referred(*b);
            }
        }
    }
    return byte_count;
}

// Whether a queue may keep the packet: its source has `margins` margins of free blocks left, and
// the packet is not of the reserve. Fragments require two margins, so that sockets still receive
// while fragments hold all that they may. Queues together therefore never use up the buffers for
// reception and answers. Linux skb_pfmemalloc and sk_filter.
template <class Packet>
[[nodiscard]] constexpr bool may_wait(const Packet& packet, u32 margins = 1) noexcept {
    if constexpr (requires { Packet::storage::may_wait(packet.storage_block(), margins); }) {
        return packet && Packet::storage::may_wait(packet.storage_block(), margins);
    } else {
        return static_cast<bool>(packet);
    }
}

template <class Item, std::size_t N>
class bounded_packet_queue {
public:
    [[nodiscard]] constexpr std::size_t size() const noexcept { return queue_.size(); }
    [[nodiscard]] constexpr bool empty() const noexcept { return queue_.empty(); }
    // The memory that the waiting packets keep, in bytes.
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return byte_count_; }
    // Whether there is room for the packet within `most_bytes` bytes of memory.
    template <class Packet>
    [[nodiscard]] constexpr bool has_room(const Packet& packet, u64 most_bytes) const noexcept {
        return !queue_.full() && byte_count_ + memory_kept(packet) <= most_bytes;
    }

    // Appends a place for the packet, which the caller must fill at once; nullptr when there is no
    // room.
    template <class Packet>
    [[nodiscard]] constexpr Item* claim(const Packet& packet, u64 most_bytes) noexcept {
        const u64 more = memory_kept(packet);
        if (byte_count_ + more > most_bytes) {
            return nullptr;
        }
        Item* const place = queue_.claim();
        byte_count_ += place != nullptr ? more : 0;
        return place;
    }
    // Removes and returns the oldest item; an empty one when none waits.
    [[nodiscard]] constexpr Item pop() noexcept {
        Item oldest = queue_.pop();
        byte_count_ -= memory_kept(packet_of(oldest));
        return oldest;
    }

private:
    [[nodiscard]] static constexpr const auto& packet_of(const Item& item) noexcept {
        if constexpr (requires { item.packet; }) {
            return item.packet;
        } else {
            return item;
        }
    }

    ring<Item, N> queue_;
    u64 byte_count_ = 0;
};

}  // namespace sluice
