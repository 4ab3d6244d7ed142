// piece_maker: makes packets of the parts of a packet: each has its marks and metadata, and bytes
// of its own, or refers to the bytes of the whole, or is a packet of its list.
//
// rewrite/fragment.hpp uses it: one word of the handle is written for each piece, and the checks
// that attach() and split_list() make for each call are made once for the whole.
//
// Expects: functions that name their conditions; the whole outlives the maker, or its list does.
// Never:   copies bytes or takes buffers.
// Cost:    a piece touches its own block and the count of the block that it refers to; metadata
//          only if the whole has some.
#pragma once

#include <sluice/packet/basic_packet.hpp>

#include <cstddef>
#include <utility>

namespace sluice::detail {

template <class Packet>
class piece_maker {
    using storage = typename Packet::storage;
    using block = typename Packet::block;

public:
    constexpr explicit piece_maker(const Packet& whole) noexcept
        : marks_(whole.at_), metadata_(whole.has_metadata() ? &whole.metadata() : nullptr) {}

    // Gives `piece`, an empty packet from a source, n bytes and the marks of the whole. Returns the
    // first byte; nullptr if the packet is an empty handle or has no room.
    [[nodiscard, gnu::always_inline]] constexpr std::byte* begin(Packet& piece,
                                                                 u32 n) const noexcept {
        const u32 front = piece.at_.offset();
        if (piece.block_ == nullptr || n > storage::capacity(*piece.block_) - front) {
            return nullptr;
        }
        piece.at_ = marks_.with_bounds(front, n);
        piece.open(front, n);
        if (metadata_ != nullptr) {
            piece.writable_metadata() = *metadata_;
        }
        return storage::memory(*piece.block_) + front;
    }
    // Lets a piece that begin() made refer to n bytes of `of`, at `offset` of its memory, behind
    // its own. False: all segments are in use.
    [[nodiscard, gnu::always_inline]] static constexpr bool refer(Packet& piece, block& of,
                                                                  u32 offset, u32 n) noexcept
        requires(Packet::ownership::counts_references)
    {
        if (!piece.is_segmented()) {
            piece.go_on();
        }
        block& b = *piece.block_;
        if (b.segment_count == max_segments) {
            return false;
        }
        ++of.references;
        b.segments[b.segment_count++] = {&of, offset, n};
        b.elsewhere += n;
        piece.at_.set_length(piece.at_.length() + n);
        return true;
    }

    // Whether neither the packet nor one of its list has segments, so that split() may detach the
    // list.
    [[nodiscard]] static constexpr bool is_list_only(const Packet& p) noexcept {
        if (!p.has_packet_list() || p.has_segments()) {
            return false;
        }
        const block* b = p.storage_block().list;
        while (b != nullptr && b->segment_count == 0) {
            b = b->next;
        }
        return b == nullptr;
    }
    // Detaches the list of a packet that is not shared and has no segments; returns its first
    // block, or nullptr if the packet ends before it. The caller makes each block a packet
    // (next()), or gives the list back (release()).
    [[nodiscard]] static constexpr block* split(Packet& whole) noexcept {
        static_cast<void>(whole.unshare());  // cuts what is behind the end of the packet
        const u32 own = whole.head_size();
        whole.at_.set_length(own);
        whole.at_.set(handle_word::segmented, false);
        return std::exchange(whole.block_->list, nullptr);
    }
    // The first packet of the list, without segments, with n bytes of its headroom in front (it has
    // as many) and the metadata of the piece before it; the list goes on behind it.
    [[nodiscard, gnu::always_inline]] constexpr Packet next(block*& list, u32 n,
                                                            const Packet& before) const noexcept {
        Packet piece;
        block& b = *std::exchange(list, list->next);
        piece.block_ = &b;
        piece.at_ = marks_.with_bounds(u32{b.own_offset} - n, b.own_length + n);
        piece.open(u32{b.own_offset} - n, n);
        if (metadata_ != nullptr) {
            piece.writable_metadata() = before.metadata();
        }
        return piece;
    }
    static constexpr void release(block* list) noexcept {
        while (list != nullptr) {
            block& b = *std::exchange(list, list->next);
            static_cast<void>(Packet::adopt(&b, b.own_offset, b.own_length));
        }
    }

private:
    handle_word marks_;
    const metadata* metadata_;
};

// Walks the bytes of a head block and of the packets of a list, which have no segments: the block
// that has the bytes, and their place in its memory.
template <class Packet>
class part_walk {
    using block = typename Packet::block;

public:
    struct part {
        block* holder = nullptr;
        u32 offset = 0;  // in its memory
        u32 length = 0;

        [[nodiscard]] constexpr const std::byte* data() const noexcept {
            return Packet::storage::memory(*holder) + offset;
        }
    };

    // The list that split() took from the packet.
    constexpr part_walk(Packet& head, block* list) noexcept
        : now_{&head.storage_block(), head.headroom(), head.size()}, list_(list) {}

    // At most n bytes of the part in turn; length 0: no more.
    [[nodiscard]] constexpr part take(u32 n) noexcept {
        while (now_.length == 0 && list_ != nullptr) {
            block& b = *std::exchange(list_, list_->next);
            now_ = {&b, b.own_offset, b.own_length};
        }
        part p = now_;
        p.length = n < p.length ? n : p.length;
        now_.offset += p.length;
        now_.length -= p.length;
        return p;
    }

private:
    part now_;
    block* list_;
};

}  // namespace sluice::detail
