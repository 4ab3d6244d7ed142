// basic_packet<Storage, Ownership>: the packet handle that moves through the pipeline.
//
// It owns one reference to a block. Its operations have the kernel's names: push, pull, put and
// trim move the bounds. A packet may continue in further blocks, without another type: in page-like
// segments (bytes of shared blocks) and in a list of whole packets.
// With Ownership unique, each block has one handle, and clone() copies. With shared, clone() counts
// a reference. pull, unpull and trim move the bounds of one handle only. Operations that change
// bytes, chain or metadata first copy a shared block (push, put, append, attach, may_pull) or
// refuse: split_list() by an empty packet, data() and metadata() by read-only types.
// An empty handle, also one that was moved from, has no bytes, room or metadata, and takes none.
//
// Expects: blocks from a buffer_source of the same Storage.
// Never:   allocates (copies come from the block's own source), or copies bytes unless a member
//          says so.
// Cost:    16 bytes with block storage, move-only; a plain packet's operations touch the handle
//          alone.
#pragma once

#include <sluice/base/assert.hpp>
#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/poison.hpp>
#include <sluice/packet/block_chain.hpp>
#include <sluice/packet/copy_in_blocks.hpp>
#include <sluice/packet/handle_word.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <class Storage, class Ownership = unique>
class basic_packet {
    using word = detail::handle_word;
    static constexpr bool may_share = Ownership::counts_references;
    using chain = detail::block_chain<Storage, Ownership>;

public:
    using storage = Storage;
    using ownership = Ownership;
    using block = typename Storage::block;
    // A pointer to the block, or for inline storage the block itself.
    using reference = typename Storage::reference;
    // The most bytes of a packet, in all its blocks.
    static constexpr u32 max_size = word::max_length;

    constexpr basic_packet() noexcept = default;
    constexpr basic_packet(basic_packet&& other) noexcept
        : block_(std::exchange(other.block_, nullptr)), at_(std::exchange(other.at_, word{})) {}
    // Two words and a test; g++ does not inline it by itself.
    [[gnu::always_inline]] constexpr basic_packet& operator=(basic_packet&& other) noexcept {
        if (this != &other) {
            give_back();
            block_ = std::exchange(other.block_, nullptr);
            at_ = std::exchange(other.at_, word{});
        }
        return *this;
    }
    constexpr ~basic_packet() { give_back(); }

    // Takes over a block of which the caller holds the only reference; an empty handle for nullptr.
    // offset + length are at most the capacity, and length at most max_size.
    [[nodiscard]] static constexpr basic_packet adopt(reference b, u16 offset,
                                                      u32 length = 0) noexcept {
        basic_packet p;
        if (b != nullptr) {
            p.block_ = std::move(b);
            p.at_.set_offset(offset);
            p.at_.set_length(length);
            p.open(offset, length);
        }
        return p;
    }

    constexpr explicit operator bool() const noexcept { return block_ != nullptr; }
    // Returns the buffer to its source.
    constexpr void reset() noexcept { *this = basic_packet{}; }

    // -- bounds, all in bytes --
    [[nodiscard]] constexpr u32 size() const noexcept { return at_.length(); }
    // The bytes in the first block, at data(): size() unless segmented.
    [[nodiscard]] constexpr u32 head_size() const noexcept {
        return is_segmented() ? chain::head_size(*block_, at_) : at_.length();
    }
    [[nodiscard]] constexpr u32 headroom() const noexcept { return at_.offset(); }
    // Free bytes behind the packet in its block; 0 when the packet continues in other blocks.
    [[nodiscard]] constexpr u32 tailroom() const noexcept {
        if (block_ == nullptr || (is_segmented() && chain::goes_on(*block_))) {
            return 0;
        }
        return Storage::capacity(*block_) - at_.offset() - head_size();
    }
    // The first byte, for reading; for writing too where blocks cannot be shared. nullptr when
    // empty.
    [[nodiscard]] constexpr const std::byte* data() const noexcept {
        return block_ != nullptr ? Storage::memory(*block_) + at_.offset() : nullptr;
    }
    [[nodiscard]] constexpr std::byte* data() noexcept
        requires(!may_share)
    {
        return writable();
    }
    // The first byte, for writing. Only for a packet that is not shared: call unshare() before.
    [[nodiscard]] constexpr std::byte* writable() noexcept {
        SLUICE_ASSERT(!is_shared());
        return block_ != nullptr ? Storage::memory(*block_) + at_.offset() : nullptr;
    }
    // The first contiguous bytes.
    [[nodiscard]] constexpr const_bytes head() const noexcept { return {data(), head_size()}; }
    [[nodiscard]] constexpr bytes head() noexcept
        requires(!may_share)
    {
        return {data(), head_size()};
    }

    // Extends the packet by n writable bytes in front and returns the new data(); nullptr when the
    // headroom is too small or there is no buffer for a copy of shared bytes.
    [[nodiscard]] constexpr std::byte* push(u32 n) noexcept {
        return block_ != nullptr && n <= at_.offset() && unshare() && unpull(n) ? writable()
                                                                                : nullptr;
    }
    // Removes n bytes from the front; false when the first block has fewer.
    [[nodiscard]] constexpr bool pull(u32 n) noexcept {
        if (n > head_size() || !has_offset(n)) {
            return false;
        }
        close(at_.offset(), n);
        at_.move_front(at_.offset() + n);
        return true;
    }
    // Whether a packet that begins n bytes later has an offset in its block: of 16 bits.
    [[nodiscard]] constexpr bool has_offset(u32 n) const noexcept {
        return chain::has_small_blocks || at_.offset() + n <= 0xffff;
    }
    // Restores n bytes that were pulled; false when there is less headroom.
    [[nodiscard]] constexpr bool unpull(u32 n) noexcept {
        if (n > at_.offset() || n > max_size - at_.length()) {
            return false;
        }
        at_.move_front(at_.offset() - n);
        open(at_.offset(), n);
        return true;
    }
    // Appends n bytes of unspecified value and returns the first of them; nullptr when there is no
    // tailroom or no buffer for a copy of shared bytes.
    [[nodiscard]] constexpr std::byte* put(u32 n) noexcept {
        if (block_ == nullptr || !unshare() || n > tailroom() || n > max_size - at_.length()) {
            return nullptr;
        }
        const u32 end = at_.offset() + head_size();
        at_.set_length(at_.length() + n);
        open(end, n);
        return Storage::memory(*block_) + end;
    }
    // Copies bytes to the end: into the tailroom, then into further blocks of the block's own
    // source, if the storage has blocks. False, and no change, when there is no room or no memory.
    [[nodiscard]] constexpr bool append(const_bytes more) noexcept {
        if (more.empty()) {
            return true;
        }
        if (block_ == nullptr || more.size() > max_size - at_.length() || !unshare()) {
            return false;
        }
        if constexpr (Storage::is_inline) {
            std::byte* const to = put(static_cast<u32>(more.size()));
            if (to != nullptr) {
                copy_bytes(to, more.data(), more.size());
            }
            return to != nullptr;
        } else {
            return append_in_blocks(*this, more, [this](u16 offset) { return another(offset); });
        }
    }
    // Shortens the packet to n bytes if it is longer. Blocks that lie behind the new end return to
    // their source, unless other handles share the packet.
    constexpr void trim(u32 n) noexcept {
        if (n >= at_.length()) {
            return;
        }
        if (!is_segmented()) {
            close(at_.offset() + n, at_.length() - n);
        } else if (!is_shared()) {
            return cut(n);
        }
        at_.set_length(n);
    }

    // -- beside the bytes --
    [[nodiscard]] constexpr u16 interface() const noexcept { return at_.interface(); }
    constexpr void set_interface(u16 index) noexcept { at_.set_interface(index); }
    [[nodiscard]] constexpr link_addressing addressing() const noexcept { return at_.addressing(); }
    constexpr void set_addressing(link_addressing t) noexcept { at_.set_addressing(t); }
    // Whether it lies in one block and has n bytes.
    [[nodiscard]] constexpr bool is_block_of(u32 n) const noexcept { return at_.is_block_of(n); }
    // Whether the link layer addressed it to this host, it lies in one block and has no metadata.
    [[nodiscard]] constexpr bool is_plain_host() const noexcept { return at_.flags() == 0; }
    // Whether is_plain_host() holds and size() is at least n (not 0).
    [[nodiscard]] constexpr bool is_plain_host_of(u32 n) const noexcept {
        SLUICE_ASSERT(n != 0);
        const bool is = at_.is_plain_of(n);
        if (is && block_ == nullptr) {
            __builtin_unreachable();  // an empty handle has no bytes, so data() need not test
        }
        return is;
    }
    // Whether this host forwards the packet. The accept branch does not set this.
    [[nodiscard]] constexpr bool is_forwarded() const noexcept { return at_.has(word::forwarded); }
    constexpr void set_forwarded(bool is = true) noexcept { at_.set(word::forwarded, is); }
    // Whether it came in by the loopback interface: interface() is that of its local address then.
    [[nodiscard]] constexpr bool is_looped() const noexcept { return at_.has(word::looped); }
    constexpr void set_looped(bool is) noexcept { at_.set(word::looped, is); }
    [[nodiscard]] constexpr bool has_metadata() const noexcept {
        return at_.has(word::metadata_set);
    }
    // The metadata for reading; default values when none was set.
    [[nodiscard]] constexpr const sluice::metadata& metadata() const noexcept {
        return has_metadata() ? block_->metadata : default_metadata;
    }
    [[nodiscard]] constexpr sluice::metadata& metadata() noexcept
        requires(!may_share)
    {
        return writable_metadata();
    }
    // The metadata for writing, initialized at first use. Only for a packet that is not shared. All
    // empty handles share one object, and changes to it are lost.
    [[nodiscard]] constexpr sluice::metadata& writable_metadata() noexcept {
        SLUICE_ASSERT(!is_shared());
        if (block_ == nullptr) {
            return lost_metadata = sluice::metadata{};
        }
        // Likely: g++ clears by a slow string instruction what it believes is rare.
        if (!has_metadata()) [[likely]] {
            block_->metadata = sluice::metadata{};
            at_.set(word::metadata_set, true);
        }
        return block_->metadata;
    }

    // -- more than one block --
    [[nodiscard]] constexpr bool is_segmented() const noexcept { return at_.has(word::segmented); }
    [[nodiscard]] constexpr bool has_segments() const noexcept {
        return is_segmented() && block_->segment_count > 0;
    }
    [[nodiscard]] constexpr bool has_packet_list() const noexcept {
        return is_segmented() && block_->list != nullptr;
    }
    // Whether other handles have the block.
    [[nodiscard]] constexpr bool is_shared() const noexcept {
        if constexpr (may_share) {
            return block_ != nullptr && block_->references > 1;
        } else {
            return false;
        }
    }
    // The block of a packet that is not empty.
    [[nodiscard]] constexpr block& storage_block() noexcept { return *block_; }
    [[nodiscard]] constexpr const block& storage_block() const noexcept { return *block_; }

    // Appends a whole packet, which must not be a list itself; afterwards has_packet_list(). An
    // empty handle appends nothing. False, and the caller keeps `tail`, when this handle is empty,
    // `tail` is a list, the sum is longer than max_size, or there is no memory for a copy.
    [[gnu::always_inline]] constexpr bool append(basic_packet&& tail) noexcept
        requires(!Storage::is_inline)
    {
        return !tail.has_packet_list() && append_list(std::move(tail));
    }
    // The same for a packet that may be a list: its packets follow it.
    [[gnu::always_inline]] constexpr bool append_list(basic_packet&& tail) noexcept
        requires(!Storage::is_inline)
    {
        if (tail.block_ == nullptr) {
            return true;
        }
        if (block_ == nullptr || (may_share ? &tail == this : tail.block_ == block_) ||
            tail.at_.length() > max_size - at_.length() || !unshare() || !tail.unshare()) {
            return false;
        }
        chain::go_on(*block_, at_);
        if (tail.is_segmented()) {
            chain::go_on(*tail.block_, tail.at_);
        }
        const word of = std::exchange(tail.at_, word{});
        chain::append(*block_, std::exchange(tail.block_, nullptr), of);
        at_.set_length(at_.length() + of.length());
        return true;
    }
    // append_list() of another packet without its first n bytes, where the caller knows that no
    // condition fails: neither is empty or shared, `tail` is one block, and the sums fit.
    [[gnu::always_inline]] constexpr void append_block(basic_packet&& tail, u32 n) noexcept
        requires(!Storage::is_inline)
    {
        SLUICE_ASSERT(*this && !is_shared() && tail && !tail.is_shared() && !tail.is_segmented());
        SLUICE_ASSERT(block_ != tail.block_ && n <= tail.size() && tail.has_offset(n));
        tail.close(tail.at_.offset(), n);
        const u32 offset = tail.at_.offset() + n;
        const u32 length = std::exchange(tail.at_, word{}).length() - n;
        chain::go_on(*block_, at_);
        chain::append_block(*block_, std::exchange(tail.block_, nullptr), offset, length);
        at_.lengthen(length);
    }

    // Cuts the chain behind the first block. This packet keeps the first block, and the rest is
    // returned as one packet. Returns an empty packet when nothing follows, when the first block
    // has page-like segments, and when the packet is shared.
    [[nodiscard]] constexpr basic_packet split_list() noexcept
        requires(!Storage::is_inline)
    {
        if (is_shared() || !unshare() || !has_packet_list() || has_segments()) {
            return {};
        }
        basic_packet rest;
        rest.at_.set_length(block_->elsewhere);
        rest.at_.set_interface(at_.interface());
        rest.at_.set_addressing(at_.addressing());
        rest.block_ = chain::split(*block_);
        rest.at_.set_offset(rest.block_->own_offset);
        rest.at_.set(word::segmented, chain::goes_on(*rest.block_));
        at_.set_length(at_.length() - rest.at_.length());
        at_.set(word::segmented, false);
        return rest;
    }

    // References n bytes of the first block of `of`, at `offset` from its data(), without copying.
    // False when all segments are in use, `of` does not have the range, is this packet or continues
    // in further blocks, the sum is longer than max_size, or there is no memory for a copy.
    [[nodiscard]] constexpr bool attach(basic_packet& of, u32 offset, u32 n) noexcept
        requires(may_share && !Storage::is_inline)
    {
        if (block_ == nullptr || of.block_ == nullptr || of.is_segmented() || of.block_ == block_ ||
            offset > of.at_.length() || n > of.at_.length() - offset ||
            n > max_size - at_.length() || !unshare() || has_packet_list() ||
            (has_segments() && block_->segment_count == max_segments)) {
            return false;
        }
        chain::go_on(*block_, at_);
        ++of.block_->references;
        block_->segments[block_->segment_count++] = {of.block_, of.at_.offset() + offset, n};
        block_->elsewhere += n;
        at_.set_length(at_.length() + n);
        return true;
    }

    // -- copies --
    // Another handle of the same bytes (shared), or a copy from the block's own source (unique), in
    // as many blocks as needed; empty when the source has too few.
    [[nodiscard]] constexpr basic_packet clone() const noexcept {
        if constexpr (may_share) {
            basic_packet p;
            if (block_ != nullptr) {
                ++block_->references;
                p.block_ = block_;
                p.at_ = at_;
            }
            return p;
        } else {
            return duplicate();
        }
    }

    // A contiguous copy with the same headroom and metadata; empty when the source is exhausted or
    // the bytes do not fit one block.
    [[nodiscard]] constexpr basic_packet copy() const noexcept {
        basic_packet p = another(at_.offset());
        std::byte* to = p.put(at_.length());
        if (to == nullptr) {
            return {};
        }
        copy_to(to);
        copy_marks(*this, p);
        return p;
    }
    // Copies all bytes to `to`, which has room for size() bytes.
    constexpr void copy_to(std::byte* to) const noexcept {
        for_each_piece([&to](const_bytes piece) {
            copy_bytes(to, piece.data(), piece.size());
            to += piece.size();
        });
    }

    // Call it before bytes, chain or metadata change. If other handles hold the block, it takes a
    // copy, in as many blocks as needed. False when there is no memory; the packet is then
    // unchanged. True for an empty handle.
    [[nodiscard]] constexpr bool unshare() noexcept {
        if constexpr (may_share) {
            if (is_shared()) {
                basic_packet own = duplicate();
                if (!own) {
                    return false;
                }
                *this = std::move(own);
            } else if (is_segmented()) {
                settle();
            }
        }
        return true;
    }

    // Makes the first n bytes contiguous at data(). False when there are fewer, or no room.
    [[nodiscard]] constexpr bool may_pull(u32 n) noexcept {
        return n <= head_size() || (n <= at_.length() && gather(n));
    }

    // Calls f(const_bytes) for each contiguous piece in order.
    template <class F>
    constexpr void for_each_piece(F&& f) const {
        const const_bytes first = head();
        f(first);
        if (is_segmented()) {
            chain::visit(*block_, at_.length() - static_cast<u32>(first.size()), f);
        }
    }

private:
    friend class detail::piece_maker<basic_packet>;
    static constexpr sluice::metadata default_metadata{};
    static inline sluice::metadata lost_metadata{};

    [[gnu::always_inline]] constexpr void give_back() noexcept {
        if constexpr (!Storage::is_inline) {
            if (block_ != nullptr) {
                chain::release({.head = block_, .goes_on = is_segmented()});
            }
        }
    }

    // For the address sanitizer: opens bytes that join the packet; closes bytes that left it and
    // that no other handle has.
    constexpr void open(u32 offset, u32 n) const noexcept {
        if constexpr (chain::guards_memory) {
            chain::open(block_, offset, n);
        }
    }
    constexpr void close(u32 offset, u32 n) const noexcept {
        if constexpr (chain::guards_memory) {
            chain::close(is_shared() ? nullptr : block_, offset, n);
        }
    }

    // Cuts a chain of which this is the only handle.
    constexpr void cut(u32 n) noexcept {
        const u32 had = head_size();
        const u32 head = had < n ? had : n;
        close(at_.offset() + head, had - head);
        at_.set_length(n);
        block_->own_offset = at_.offset();
        block_->own_length = head;
        chain::cut(*block_, n - head);
        end_chain();
    }
    constexpr void end_chain() noexcept { at_.set(word::segmented, chain::goes_on(*block_)); }
    // Cuts the chain of a handle that was trimmed while shared, once it is the only one.
    constexpr void settle() noexcept {
        if (block_->own_offset + block_->own_length - at_.offset() + u64{block_->elsewhere} >
            at_.length()) {
            cut(at_.length());
        }
    }
    [[nodiscard, gnu::noinline]] constexpr bool gather(u32 n) noexcept {
        if (!unshare()) {
            return false;
        }
        const u32 have = head_size();
        if (n <= have) {
            return true;
        }
        if (n > Storage::capacity(*block_) - at_.offset()) {
            return false;
        }
        open(at_.offset() + have, n - have);
        chain::gather(*block_, writable() + have, n - have);
        block_->own_offset = at_.offset();
        block_->own_length = n;
        end_chain();
        return true;
    }

    // An empty packet from the block's own source.
    [[nodiscard]] constexpr basic_packet another(u16 offset) const noexcept {
        if (block_ == nullptr) {
            return {};
        }
        basic_packet p = adopt(Storage::take_like(*block_), offset);
        if (p && offset > Storage::capacity(*p.block_)) {
            p.reset();
        }
        return p;
    }
    [[nodiscard]] constexpr basic_packet duplicate() const noexcept {
        if constexpr (Storage::is_inline) {
            return copy();
        } else {
            return copy_in_blocks(*this, at_.offset(),
                                  [this](u16 offset) { return another(offset); });
        }
    }
    reference block_ = nullptr;
    word at_{};
};

}  // namespace sluice
