// What a worker tells of itself, copied, so that another thread can print it; and the sum of all
// workers.
//
// Expects: snapshots of workers with the same interfaces. Does: adds. Never: touches a worker.
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

// What ended in the link, which the stack takes for sent; and what was no business of either.
struct link_counts {
    u64 pushed_out = 0;  // waited for a link address, and made room for others
    u64 refused = 0;     // by the device, after it had waited; or ARP
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

// Of one worker: its own; of all: the sum. sluice::balance_of() reads it as it does a stack.
struct snapshot {
    std::vector<port_line> ports;  // by interface, from first_interface on
    std::vector<neighbour_line> neighbours;
    link_counts link;
    sluice::snmp_counters sum;
    sluice::settings switched;  // the same in all
    std::size_t held_now = 0;
    u64 not_captured = 0;

    [[nodiscard]] const sluice::snmp_counters& counters() const noexcept { return sum; }
    [[nodiscard]] std::size_t held() const noexcept { return held_now; }
};

// Workers know the same neighbours: the freshest news counts.
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
