// piece, piece_pool: one held fragment, and the free pieces.
//
// A piece keeps the packet of a fragment and, beside it, its place in the datagram; never inside
// the packet's bytes.
//
// Expects: pieces in an array that does not move, in their default state.
// Never:   allocates.
// Cost:    about 64 bytes a piece; O(1) to take and to free.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/treap.hpp>
#include <sluice/reassembly/overlap.hpp>

#include <cstddef>
#include <utility>

namespace sluice::detail {

template <class Packet>
struct piece : treap_hook<piece<Packet>> {
    piece* next = nullptr;  // the next piece of its run, or the next free one
    Packet packet{};
    u32 start = 0;  // data bytes start .. end - 1 of the datagram
    u32 end = 0;
    u32 run_end = 0;  // first piece of a run: the end of the run
    u32 charge = 0;   // bytes counted against the threshold
    u32 header = 0;   // bytes before the data: 0 unless the piece starts at 0

    [[nodiscard]] constexpr u32 size() const noexcept { return end - start; }
    [[nodiscard]] constexpr byte_range range() const noexcept { return {start, end}; }
    // The byte at a place of the datagram; the packet must be contiguous up to it.
    [[nodiscard]] constexpr std::byte* at(u32 place) noexcept {
        return packet.writable() + header + (place - start);
    }
    [[nodiscard]] constexpr bool make_contiguous() noexcept {
        return packet.may_pull(packet.size());
    }
    // Removes the header; false: the packet cannot.
    [[nodiscard]] constexpr bool cut_header() noexcept { return cut_front(start); }
    // Removes the header and the bytes before a later place; false: the packet cannot.
    [[nodiscard]] constexpr bool cut_front(u32 place) noexcept {
        const u32 less = header + (place - start);
        if (!packet.may_pull(less) || !packet.pull(less)) {
            return false;
        }
        header = 0;
        start = place;
        return true;
    }
    constexpr void cut_back(u32 place) noexcept {
        packet.trim(header + (place - start));
        end = place;
    }
};

template <class Packet>
class piece_pool {
public:
    constexpr piece_pool(piece<Packet>* pieces, u32 count) noexcept
        : fresh_(pieces), fresh_count_(count), size_(count) {}

    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr u32 size() const noexcept { return size_; }

    // Precondition: not empty.
    [[nodiscard]] constexpr piece<Packet>& take() noexcept {
        --size_;
        if (free_ == nullptr) {
            --fresh_count_;
            return *fresh_++;
        }
        piece<Packet>& p = *std::exchange(free_, free_->next);
        p.next = nullptr;
        return p;
    }
    // Frees the piece. Its packet, if it still has one, goes back to its source.
    constexpr void give(piece<Packet>& p) noexcept {
        p.packet = Packet{};
        p.next = std::exchange(free_, &p);
        ++size_;
    }

private:
    piece<Packet>* free_ = nullptr;  // freed pieces
    piece<Packet>* fresh_;           // pieces that were never used
    u32 fresh_count_;
    u32 size_;
};

}  // namespace sluice::detail
