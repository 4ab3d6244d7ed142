// fragment_shelf<Packet, N>: up to N packets in place, in lists of their owners' choice, each list
// first in, first out.
//
// Expects: each list is emptied before its owner forgets it.
// Never:   allocates, moves a packet within the shelf.
// Cost:    16 bytes a packet beside its handle; O(1).
#pragma once

#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/wire/transport_fields.hpp>

#include <cstddef>
#include <utility>

namespace sluice::detail {

template <class Packet, std::size_t N>
class fragment_shelf {
    static_assert(N > 0 && N < 0xffff);

public:
    static constexpr u16 nowhere = 0xffff;
    struct list {
        u16 first = nowhere;
        u16 last = nowhere;
        u16 count = 0;

        [[nodiscard]] constexpr bool empty() const noexcept { return count == 0; }
    };
    struct item {
        Packet packet{};
        transport_fields fields{};
    };

    // Packets on the shelf, and the memory that they keep, in bytes.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return byte_count_; }

    // Appends the packet to the list. False, and the caller keeps it: the shelf is full, or would
    // hold more than `most_bytes`.
    [[nodiscard]] constexpr bool put(list& to, Packet& packet, u64 most_bytes) noexcept {
        const u64 more = memory_kept(packet);
        if (size_ == N || byte_count_ + more > most_bytes) {
            return false;
        }
        u16 at = free_;
        if (at != nowhere) {
            free_ = slots_[at].next;
        } else {
            at = fresh_++;
        }
        slots_[at] = {.kept = {.packet = std::move(packet)}, .next = nowhere};
        (to.empty() ? to.first : slots_[to.last].next) = at;
        to.last = at;
        ++to.count;
        ++size_;
        byte_count_ += more;
        return true;
    }
    // Removes and returns the oldest packet of a list that is not empty.
    [[nodiscard]] constexpr item take(list& from) noexcept {
        const u16 at = from.first;
        slot& s = slots_[at];
        from.first = s.next;
        --from.count;
        s.next = free_;
        free_ = at;
        --size_;
        byte_count_ -= memory_kept(s.kept.packet);
        return std::exchange(s.kept, {});
    }
    // Moves the whole list behind another one and gives each of its packets the fields.
    constexpr void move(list& from, list& to, const transport_fields& fields) noexcept {
        if (from.empty()) {
            return;
        }
        for (u16 at = from.first; at != nowhere; at = slots_[at].next) {
            slots_[at].kept.fields = fields;
        }
        (to.empty() ? to.first : slots_[to.last].next) = from.first;
        to.last = from.last;
        to.count = static_cast<u16>(to.count + from.count);
        from = {};
    }

private:
    struct slot {
        item kept{};
        u16 next = nowhere;
    };

    slot slots_[N]{};
    u16 free_ = nowhere;
    u16 fresh_ = 0;  // slots from here on were never used
    std::size_t size_ = 0;
    u64 byte_count_ = 0;
};

}  // namespace sluice::detail
