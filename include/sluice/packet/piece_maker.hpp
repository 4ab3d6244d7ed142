// piece_maker: makes packets of the parts of a packet: each has its marks and metadata, and bytes
// of its own, or refers to the bytes of the whole, or is a packet of its list. part_walk hands out
// the bytes of a chain as segments of such pieces.
//
// rewrite/fragment.hpp uses them: one word of the handle is written for each piece, and the checks
// that attach() and split_list() make for each call are made once for the whole.
//
// Expects: functions that name their conditions; the whole outlives the maker, or its list does.
// Never:   takes buffers, or copies bytes unless asked to (part_walk::copy).
// Cost:    a piece touches its own block and the count of the block that it refers to; metadata
//          only if the whole has some. Each block of a chain is visited once.
#pragma once

#include <sluice/packet/basic_packet.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace sluice::detail {

template <class Packet>
class piece_maker {
    using storage = typename Packet::storage;
    using block = typename Packet::block;

public:
    constexpr explicit piece_maker(const Packet& whole) noexcept
        : marks_(whole.at_), metadata_(whole.has_metadata() ? &whole.metadata() : nullptr) {}

    [[nodiscard]] constexpr bool has_metadata() const noexcept { return metadata_ != nullptr; }

    // Gives `piece`, an empty packet from a source, n bytes and the marks of the whole. Returns the
    // first byte; nullptr if the packet is an empty handle or has no room.
    [[nodiscard, gnu::always_inline]] constexpr std::byte* begin(Packet& piece,
                                                                 u32 n) const noexcept {
        return begin(piece, n, marks_.with_bounds(piece.at_.offset(), n));
    }
    // The same for a piece that continues with `elsewhere` bytes in segments, which
    // part_walk::refer() must add.
    [[nodiscard, gnu::always_inline]] constexpr std::byte*
    begin_chain(Packet& piece, u32 n, u32 elsewhere) const noexcept {
        const u32 front = piece.at_.offset();
        handle_word bounds = marks_.with_bounds(front, n + elsewhere);
        bounds.set(handle_word::segmented, true);
        std::byte* const first = begin(piece, n, bounds);
        if (first != nullptr) {
            block& b = *piece.block_;
            b.elsewhere = elsewhere;
            b.list = b.list_tail = nullptr;
            b.own_length = n;
            b.own_offset = static_cast<u16>(front);
        }
        return first;
    }
    // Takes the packet's reference to its block.
    [[nodiscard]] static constexpr block* detach(Packet& p) noexcept {
        p.at_ = {};
        return std::exchange(p.block_, nullptr);
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
    [[gnu::always_inline]] constexpr std::byte* begin(Packet& piece, u32 n,
                                                      handle_word bounds) const noexcept {
        const u32 front = piece.at_.offset();
        if (piece.block_ == nullptr || n > storage::capacity(*piece.block_) - front) {
            return nullptr;
        }
        piece.at_ = bounds;
        piece.open(front, n);
        if (metadata_ != nullptr) {
            piece.writable_metadata() = *metadata_;
        }
        return storage::memory(*piece.block_) + front;
    }

    handle_word marks_;
    const metadata* metadata_;
};

// Walks the bytes of a packet, in its head, its segments and its list, and hands them out as
// segments of other packets. It has the packet's references to the blocks: the last packet that
// gets bytes of a block gets the reference too, so that no block is visited twice. A value, which
// its rare functions take and return: so the common ones keep it in registers.
template <class Packet>
    requires(Packet::ownership::counts_references)
class part_walk {
    using block = typename Packet::block;
    using part = typename block::segment;

public:
    // A packet that is not shared, or that has one block; it may end before its chain does. Its
    // first `skip` bytes (at most head_size()) are not handed out. keeps_head: its head and
    // metadata last until release().
    [[nodiscard]] static constexpr part_walk over(Packet&& whole, u32 skip,
                                                  bool keeps_head) noexcept {
        part_walk w;
        const bool goes_on = whole.is_segmented();
        const u32 own = whole.head_size();
        const u32 offset = whole.headroom();
        block& head = *piece_maker<Packet>::detach(whole);
        if (goes_on) {
            w.list_ = std::exchange(head.list, nullptr);
            w.enter(head);
        }
        w.at_ = {&head, offset + skip, own - skip};
        if (keeps_head) {
            ++head.references;
            w.head_ = &head;
        }
        return w;
    }

    // Adds the next n bytes (not 0) to a piece that begin_chain() made; returns how many were left
    // over when its segments were in use.
    [[nodiscard, gnu::always_inline]] constexpr u32 refer(Packet& piece, u32 n) noexcept {
        block& to = piece.storage_block();
        if (n < at_.length) {
            share(to.segments[0], n);
            to.segment_count = 1;
            return 0;
        }
        return refer_parts(to, n);
    }
    // Copies the next n bytes; returns the walk behind them.
    [[nodiscard, gnu::noinline]] static constexpr part_walk copy(part_walk w, std::byte* to,
                                                                 u32 n) noexcept {
        while (n > 0 && w.at_.block != nullptr) {
            const u32 count = n < w.at_.length ? n : w.at_.length;
            copy_bytes(to, Packet::storage::memory(*w.at_.block) + w.at_.offset, count);
            to += count;
            n -= count;
            w.at_.offset += count;
            w.at_.length -= count;
            if (w.at_.length == 0) {
                drop(w.at_.block);
                w.advance();
            }
        }
        return w;
    }
    // Gives up the references that it has left. Call it once, at last.
    [[gnu::always_inline]] static constexpr void release(const part_walk& w) noexcept {
        if (w.at_.block != nullptr || w.head_ != nullptr) {
            release_rest(w);
        }
    }

private:
    // Refers to n bytes of the part, which has more.
    [[gnu::always_inline]] constexpr void share(part& to, u32 n) noexcept {
        ++at_.block->references;
        to = {at_.block, at_.offset, n};
        at_.offset += n;
        at_.length -= n;
    }
    [[gnu::always_inline]] constexpr u32 refer_parts(block& to, u32 n) noexcept {
        u8 count = 0;
        while (n >= at_.length && at_.block != nullptr) {
            if (at_.length == 0) {
                drop(at_.block);
            } else if (count == max_segments) {
                break;
            } else {
                to.segments[count++] = at_;
                n -= at_.length;
            }
            advance();
        }
        if (n > 0 && n < at_.length && count < max_segments) {
            share(to.segments[count++], n);
            n = 0;
        }
        to.segment_count = count;
        return n;
    }
    [[gnu::noinline]] static constexpr void release_rest(part_walk w) noexcept {
        while (w.at_.block != nullptr) {
            drop(w.at_.block);
            w.advance();
        }
        drop(w.head_);
    }
    static constexpr void drop(block* b) noexcept { static_cast<void>(Packet::adopt(b, 0)); }
    // Goes to the own bytes of the head or of a packet of the list.
    [[gnu::always_inline]] constexpr void enter(block& b) noexcept {
        at_ = {&b, b.own_offset, b.own_length};
        // Not of a null pointer: no translation of its page is kept, so each such access seeks one.
        if (list_ != nullptr && !std::is_constant_evaluated()) {
            __builtin_prefetch(list_, 1);
        }
        if (b.segment_count > 0) {
            ++b.references;  // until its segments are handed out
            segments_of_ = &b;
            next_segment_ = 0;
        }
    }
    // To the next part; the reference to the one before is given away.
    [[gnu::always_inline]] constexpr void advance() noexcept {
        if (segments_of_ != nullptr) {
            *this = in_segments(*this);
        } else if (list_ != nullptr) {
            enter(*std::exchange(list_, list_->next));
        } else {
            at_ = {};
        }
    }
    [[nodiscard, gnu::noinline]] static constexpr part_walk in_segments(part_walk w) noexcept {
        block& b = *w.segments_of_;
        w.at_ = b.segments[w.next_segment_++];
        if (w.next_segment_ == b.segment_count) {
            drop(std::exchange(w.segments_of_, nullptr));
        }
        return w;
    }

    part at_{};                     // with a reference; no block: the end
    block* list_ = nullptr;         // the packets of the list to come
    block* segments_of_ = nullptr;  // with a reference: its segments come next
    block* head_ = nullptr;         // with a reference
    u32 next_segment_ = 0;
};

}  // namespace sluice::detail
