// fragment_charge, datagram_charge, on_full, reassembly_memory: how a reassembly cache counts what
// it holds, its bounds, and what it does when they are reached.
//
// Cost: none.
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice {

// The cache counts the total length of each held fragment and these charges against
// reassembly_limits::high_threshold. They are about what Linux counts on 64-bit machines for the
// structures of a buffer (struct sk_buff and skb_shared_info) and of a queue (struct ipq). They do
// not depend on the buffers in use, so a threshold means the same everywhere.
inline constexpr u32 fragment_charge = 576;
inline constexpr u32 datagram_charge = 208;

// What to do with a fragment when the memory, or the share of its source, is full. A cache that
// refuses evicts one datagram all the same if both lines of its key are full when another one comes
// (keyed_slots.hpp: with random keys, one of a hundred million).
enum class on_full : u8 { refuse, evict_oldest };

// Bounds of the buffers that held fragments keep, in bytes: the capacity of their blocks, used or
// not (memory_kept). They are never exceeded. Without them, a datagram's are 4 GiB at most.
struct reassembly_memory {
    static constexpr u64 unbounded = ~u64{};

    u64 all = unbounded;
    u64 source = unbounded;    // of one source
    u64 datagram = unbounded;  // of one datagram
};

}  // namespace sluice
