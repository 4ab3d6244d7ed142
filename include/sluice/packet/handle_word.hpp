// handle_word: the 8 bytes of a packet handle that are not its block: length, offset, interface,
// link addressing and flags.
//
// One integer instead of fields, so that it is copied, cleared and tested at once, and no load
// waits for a store to half of it.
//
// Expects: basic_packet keeps the bounds.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/metadata.hpp>

namespace sluice::detail {

template <class Packet>
class piece_maker;  // piece_maker.hpp

class handle_word {
public:
    static constexpr u32 max_length = 0xffffff;
    static constexpr u8 type_mask = 0x07;
    static constexpr u8 segmented = 0x08;     // continues in further blocks
    static constexpr u8 metadata_set = 0x10;  // metadata was set
    static constexpr u8 forwarded = 0x20;
    static constexpr u8 looped = 0x40;

    [[nodiscard]] constexpr u32 length() const noexcept {
        return static_cast<u32>(word_) & max_length;
    }
    [[nodiscard]] constexpr u8 flags() const noexcept { return static_cast<u8>(word_ >> 24); }
    [[nodiscard]] constexpr u16 offset() const noexcept { return static_cast<u16>(word_ >> 32); }
    [[nodiscard]] constexpr u16 interface() const noexcept { return static_cast<u16>(word_ >> 48); }
    // Whether no flag is set and the length is at least n (not 0).
    [[nodiscard]] constexpr bool is_plain_of(u32 n) const noexcept {
        return static_cast<u32>(word_) - n <= max_length - n;
    }
    // Whether the length is n and the packet does not continue.
    [[nodiscard]] constexpr bool is_block_of(u32 n) const noexcept {
        return (static_cast<u32>(word_) & (max_length | u32{segmented} << 24)) == n;
    }
    [[nodiscard]] constexpr bool has(u8 flag) const noexcept { return (flags() & flag) != 0; }
    [[nodiscard]] constexpr link_addressing addressing() const noexcept {
        return static_cast<link_addressing>(flags() & type_mask);
    }

    // The same marks (interface, link addressing, forwarded, looped) for a packet without metadata,
    // with these bounds.
    [[nodiscard]] constexpr handle_word with_bounds(u32 offset, u32 length) const noexcept {
        handle_word w;
        w.word_ = (word_ & (u64{0xffff} << 48 | u64{type_mask | forwarded | looped} << 24)) |
                  u64{offset} << 32 | length;
        return w;
    }
    constexpr void set(u8 flag, bool on) noexcept { put(24, flag, on ? flag : 0); }
    constexpr void set_addressing(link_addressing t) noexcept {
        put(24, type_mask, static_cast<u8>(t));
    }
    constexpr void set_interface(u16 index) noexcept { put(48, 0xffff, index); }
    // The caller checked the bounds.
    constexpr void set_length(u32 n) noexcept { put(0, max_length, n & max_length); }
    constexpr void set_offset(u32 at) noexcept { put(32, 0xffff, at & 0xffff); }
    constexpr void lengthen(u32 n) noexcept { word_ += n; }
    constexpr void move_front(u32 to) noexcept {
        // Changes offset and length at once; neither overflows, because the bounds were checked.
        const u64 more = u64{to} - offset();
        word_ += (more << 32) - more;
    }

private:
    constexpr void put(unsigned at, u64 mask, u64 value) noexcept {
        word_ = (word_ & ~(mask << at)) | value << at;
    }

    u64 word_ = 0;
};
static_assert(sizeof(handle_word) == 8);

}  // namespace sluice::detail
