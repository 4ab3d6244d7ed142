// snapshot: a copy of a worker's state, so that another thread can print it; and the sum of
// several.
//
// Expects: snapshots of workers with the same interfaces.
#pragma once

#include "port.hpp"

#include <sluice/link/neighbour.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/stats/snmp_counters.hpp>

#include <string>
#include <vector>

namespace router {

struct neighbour_line {
    u16 interface = 0;
    sluice::ipv4::address address;
    sluice::ethernet::address hardware;
    sluice::neighbour_state state{};
    sluice::duration age;  // since its link address was learned or confirmed
};

struct port_line {
    std::string label;
    port_state state{};
    u32 mtu = 0;
    port_counts counts;
};

// Packets that ended in the link, which the stack counts as sent; and frames for neither.
struct link_counts {
    u64 pushed_out = 0;  // evicted while waiting for a link address
    u64 refused = 0;     // by the device: ARP, or packets that had waited
    u64 tagged = 0;      // frames of VLANs
    u64 foreign = 0;     // frames of other protocols, or cut short

    link_counts& operator+=(const link_counts& o) noexcept {
        pushed_out += o.pushed_out;
        refused += o.refused;
        tagged += o.tagged;
        foreign += o.foreign;
        return *this;
    }
};

// The state of one worker, or the sum of all. sluice::balance_of() reads it as a stack.
struct snapshot {
    std::vector<port_line> ports;  // by interface, from first_interface on
    std::vector<neighbour_line> neighbours;
    link_counts link;
    sluice::snmp_counters sum;
    sluice::settings switched;  // the same in all workers
    std::size_t held_now = 0;
    u64 not_captured = 0;

    [[nodiscard]] const sluice::snmp_counters& counters() const noexcept { return sum; }
    [[nodiscard]] std::size_t held() const noexcept { return held_now; }
};

// Workers know the same neighbours: the newest line counts.
inline void add_neighbour(std::vector<neighbour_line>& to, const neighbour_line& line) {
    for (neighbour_line& known : to) {
        if (known.interface == line.interface && known.address == line.address) {
            if (line.age < known.age) {
                known = line;
            }
            return;
        }
    }
    to.push_back(line);
}

}  // namespace router
