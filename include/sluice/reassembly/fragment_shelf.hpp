// fragment_shelf<Packet, N, Share>: up to N packets in place, in lists of their owners' choice,
// each list first in, first out.
//
// One source may have 1/Share of the packets and of their memory. It is counted by a keyed hash, in
// four counters a packet: the few sources that have a counter in common have one share together.
//
// Expects: each list is emptied before its owner forgets it; a hash that outsiders cannot guess.
// Never:   allocates, moves a packet within the shelf.
// Cost:    16 bytes a packet beside its handle, 32 more if Share is not 1; O(1).
#pragma once

#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/wire/transport_fields.hpp>

#include <bit>
#include <cstddef>
#include <utility>

namespace sluice::detail {

template <class Packet, std::size_t N, u32 Share>
class fragment_shelf {
    static_assert(N > 0 && N < 0xffff);
    static_assert(Share > 0 && Share <= N,
                  "sluice: shallow_reassembly: Held must be at least Share, a packet for a source");

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

    // Appends the packet to the list. False, and the caller keeps it: the shelf, or the source's
    // share of it, is full, or would hold more than `most_bytes`.
    [[nodiscard]] constexpr bool put(list& to, Packet& packet, u32 most_bytes,
                                     u64 hash_of_source) noexcept {
        const u64 more = memory_kept(packet);
        source_count& of_source = sources_[hash_of_source % counters];
        if (size_ == N || byte_count_ + more > most_bytes ||
            (Share > 1 && (of_source.packets == N / Share ||
                           of_source.byte_count + more > most_bytes / Share))) {
            return false;
        }
        u16 at = free_;
        if (at != nowhere) {
            free_ = slots_[at].next;
        } else {
            at = fresh_++;
        }
        slots_[at] = {.kept = {.packet = std::move(packet)},
                      .next = nowhere,
                      .source = static_cast<u16>(hash_of_source % counters)};
        (to.empty() ? to.first : slots_[to.last].next) = at;
        to.last = at;
        ++to.count;
        ++size_;
        byte_count_ += more;
        ++of_source.packets;
        of_source.byte_count += static_cast<u32>(more);
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
        const u64 less = memory_kept(s.kept.packet);
        byte_count_ -= less;
        --sources_[s.source].packets;
        sources_[s.source].byte_count -= static_cast<u32>(less);
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
        u16 source = 0;
    };
    struct source_count {
        u32 byte_count = 0;
        u32 packets = 0;
    };
    static constexpr std::size_t counters = Share == 1 ? 1 : std::bit_ceil(N < 0x4000 ? 4 * N : N);

    slot slots_[N]{};
    source_count sources_[counters]{};
    u16 free_ = nowhere;
    u16 fresh_ = 0;  // slots from here on were never used
    std::size_t size_ = 0;
    u64 byte_count_ = 0;
};

}  // namespace sluice::detail
