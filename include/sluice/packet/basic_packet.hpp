// basic_packet<Storage, Ownership>: the handle that moves through the pipeline, and its operations
// by the kernel's names. Expects: blocks from a buffer_source of the same Storage. Does: owns one
// reference to a block; push, pull, put and trim move the bounds; a packet may go on in further
// blocks: page-like segments (bytes of shared blocks) and a list of whole packets (row H4), without
// another type. Never: allocates by itself (clone and unshare ask the block's own source and may
// give an empty packet), copies bytes unless said. Cost: 16 bytes for block storage, move-only;
// operations on a plain packet touch the handle alone. Ownership unique: one handle a block,
// clone() copies. shared: clone() counts, unshare() copies before the bytes change.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/packet/block_base.hpp>
#include <sluice/packet/metadata.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <class Storage, class Ownership = unique>
class basic_packet {
public:
    using storage = Storage;
    using ownership = Ownership;
    using block = typename Storage::block;
    // A pointer to the block, or for inline storage the block itself.
    using reference = typename Storage::reference;

    constexpr basic_packet() noexcept = default;
    constexpr basic_packet(basic_packet&& other) noexcept
        : block_(std::exchange(other.block_, nullptr)), at_(other.at_) {}
    constexpr basic_packet& operator=(basic_packet&& other) noexcept {
        if (this != &other) {
            reset();
            block_ = std::exchange(other.block_, nullptr);
            at_ = other.at_;
        }
        return *this;
    }
    constexpr ~basic_packet() { reset(); }

    // Takes over a block whose one reference the caller holds. offset + length are within its
    // capacity.
    [[nodiscard]] static constexpr basic_packet adopt(reference b, u16 offset,
                                                      u32 length = 0) noexcept {
        basic_packet p;
        p.block_ = std::move(b);
        p.at_.offset = offset;
        p.at_.length = length & length_mask;
        return p;
    }

    constexpr explicit operator bool() const noexcept { return block_ != nullptr; }
    // Gives the buffer back.
    constexpr void reset() noexcept {
        if constexpr (Storage::is_inline) {
            block_ = nullptr;
        } else if (block_ != nullptr) {
            release_chain(std::exchange(block_, nullptr), is_segmented());
        }
    }

    // -- bounds, all in octets --
    [[nodiscard]] constexpr u32 size() const noexcept { return at_.length; }
    // Of them, those at data(): equal to size() unless segmented.
    [[nodiscard]] constexpr u32 head_size() const noexcept {
        return is_segmented() ? at_.length - block_->elsewhere : at_.length;
    }
    [[nodiscard]] constexpr u32 headroom() const noexcept { return at_.offset; }
    [[nodiscard]] constexpr u32 tailroom() const noexcept {
        return is_segmented() && (block_->segment_count > 0 || block_->list != nullptr)
                   ? 0
                   : Storage::capacity(*block_) - at_.offset - at_.length;
    }
    [[nodiscard]] constexpr std::byte* data() noexcept {
        return Storage::memory(*block_) + at_.offset;
    }
    [[nodiscard]] constexpr const std::byte* data() const noexcept {
        return Storage::memory(*block_) + at_.offset;
    }
    // The first contiguous bytes.
    [[nodiscard]] constexpr bytes head() noexcept { return {data(), head_size()}; }
    [[nodiscard]] constexpr const_bytes head() const noexcept { return {data(), head_size()}; }

    // Makes room for n octets in front and returns the new data(); nullptr when the headroom is too
    // small.
    [[nodiscard]] constexpr std::byte* push(u32 n) noexcept {
        if (n > at_.offset) {
            return nullptr;
        }
        at_.offset = static_cast<u16>(at_.offset - n);
        at_.length = (at_.length + n) & length_mask;
        return data();
    }
    // Takes n octets off the front; false when the first block has fewer.
    [[nodiscard]] constexpr bool pull(u32 n) noexcept {
        if (n > head_size() || at_.offset + n > 0xffff) {
            return false;
        }
        at_.offset = static_cast<u16>(at_.offset + n);
        at_.length = (at_.length - n) & length_mask;
        return true;
    }
    // Appends n octets (their values are not set) and returns the first of them; nullptr when there
    // is no tailroom.
    [[nodiscard]] constexpr std::byte* put(u32 n) noexcept {
        if (n > tailroom()) {
            return nullptr;
        }
        std::byte* end = data() + head_size();
        at_.length = (at_.length + n) & length_mask;
        return end;
    }

    // -- what the packet is --
    [[nodiscard]] constexpr u16 interface() const noexcept { return at_.interface; }
    constexpr void set_interface(u16 index) noexcept { at_.interface = index; }
    [[nodiscard]] constexpr packet_type type() const noexcept {
        return static_cast<packet_type>(at_.flags & type_mask);
    }
    constexpr void set_type(packet_type t) noexcept {
        at_.flags = static_cast<u8>((at_.flags & ~type_mask) | static_cast<u8>(t));
    }
    // Addressed to this host by the link layer, in one block, nothing set beside the bytes.
    [[nodiscard]] constexpr bool is_plain_host() const noexcept { return at_.flags == 0; }
    [[nodiscard]] constexpr bool is_forwarded() const noexcept {
        return (at_.flags & forwarded_flag) != 0;
    }
    constexpr void set_forwarded(bool is = true) noexcept {
        at_.flags = static_cast<u8>((at_.flags & ~forwarded_flag) | (is ? forwarded_flag : 0));
    }

    [[nodiscard]] constexpr bool has_facts() const noexcept {
        return (at_.flags & facts_flag) != 0;
    }
    // The metadata, made default the first time.
    [[nodiscard]] constexpr metadata& facts() noexcept {
        if (!has_facts()) {
            block_->facts = metadata{};
            at_.flags |= facts_flag;
        }
        return block_->facts;
    }
    // The metadata for reading: defaults when nothing was set.
    [[nodiscard]] constexpr const metadata& facts() const noexcept {
        return has_facts() ? block_->facts : default_facts;
    }

    // -- more than one block (segments.hpp works on these) --
    [[nodiscard]] constexpr bool is_segmented() const noexcept {
        return (at_.flags & segmented_flag) != 0;
    }
    [[nodiscard]] constexpr bool has_segments() const noexcept {
        return is_segmented() && block_->segment_count > 0;
    }
    [[nodiscard]] constexpr bool has_packet_list() const noexcept {
        return is_segmented() && block_->list != nullptr;
    }
    [[nodiscard]] constexpr bool is_shared() const noexcept {
        if constexpr (Ownership::counts_references) {
            return block_->references > 1;
        } else {
            return false;
        }
    }
    [[nodiscard]] constexpr block& storage_block() noexcept { return *block_; }
    [[nodiscard]] constexpr const block& storage_block() const noexcept { return *block_; }

    // Appends a whole packet, which is not a list itself; afterwards has_packet_list(). An empty
    // handle appends nothing. As all that changes the chain, for a packet that is not shared.
    constexpr void append(basic_packet&& tail) noexcept
        requires(!Storage::is_inline)
    {
        if (tail.block_ == nullptr) {
            return;
        }
        become_segmented();
        block* b = tail.block_;
        if (!tail.is_segmented()) {
            b->segment_count = 0;
            b->list = nullptr;
        }
        b->head_length = tail.head_size();
        b->parked_offset = tail.at_.offset;
        b->next = nullptr;
        at_.length = (at_.length + tail.at_.length) & length_mask;
        block_->elsewhere += tail.at_.length;
        tail.block_ = nullptr;
        if (block_->list == nullptr) {
            block_->list = b;
        } else {
            block_->list_tail->next = b;
        }
        block_->list_tail = b;
    }

    // Cuts the chain behind the first block: this becomes a packet of its own, and what followed is
    // returned as one (empty when nothing followed). Only for lists without page-like segments in
    // the first block.
    [[nodiscard]] constexpr basic_packet split_list() noexcept
        requires(!Storage::is_inline)
    {
        if (!has_packet_list() || has_segments()) {
            return {};
        }
        block* first = std::exchange(block_->list, nullptr);
        block* second = std::exchange(first->next, nullptr);
        basic_packet rest = adopt(first, first->parked_offset, block_->elsewhere);
        rest.at_.interface = at_.interface;
        rest.at_.flags = at_.flags & type_mask;
        if (second != nullptr || first->segment_count > 0) {
            rest.at_.flags |= segmented_flag;
            first->list = second;
            first->elsewhere = rest.at_.length - first->head_length;
            first->list_tail = second == nullptr ? nullptr : block_->list_tail;
        }
        at_.length = (at_.length - block_->elsewhere) & length_mask;
        at_.flags &= static_cast<u8>(~segmented_flag);
        return rest;
    }

    // References n octets of another packet's first block at offset from its data(), without
    // copying. Only where references are counted; false when all segments are taken, the range is
    // not there, or the other packet is this one or goes on in further blocks.
    [[nodiscard]] constexpr bool attach(basic_packet& of, u32 offset, u32 n) noexcept
        requires(Ownership::counts_references && !Storage::is_inline)
    {
        if (of.is_segmented() || of.block_ == block_ || offset > of.at_.length ||
            n > of.at_.length - offset) {
            return false;
        }
        become_segmented();
        if (block_->segment_count == max_segments || block_->list != nullptr) {
            return false;
        }
        ++of.block_->references;
        block_->segments[block_->segment_count++] = {of.block_, of.at_.offset + offset, n};
        block_->elsewhere += n;
        at_.length = (at_.length + n) & length_mask;
        return true;
    }

    // Moves the bound at the end so that size() is n at most: later blocks that fall away go back.
    constexpr void trim(u32 n) noexcept {
        if (n >= at_.length) {
            return;
        }
        if (!is_segmented()) {
            at_.length = n & length_mask;
            return;
        }
        trim_chain(n);
    }

    // Another handle of the same bytes (shared), or a copy from the block's own source (unique);
    // empty when that has none or when the packet does not fit one block.
    [[nodiscard]] constexpr basic_packet clone() const noexcept {
        if constexpr (Ownership::counts_references) {
            ++block_->references;
            basic_packet p;
            p.block_ = block_;
            p.at_ = at_;
            return p;
        } else {
            return copy();
        }
    }

    // A contiguous copy with the same headroom and metadata; empty when the source has none or it
    // does not fit one block.
    [[nodiscard]] constexpr basic_packet copy() const noexcept {
        basic_packet p = adopt(Storage::take_like(*block_), at_.offset, 0);
        if (!p || at_.offset + u64{at_.length} > Storage::capacity(*p.block_)) {
            return {};
        }
        p.at_.length = at_.length;
        p.at_.interface = at_.interface;
        p.at_.flags = static_cast<u8>(at_.flags & ~segmented_flag);
        if (has_facts()) {
            p.block_->facts = block_->facts;
        }
        std::byte* to = p.data();
        for_each_piece([&to](const_bytes piece) {
            copy_bytes(to, piece.data(), piece.size());
            to += piece.size();
        });
        return p;
    }

    // Before the bytes change: a copy of its own if others hold the block. false when there is no
    // memory.
    [[nodiscard]] constexpr bool unshare() noexcept {
        if (!is_shared()) {
            return true;
        }
        basic_packet own = copy();
        if (!own) {
            return false;
        }
        *this = std::move(own);
        return true;
    }

    // Makes the first n octets contiguous at data(); false when there are fewer or the first block
    // has no room.
    [[nodiscard]] constexpr bool may_pull(u32 n) noexcept {
        if (n <= head_size()) {
            return true;
        }
        return n <= at_.length && gather(n);
    }

    // Calls f(const_bytes) for each contiguous piece in order.
    template <class F>
    constexpr void for_each_piece(F&& f) const {
        f(head());
        if (!is_segmented()) {
            return;
        }
        pieces_of(*block_, f);
        for (block* b = block_->list; b != nullptr; b = b->next) {
            f(const_bytes{Storage::memory(*b) + b->parked_offset, b->head_length});
            pieces_of(*b, f);
        }
    }

private:
    static constexpr u8 type_mask = 0x07;
    static constexpr u8 segmented_flag = 0x08;
    static constexpr u8 facts_flag = 0x10;
    static constexpr u8 forwarded_flag = 0x20;
    static constexpr u32 length_mask = 0xffffff;
    static constexpr metadata default_facts{};

    template <class F>
    static constexpr void pieces_of(const block& b, F& f) {
        for (std::size_t i = 0; i < b.segment_count; ++i) {
            const auto& s = b.segments[i];
            f(const_bytes{Storage::memory(*s.block) + s.offset, s.length});
        }
    }
    constexpr void become_segmented() noexcept {
        if (!is_segmented()) {
            block_->elsewhere = 0;
            block_->segment_count = 0;
            block_->list = nullptr;
            block_->list_tail = nullptr;
            at_.flags |= segmented_flag;
        }
    }

    // Gives up one reference of a block that has no chain of its own.
    static constexpr void drop_reference(block* b) noexcept {
        if constexpr (Ownership::counts_references) {
            if (--b->references > 0) {
                return;
            }
        }
        Storage::release(*b);
    }
    // The same for a block with page-like segments.
    static constexpr void drop_with_segments(block* b) noexcept {
        if constexpr (Ownership::counts_references) {
            if (b->references > 1) {
                --b->references;
                return;
            }
        }
        while (b->segment_count > 0) {
            drop_reference(b->segments[--b->segment_count].block);
        }
        drop_reference(b);
    }
    [[gnu::noinline]] static constexpr void release_chain(block* b, bool segmented) noexcept {
        if (!segmented) {
            drop_reference(b);
            return;
        }
        if (!Ownership::counts_references || b->references == 1) {
            for (block* p = std::exchange(b->list, nullptr); p != nullptr;) {
                drop_with_segments(std::exchange(p, p->next));
            }
        }
        drop_with_segments(b);
    }

    constexpr void trim_chain(u32 n) noexcept;
    constexpr bool gather(u32 n) noexcept;

    // One word, so that a move copies it at once and not field by field.
    struct extent {
        u32 length : 24 = 0;
        u32 flags : 8 = 0;
        u16 offset = 0;
        u16 interface = 0;
    };

    reference block_ = nullptr;
    extent at_{};
};

template <class Storage, class Ownership>
constexpr void basic_packet<Storage, Ownership>::trim_chain(u32 n) noexcept {
    const u32 head = head_size() < n ? head_size() : n;
    u32 keep = n - head;
    block_->elsewhere = keep;
    const auto cut_segments = [&keep](block& b) {
        for (std::size_t i = 0; i < b.segment_count; ++i) {
            auto& s = b.segments[i];
            s.length = s.length < keep ? s.length : keep;
            keep -= s.length;
        }
        while (b.segment_count > 0 && b.segments[b.segment_count - 1].length == 0) {
            drop_reference(b.segments[--b.segment_count].block);
        }
    };
    cut_segments(*block_);
    block** link = &block_->list;
    block_->list_tail = nullptr;
    while (*link != nullptr) {
        block* b = *link;
        if (keep == 0) {
            *link = b->next;
            drop_with_segments(b);
            continue;
        }
        b->head_length = b->head_length < keep ? b->head_length : keep;
        keep -= b->head_length;
        cut_segments(*b);
        block_->list_tail = b;
        link = &b->next;
    }
    at_.length = n & length_mask;
}

template <class Storage, class Ownership>
constexpr bool basic_packet<Storage, Ownership>::gather(u32 n) noexcept {
    if (is_shared()) {  // the chain belongs to the other handles too
        return unshare() && n <= at_.length;
    }
    const u32 have = head_size();
    u32 missing = n - have;
    if (missing > Storage::capacity(*block_) - at_.offset - have) {
        return false;
    }
    std::byte* to = data() + have;
    const auto take = [&](const std::byte* from, u32 available) {
        const u32 count = available < missing ? available : missing;
        copy_bytes(to, from, count);
        to += count;
        missing -= count;
        return count;
    };
    const auto take_segments = [&](block& b) {
        u8 done = 0;
        for (; done < b.segment_count && missing > 0; ++done) {
            auto& s = b.segments[done];
            const u32 count = take(Storage::memory(*s.block) + s.offset, s.length);
            s.offset += count;
            s.length -= count;
            if (s.length > 0) {
                break;
            }
            drop_reference(s.block);
        }
        for (u8 i = done; i < b.segment_count; ++i) {
            b.segments[i - done] = b.segments[i];
        }
        b.segment_count = static_cast<u8>(b.segment_count - done);
    };
    take_segments(*block_);
    while (missing > 0) {
        block* b = block_->list;
        const u32 count = take(Storage::memory(*b) + b->parked_offset, b->head_length);
        b->parked_offset = static_cast<u16>(b->parked_offset + count);
        b->head_length -= count;
        take_segments(*b);
        if (b->head_length == 0 && b->segment_count == 0) {
            block_->list = b->next;
            drop_reference(b);
        }
    }
    block_->elsewhere = at_.length - n;
    return true;
}

}  // namespace sluice
