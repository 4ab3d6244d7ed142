// neighbour: what is known of one next hop on a link, and the packets that wait for its link
// address.
//
// Expects: to live in a neighbour_table, which links entries into its lists. Does: names the states
// and the times. Never: sends. Cost: the held packets' handles in place. RFC 1122 section 2.3.2;
// the states are Linux's.
#pragma once

#include <sluice/base/ring.hpp>
#include <sluice/base/time.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

enum class neighbour_state : u8 {
    none,        // the entry is free
    incomplete,  // asked, no answer yet: packets wait
    reachable,   // answered a short time ago
    stale,       // has a link address that nobody has confirmed of late
    probing,     // stale and in use: about to be asked, or being asked, by itself
    failed,      // did not answer
    permanent    // set by the operator: never asked, aged or changed
};

// Linux's neigh sysctls by their meaning, with its defaults.
struct neighbour_times {
    duration retransmit = 1_s;  // retrans_time_ms: between two requests
    duration reachable = 30_s;  // base_reachable_time_ms, which Linux spreads by half
    duration first_probe =
        5_s;                 // delay_first_probe_time: from use of a stale address to the question
    duration forget = 60_s;  // gc_stale_time: an unused entry is freed
    duration lock = 1_s;     // locktime: another address is not believed so soon after one
    u8 broadcast_requests = 3;  // mcast_solicit
    u8 unicast_requests = 3;    // ucast_solicit
};

template <class Packet, std::size_t Held>
struct neighbour {
    ipv4::address address;
    u16 interface = 0;
    neighbour_state state = neighbour_state::none;
    u8 requests = 0;  // sent since the question arose
    ethernet::address hardware;
    instant updated;  // when the link address was learned or confirmed
    instant deadline = instant::never();
    ring<Packet, Held> held;  // the oldest first
    ipv4::address source;  // of the newest packet held: the request is sent from it if it is ours
    u16 next_of_bucket = 0;
    u16 older = 0;  // of the same shelf
    u16 newer = 0;

    // Whether packets can be sent to it now.
    [[nodiscard]] constexpr bool is_usable() const noexcept {
        return state == neighbour_state::reachable || state == neighbour_state::stale ||
               state == neighbour_state::probing || state == neighbour_state::permanent;
    }
    // Keeps the packet until the address is known; true when the oldest one held had to go for it.
    constexpr bool hold(Packet&& packet, ipv4::address from) noexcept {
        const bool was_full = held.full();
        if (was_full) {
            static_cast<void>(held.pop());
        }
        source = from;
        static_cast<void>(held.push(std::move(packet)));
        return was_full;
    }
};

}  // namespace sluice
