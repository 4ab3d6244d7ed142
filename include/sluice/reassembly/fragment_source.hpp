// fragment_source: the held datagrams of one sender, and what they hold, for a cache in which a
// source has a share or a bound; fragment_sources: finds them.
//
// A source keeps the sender's datagrams in the order in which they began.
//
// Expects: a Datagram with members `key`, `pieces`, `source`, `of_source_earlier` and
//          `of_source_later`; as many sources as datagrams.
// Never:   owns the datagrams.
// Cost:    a cache line a source; O(1), and a SipHash for a datagram that begins.
#pragma once

#include <sluice/reassembly/cache_bounds.hpp>
#include <sluice/reassembly/fragment_hash.hpp>
#include <sluice/reassembly/keyed_slots.hpp>

#include <span>

namespace sluice::detail {

template <class Datagram>
struct alignas(64) fragment_source {
    u64 key = 0;
    u32 place = 0;  // in the index, as home
    u32 home = 0;
    u32 number = 0;
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

template <class Datagram>
class fragment_sources {
public:
    using source = fragment_source<Datagram>;

    constexpr fragment_sources(std::span<source> sources, slot_line* lines, u32* numbers,
                               const fragment_siphash& secret) noexcept
        : siphash_(secret),
          sources_(sources.data(), sources.size(), lines, numbers, source_siphash{secret}) {}

    // For the source of a datagram that will begin: found() and join() use its hash.
    constexpr void look_for(u64 address) noexcept {
        address_ = address;
        hash_ = static_cast<u32>(siphash_.of_source(address));
    }
    // nullptr: nothing of it is held.
    [[nodiscard]] constexpr source* found() const noexcept {
        return sources_.find(hash_, address_);
    }
    // Adds a datagram, with what it holds, to the source that look_for() was called for. False:
    // there is no room.
    [[nodiscard]] constexpr bool join(Datagram& d) noexcept {
        source* s = found();
        if (s == nullptr) {
            s = sources_.take(hash_, address_);
            if (s == nullptr) {
                return false;
            }
            s->datagrams = s->pieces = 0;
            s->charge = s->memory = 0;
            s->oldest = s->newest = nullptr;
        }
        d.source = s;
        s->add(d);
        s->charge += datagram_charge + d.pieces.charge();
        s->memory += d.pieces.memory();
        s->pieces += d.pieces.count();
        return true;
    }
    // Removes a datagram that has no pieces any more.
    constexpr void leave(Datagram& d) noexcept {
        d.source->charge -= datagram_charge;
        d.source->remove(d);
        if (d.source->datagrams == 0) {
            sources_.release(*d.source);
        }
    }

private:
    fragment_siphash siphash_;
    keyed_slots<source, source_siphash> sources_;
    u64 address_ = 0;
    u32 hash_ = 0;
};

}  // namespace sluice::detail
