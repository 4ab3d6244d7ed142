// block_base: what every block of packet memory carries beside its bytes; unique and shared: who
// may hold it.
// Expects: to be the base of a storage's block type. Does: counts references, links packets into
// lists, names page-like segments, keeps the metadata. Never: acts: basic_packet does.
// Cost: three cache lines a block; plain packets touch the first, when they come and go.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/metadata.hpp>

#include <cstddef>

namespace sluice {

// One handle a block.
struct unique {
    static constexpr bool counts_references = false;
};
// Several handles of one block, copied before it changes.
struct shared {
    static constexpr bool counts_references = true;
};

inline constexpr std::size_t max_segments = 4;

// Block is the storage's own block type.
template <class Block>
struct block_base {
    struct segment {
        Block* block = nullptr;
        u32 offset = 0;
        u32 length = 0;
    };

    u32 references = 1;
    u32 elsewhere = 0;      // of a packet that goes on in other blocks: bytes that lie there
    Block* next = nullptr;  // free list, or the next packet of a list
    Block* list = nullptr;  // first packet of the list that follows this head
    Block* list_tail = nullptr;
    // Of a packet that goes on, and of each in a list: which bytes of this block are its own. The
    // handle of a list's head counts from its own offset, up to the end of these.
    u32 own_length = 0;
    u16 own_offset = 0;
    u8 segment_count = 0;
    sluice::metadata metadata{};
    segment segments[max_segments]{};
};

}  // namespace sluice
