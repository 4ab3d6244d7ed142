// neighbour_times: Linux's neigh sysctls by meaning. neighbour_clocks: the times of each interface.
//
// An interface may have times of its own. The time for which a neighbour counts as reachable is
// spread at random, so that a link's neighbours are not probed at the same time.
//
// Expects: a seed that outsiders do not know.
// Cost:    a walk over at most 8 interfaces.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>

#include <cstddef>

namespace sluice {

struct neighbour_times {
    duration retransmit = 1_s;   // retrans_time_ms: between two requests
    duration reachable = 30_s;   // base_reachable_time_ms: from half to one and a half of it
    duration first_probe = 5_s;  // delay_first_probe_time: from use of a stale entry to the probe
    duration forget = 60_s;      // gc_stale_time: an unused entry is freed, if there are many
    duration lock = 1_s;         // locktime: after a change, another address is ignored so long
    u32 held_bytes = default_waiting_bytes;  // unres_qlen_bytes: of packets that wait for one entry
    u8 broadcast_requests = 3;               // mcast_solicit; 0: nothing is ever resolved
    u8 unicast_requests = 3;                 // ucast_solicit
    u8 broadcast_probes = 0;                 // mcast_resolicit: after the unicast probes
    bool spread = true;                      // false: `reachable` exactly
};

class neighbour_clocks {
public:
    static constexpr std::size_t most_own = 8;         // interfaces with times of their own
    static constexpr duration spread_renewed = 300_s;  // as in Linux

    constexpr neighbour_clocks(hash_key seed, const neighbour_times& general) noexcept
        : random_{seed} {
        assign(rows_[0], 0, general);
    }

    [[nodiscard]] constexpr const neighbour_times& general() const noexcept {
        return rows_[0].times;
    }
    [[nodiscard]] constexpr const neighbour_times& of(u16 interface) const noexcept {
        return row_of(interface).times;
    }
    // How long a confirmation is valid on that interface.
    [[nodiscard]] constexpr duration reachable(u16 interface) const noexcept {
        return row_of(interface).reachable;
    }

    // Sets the times of all interfaces without their own.
    constexpr void set(const neighbour_times& general) noexcept { assign(rows_[0], 0, general); }
    // Sets the times of one interface. false: `most_own` others have their own already.
    [[nodiscard]] constexpr bool set(u16 interface, const neighbour_times& own) noexcept {
        for (std::size_t i = 1; i <= own_; ++i) {
            if (rows_[i].interface == interface) {
                assign(rows_[i], interface, own);
                return true;
            }
        }
        if (own_ == most_own) {
            return false;
        }
        assign(rows_[++own_], interface, own);
        return true;
    }
    // Draws the spread times again when due.
    constexpr void renew(instant now) noexcept {
        if (now < renewed_ + spread_renewed) {
            return;
        }
        renewed_ = now;
        for (std::size_t i = 0; i <= own_; ++i) {
            assign(rows_[i], rows_[i].interface, rows_[i].times);
        }
    }

private:
    struct row {
        u16 interface = 0;
        neighbour_times times;
        duration reachable;
    };

    [[nodiscard]] constexpr const row& row_of(u16 interface) const noexcept {
        for (std::size_t i = 1; i <= own_; ++i) {
            if (rows_[i].interface == interface) {
                return rows_[i];
            }
        }
        return rows_[0];
    }
    constexpr void assign(row& r, u16 interface, const neighbour_times& times) noexcept {
        r.interface = interface;
        r.times = times;
        r.reachable = times.reachable;
        const i64 base = times.reachable.milliseconds();
        if (times.spread && base > 0 && base <= 0xffff'ffff) {
            r.reachable =
                duration::from_milliseconds(base / 2 + random_.below(static_cast<u32>(base)));
        }
    }

    keyed_random random_;
    instant renewed_;
    std::size_t own_ = 0;
    row rows_[1 + most_own];
};

}  // namespace sluice
