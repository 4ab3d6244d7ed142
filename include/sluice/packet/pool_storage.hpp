// fixed_pool<Bytes, Count, Ownership, Reserve>: a buffer source with a fixed number of equal
// blocks; pool_storage<Bytes>: its storage.
//
// Count blocks serve all packets, Reserve further ones ARP and ICMP: take_reserved() uses them when
// there is no other. A block returns to where it came from. Queued packets leave an eighth of Count
// free, and packets of the reserve never wait (may_wait). The address sanitizer reports access to
// bytes outside the bounds of a packet.
//
// Expects: the pool outlives its packets and does not move.
// Never:   allocates, grows, touches a block before it is taken, or clears bytes: code that adds
//          bytes writes them all.
// Cost:    O(1); taking a block touches one cache line of it. The stride is an odd number of cache
//          lines, so that headers at equal offsets do not share cache sets.
#pragma once

#include <sluice/base/poison.hpp>
#include <sluice/packet/basic_packet.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace sluice {

inline constexpr std::size_t cache_line = 64;
// The headroom unless asked otherwise, in bytes: for a link header and a tunnel header.
inline constexpr u16 default_headroom = 128;

// The number of `count` blocks that queued packets leave free: none of fewer than eight.
[[nodiscard]] consteval u32 margin_of(std::size_t count) noexcept {
    return static_cast<u32>(count / 8);
}
// Blocks for an ARP reply and an ICMP error at a time, or for a few of each.
[[nodiscard]] consteval std::size_t default_reserve(std::size_t count) noexcept {
    return count < 256 ? 2 : 8;
}

template <std::size_t Bytes>
struct pool_storage {
    struct block;
    using reference = block*;
    static constexpr bool is_inline = false;
    static constexpr bool guards_memory = poisons_memory;  // optional in a storage
    static constexpr bool has_small_blocks = Bytes <= 0xff00;

    // Free blocks: returned ones, in a list through them, and ones never taken, which are
    // untouched.
    struct free_list {
        block* first = nullptr;
        block* untouched = nullptr;
        u32 untouched_count = 0;
        u32 available = 0;
        u32 margin = 0;  // see may_wait()

        constexpr void begin(block* blocks, u32 count, u32 keeps_free) noexcept {
            untouched = blocks;
            untouched_count = available = count;
            margin = keeps_free;
        }
    };
    static constexpr u32 never_waits = 0xffffffff;  // as a margin: none of these blocks may wait

    static constexpr std::size_t lines(std::size_t n) { return (n + cache_line - 1) / cache_line; }
    // In front of the base: returning a block touches its first cache line only.
    struct home_link {
        free_list* home = nullptr;
    };
    // The bytes begin a cache line: behind the default headroom a link header and an IPv4 header
    // lie in one, whatever the base holds.
    static constexpr std::size_t base_bytes =
        lines(sizeof(home_link) + sizeof(block_base<block>)) * cache_line;
    static constexpr std::size_t stride = (lines(base_bytes + Bytes) | 1) * cache_line;

    struct alignas(cache_line) block : home_link, block_base<block> {
        alignas(cache_line) std::byte memory[stride - base_bytes];
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
            if (!std::is_constant_evaluated()) {
                ::new (static_cast<void*>(b)) block;
            }
            b->home = &from;
            close_memory(b->memory, capacity(*b));  // the pool may come from constant evaluation
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
    // Returns a block, and others with it: those of the same pool in one step. Optional in a
    // storage. Each step needs what the step before it stored: measured, freeing packets of one or
    // two segments takes 1.4 times (g++) to 2.6 times (clang) as long in a step for each block.
    class returning {
    public:
        constexpr explicit returning(block& b) noexcept : home_(b.home), last_(&b), first_(&b) {
            close_memory(b.memory, capacity(b));
        }
        constexpr void add(block& b) noexcept {
            if (b.home != home_) {
                release(b);
                return;
            }
            close_memory(b.memory, capacity(b));
            b.next = std::exchange(first_, &b);
            ++count_;
        }
        constexpr void finish() noexcept {
            last_->next = home_->first;
            home_->first = first_;
            home_->available += count_;
        }

    private:
        free_list* home_;
        block* last_;
        block* first_;
        u32 count_ = 1;
    };
    // Optional in a storage: whether freeing one makes room for the other.
    static constexpr bool have_one_source(const block& a, const block& b) noexcept {
        return a.home == b.home;
    }
    static constexpr bool may_wait(const block& b, u32 margins) noexcept {
        return b.home->available >= u64{margins} * b.home->margin;
    }
};

template <std::size_t Bytes, std::size_t Count, class Ownership = unique,
          std::size_t Reserve = default_reserve(Count)>
class fixed_pool {
public:
    using storage = pool_storage<Bytes>;
    using packet_type = basic_packet<storage, Ownership>;
    static constexpr std::size_t memory_limit = sizeof(typename storage::block) * (Count + Reserve);
    static constexpr u32 block_capacity = static_cast<u32>(sizeof(storage::block::memory));

    constexpr fixed_pool() noexcept : room_(std::is_constant_evaluated() ? room{true} : room{}) {
        free_.begin(room_.blocks, static_cast<u32>(Count), margin_of(Count));
        reserve_.begin(room_.blocks + Count, static_cast<u32>(Reserve), storage::never_waits);
        if constexpr (poisons_memory) {
            for (const auto& b : room_.blocks) {
                close_memory(b.memory, block_capacity);
            }
        }
    }
    constexpr ~fixed_pool() {
        if constexpr (poisons_memory) {
            for (const auto& b : room_.blocks) {
                open_memory(b.memory, block_capacity);
            }
        }
    }
    fixed_pool(const fixed_pool&) = delete;
    fixed_pool& operator=(const fixed_pool&) = delete;

    // An empty packet with this headroom (at most block_capacity); an empty handle when none is
    // left.
    [[nodiscard]] constexpr packet_type take(u16 headroom = default_headroom) & noexcept {
        if (headroom > block_capacity) {
            return {};
        }
        return packet_type::adopt(storage::take(free_), headroom);
    }
    packet_type take(u16 = 0) && noexcept __attribute__((
        unavailable("sluice: fixed_pool: a pool must outlive its packets: give it a name")));
    // An empty packet for ARP or ICMP, from the reserve if no other block is left.
    [[nodiscard]] constexpr packet_type take_reserved(u16 headroom = default_headroom) noexcept {
        if (packet_type ordinary = take(headroom)) {
            return ordinary;
        }
        return headroom > block_capacity ? packet_type{}
                                         : packet_type::adopt(storage::take(reserve_), headroom);
    }
    // Free blocks for all packets, and of the reserve.
    [[nodiscard]] constexpr std::size_t available() const noexcept { return free_.available; }
    [[nodiscard]] constexpr std::size_t reserved() const noexcept { return reserve_.available; }

private:
    // A block's lifetime begins when it is first taken; in constant evaluation the pool's
    // constructor makes all of them.
    union room {
        char nothing;
        typename storage::block blocks[Count + Reserve];

        constexpr room() noexcept : nothing{} {}
        constexpr explicit room(bool) noexcept : blocks{} {}
    };

    typename storage::free_list free_;
    typename storage::free_list reserve_;
    room room_;
};

}  // namespace sluice
