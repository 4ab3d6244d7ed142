// The command line of ping, as values.
//
// Expects: argc and argv of main.
// Never:   exits, prints.
// Errors:  a text in `problem`.
#pragma once

#include "../probe/probe_arguments.hpp"

#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4_options.hpp>

#include <string>
#include <string_view>

namespace ping {

using sluice::u16;
using sluice::u32;
using sluice::u64;
using sluice::u8;

inline constexpr const char* usage =
    "usage: ping [OPTIONS] ADDRESS\n"
    "  -c COUNT         ends after COUNT replies or errors\n"
    "  -i SECONDS       the time between requests; 1\n"
    "  -s SIZE          bytes of data; 56\n"
    "  -t TTL           the time to live; 64\n"
    "  -M do|want|dont  do: DF, never fragments; want: DF as long as it fits; dont: no DF\n"
    "  -R               records the route\n"
    "  -T tsonly|tsandaddr  records timestamps, or addresses and timestamps\n"
    "  -W SECONDS       how long the last request waits if nothing answered; 10\n"
    "  -f               flood: the next request follows each reply, or 10 ms without one\n"
    "  -q               prints only the first line and the statistics\n"
    "  -n               accepted: names are never resolved\n";

// The options of the IPv4 header.
enum class recording { nothing, route, timestamps, timestamps_and_addresses };

struct arguments {
    sluice::ipv4::address destination{};
    u64 count = 0;  // 0: until a signal
    sluice::duration interval = sluice::duration::from_seconds(1);
    u32 size = 56;
    u8 ttl = 64;
    sluice::mtu_discovery discovery = sluice::mtu_discovery::want;
    recording record = recording::nothing;
    sluice::duration patience = sluice::duration::from_seconds(10);
    bool flood = false;
    bool quiet = false;
    bool help = false;
    examples::host_request host{};
    std::string problem;  // empty: none
};

namespace detail {

inline constexpr u32 most_data = 65'507;  // of a datagram without options

[[nodiscard]] inline std::string take_discovery(std::string_view value, arguments& to) {
    to.discovery = value == "do"     ? sluice::mtu_discovery::always
                   : value == "want" ? sluice::mtu_discovery::want
                                     : sluice::mtu_discovery::dont;
    return value == "do" || value == "want" || value == "dont"
               ? std::string{}
               : "-M wants do, want or dont, not: " + std::string{value};
}

[[nodiscard]] inline std::string take_timestamps(std::string_view value, arguments& to) {
    to.record = value == "tsonly" ? recording::timestamps : recording::timestamps_and_addresses;
    return value == "tsonly" || value == "tsandaddr"
               ? std::string{}
               : "-T wants tsonly or tsandaddr, not: " + std::string{value};
}

// Reads one option. Returns a problem.
[[nodiscard]] inline std::string take_option(int option, const char* value, arguments& to) {
    using examples::wants;
    switch (option) {
    case 'c':
        return examples::parse_number<u64>(value, 1, UINT64_MAX, to.count)
                   ? std::string{}
                   : wants("-c", "a number from 1", value);
    case 'i':
        return examples::parse_seconds(value, to.interval) && to.interval.nanoseconds >= 1'000'000
                   ? std::string{}
                   : wants("-i", "seconds from 0.001 (-f floods)", value);
    case 's':
        return examples::parse_number<u32>(value, 0, most_data, to.size)
                   ? std::string{}
                   : wants("-s", "a number from 0 to 65507", value);
    case 't':
        return examples::parse_number<u8>(value, 1, 255, to.ttl)
                   ? std::string{}
                   : wants("-t", "a number from 1 to 255", value);
    case 'W':
        return examples::parse_seconds(value, to.patience) ? std::string{}
                                                           : wants("-W", "seconds", value);
    case 'M':
        return take_discovery(value, to);
    case 'T':
        return take_timestamps(value, to);
    case 'R':
        to.record = recording::route;
        break;
    case 'f':
        to.flood = true;
        break;
    case 'q':
        to.quiet = true;
        break;
    case examples::option_help:
        to.help = true;
        break;
    case 'n':
        break;
    default:
        return examples::take_host_option(option, value, to.host);
    }
    return {};
}

}  // namespace detail

[[nodiscard]] inline arguments parse_arguments(int argc, char** argv) {
    arguments given;
    given.problem = examples::read_options(argc, argv, ":c:i:s:t:M:RT:W:fqn", {},
                                           [&given](int found, const char* value) {
                                               return detail::take_option(found, value, given);
                                           });
    if (!given.problem.empty() || given.help) {
        return given;
    }
    if (argc - optind != 1) {
        given.problem = argc == optind ? "no destination is given; add an address"
                                       : "more than one destination is given";
        return given;
    }
    given.problem = examples::parse_destination(argv[optind], given.destination);
    if (given.problem.empty()) {
        given.problem = examples::check_host(given.host);
    }
    return given;
}

// The option that `what` asks for, as large as fits, in 40 bytes.
[[nodiscard]] inline sluice::option_block ip_options(recording what) {
    namespace kinds = sluice::ipv4::option_kinds;
    namespace flags = sluice::ipv4::timestamp_flags;
    using sluice::ipv4::first_route_pointer;
    using sluice::ipv4::first_timestamp_pointer;
    std::byte bytes[sluice::option_block::capacity]{};
    const auto write = [&bytes](std::initializer_list<u8> values) {
        std::size_t i = 0;
        for (const u8 value : values) {
            bytes[i++] = std::byte{value};
        }
    };
    switch (what) {
    case recording::nothing:
        return {};
    case recording::route:  // nine addresses
        write({kinds::no_operation, kinds::record_route, 39, first_route_pointer});
        break;
    case recording::timestamps:  // nine
        write({kinds::timestamp, 40, first_timestamp_pointer, flags::only});
        break;
    case recording::timestamps_and_addresses:  // four
        write({kinds::timestamp, 36, first_timestamp_pointer, flags::with_address});
        break;
    }
    sluice::option_block block;
    static_cast<void>(block.assign(bytes));
    return block;
}

}  // namespace ping
