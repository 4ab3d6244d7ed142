// The command line of traceroute, as values.
//
// Expects: argc and argv of main.
// Never:   exits, prints.
// Errors:  a text in `problem`.
#pragma once

#include "../probe/probe_arguments.hpp"

#include <string>

namespace traceroute {

using sluice::u16;
using sluice::u32;
using sluice::u8;

inline constexpr const char* usage =
    "usage: traceroute [OPTIONS] ADDRESS [LENGTH]\n"
    "  LENGTH           bytes of each probe with its headers; 60\n"
    "  -I               sends ICMP echo requests instead of UDP to the ports from 33434\n"
    "  -q PROBES        to each hop, 1 to 10; 3\n"
    "  -f HOP           the first; 1\n"
    "  -m HOP           the last; 30\n"
    "  -w SECONDS       how long a probe waits for its answer; 5\n"
    "  -F               DF: routers must not fragment the probes\n"
    "  -M, --mtu        discovers the path MTU: sends probes as long as fit (F=MTU)\n"
    "  -n               prints each address once: names are never resolved\n";

struct arguments {
    sluice::ipv4::address destination{};
    u32 length = 60;
    bool by_echo = false;
    u32 queries = 3;
    u32 first_hop = 1;
    u32 last_hop = 30;
    sluice::duration patience = sluice::duration::from_seconds(5);
    bool dont_fragment = false;
    bool finds_mtu = false;
    bool numeric = false;
    bool help = false;
    examples::host_request host{};
    std::string problem;  // empty: none
};

// IPv4 and UDP or ICMP.
inline constexpr u32 headers_length = 28;
inline constexpr u32 most_length = 65'000;

namespace detail {

// Reads one option. Returns a problem.
[[nodiscard]] inline std::string take_option(int option, const char* value, arguments& to) {
    using examples::wants;
    const auto read = [value](const char* name, const char* what, u32 most, u32& number) {
        return examples::parse_number<u32>(value, 1, most, number) ? std::string{}
                                                                   : wants(name, what, value);
    };
    switch (option) {
    case 'q':
        return read("-q", "a number from 1 to 10", 10, to.queries);
    case 'f':
        return read("-f", "a number from 1 to 255", 255, to.first_hop);
    case 'm':
        return read("-m", "a number from 1 to 255", 255, to.last_hop);
    case 'w':
        return examples::parse_seconds(value, to.patience) ? std::string{}
                                                           : wants("-w", "seconds", value);
    case 'I':
        to.by_echo = true;
        break;
    case 'M':
        to.finds_mtu = true;
        break;
    case 'F':
        to.dont_fragment = true;
        break;
    case 'n':
        to.numeric = true;
        break;
    case examples::option_help:
        to.help = true;
        break;
    default:
        return examples::take_host_option(option, value, to.host);
    }
    return {};
}

// Reads the destination and the length. Returns a problem.
[[nodiscard]] inline std::string take_words(char** words, int count, arguments& to) {
    if (count == 0 || count > 2) {
        return count == 0 ? "no destination is given; add an address"
                          : "too many arguments; give an address and a length";
    }
    if (std::string problem = examples::parse_destination(words[0], to.destination);
        !problem.empty()) {
        return problem;
    }
    if (count == 2 && !examples::parse_number<u32>(words[1], 0, most_length, to.length)) {
        return examples::wants("LENGTH", "a number up to 65000", words[1]);
    }
    to.length = to.finds_mtu ? most_length : std::max(to.length, headers_length);
    return {};
}

}  // namespace detail

[[nodiscard]] inline arguments parse_arguments(int argc, char** argv) {
    arguments given;
    given.problem =
        examples::read_options(argc, argv, ":Iq:f:m:w:FMn", {{"mtu", no_argument, nullptr, 'M'}},
                               [&given](int found, const char* value) {
                                   return detail::take_option(found, value, given);
                               });
    if (!given.problem.empty() || given.help) {
        return given;
    }
    given.problem = detail::take_words(argv + optind, argc - optind, given);
    if (given.problem.empty() && given.first_hop > given.last_hop) {
        given.problem = "the first hop is behind the last; lower -f or raise -m";
    }
    if (given.problem.empty()) {
        given.problem = examples::check_host(given.host);
    }
    return given;
}

}  // namespace traceroute
