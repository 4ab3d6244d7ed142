// block_base: the base of every block of packet memory: reference count, list links, page-like
// segments, metadata; unique and shared: the two kinds of ownership.
//
// A storage derives its block type from it. basic_packet does all work on it.
//
// Cost: three cache lines for each block; a plain packet touches the first, when it is taken and
//       returned.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/metadata.hpp>

#include <cstddef>

namespace sluice {

// Each block has one handle.
struct unique {
    static constexpr bool counts_references = false;
};
// A block may have several handles; it is copied before it changes.
struct shared {
    static constexpr bool counts_references = true;
};

inline constexpr std::size_t max_segments = 4;

// Block: the storage's block type.
template <class Block>
struct block_base {
    struct segment {
        Block* block = nullptr;
        u32 offset = 0;
        u32 length = 0;
    };

    u32 references = 1;
    u32 elsewhere = 0;      // bytes of a segmented packet that lie in other blocks
    Block* next = nullptr;  // free list, or the next packet of a list
    Block* list = nullptr;  // first packet of the list that follows this head
    // The last packet of it; nullptr if there is none. In a list: the packet before this one,
    // nullptr if it is the first.
    Block* list_tail = nullptr;
    // For a segmented packet, and for each packet of a list: which bytes of this block are the
    // packet's. The handle of a list's head counts from its own offset to the end of these bytes.
    u32 own_length = 0;
    u16 own_offset = 0;
    u8 segment_count = 0;
    sluice::metadata metadata{};
    segment segments[max_segments]{};
};

}  // namespace sluice
