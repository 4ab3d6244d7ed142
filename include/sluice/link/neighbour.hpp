// neighbour: the entry of one next hop on a link, with the packets that wait for its link address.
//
// Expects: a neighbour_table, which links entries into its lists and counts the packets they hold.
// Cost:    the held packets' handles in place.
// Source:  RFC 1122 section 2.3.2; the states are Linux's.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cstddef>

namespace sluice {

enum class neighbour_state : u8 {
    none,        // the entry is free
    incomplete,  // a request was sent, no reply yet: packets wait
    reachable,   // confirmed recently
    stale,       // has a link address, not confirmed recently
    delayed,     // stale and in use: probed soon, unless a higher layer confirms it
    probing,     // being probed by unicast requests
    failed,      // did not answer
    permanent    // set by the operator: never probed, aged or changed
};

// As `ip neigh` prints it.
[[nodiscard]] constexpr const char* name(neighbour_state s) noexcept {
    switch (s) {
    case neighbour_state::incomplete:
        return "INCOMPLETE";
    case neighbour_state::reachable:
        return "REACHABLE";
    case neighbour_state::stale:
        return "STALE";
    case neighbour_state::delayed:
        return "DELAY";
    case neighbour_state::probing:
        return "PROBE";
    case neighbour_state::failed:
        return "FAILED";
    case neighbour_state::permanent:
        return "PERMANENT";
    default:
        return "NONE";
    }
}

template <class Packet, std::size_t Held>
struct neighbour {
    ipv4::address address;
    u16 interface = 0;
    neighbour_state state = neighbour_state::none;
    u8 requests = 0;             // sent since resolution or probing began
    bool was_confirmed = false;  // has confirmed its address since it was entered or last failed
    ethernet::address hardware;  // valid in the usable states only
    instant updated;             // when the state or the link address last changed
    instant deadline = instant::never();
    bounded_packet_queue<Packet, Held> held;  // only the table changes it
    ipv4::address source;                     // of the newest held packet
    u16 next_of_bucket = 0;
    u16 older = 0;  // on the same shelf
    u16 newer = 0;

    // Whether packets can be sent to it now.
    [[nodiscard]] constexpr bool is_usable() const noexcept {
        return state == neighbour_state::reachable || state == neighbour_state::stale ||
               state == neighbour_state::delayed || state == neighbour_state::probing ||
               state == neighbour_state::permanent;
    }
};

}  // namespace sluice
