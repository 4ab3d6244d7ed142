// pool_storage<Bytes> and fixed_pool<Bytes, Count, Ownership>: packets from a fixed number of equal
// blocks. Expects: the pool to outlive its packets and to stay where it is. Does: take() gives an
// empty packet with headroom; a packet that ends gives its block back; under the address sanitizer
// nothing may be touched but what lies within the bounds of a packet. Never: allocates, grows,
// clears bytes (whoever puts bytes writes them all). Cost: O(1), one cache line of the block
// touched; the stride is an odd number of cache lines, so that headers at equal offsets do not
// share cache sets. Models buffer_source (packet_buffer.hpp).
#pragma once

#include <sluice/base/poison.hpp>
#include <sluice/packet/basic_packet.hpp>

#include <cstddef>

namespace sluice {

inline constexpr std::size_t cache_line = 64;
// What a source leaves free in front unless asked otherwise: a link header and a tunnel header.
inline constexpr u16 default_headroom = 128;

template <std::size_t Bytes>
struct pool_storage {
    struct block;
    using reference = block*;
    static constexpr bool is_inline = false;
    static constexpr bool guards_memory = poisons_memory;  // optional, of any storage

    // Blocks that are free: those given back, in a list through them, and those never taken, which
    // nobody has touched.
    struct free_list {
        block* first = nullptr;
        block* untouched = nullptr;
        u32 untouched_count = 0;
        u32 available = 0;
    };

    static constexpr std::size_t lines(std::size_t n) { return (n + cache_line - 1) / cache_line; }
    static constexpr std::size_t base_bytes = sizeof(block_base<block>) + sizeof(void*);
    static constexpr std::size_t stride = (lines(base_bytes + Bytes) | 1) * cache_line;

    struct alignas(cache_line) block : block_base<block> {
        free_list* home = nullptr;
        std::byte memory[stride - base_bytes];
    };
    static_assert(sizeof(block) == stride);

    static constexpr std::byte* memory(block& b) noexcept { return b.memory; }
    static constexpr const std::byte* memory(const block& b) noexcept { return b.memory; }
    static constexpr u32 capacity(const block&) noexcept {
        return static_cast<u32>(sizeof(block::memory));
    }

    static constexpr block* take(free_list& from) noexcept {
        block* b = from.first;
        if (b != nullptr) {
            from.first = b->next;
        } else if (from.untouched_count != 0) {
            b = from.untouched++;
            --from.untouched_count;
            b->home = &from;
        } else {
            return nullptr;
        }
        --from.available;
        b->references = 1;
        return b;
    }
    static constexpr block* take_like(const block& b) noexcept { return take(*b.home); }
    static constexpr void release(block& b) noexcept {
        close_memory(b.memory, capacity(b));
        b.next = b.home->first;
        b.home->first = &b;
        ++b.home->available;
    }
};

template <std::size_t Bytes, std::size_t Count, class Ownership = unique>
class fixed_pool {
public:
    using storage = pool_storage<Bytes>;
    using packet_type = basic_packet<storage, Ownership>;
    static constexpr std::size_t memory_limit = sizeof(typename storage::block) * Count;
    static constexpr u32 block_capacity = static_cast<u32>(sizeof(storage::block::memory));

    // Blocks are touched when they are taken, not here.
    constexpr fixed_pool() noexcept {
        free_.untouched = blocks_;
        free_.untouched_count = free_.available = static_cast<u32>(Count);
        if constexpr (poisons_memory) {
            for (const auto& b : blocks_) {
                close_memory(b.memory, block_capacity);
            }
        }
    }
    constexpr ~fixed_pool() {
        if constexpr (poisons_memory) {
            for (const auto& b : blocks_) {
                open_memory(b.memory, block_capacity);
            }
        }
    }
    fixed_pool(const fixed_pool&) = delete;
    fixed_pool& operator=(const fixed_pool&) = delete;

    // An empty packet with that headroom (at most block_capacity); an empty handle when none is
    // left.
    [[nodiscard]] constexpr packet_type take(u16 headroom = default_headroom) noexcept {
        if (headroom > block_capacity) {
            return {};
        }
        return packet_type::adopt(storage::take(free_), headroom);
    }
    [[nodiscard]] constexpr std::size_t available() const noexcept { return free_.available; }

private:
    typename storage::free_list free_;
    typename storage::block blocks_[Count];
};

}  // namespace sluice
