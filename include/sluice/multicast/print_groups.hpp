// print_groups, print_source_filters: the groups of a host in the format of the kernel's files
// /proc/net/igmp and /proc/net/mcfilter.
//
// sink(const char*) receives the text in pieces. name_of(u16 interface) returns the name of an
// interface as a const char*.
//
// Expects: an igmp_host.
// Never:   allocates; changes a table.
// Cost:    a pass over the groups for each interface.
// Source:  Linux igmp_mc_seq_show, igmp_mcf_seq_show. Groups of /proc/net/igmp are printed as a
//          little-endian machine prints them, times in hundredths of a second.
#pragma once

#include <sluice/multicast/igmp_host.hpp>
#include <sluice/multicast/print.hpp>

namespace sluice {

namespace detail {

constexpr void print_group(multicast_line& line, const multicast_group& g, instant now) noexcept {
    constexpr i64 tick = 10;  // milliseconds
    const bool runs = g.timer != no_entry;
    const i64 left = runs && g.due > now ? (g.due - now).milliseconds() / tick : 0;
    line.text("\t\t\t\t");
    line.host(g.address);
    line.text(" ");
    line.number(g.users, 5);
    line.text(runs ? " 1:" : " 0:");
    line.hex(static_cast<u32>(left), 8);
    line.text(g.reporter ? "\t\t1" : "\t\t0");
}

}  // namespace detail

template <class Groups, class Names, class Sink>
constexpr void print_groups(const Groups& groups, Names&& name_of, Sink&& sink) {
    sink("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
    groups.for_each_interface([&](const auto& in, unsigned version) {
        if (in.group_count == 0) {
            return;
        }
        const char querier[] = {'V', static_cast<char>('0' + version), '\0'};
        detail::multicast_line line;
        line.number(in.index, 0);
        line.text("\t");
        line.text(name_of(in.index), 10);
        line.text(": ");
        line.number(in.group_count, 5);
        line.text("      ");
        line.text(querier);
        line.end(sink);
        groups.for_each_group(in.index, [&](const auto& g) {
            detail::print_group(line, g, groups.now());
            line.end(sink);
        });
    });
}

template <class Groups, class Names, class Sink>
constexpr void print_source_filters(const Groups& groups, Names&& name_of, Sink&& sink) {
    sink("Idx Device        MCA        SRC    INC    EXC\n");
    groups.for_each_interface([&](const auto& in, unsigned) {
        groups.for_each_group(in.index, [&](const auto& g) {
            groups.for_each_source(g, [&](const auto& s) {
                detail::multicast_line line;
                line.number(in.index, 3);
                line.text(" ");
                line.right(name_of(in.index), 6);
                line.text(" 0x");
                line.lower_hex(g.address.value);
                line.text(" 0x");
                line.lower_hex(s.address.value);
                line.text(" ");
                line.number(s.count(filter_mode::include), 6);
                line.text(" ");
                line.number(s.count(filter_mode::exclude), 6);
                line.end(sink);
            });
        });
    });
}

}  // namespace sluice
