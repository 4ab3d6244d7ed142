// fragment_source: the held datagrams of one sender, and what they hold, for a cache in which a
// source has a share or a bound.
//
// It keeps the sender's datagrams in the order in which they began.
//
// Expects: a Datagram with members `of_source_earlier` and `of_source_later`.
// Never:   owns the datagrams.
// Cost:    a cache line a source; O(1).
#pragma once

#include <sluice/reassembly/keyed_slots.hpp>

namespace sluice::detail {

template <class Datagram>
struct alignas(64) fragment_source {
    u64 key = 0;
    u32 place = 0;  // in the index, as home
    u32 home = 0;
    u32 datagrams = 0;  // held now
    u32 pieces = 0;
    u64 charge = 0;  // bytes counted against the threshold
    u64 memory = 0;  // bytes of buffers
    Datagram* oldest = nullptr;
    Datagram* newest = nullptr;

    constexpr void add(Datagram& d) noexcept {
        d.of_source_earlier = newest;
        d.of_source_later = nullptr;
        (newest != nullptr ? newest->of_source_later : oldest) = &d;
        newest = &d;
        ++datagrams;
    }
    constexpr void remove(Datagram& d) noexcept {
        (d.of_source_earlier != nullptr ? d.of_source_earlier->of_source_later : oldest) =
            d.of_source_later;
        (d.of_source_later != nullptr ? d.of_source_later->of_source_earlier : newest) =
            d.of_source_earlier;
        --datagrams;
    }
};

}  // namespace sluice::detail
