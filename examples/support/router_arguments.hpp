// What the command line of the router says, as values.
//
// Expects: argv of main. Does: reads --tun, --route, --stats, --help. Never: exits, prints; what is
// wrong is the text in `problem`.
#pragma once

#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/text.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace router {

inline constexpr const char* usage_text =
    R"(usage: router --tun LINK [--tun LINK ...] [--route ROUTE ...] [--stats]

An IPv4 router between TUN devices, each of which may lie in a network namespace of its own.

  --tun NS:NAME:ADDRESS/LEN[:MTU]
            own the device NAME (made when there is none) in the namespace NS as `ip netns` names
            it (empty: this one). ADDRESS is the router's address on that link, MTU 1500 if not
            given. The kernel's own address on the device and bringing it up are the caller's.
  --route "PREFIX via GATEWAY"
            PREFIX such as 10.0.0.0/8, or `default`
  --stats   print the counters at the end
  --help    print this

Signals: USR1 prints the counters now, INT and TERM end the router. Needs root.
Exit code: 0 ended as asked, 1 a device failed, 2 wrong arguments, 3 a packet was lost count of.

Example: router --tun left:tun0:10.0.1.1/24 --tun right:tun0:10.0.2.1/24:1400 \
                --route "192.168.0.0/16 via 10.0.2.254" --stats
)";

struct tun_link {
    std::string space;  // empty: the caller's own namespace
    std::string name;
    sluice::ipv4::interface_address address;
    sluice::u32 mtu = 1500;  // octets
};

struct static_route {
    sluice::ipv4::prefix to;
    sluice::ipv4::address gateway;
};

struct arguments {
    std::vector<tun_link> links;
    std::vector<static_route> routes;
    bool stats = false;
    bool help = false;
    std::string problem;  // empty: none
};

namespace detail {

// The text before the next separator, which is taken off `rest` with it.
inline std::string_view take_until(std::string_view& rest, std::string_view separator) {
    const auto end = rest.find(separator);
    const std::string_view taken = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + separator.size());
    return taken;
}

inline bool parse_link(std::string_view text, tun_link& to) {
    to.space = take_until(text, ":");
    to.name = take_until(text, ":");
    const auto address = sluice::ipv4::parse_interface_address(take_until(text, ":"));
    const std::string mtu{text};
    if (to.name.empty() || !address || address->length == 0) {
        return false;
    }
    to.address = *address;
    if (!mtu.empty()) {
        char* end = nullptr;
        const unsigned long n = std::strtoul(mtu.c_str(), &end, 10);
        if (*end != '\0' || n < sluice::ipv4::min_link_mtu || n > 1500) {
            return false;
        }
        to.mtu = static_cast<sluice::u32>(n);
    }
    return true;
}

inline bool parse_route(std::string_view text, static_route& to) {
    const std::string_view prefix = take_until(text, " via ");
    const auto parsed = sluice::ipv4::parse_prefix(prefix == "default" ? "0.0.0.0/0" : prefix);
    const auto gateway = sluice::ipv4::parse_address(text);
    if (!parsed || !gateway) {
        return false;
    }
    to = {*parsed, *gateway};
    return true;
}

}  // namespace detail

inline arguments parse_arguments(int argc, char** argv) {
    arguments given;
    for (int i = 1; i < argc && given.problem.empty(); ++i) {
        const std::string_view word = argv[i];
        const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
        if (word == "--help" || word == "-h") {
            given.help = true;
        } else if (word == "--stats") {
            given.stats = true;
        } else if (word == "--tun") {
            ++i;
            if (!detail::parse_link(value, given.links.emplace_back())) {
                given.problem = "--tun wants NS:NAME:ADDRESS/LEN[:MTU], MTU 68 to 1500, not: " +
                                std::string{value};
            }
        } else if (word == "--route") {
            ++i;
            if (!detail::parse_route(value, given.routes.emplace_back())) {
                given.problem = "--route wants \"PREFIX via GATEWAY\", not: " + std::string{value};
            }
        } else {
            given.problem = "unknown argument: " + std::string{word};
        }
    }
    if (given.problem.empty() && !given.help && given.links.empty()) {
        given.problem = "no --tun: nothing to route between";
    }
    return given;
}

}  // namespace router
