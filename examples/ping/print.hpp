// The lines of ping, in the words of iputils.
//
// Never:   prints: returns text, each line with its end.
#pragma once

#include "../probe/probe_answer.hpp"
#include "arguments.hpp"
#include "statistics.hpp"

#include <sluice/wire/ipv4_options.hpp>
#include <sluice/wire/option_list.hpp>
#include <sluice/wire/text.hpp>

#include <cstdio>
#include <string>

namespace ping {

template <class... Values>
[[nodiscard]] std::string text_of(const char* format, Values... values) {
    char line[256];
    std::snprintf(line, sizeof line, format, values...);
    return line;
}

[[nodiscard]] inline std::string first_line(const arguments& given, std::size_t options) {
    const auto to = sluice::ipv4::to_text(given.destination);
    return text_of("PING %s (%s) %u(%zu) bytes of data.\n", to.c_str(), to.c_str(), given.size,
                   given.size + sluice::icmp::header_length + sluice::ipv4::min_header_length +
                       options);
}

// "0.045": three digits as long as it is short.
[[nodiscard]] inline std::string round_trip(sluice::duration trip) {
    const auto us =
        static_cast<unsigned long long>(trip.nanoseconds < 0 ? 0 : trip.nanoseconds / 1000);
    return us >= 100'000 - 50 ? text_of("%llu", (us + 500) / 1000)
           : us >= 10'000 - 5 ? text_of("%llu.%01llu", (us + 50) / 1000, (us + 50) % 1000 / 100)
           : us >= 1000       ? text_of("%llu.%02llu", (us + 5) / 1000, (us + 5) % 1000 / 10)
                              : text_of("%llu.%03llu", us / 1000, us % 1000);
}

// The recorded route and timestamps of a reply. Remembers the route, to print it only once.
class option_text {
public:
    [[nodiscard]] std::string of(sluice::const_bytes options) {
        std::string text;
        for (sluice::option_cursor at{options}; at.next();) {
            if (at.kind() == sluice::ipv4::option_kinds::record_route) {
                text += route(at.option());
            } else if (at.kind() == sluice::ipv4::option_kinds::timestamp) {
                text += timestamps(at.option());
            }
        }
        return text;
    }

private:
    // The bytes between the option's header and its pointer.
    [[nodiscard]] static sluice::const_bytes recorded(sluice::const_bytes option,
                                                      std::size_t header) {
        if (option.size() < header) {
            return {};
        }
        const std::size_t pointer =
            sluice::ipv4::const_route_option_view{option.data()}[sluice::ipv4::option_pointer];
        const std::size_t end = pointer == 0 ? 0 : pointer - 1;  // counted from 1
        return option.first(end < header ? header : std::min(end, option.size())).subspan(header);
    }

    [[nodiscard]] std::string route(sluice::const_bytes option) {
        const auto filled = recorded(option, sluice::ipv4::route_header_length);
        std::string list;
        for (std::size_t at = 0; at + 4 <= filled.size(); at += 4) {
            const sluice::ipv4::address a{sluice::load_be<u32>(filled.data() + at)};
            list += text_of("\t%s\n", sluice::ipv4::to_text(a).c_str());
        }
        if (list.empty()) {
            return {};
        }
        if (list == last_route_) {
            return "\t(same route)";
        }
        last_route_ = list;
        return "\nRR: " + list;
    }

    [[nodiscard]] static std::string timestamps(sluice::const_bytes option) {
        namespace ipv4 = sluice::ipv4;
        const auto filled = recorded(option, ipv4::timestamp_header_length);
        if (filled.empty()) {
            return {};
        }
        const ipv4::const_timestamp_option_view header{option.data()};
        const bool has_address = header[ipv4::timestamp_flag] != ipv4::timestamp_flags::only;
        const std::size_t entry = has_address ? 8 : 4;
        std::string text = "\nTS: ";
        long long standard = 0;
        long long other = 0;
        for (std::size_t at = 0; at + entry <= filled.size(); at += entry) {
            if (has_address) {
                const ipv4::address a{sluice::load_be<u32>(filled.data() + at)};
                text += text_of("\t%s", ipv4::to_text(a).c_str());
            }
            const u32 time = sluice::load_be<u32>(filled.data() + at + entry - 4);
            const long long value = time & ~ipv4::nonstandard_time;
            const bool is_standard = (time & ipv4::nonstandard_time) == 0;
            long long& before = is_standard ? standard : other;
            text +=
                before == 0 ? text_of("\t%lld absolute", value) : text_of("\t%lld", value - before);
            text += is_standard ? "\n" : " not-standard\n";
            before = value;
        }
        if (header[ipv4::timestamp_overflow] != 0) {
            text += text_of("Unrecorded hops: %u\n", unsigned{header[ipv4::timestamp_overflow]});
        }
        return text;
    }

    std::string last_route_;
};

[[nodiscard]] inline std::string unreachable_text(const examples::probe_answer& a) {
    constexpr const char* texts[] = {"Destination Net Unreachable",
                                     "Destination Host Unreachable",
                                     "Destination Protocol Unreachable",
                                     "Destination Port Unreachable",
                                     nullptr,
                                     "Source Route Failed",
                                     "Destination Net Unknown",
                                     "Destination Host Unknown",
                                     "Source Host Isolated",
                                     "Destination Net Prohibited",
                                     "Destination Host Prohibited",
                                     "Destination Net Unreachable for Type of Service",
                                     "Destination Host Unreachable for Type of Service",
                                     "Packet filtered",
                                     "Precedence Violation",
                                     "Precedence Cutoff"};
    if (a.code == sluice::icmp::unreachable::fragmentation_needed) {
        return text_of("Frag needed and DF set (mtu = %u)", a.mtu());
    }
    return a.code < std::size(texts) ? texts[a.code]
                                     : text_of("Dest Unreachable, Bad Code: %u", unsigned{a.code});
}

// What an ICMP error says.
[[nodiscard]] inline std::string error_text(const examples::probe_answer& a) {
    namespace types = sluice::icmp::types;
    switch (a.type) {
    case types::destination_unreachable:
        return unreachable_text(a);
    case types::source_quench:
        return "Source Quench";
    case types::redirect: {
        constexpr const char* kinds[] = {"Network", "Host", "Type of Service and Network",
                                         "Type of Service and Host"};
        const sluice::ipv4::address next{a.rest_of_header};
        return text_of("Redirect %s(New nexthop: %s)", a.code < 4 ? kinds[a.code] : "Bad Code",
                       sluice::ipv4::to_text(next).c_str());
    }
    case types::time_exceeded:
        return a.code == sluice::icmp::exceeded::ttl ? "Time to live exceeded"
               : a.code == sluice::icmp::exceeded::reassembly
                   ? std::string{"Frag reassembly time exceeded"}
                   : text_of("Time exceeded, Bad Code: %u", unsigned{a.code});
    default:
        return text_of("Parameter problem: pointer = %u", a.rest_of_header >> 24);
    }
}

[[nodiscard]] inline std::string milliseconds(u64 nanoseconds) {
    const auto us = static_cast<unsigned long long>(nanoseconds / 1000);
    return text_of("%llu.%03llu", us / 1000, us % 1000);
}

// Everything from the empty line on.
[[nodiscard]] inline std::string summary(const arguments& given, const statistics& s) {
    const auto count = [](u64 n) { return std::to_string(n); };
    const auto to = sluice::ipv4::to_text(given.destination);
    std::string text = text_of("\n--- %s ping statistics ---\n", to.c_str());
    text += count(s.transmitted) + " packets transmitted, " + count(s.received) + " received";
    text += s.duplicates != 0 ? ", +" + count(s.duplicates) + " duplicates" : "";
    text += s.errors != 0 ? ", +" + count(s.errors) + " errors" : "";
    if (s.transmitted != 0) {
        const double lost = static_cast<double>(s.transmitted - s.received);
        text += text_of(", %g%% packet loss", lost * 100 / static_cast<double>(s.transmitted));
        const sluice::duration time = s.last_sent - s.first_sent;
        text += text_of(", time %lldms",
                        static_cast<long long>((time.nanoseconds + 500'000) / 1'000'000));
    }
    text += "\n";
    std::string line;
    if (s.has_round_trips()) {
        line = "rtt min/avg/max/mdev = " + milliseconds(s.least()) + "/" + milliseconds(s.mean()) +
               "/" + milliseconds(s.most()) + "/" + milliseconds(s.deviation()) + " ms";
    }
    const char* comma = line.empty() ? "" : ", ";
    if (s.pipe > 1) {
        line += comma + ("pipe " + count(s.pipe));
        comma = ", ";
    }
    if (given.flood && s.has_round_trips() && s.transmitted > 1) {
        const auto gap =
            static_cast<u64>((s.last_sent - s.first_sent).nanoseconds) / (s.transmitted - 1);
        line +=
            comma + ("ipg/ewma " + milliseconds(gap) + "/" + milliseconds(s.smoothed()) + " ms");
    }
    return text + line + "\n";
}

}  // namespace ping
