// piece: one or more held fragments whose data are one range, under a rule that settles overlaps;
// run: the same under one that refuses them; piece_pool: memory for either.
//
// Both keep the packet of a fragment and, beside it, its place in the datagram; never inside the
// packet's bytes. Fragments that continue a run follow in the packet's list.
//
// Expects: pieces in an array that does not move, in their default state.
// Never:   allocates.
// Cost:    40 bytes a piece; O(1) to take and to free.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/reassembly/overlap.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace sluice::detail {

template <class Packet>
struct piece {
    Packet packet{};
    u32 start = 0;  // data bytes start .. end - 1 of the datagram
    u32 end = 0;
    piece* next = nullptr;  // the next piece of its datagram, if any, or the next free one
    u32 charge = 0;         // bytes counted against the threshold
    u32 memory = 0;         // bytes of buffers

    // Bytes before the data: the header of the first fragment.
    [[nodiscard]] constexpr u32 header() const noexcept {
        return start != 0 ? 0 : 4 * (static_cast<u32>(*std::as_const(packet).data()) & 0x0f);
    }
    [[nodiscard]] constexpr u32 size() const noexcept { return end - start; }
    [[nodiscard]] constexpr byte_range range() const noexcept { return {start, end}; }
    // The byte at a place of the datagram; the packet must be contiguous up to it.
    [[nodiscard]] constexpr std::byte* at(u32 place) noexcept {
        return packet.writable() + header() + (place - start);
    }
    [[nodiscard]] constexpr bool make_contiguous() noexcept {
        return packet.may_pull(packet.size());
    }
    // Removes the header and the bytes before a later place; false: the packet cannot.
    [[nodiscard]] constexpr bool cut_front(u32 place) noexcept {
        const u32 less = header() + (place - start);
        if (!packet.may_pull(less) || !packet.pull(less)) {
            return false;
        }
        start = place;
        return true;
    }
    constexpr void cut_back(u32 place) noexcept {
        packet.trim(header() + (place - start));
        end = place;
    }
};

template <class Packet>
struct run {
    Packet packet{};
    u32 start = 0;  // data bytes start .. end - 1 of the datagram
    u32 end = 0;
    run* next = nullptr;    // the one that came before it, or the next free one
    run* beside = nullptr;  // for run_order

    [[nodiscard]] constexpr byte_range range() const noexcept { return {start, end}; }
};

template <class Piece>
class piece_pool {
public:
    constexpr piece_pool(Piece* pieces, u32 count) noexcept
        : first_(pieces), fresh_(pieces), fresh_count_(count) {}

    [[nodiscard]] constexpr bool empty() const noexcept {
        return free_ == nullptr && fresh_count_ == 0;
    }
    // Precondition: not empty.
    [[nodiscard]] constexpr Piece& take() noexcept {
        if (free_ == nullptr) {
            --fresh_count_;
            return *fresh_++;
        }
        Piece& p = *std::exchange(free_, free_->next);
        fetch(free_);
        return p;
    }
    // Frees a piece of this pool. Its packet, if it still has one, goes back to its source.
    constexpr void give(Piece& p) noexcept {
        p.packet = {};
        p.next = std::exchange(free_, &p);
    }
    // Frees pieces of this pool without packets, a list from `first` to `last`.
    constexpr void give_list(Piece& first, Piece& last) noexcept {
        last.next = std::exchange(free_, &first);
    }
    // A piece of this pool by its number.
    [[nodiscard]] constexpr u32 number_of(const Piece& p) const noexcept {
        return static_cast<u32>(&p - first_);
    }
    [[nodiscard]] constexpr Piece& at(u32 number) const noexcept { return first_[number]; }

private:
    // Always inlined: g++ omits calls of functions that only fetch.
    [[gnu::always_inline]] static constexpr void fetch(const Piece* p) noexcept {
        if (!std::is_constant_evaluated()) {
            __builtin_prefetch(p, 1);
        }
    }

    Piece* first_;
    Piece* free_ = nullptr;  // freed pieces
    Piece* fresh_;           // pieces that were never used
    u32 fresh_count_;
};

}  // namespace sluice::detail
