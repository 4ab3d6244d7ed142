// print_snmp: prints the counters in the format of the kernel's files: the groups Ip, Icmp,
// IcmpMsg, Udp and UdpLite of /proc/net/snmp, then IpExt of /proc/net/netstat. Each group is a line
// of names and a line of values. for_each_counter: the same numbers one by one, by name.
//
// Ip.Forwarding and Ip.DefaultTTL are settings, not counters: they come from the switches. IcmpMsg
// lists only the types that were counted, sixteen a line, and is left out without any.
//
// Expects: readable counters (snmp_counters).
// Never:   allocates; changes a counter.
// Cost:    a pass over the counters.
// Source:  Linux net/ipv4/proc.c.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/mib.hpp>
#include <sluice/packet/settings.hpp>

#include <concepts>
#include <cstddef>
#include <span>

namespace sluice {

template <class C>
concept named_counters = requires(const C& c, mib counter) {
    { c[counter] } noexcept -> std::convertible_to<u64>;
};
template <class C>
concept readable_counters = named_counters<C> && requires(const C& c, u8 type) {
    { c.icmp_in_type(type) } noexcept -> std::convertible_to<u64>;
    { c.icmp_out_type(type) } noexcept -> std::convertible_to<u64>;
};

namespace detail {

// RFC 4293 ipForwarding: 1 forwarding, 2 not.
[[nodiscard]] constexpr u64 forwarding_number(const settings& s) noexcept {
    return s.all.forwarding ? 1 : 2;
}

template <class Sink>
class snmp_writer {
public:
    constexpr explicit snmp_writer(Sink& sink) noexcept : sink_{&sink} {}

    constexpr void text(const char* s) { (*sink_)(s); }
    constexpr void number(u64 value) {
        char digits[21]{};
        std::size_t first = sizeof digits - 1;
        do {
            digits[--first] = static_cast<char>('0' + value % 10);
            value /= 10;
        } while (value != 0);
        (*sink_)(static_cast<const char*>(digits + first));
    }
    // The names of the counters from `first` up to `end`, without `end`.
    constexpr void names(mib first, mib end) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
            text(" ");
            text(mib_names[i].field);
        }
    }
    template <class Counters>
    constexpr void values(const Counters& c, mib first, mib end) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
            text(" ");
            number(c[static_cast<mib>(i)]);
        }
    }
    template <class Counters>
    constexpr void group(const Counters& c, const char* name, mib first, mib end) {
        text(name);
        names(first, end);
        text("\n");
        text(name);
        values(c, first, end);
        text("\n");
    }
    // The ICMP types that were counted: received ones, then sent ones. Linux icmpmsg_put.
    template <class Counters>
    constexpr void icmp_types(const Counters& c) {
        u16 line[16]{};
        std::size_t n = 0;
        for (u16 kind = 0; kind < 512; ++kind) {
            if (count_of(c, kind) != 0) {
                line[n++] = kind;
            }
            if (n == 16 || (kind == 511 && n != 0)) {
                icmp_line(c, std::span<const u16>{line, n});
                n = 0;
            }
        }
    }

private:
    template <class Counters>
    static constexpr u64 count_of(const Counters& c, u16 kind) noexcept {
        const auto type = static_cast<u8>(kind & 0xff);
        return kind < 256 ? c.icmp_in_type(type) : c.icmp_out_type(type);
    }
    template <class Counters>
    constexpr void icmp_line(const Counters& c, std::span<const u16> kinds) {
        text("IcmpMsg:");
        for (const u16 kind : kinds) {
            text(kind < 256 ? " InType" : " OutType");
            number(kind & 0xff);
        }
        text("\nIcmpMsg:");
        for (const u16 kind : kinds) {
            text(" ");
            number(count_of(c, kind));
        }
        text("\n");
    }

    Sink* sink_;
};

}  // namespace detail

// Calls f(group, field, value) for each number with a fixed name, in the order of print_snmp: all
// but the ICMP types.
template <named_counters Counters, class F>
constexpr void for_each_counter(const Counters& c, const settings& s, F&& f) {
    f("Ip", "Forwarding", detail::forwarding_number(s));
    f("Ip", "DefaultTTL", u64{s.ip_default_ttl});
    for (std::size_t i = 1; i < mib_count; ++i) {
        f(mib_names[i].group, mib_names[i].field, u64{c[static_cast<mib>(i)]});
    }
}

// Calls sink(const char*) for each piece of the text, in order: std::fputs(piece, stdout).
template <readable_counters Counters, class Sink>
    requires std::invocable<Sink&, const char*>
constexpr void print_snmp(const Counters& c, const settings& s, Sink&& sink) {
    detail::snmp_writer out{sink};
    out.text("Ip: Forwarding DefaultTTL");
    out.names(mib::ip_in_receives, mib::icmp_in_msgs);
    out.text("\nIp: ");
    out.number(detail::forwarding_number(s));
    out.text(" ");
    out.number(s.ip_default_ttl);
    out.values(c, mib::ip_in_receives, mib::icmp_in_msgs);
    out.text("\n");
    out.group(c, "Icmp:", mib::icmp_in_msgs, mib::udp_in_datagrams);
    out.icmp_types(c);
    out.group(c, "Udp:", mib::udp_in_datagrams, mib::udplite_in_datagrams);
    out.group(c, "UdpLite:", mib::udplite_in_datagrams, mib::ipext_in_no_routes);
    out.group(c, "IpExt:", mib::ipext_in_no_routes, mib::count);
}

// Writes as much of the text as fits, without a terminating zero. Returns the characters of the
// whole text.
template <readable_counters Counters>
constexpr std::size_t print_snmp(const Counters& c, const settings& s, std::span<char> to) {
    std::size_t size = 0;
    print_snmp(c, s, [&](const char* piece) {
        for (; *piece != 0; ++piece) {
            if (size < to.size()) {
                to[size] = *piece;
            }
            ++size;
        }
    });
    return size;
}

}  // namespace sluice
