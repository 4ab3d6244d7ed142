// neighbour_shelves: orders the entries of a neighbour_table by worth and age. place_for() finds
// the entry that a new one replaces.
//
// Expects: entries with the links `older` and `newer`, and indexes below 65535.
// Cost:    a few stores per operation.
#pragma once

#include <sluice/link/neighbour.hpp>

#include <cstddef>

namespace sluice::detail {

enum class worth : u8 {
    free,
    failed,    // did not answer
    hearsay,   // learned from a request to this host; never sent a reply; not in use
    doubtful,  // being resolved; or in use, but never sent a reply
    idle,      // sent a reply once; not in use now
    in_use,
    permanent
};
inline constexpr std::size_t worths = 7;

template <class Entry>
[[nodiscard]] constexpr worth worth_of(const Entry& e) noexcept {
    switch (e.state) {
    case neighbour_state::none:
        return worth::free;
    case neighbour_state::failed:
        return worth::failed;
    case neighbour_state::incomplete:
        return worth::doubtful;
    case neighbour_state::stale:
        return e.was_confirmed ? worth::idle : worth::hearsay;
    case neighbour_state::permanent:
        return worth::permanent;
    default:
        return e.was_confirmed ? worth::in_use : worth::doubtful;
    }
}

// Why a new entry is made: a received request, a packet to be sent, or the operator.
enum class purpose : u8 { hearsay, question, order };

class neighbour_shelves {
public:
    static constexpr u16 no_entry = 0xffff;

    [[nodiscard]] constexpr u16 oldest(worth w) const noexcept { return at(w).oldest; }
    [[nodiscard]] constexpr std::size_t count(worth w) const noexcept { return at(w).count; }

    template <class Entry>
    constexpr void put(worth w, Entry* entries, u16 i) noexcept {
        shelf& s = at(w);
        entries[i].older = s.newest;
        entries[i].newer = no_entry;
        (s.newest == no_entry ? s.oldest : entries[s.newest].newer) = i;
        s.newest = i;
        ++s.count;
    }
    template <class Entry>
    constexpr void take(worth w, Entry* entries, u16 i) noexcept {
        shelf& s = at(w);
        const Entry& e = entries[i];
        (e.older == no_entry ? s.oldest : entries[e.older].newer) = e.newer;
        (e.newer == no_entry ? s.newest : entries[e.newer].older) = e.older;
        --s.count;
    }

    // The entry that a new one replaces; no_entry: all entries are worth more. Entries to
    // be resolved replace idle ones until they fill an eighth of the table, then each other: this
    // bounds a scan. Only the operator replaces an entry in use.
    [[nodiscard]] constexpr u16 place_for(purpose p, std::size_t entries) const noexcept {
        for (const worth w : {worth::free, worth::failed, worth::hearsay}) {
            if (oldest(w) != no_entry) {
                return oldest(w);
            }
        }
        if (p == purpose::hearsay) {
            return no_entry;
        }
        if (count(worth::doubtful) * 8 < entries && oldest(worth::idle) != no_entry) {
            return oldest(worth::idle);
        }
        if (p == purpose::order && oldest(worth::doubtful) == no_entry) {
            return oldest(worth::in_use);
        }
        return oldest(worth::doubtful);
    }

private:
    struct shelf {
        u16 oldest = no_entry;
        u16 newest = no_entry;
        std::size_t count = 0;
    };
    [[nodiscard]] constexpr shelf& at(worth w) noexcept {
        return shelves_[static_cast<std::size_t>(w)];
    }
    [[nodiscard]] constexpr const shelf& at(worth w) const noexcept {
        return shelves_[static_cast<std::size_t>(w)];
    }
    shelf shelves_[worths];
};

}  // namespace sluice::detail
