// bounded_packet_queue<Item, N>: packets that wait, bounded by their number and by the bytes of
// memory that they keep; memory_kept: what one keeps; may_wait: whether its source can miss it.
// Expects: N a power of two; an Item that is a packet or has a member `packet`; nobody to change a
// packet while it waits. Does: first in, first out, in place; refuses what would pass a bound and
// leaves it with the caller. Never: allocates, drops. Cost: an addition for a packet of one block,
// a walk over the blocks for others. Whoever keeps packets (a hook, a sink, a link) uses this one,
// and asks may_wait() where it is others who decide how long: a peer, a program that reads.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/ring.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// What Linux lets wait where nobody said otherwise: net.core.rmem_default, neigh unres_qlen_bytes.
inline constexpr u32 default_waiting_bytes = 212'992;

// So many packets of 4,096 bytes, and never too few for three of 64 KB.
[[nodiscard]] consteval u32 waiting_bytes_for(std::size_t packets) noexcept {
    return packets * 4096 > default_waiting_bytes ? static_cast<u32>(packets * 4096)
                                                  : default_waiting_bytes;
}

// The bytes of the blocks that the packet keeps from their source, used or not; of bytes that it
// refers to in blocks of others, so many. Linux skb->truesize.
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

// Whether the packet may be kept: its source has its margin left (so many of them: fragments leave
// two, so that sockets hear while fragments have all that they may), and it is not of the reserve.
// What all of these keep together therefore never takes the buffers to receive and to answer in.
// Linux skb_pfmemalloc and sk_filter.
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
    // Of the memory that waits here.
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return byte_count_; }
    // Whether the packet finds room among at most so many bytes.
    template <class Packet>
    [[nodiscard]] constexpr bool has_room(const Packet& packet, u64 most_bytes) const noexcept {
        return !queue_.full() && byte_count_ + memory_kept(packet) <= most_bytes;
    }

    // The place for the packet, to be filled with it at once; nullptr: there is no room.
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
    // The oldest; an empty one when nothing waits.
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
