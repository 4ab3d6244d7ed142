// inline_storage<Bytes>: a packet whose bytes lie inside the handle itself.
//
// Use it to build and read single packets without a buffer source. It has the operations of
// basic_packet except lists and segments.
//
// Never: shares bytes.
// Cost:  sizeof(handle) is the bytes plus a header; a move copies them.
#pragma once

#include <sluice/packet/basic_packet.hpp>

#include <cstddef>

namespace sluice {

template <std::size_t Bytes>
struct inline_storage {
    static constexpr bool is_inline = true;

    struct block : block_base<block> {
        std::byte memory[Bytes]{};
    };

    // Behaves like a pointer, but owns the block.
    class reference {
    public:
        constexpr reference(std::nullptr_t) noexcept {}
        [[nodiscard]] static constexpr reference make() noexcept {
            reference r{nullptr};
            r.present_ = true;
            return r;
        }
        constexpr block& operator*() noexcept { return block_; }
        constexpr const block& operator*() const noexcept { return block_; }
        constexpr block* operator->() noexcept { return &block_; }
        constexpr const block* operator->() const noexcept { return &block_; }
        constexpr bool operator==(std::nullptr_t) const noexcept { return !present_; }

    private:
        block block_;
        bool present_ = false;
    };

    static constexpr std::byte* memory(block& b) noexcept { return b.memory; }
    static constexpr const std::byte* memory(const block& b) noexcept { return b.memory; }
    static constexpr u32 capacity(const block&) noexcept { return Bytes; }
    static constexpr reference take_like(const block&) noexcept { return reference::make(); }
    static constexpr void release(block&) noexcept {}
};

// A packet of up to Bytes - headroom bytes inside the handle.
template <std::size_t Bytes>
using inline_packet = basic_packet<inline_storage<Bytes>>;

template <std::size_t Bytes>
[[nodiscard]] constexpr inline_packet<Bytes> make_inline_packet(u16 headroom = 0) noexcept {
    static_assert(Bytes <= 0xffff, "sluice: inline packets hold at most 65535 bytes");
    return inline_packet<Bytes>::adopt(inline_storage<Bytes>::reference::make(),
                                       headroom < Bytes ? headroom : static_cast<u16>(Bytes));
}

}  // namespace sluice
