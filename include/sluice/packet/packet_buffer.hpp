// # packet_buffer and buffer_source
//
// The packets that the pipeline moves, and their memory.
//
// A **packet_buffer** is a move-only handle that owns its bytes. push, pull, unpull, put and trim
// move its bounds; it reports headroom and tailroom; may_pull makes the first n bytes contiguous.
// Interface, link addressing and metadata stand beside the bytes. When the handle ends, its buffer
// returns once. Several handles may share bytes (clone), and no handle changes bytes that another
// reads: writable() and writable_metadata() give access for writing after unshare() returned true,
// or where push and put made room; data() and metadata() are for reading. An empty handle (moved
// from, or from an exhausted source) has no bytes and no room; its data() is nullptr, unshare() is
// true and clone() is empty.
//
// `basic_packet` appends bytes with `append(bytes)`, in further blocks if the first is full. Read a
// packet in several blocks piece by piece (`for_each_piece`), flatten it by `may_pull(size())` if
// its first block has the room (Linux: linearize), or copy it into memory of the caller
// (`copy_to`).
//
// A **buffer_source** supplies empty packets with headroom, or an empty handle when none is left.
// It states the most memory that it can hold. Optional: a reserve for ARP and ICMP, which must be
// sent even while other packets hold the memory (`take_reserved`; `take_urgent` asks for it).
// Optional: its storage decides which packets may wait (`may_wait(block, margins)`). Queues whose
// readers decide how long packets wait ask it (`packet/bounded_packet_queue.hpp`), so that a queue
// without a reader leaves buffers for reception.
//
// Parts that let a packet continue in further blocks (`rewrite/fragment.hpp`, `packet/reader.hpp`,
// the stack) work on `basic_packet`: bring your own memory as a Storage of it, as
// `external_storage` does for drivers.
//
// Exemplar:
//
//     struct source {
//         using packet_type = basic_packet<pool_storage<2048>>;
//         static constexpr std::size_t memory_limit = 64 * 1024;
//         static constexpr u32 block_capacity = 2048;  // headroom, bytes and tailroom of a packet
//         packet_type take(u16 headroom) noexcept;
//     };
//
// Models of packet_buffer: `basic_packet` over `pool_storage`, `external_storage`,
// `inline_storage`. Models of buffer_source: `fixed_pool`, `external_pool`, `heap_source`.
#pragma once

#include <sluice/packet/basic_packet.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace sluice {

// Two handles of one buffer would return it twice.
template <class P>
concept is_move_only = std::move_constructible<P> && !std::is_copy_constructible_v<P>;

template <class P>
concept has_bounds = requires(P& p, const P& c, u32 n) {
    { c.size() } noexcept -> std::same_as<u32>;
    { c.headroom() } noexcept -> std::same_as<u32>;
    { c.tailroom() } noexcept -> std::same_as<u32>;
    { p.data() } noexcept -> std::convertible_to<const std::byte*>;
    { p.writable() } noexcept -> std::same_as<std::byte*>;
    { p.push(n) } noexcept -> std::same_as<std::byte*>;
    { p.put(n) } noexcept -> std::same_as<std::byte*>;
    { p.pull(n) } noexcept -> std::same_as<bool>;
    { p.unpull(n) } noexcept -> std::same_as<bool>;
    { p.may_pull(n) } noexcept -> std::same_as<bool>;
    p.trim(n);
};

template <class P>
concept has_copies = requires(P& p, const P& c) {
    { c.clone() } noexcept -> std::same_as<P>;
    { p.unshare() } noexcept -> std::same_as<bool>;
};

// An empty handle converts to false, and reset() empties a handle.
template <class P>
concept can_be_empty = std::default_initializable<P> && requires(P& p, const P& c) {
    static_cast<bool>(c);
    p.reset();
};

// Notes of the link layer and of the stages about the packet.
template <class P>
concept carries_metadata = requires(P& p, const P& c, u16 index, u32 n, link_addressing t) {
    { c.interface() } noexcept -> std::same_as<u16>;
    p.set_interface(index);
    { c.addressing() } noexcept -> std::same_as<link_addressing>;
    p.set_addressing(t);
    { c.is_plain_host() } noexcept -> std::same_as<bool>;
    { c.is_plain_host_of(n) } noexcept -> std::same_as<bool>;
    { p.writable_metadata() } noexcept -> std::same_as<metadata&>;
    { c.metadata() } noexcept -> std::same_as<const metadata&>;
};

template <class P>
concept packet_buffer =
    is_move_only<P> && can_be_empty<P> && has_bounds<P> && has_copies<P> && carries_metadata<P>;

template <class S>
concept states_memory_limit = requires {
    { S::memory_limit } -> std::convertible_to<std::size_t>;
};

template <class S>
concept has_take = requires(S& s, u16 headroom) {
    { s.take(headroom) } noexcept -> std::same_as<typename S::packet_type>;
};

// Headroom, bytes and tailroom of one packet, so that a stack can check that its headers fit.
template <class S>
concept states_block_capacity = requires {
    { S::block_capacity } -> std::convertible_to<u32>;
};

template <class S>
concept buffer_source = packet_buffer<typename S::packet_type> && states_memory_limit<S> &&
                        states_block_capacity<S> && has_take<S>;

// Takes a packet for ARP or ICMP, from the source's reserve too if it has one.
template <class S>
[[nodiscard]] constexpr typename S::packet_type take_urgent(S& source, u16 headroom) noexcept {
    if constexpr (requires { source.take_reserved(headroom); }) {
        return source.take_reserved(headroom);
    } else {
        return source.take(headroom);
    }
}

}  // namespace sluice
