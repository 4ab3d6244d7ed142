// The command line of the router, as values. usage.hpp lists the options.
//
// Expects: argv of main.
// Never:   exits, prints.
// Errors:  a text in `problem`.
#pragma once

#include "route_file.hpp"
#include "switch_text.hpp"

#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/text.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace router {

inline constexpr std::size_t most_links = 250;
inline constexpr unsigned most_workers = 64;
inline constexpr sluice::u16 first_interface = 2;  // 1 is lo
// Bytes of --reassembly-memory: two buffers, or all.
inline constexpr unsigned least_reassembly_memory = 4'096;
inline constexpr unsigned most_reassembly_memory = 16'777'216;

struct link_request {
    bool is_tun = false;
    std::string space;  // empty: the caller's namespace
    std::string name;
    std::vector<sluice::ipv4::interface_address> addresses;
    sluice::u32 mtu = 0;  // bytes; 0: that of the interface

    [[nodiscard]] std::string label() const { return space.empty() ? name : space + ":" + name; }
};

struct arguments {
    std::vector<link_request> links;
    std::vector<route_line> routes;  // of --route
    std::string routes_file;         // empty: none
    std::vector<switch_setting> switches;
    std::string pcap;  // empty: none
    unsigned workers = 1;
    unsigned reassembly_memory = 0;  // bytes, for each worker; 0: not given
    unsigned table_seconds = 0;      // 0: no table
    bool stats = false;              // at the end
    bool plain = false;
    bool help = false;
    std::string problem;  // empty: none
};

namespace detail {

inline bool parse_number(std::string_view text, unsigned least, unsigned most, unsigned& to) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
    return error == std::errc{} && end == text.data() + text.size() && to >= least && to <= most;
}

// Removes the text before the next separator, and the separator, from `rest` and returns the text.
inline std::string_view take_until(std::string_view& rest, std::string_view separator) {
    const auto end = rest.find(separator);
    const std::string_view taken = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + separator.size());
    return taken;
}

inline bool parse_link(std::string_view text, link_request& to) {
    to.space = take_until(text, ":");
    to.name = take_until(text, ":");
    std::string_view addresses = take_until(text, ":");
    if (to.name.empty() || addresses.empty()) {
        return false;
    }
    while (!addresses.empty()) {
        const auto address = sluice::ipv4::parse_interface_address(take_until(addresses, ","));
        if (!address || address->length == 0 || to.addresses.size() == 8) {
            return false;
        }
        to.addresses.push_back(*address);
    }
    to.mtu = to.is_tun ? 1500 : 0;
    return text.empty() ||
           parse_number(text, sluice::ipv4::min_link_mtu, to.is_tun ? 1500 : 65'535, to.mtu);
}

// Reads an option with a value. False: `word` is none. An error goes into given.problem.
inline bool parse_with_value(std::string_view word, std::string_view value, arguments& given) {
    const auto expect = [&](bool right, const char* wanted) {
        if (!right) {
            given.problem = std::string{word} + " wants " + wanted +
                            ", not: " + std::string{value.empty() ? "nothing" : value};
        }
    };
    const auto complain = [&](const std::string& problem) {
        if (!problem.empty()) {
            given.problem = std::string{word} + " " + std::string{value} + ": " + problem;
        }
    };
    if (word == "--packet" || word == "--tun") {
        link_request& link = given.links.emplace_back();
        link.is_tun = word == "--tun";
        expect(parse_link(value, link), link.is_tun
                                            ? "NS:NAME:ADDRESS/LEN[:MTU], NS empty for this "
                                              "namespace, MTU 68 to 1500"
                                            : "NS:NAME:ADDRESS/LEN[:MTU], NS empty for this "
                                              "namespace, MTU 68 to 65535");
        for (std::size_t i = 0; i + 1 < given.links.size(); ++i) {
            if (given.links[i].label() == link.label()) {
                given.problem = link.label() + " is given twice";
            }
        }
    } else if (word == "--route") {
        route_line& route = given.routes.emplace_back();
        complain(parse_route(value, route));
        route.where = "--route ";
    } else if (word == "--routes") {
        given.routes_file = value;
        expect(!value.empty(), "a file");
    } else if (word == "--set") {
        complain(parse_switch(value, given.switches.emplace_back()));
    } else if (word == "--pcap") {
        given.pcap = value;
        expect(!value.empty(), "a file");
    } else if (word == "--workers") {
        expect(parse_number(value, 1, most_workers, given.workers), "a number from 1 to 64");
    } else if (word == "--reassembly-memory") {
        expect(parse_number(value, least_reassembly_memory, most_reassembly_memory,
                            given.reassembly_memory),
               "bytes, a number from 4096 to 16777216");
    } else {
        return false;
    }
    return true;
}

}  // namespace detail

// The number of the interface that a route or a switch names, by its whole label or by a unique
// name. 0: none. lo is 1.
inline sluice::u16 find_interface(const arguments& given, std::string_view name) {
    std::size_t found = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < given.links.size(); ++i) {
        if (given.links[i].label() == name) {
            return static_cast<sluice::u16>(first_interface + i);
        }
        if (given.links[i].name == name) {
            found = first_interface + i;
            ++count;
        }
    }
    if (name == "lo") {
        return 1;
    }
    return static_cast<sluice::u16>(count == 1 ? found : 0);
}

// Sets the interface numbers of routes. Returns an error text; empty: none.
inline std::string resolve(const arguments& given, std::vector<route_line>& routes) {
    for (route_line& r : routes) {
        if (!r.device.empty()) {
            r.route.interface = find_interface(given, r.device);
            if (r.route.interface == 0) {
                return r.where + text_of(r) + ": no interface, or more than one, has the name " +
                       r.device;
            }
        }
    }
    return {};
}

inline std::string check_names(arguments& given) {
    for (const switch_setting& s : given.switches) {
        if (!s.interface.empty() && s.interface != "all" && s.interface != "default" &&
            find_interface(given, s.interface) == 0) {
            return "--set: no interface, or more than one, has the name " + s.interface;
        }
    }
    return resolve(given, given.routes);
}

inline arguments parse_arguments(int argc, char** argv) {
    arguments given;
    for (int i = 1; i < argc && given.problem.empty(); ++i) {
        const std::string_view word = argv[i];
        const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
        if (word == "--help" || word == "-h") {
            given.help = true;
        } else if (word == "--stats") {
            given.stats = true;
            i += detail::parse_number(value, 1, 86'400, given.table_seconds) ? 1 : 0;
        } else if (word == "--plain") {
            given.plain = true;
        } else if (detail::parse_with_value(word, value, given)) {
            ++i;
        } else {
            given.problem = "unknown argument: " + std::string{word};
            if (const auto equals = word.find('='); word.starts_with("--") && equals != word.npos) {
                given.problem +=
                    "; a value is a word of its own: " + std::string{word.substr(0, equals)} + " " +
                    std::string{word.substr(equals + 1)};
            }
        }
    }
    if (given.problem.empty() && !given.help && given.links.empty()) {
        given.problem = "no interface is given; add --packet or --tun";
    }
    if (given.links.size() > most_links) {
        given.problem = "at most 250 links";
    }
    if (given.problem.empty() && !given.help) {
        given.problem = check_names(given);
    }
    return given;
}

}  // namespace router
