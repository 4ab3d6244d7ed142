// Prints the router's interfaces, neighbours and counters, and a table for a terminal.
//
// Expects: a snapshot.
#pragma once

#include "snapshot.hpp"

#include <sluice/stats/balance.hpp>
#include <sluice/stats/print.hpp>
#include <sluice/wire/text.hpp>

#include <cstdio>

#include <unistd.h>

namespace router {

inline const char* name_of(port_state s) {
    constexpr const char* names[] = {"up", "disconnected", "down", "gone"};
    return names[static_cast<unsigned>(s)];
}

inline unsigned long long wide(u64 n) {
    return n;
}

inline void print_ports(const snapshot& s, std::FILE* to) {
    for (const port_line& p : s.ports) {
        const port_counts& c = p.counts;
        std::fprintf(to,
                     "interface %s %s mtu %u received %llu bytes %llu not-ipv4 %llu unusable %llu "
                     "no-buffer %llu "
                     "kernel-drops %llu sent %llu refused %llu lost %llu\n",
                     p.label.c_str(), name_of(p.state), p.mtu, wide(c.received),
                     wide(c.received_bytes), wide(c.not_ipv4), wide(c.unusable), wide(c.no_buffer),
                     wide(c.kernel_drops), wide(c.sent), wide(c.refused), wide(c.lost));
    }
    std::fprintf(to, "link pushed-out %llu refused %llu tagged %llu foreign %llu\n",
                 wide(s.link.pushed_out), wide(s.link.refused), wide(s.link.tagged),
                 wide(s.link.foreign));
}

inline void print_neighbours(const snapshot& s, std::FILE* to) {
    for (const neighbour_line& n : s.neighbours) {
        const bool known = n.hardware != sluice::ethernet::address{};
        std::fprintf(
            to, "neighbour %s %s %s %s", s.ports[n.interface - first_interface].label.c_str(),
            sluice::ipv4::to_text(n.address).c_str(),
            known ? sluice::ethernet::to_text(n.hardware).c_str() : "-", sluice::name(n.state));
        if (known) {
            std::fprintf(to, " %lld.%lld s", static_cast<long long>(n.age.milliseconds() / 1000),
                         static_cast<long long>(n.age.milliseconds() / 100 % 10));
        }
        std::fputs("\n", to);
    }
}

// Prints the counters that are not zero, by the kernel's names, and the balance of fates.
inline void print_counters(const snapshot& s, std::FILE* to) {
    const auto line = [to](const char* group, const char* name, u64 n) {
        if (n != 0) {
            std::fprintf(to, "%s.%s %llu\n", group, name, wide(n));
        }
    };
    sluice::for_each_counter(s.sum, s.switched, line);
    for (std::size_t i = 1; i < sluice::drop_reason_count; ++i) {
        const auto why = static_cast<sluice::drop_reason>(i);
        line("Dropped", sluice::describe(why).name, s.sum[why]);
    }
    const sluice::balance_sides sides = sluice::balance_of(s);
    std::fprintf(to, "balance: %llu came or arose, %llu left or ended or are held\n",
                 wide(sides.in), wide(sides.out));
    std::fflush(to);
}

// Prints all; the counters and their balance come last.
inline void print_all(const snapshot& s, std::FILE* to) {
    print_ports(s, to);
    print_neighbours(s, to);
    if (s.not_captured != 0) {
        std::fprintf(to, "not captured %llu\n", wide(s.not_captured));
    }
    print_counters(s, to);
}

// Prints a table of rates since the snapshot before, which is `milliseconds` old; on a terminal it
// replaces the last table.
inline void print_table(const snapshot& s, const snapshot& before, u64 milliseconds,
                        std::FILE* to) {
    std::fputs(::isatty(::fileno(to)) != 0 ? "\033[H\033[J" : "", to);
    std::fprintf(to, "%-24s %-12s %11s %9s %11s %9s %9s\n", "interface", "state", "in pkt/s",
                 "Mbit/s", "out pkt/s", "dropped", "in kernel");
    const auto rate = [&](u64 n) { return wide(n * 1000 / milliseconds); };
    for (std::size_t i = 0; i < s.ports.size(); ++i) {
        const port_counts& now = s.ports[i].counts;
        const port_counts was = i < before.ports.size() ? before.ports[i].counts : port_counts{};
        const u64 bits = (now.received_bytes - was.received_bytes) * 8;
        std::fprintf(to, "%-24s %-12s %11llu %9llu %11llu %9llu %9llu\n", s.ports[i].label.c_str(),
                     name_of(s.ports[i].state), rate(now.received - was.received),
                     rate(bits) / 1'000'000, rate(now.sent - was.sent),
                     wide(now.unusable + now.no_buffer + now.refused + now.lost),
                     wide(now.kernel_drops));
    }
    using enum sluice::mib;
    std::fprintf(to, "received %llu forwarded %llu delivered %llu dropped %llu neighbours %zu\n",
                 wide(s.sum[ip_in_receives]), wide(s.sum[ip_forw_datagrams]),
                 wide(s.sum[ip_in_delivers]), wide(s.sum.drops()), s.neighbours.size());
    std::fflush(to);
}

}  // namespace router
