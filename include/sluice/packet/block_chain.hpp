// block_chain: the further blocks of a segmented packet: page-like segments of the head and of each
// packet of its list, and the list itself.
//
// It begins, extends, cuts, gathers, visits, splits and releases chains.
//
// Expects: a head block with a chain as basic_packet keeps it; functions that change a chain need a
//          head that has one handle.
// Never:   moves the head's own bytes or knows the handle's bounds.
// Cost:    one step for each block; gather() copies the bytes that it gathers.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/poison.hpp>
#include <sluice/packet/block_base.hpp>
#include <sluice/packet/handle_word.hpp>

#include <cstddef>
#include <utility>

namespace sluice::detail {

template <class Storage, class Ownership>
struct block_chain {
    using block = typename Storage::block;
    // Whether the address sanitizer guards the bytes of a block that belong to no packet.
    static constexpr bool guards_memory = requires { requires Storage::guards_memory; };

    // Whether blocks are so small that each offset in them has 16 bits; optional in a storage.
    static constexpr bool has_small_blocks = requires { requires Storage::has_small_blocks; };

    // For the address sanitizer: opens or closes bytes of a block (nullptr: does nothing).
    static constexpr void open(const block* b, u32 offset, u32 n) noexcept {
        if (b != nullptr) {
            open_memory(Storage::memory(*b) + offset, n);
        }
    }
    static constexpr void close(const block* b, u32 offset, u32 n) noexcept {
        if (b != nullptr) {
            close_memory(Storage::memory(*b) + offset, n);
        }
    }

    // Starts an empty chain.
    static constexpr void begin(block& head) noexcept {
        head.elsewhere = 0;
        head.segment_count = 0;
        head.list = nullptr;
        head.list_tail = nullptr;
    }
    [[nodiscard]] static constexpr bool goes_on(const block& head) noexcept {
        return head.segment_count > 0 || head.list != nullptr;
    }

    // The bytes of the head's own block that are the packet's, if it goes on.
    [[nodiscard]] static constexpr u32 head_size(const block& head, handle_word at) noexcept {
        const u32 own = head.own_offset + head.own_length - at.offset();
        return own < at.length() ? own : at.length();
    }
    // Prepares the head for further blocks: it now records which of its bytes are the packet's.
    [[gnu::always_inline]] static constexpr void go_on(block& head, handle_word& at) noexcept {
        if (!at.has(handle_word::segmented)) {
            begin(head);
            head.own_length = at.length();
            head.own_offset = at.offset();
            at.set(handle_word::segmented, true);
        } else if (head.own_offset != at.offset()) {
            head.own_length = head_size(head, at);
            head.own_offset = at.offset();
        }
    }

    // Appends another packet to the list. One that goes on knows its bytes in b; the packets of its
    // own list follow it. Each may have segments.
    [[gnu::always_inline]] static constexpr void append(block& head, block* b,
                                                        handle_word of) noexcept {
        if (!of.has(handle_word::segmented)) {
            return append_block(head, b, of.offset(), of.length());
        }
        block* last = b;
        b->next = std::exchange(b->list, nullptr);
        if (b->next != nullptr) {
            last = b->list_tail;
            b->next->list_tail = b;
        }
        link(head, b, last, of.length());
    }
    // The same for a packet that does not go on, of `length` bytes at `offset`.
    [[gnu::always_inline]] static constexpr void append_block(block& head, block* b, u32 offset,
                                                              u32 length) noexcept {
        b->segment_count = 0;
        b->list = b->next = nullptr;
        b->own_length = length;
        b->own_offset = static_cast<u16>(offset);
        link(head, b, b, length);
    }

    // Detaches the list of a head without segments; returns the head of its first packet, which the
    // others follow.
    [[nodiscard]] static constexpr block* split(block& head) noexcept {
        block* const first = std::exchange(head.list, nullptr);
        first->list = std::exchange(first->next, nullptr);
        block* const last = std::exchange(head.list_tail, nullptr);
        first->list_tail = nullptr;
        if (first->list != nullptr) {
            first->list_tail = last;
            first->list->list_tail = nullptr;
        }
        first->elsewhere = std::exchange(head.elsewhere, 0) - first->own_length;
        return first;
    }

    // Calls f(const_bytes) for each piece behind the head's own bytes, up to n bytes in all.
    template <class F>
    static constexpr void visit(const block& head, u32 n, F& f) {
        u32 left = n;
        const auto give = [&](const block& b, u32 offset, u32 length) {
            const u32 count = length < left ? length : left;
            left -= count;
            if (count > 0) {
                f(const_bytes{Storage::memory(b) + offset, count});
            }
        };
        const auto give_segments = [&](const block& b) {
            for (std::size_t i = 0; i < b.segment_count; ++i) {
                give(*b.segments[i].block, b.segments[i].offset, b.segments[i].length);
            }
        };
        give_segments(head);
        for (const block* b = head.list; b != nullptr && left > 0; b = b->next) {
            give(*b, b->own_offset, b->own_length);
            give_segments(*b);
        }
    }

    // Shortens the chain to n bytes; blocks behind the new end are released.
    static constexpr void cut(block& head, u32 n) noexcept {
        u32 keep = n;
        head.elsewhere = n;
        cut_segments(head, keep);
        block** link = &head.list;
        head.list_tail = nullptr;
        while (*link != nullptr) {
            block* b = *link;
            if (keep == 0) {
                *link = b->next;
                drop_with_segments(b);
                continue;
            }
            shorten(*b, b->own_length < keep ? b->own_length : keep);
            keep -= b->own_length;
            cut_segments(*b, keep);
            head.list_tail = b;
            link = &b->next;
        }
    }

    // Copies the first n bytes of the chain (which has as many) to `to`, and removes them from it.
    static constexpr void gather(block& head, std::byte* to, u32 n) noexcept {
        head.elsewhere -= n;
        take_segments(head, to, n);
        while (n > 0) {
            block* b = head.list;
            const u32 count = take(*b, b->own_offset, b->own_length, to, n);
            b->own_length -= count;
            const u32 offset = b->own_offset + count;
            if (offset > 0xffff) {  // the largest offset of a packet in its block
                std::byte* const memory = Storage::memory(*b);
                move_bytes(memory, memory + offset, b->own_length);
            }
            b->own_offset = offset > 0xffff ? u16{0} : static_cast<u16>(offset);
            take_segments(*b, to, n);
            if (b->own_length == 0 && b->segment_count == 0) {
                head.list = b->next;
                (head.list != nullptr ? head.list->list_tail : head.list_tail) = nullptr;
                drop_reference(b);
            }
        }
    }

    // A handle's reference to its head, which release() gives up.
    struct reference {
        block* head;
        bool goes_on;  // has a chain
    };
    [[gnu::noinline]] static constexpr void release(reference to) noexcept {
        block* const head = to.head;
        if (!to.goes_on) {
            drop_reference(head);
        } else if (head->list == nullptr && has_one_handle(*head)) {
            release_with_segments(*head);
        } else {
            release_list(head);
        }
    }

private:
    // Gives up one reference to a block without a chain of its own.
    static constexpr void drop_reference(block* b) noexcept {
        if constexpr (Ownership::counts_references) {
            if (--b->references > 0) {
                return;
            }
        }
        Storage::release(*b);
    }
    [[nodiscard]] static constexpr bool has_one_handle(const block& b) noexcept {
        return !Ownership::counts_references || b.references == 1;
    }
    // Returns blocks together, if the storage can: else one by one.
    struct one_by_one {
        block* first;
        constexpr explicit one_by_one(block& b) noexcept : first(&b) {}
        static constexpr void add(block& b) noexcept { Storage::release(b); }
        constexpr void finish() const noexcept { Storage::release(*first); }
    };
    static constexpr auto return_with(block& b) noexcept {
        if constexpr (requires { typename Storage::returning; }) {
            return typename Storage::returning{b};
        } else {
            return one_by_one{b};
        }
    }
    [[gnu::noinline]] static constexpr void release_list(block* head) noexcept {
        if (!has_one_handle(*head)) {
            drop_reference(head);
            return;
        }
        auto all = return_with(*head);
        add_segments(all, *head);
        if (block* const first = std::exchange(head->list, nullptr); first != nullptr) {
            add_members(all, first, head->list_tail);
        }
        all.finish();
    }
    // From both ends: each step waits for one block of either half, which are fetched at once.
    template <class Returning>
    [[gnu::always_inline]] static constexpr void add_members(Returning& all, block* front,
                                                             block* back) noexcept {
        while (front != back) {
            block* const after = front->next;
            block* const before = back->list_tail;
            add(all, *front);
            if (after == back) {
                front = back;
                break;
            }
            add(all, *back);
            front = after;
            back = before;
        }
        add(all, *front);
    }
    template <class Returning>
    static constexpr void add(Returning& all, block& b) noexcept {
        if (has_one_handle(b)) {
            add_segments(all, b);
            all.add(b);
        } else {
            drop_reference(&b);
        }
    }
    template <class Returning>
    static constexpr void add_segments(Returning& all, block& b) noexcept {
        if (b.segment_count == 0) [[likely]] {
            return;
        }
        const u8 count = std::exchange(b.segment_count, u8{0});
        for (u8 i = 0; i < count; ++i) {
            block& s = *b.segments[i].block;
            if (!Ownership::counts_references || --s.references == 0) {
                all.add(s);
            }
        }
    }
    // Gives up one reference to a block that may have page-like segments.
    static constexpr void drop_with_segments(block* b) noexcept {
        if (has_one_handle(*b)) {
            release_with_segments(*b);
        } else {
            drop_reference(b);
        }
    }
    static constexpr void release_with_segments(block& b) noexcept {
        auto all = return_with(b);
        add_segments(all, b);
        all.finish();
    }

    [[gnu::always_inline]] static constexpr void link(block& head, block* first, block* last,
                                                      u32 length) noexcept {
        block* const before = head.list_tail;
        (before == nullptr ? head.list : before->next) = first;
        first->list_tail = before;  // nullptr for the first of the list
        head.list_tail = last;
        head.elsewhere += length;
    }
    static constexpr void shorten(block& b, u32 n) noexcept {
        if constexpr (guards_memory) {
            close_memory(Storage::memory(b) + b.own_offset + n, b.own_length - n);
        }
        b.own_length = n;
    }
    // Subtracts from `keep` the bytes that stay.
    static constexpr void cut_segments(block& b, u32& keep) noexcept {
        for (std::size_t i = 0; i < b.segment_count; ++i) {
            auto& s = b.segments[i];
            s.length = s.length < keep ? s.length : keep;
            keep -= s.length;
        }
        while (b.segment_count > 0 && b.segments[b.segment_count - 1].length == 0) {
            drop_reference(b.segments[--b.segment_count].block);
        }
    }

    // Copies up to n of these bytes to `to`, advances `to` and n; returns how many it copied.
    static constexpr u32 take(const block& b, u32 offset, u32 available, std::byte*& to,
                              u32& n) noexcept {
        const u32 count = available < n ? available : n;
        copy_bytes(to, Storage::memory(b) + offset, count);
        to += count;
        n -= count;
        return count;
    }
    static constexpr void take_segments(block& b, std::byte*& to, u32& n) noexcept {
        u8 done = 0;
        for (; done < b.segment_count && n > 0; ++done) {
            auto& s = b.segments[done];
            const u32 count = take(*s.block, s.offset, s.length, to, n);
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
    }
};

}  // namespace sluice::detail
