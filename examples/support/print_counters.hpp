// Prints a stack's counters that are not zero, a line each, by the kernel's names; and the balance
// of fates.
//
// Expects: a stack with snmp_counters. Does: prints to a FILE and flushes. Never: resets.
#pragma once

#include <sluice/stats/print.hpp>
#include <sluice/stats/snmp_counters.hpp>

#include <cstddef>
#include <cstdio>

namespace examples {

struct balance_sides {
    sluice::u64 in = 0;   // received, originated, copied
    sluice::u64 out = 0;  // delivered, transmitted, absorbed, dropped, held now

    [[nodiscard]] bool is_even() const { return in == out; }
};

template <class Stack>
[[nodiscard]] balance_sides balance_of(const Stack& stack) {
    using enum sluice::balance;
    const auto& n = stack.counters();
    return {n[received] + n[originated] + n[copied],
            n[delivered] + n[transmitted] + n[absorbed] + n.drops() + stack.held()};
}

template <class Stack>
void print_counters(const Stack& stack, std::FILE* to) {
    const auto& counters = stack.counters();
    const auto line = [to](const char* group, const char* name, sluice::u64 n) {
        if (n != 0) {
            std::fprintf(to, "%s.%s %llu\n", group, name, static_cast<unsigned long long>(n));
        }
    };
    sluice::for_each_counter(counters, stack.switches(), line);
    for (std::size_t i = 1; i < sluice::drop_reason_count; ++i) {
        const auto why = static_cast<sluice::drop_reason>(i);
        line("Dropped", sluice::describe(why).name, counters[why]);
    }
    const balance_sides sides = balance_of(stack);
    std::fprintf(to, "balance: %llu came or arose, %llu left or ended or are held\n",
                 static_cast<unsigned long long>(sides.in),
                 static_cast<unsigned long long>(sides.out));
    std::fflush(to);
}

// The counters of Ip, Icmp and Udp that moved, a few on a line behind the lead.
inline void print_difference(const sluice::snmp_counters& before,
                             const sluice::snmp_counters& after, const char* lead, std::FILE* to) {
    constexpr int on_a_line = 4;
    int printed = 0;
    for (auto i = static_cast<std::size_t>(sluice::mib::ip_in_receives);
         i < static_cast<std::size_t>(sluice::mib::ipext_in_no_routes); ++i) {
        const auto moved = static_cast<unsigned long long>(after[static_cast<sluice::mib>(i)] -
                                                           before[static_cast<sluice::mib>(i)]);
        if (moved != 0) {
            std::fputs(printed % on_a_line != 0 ? "" : printed == 0 ? lead : "\n", to);
            std::fprintf(to, "%s %s.%s +%llu", printed % on_a_line == 0 && printed > 0 ? lead : "",
                         sluice::mib_names[i].group, sluice::mib_names[i].field, moved);
            ++printed;
        }
    }
    std::fputs(printed != 0 ? "\n" : "", to);
}

}  // namespace examples
