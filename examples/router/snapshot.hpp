// What a worker tells of itself, copied, so that another thread can print it; and the sum of all
// workers.
//
// Expects: snapshots of workers with the same interfaces. Does: adds. Never: touches a worker.
#pragma once

#include "port.hpp"

#include <sluice/link/neighbour.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/stats/concept.hpp>

#include <array>
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

// Reads as snmp_counters do.
class counter_sum {
public:
    // Of another sum, or of a stack's.
    template <class Counters>
    void add(const Counters& c) {
        for (std::size_t i = 0; i < sluice::mib_count; ++i) {
            mibs_[i] += c[static_cast<sluice::mib>(i)];
        }
        for (std::size_t i = 0; i < sluice::drop_reason_count; ++i) {
            drops_[i] += c[static_cast<sluice::drop_reason>(i)];
        }
        for (std::size_t i = 0; i < sluice::balance_kinds; ++i) {
            balance_[i] += c[static_cast<sluice::balance>(i)];
        }
    }
    [[nodiscard]] u64 operator[](sluice::mib m) const noexcept {
        return mibs_[static_cast<unsigned>(m)];
    }
    [[nodiscard]] u64 operator[](sluice::drop_reason r) const {
        return drops_[static_cast<unsigned>(r)];
    }
    [[nodiscard]] u64 operator[](sluice::balance b) const {
        return balance_[static_cast<unsigned>(b)];
    }
    [[nodiscard]] u64 drops() const {
        u64 all = 0;
        for (const u64 n : drops_) {
            all += n;
        }
        return all;
    }

private:
    std::array<u64, sluice::mib_count> mibs_{};
    std::array<u64, sluice::drop_reason_count> drops_{};
    std::array<u64, sluice::balance_kinds> balance_{};
};

// Of one worker: its own; of all: the sum. counters(), switches() and held() are
// what print_counters() reads.
struct snapshot {
    std::vector<port_line> ports;  // by interface, from first_interface on
    std::vector<neighbour_line> neighbours;
    link_counts link;
    counter_sum sum;
    sluice::settings switched;  // the same in all
    std::size_t held_now = 0;
    u64 not_captured = 0;

    [[nodiscard]] const counter_sum& counters() const { return sum; }
    [[nodiscard]] const sluice::settings& switches() const { return switched; }
    [[nodiscard]] std::size_t held() const { return held_now; }
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
