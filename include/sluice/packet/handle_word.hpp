// handle_word: the half of a packet's handle that is not its block: length, offset, interface, the
// type of the frame and what is true of the packet. Expects: to be the base of basic_packet, which
// keeps the bounds. Does: tells. Never: looks at a block. Cost: 8 octets, one word, so that a move
// copies and clears it at once and not field by field.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/metadata.hpp>

namespace sluice::detail {

class handle_word {
public:
    // Octets of a packet at most, in all its blocks.
    static constexpr u32 max_size = 0xffffff;

    [[nodiscard]] constexpr u32 size() const noexcept { return at_.length; }
    [[nodiscard]] constexpr u32 headroom() const noexcept { return at_.offset; }

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
    // Whether any metadata was set.
    [[nodiscard]] constexpr bool has_facts() const noexcept {
        return (at_.flags & facts_flag) != 0;
    }
    // Whether it goes on in further blocks.
    [[nodiscard]] constexpr bool is_segmented() const noexcept {
        return (at_.flags & segmented_flag) != 0;
    }

protected:
    static constexpr u8 type_mask = 0x07;
    static constexpr u8 segmented_flag = 0x08;
    static constexpr u8 facts_flag = 0x10;
    static constexpr u8 forwarded_flag = 0x20;

    struct extent {
        u32 length : 24 = 0;
        u32 flags : 8 = 0;
        u16 offset = 0;
        u16 interface = 0;
    };
    extent at_{};
};

}  // namespace sluice::detail
