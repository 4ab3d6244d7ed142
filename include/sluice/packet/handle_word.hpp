// handle_word: the half of a packet's handle that is not its block: length, offset, interface, the
// type of the frame and what is true of the packet. Expects: basic_packet to keep the bounds. Does:
// packs. Never: looks at a block. Cost: 8 octets, one word, so that a move copies and clears it at
// once and not field by field.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/metadata.hpp>

namespace sluice::detail {

struct handle_word {
    static constexpr u32 max_length = 0xffffff;
    static constexpr u8 type_mask = 0x07;
    static constexpr u8 segmented = 0x08;  // goes on in further blocks
    static constexpr u8 facts = 0x10;      // metadata was set
    static constexpr u8 forwarded = 0x20;

    u32 length : 24 = 0;
    u32 flags : 8 = 0;
    u16 offset = 0;
    u16 interface = 0;

    [[nodiscard]] constexpr bool has(u8 flag) const noexcept { return (flags & flag) != 0; }
    constexpr void set(u8 flag, bool on) noexcept {
        flags = static_cast<u8>((flags & ~u32{flag}) | (on ? flag : 0));
    }
    [[nodiscard]] constexpr packet_type type() const noexcept {
        return static_cast<packet_type>(flags & type_mask);
    }
    constexpr void set_type(packet_type t) noexcept {
        flags = static_cast<u8>((flags & ~u32{type_mask}) | static_cast<u8>(t));
    }
    // Bounds that were checked.
    constexpr void set_length(u32 n) noexcept { length = n & max_length; }
    constexpr void move_front(u32 to) noexcept {
        set_length(length + offset - to);
        offset = static_cast<u16>(to);
    }
};
static_assert(sizeof(handle_word) == 8);

}  // namespace sluice::detail
