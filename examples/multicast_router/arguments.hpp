// The command line of multicast_router, as values.
//
// Expects: argc and argv of main.
// Never:   exits, prints.
// Errors:  a text in `problem`.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/multicast/igmp_querier.hpp>
#include <sluice/wire/text.hpp>

#include <charconv>
#include <string>
#include <string_view>

namespace multicast_router {

inline constexpr const char* usage =
    R"(usage: multicast_router [--upstream NETWORK] --downstream NETWORK... [OPTIONS]

An IPv4 multicast router between Ethernet interfaces. It asks the hosts of each downstream network
by IGMP which groups and sources they want, and forwards those. It hears IGMP versions 1 to 3.
NETWORK is INTERFACE:ADDRESS/LENGTH, such as eth1:10.0.1.1/24; 2 to 8 of them. The interface has no
address in the kernel (ip addr flush dev eth1).

  --upstream NETWORK    towards the senders: the router joins there what the networks downstream
                        want, and all that they send goes up (an IGMP proxy). Without it, it
                        forwards between all networks
  --downstream NETWORK  a network of members
  --query-interval S    the seconds between two general queries; 125
  --response-interval S      within which hosts answer them; 10
  --last-member-interval S   within which hosts answer a query about a group; 1
  --igmp 2|3            the version of the queries; 3
  --help                prints this text

Seconds are whole or decimal, from 0.1 to 3000. SIGUSR1 prints the virtual interfaces and the
forwarding cache in the form of /proc/net/ip_mr_vif and ip_mr_cache. SIGINT and SIGTERM end it.
Exit codes: 0 asked to end, 1 a device failed, 2 wrong arguments.
)";

inline constexpr std::size_t most_networks = 8;

struct network {
    std::string name;
    sluice::ipv4::interface_address address{};
    bool is_upstream = false;
};

struct arguments {
    sluice::bounded_vector<network, most_networks> networks{};
    sluice::querier_settings querier{};
    bool help = false;
    std::string problem{};  // empty: none
};

namespace detail {

[[nodiscard]] inline std::string take_network(std::string_view text, bool is_upstream,
                                              arguments& to) {
    const auto colon = text.rfind(':');
    const bool is_named = colon != std::string_view::npos && colon != 0;
    const std::string address{is_named ? text.substr(colon + 1) : ""};
    const auto net = sluice::ipv4::parse_interface_address(address.c_str());
    if (!is_named || !net || net->length == 0) {
        return "a network is INTERFACE:ADDRESS/LENGTH, such as eth1:10.0.1.1/24, not: " +
               std::string{text};
    }
    for (const network& n : to.networks) {
        if (n.name == text.substr(0, colon)) {
            return "each network has an interface of its own; given twice: " + n.name;
        }
        if (n.is_upstream && is_upstream) {
            return "there is one --upstream; the others are --downstream";
        }
    }
    return to.networks.push_back({std::string{text.substr(0, colon)}, *net, is_upstream})
               ? std::string{}
               : "at most 8 networks";
}

[[nodiscard]] inline std::string take_seconds(std::string_view option, std::string_view text,
                                              sluice::duration& to) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool is_valid = error == std::errc{} && end == text.data() + text.size() &&
                          seconds >= 0.1 && seconds <= 3000;
    if (!is_valid) {
        return std::string{option} + " wants seconds from 0.1 to 3000, not: " + std::string{text};
    }
    to = sluice::duration::from_milliseconds(static_cast<sluice::i64>(seconds * 1000));
    return {};
}

// Reads an option with its value. Returns a problem.
[[nodiscard]] inline std::string take_option(std::string_view option, std::string_view value,
                                             arguments& to) {
    if (option == "--upstream" || option == "--downstream") {
        return take_network(value, option == "--upstream", to);
    }
    if (option == "--query-interval") {
        return take_seconds(option, value, to.querier.query_interval);
    }
    if (option == "--response-interval") {
        return take_seconds(option, value, to.querier.response_interval);
    }
    if (option == "--last-member-interval") {
        return take_seconds(option, value, to.querier.last_member_interval);
    }
    if (option == "--igmp") {
        to.querier.version = value == "2" ? 2 : 3;
        return value == "2" || value == "3" ? std::string{} : "--igmp wants 2 or 3";
    }
    return "unknown option: " + std::string{option};
}

}  // namespace detail

[[nodiscard]] inline arguments parse(int argc, char** argv) {
    arguments given;
    for (int i = 1; i < argc && given.problem.empty(); i += 2) {
        const std::string_view option = argv[i];
        if (option == "--help" || option == "-h") {
            given.help = true;
            return given;
        }
        given.problem = i + 1 < argc ? detail::take_option(option, argv[i + 1], given)
                                     : std::string{option} + ": unknown, or its value is missing";
    }
    if (given.problem.empty() && given.networks.size() < 2) {
        given.problem = "a router needs two networks: --downstream eth1:10.0.1.1/24 --downstream "
                        "eth2:10.0.2.1/24";
    }
    if (given.problem.empty() && given.querier.response_interval >= given.querier.query_interval) {
        given.problem = "--response-interval must be less than --query-interval";
    }
    return given;
}

}  // namespace multicast_router
