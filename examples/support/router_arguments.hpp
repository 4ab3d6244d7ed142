// What the command line of the router says, as values.
//
// Expects: argv of main. Does: reads it; router_usage.hpp tells what there is. Never: exits,
// prints; what is wrong is the text in `problem`.
#pragma once

#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/text.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace router {

inline constexpr std::size_t most_links = 250;
inline constexpr unsigned most_workers = 64;

struct link_request {
    bool is_tun = false;
    std::string space;  // empty: the caller's own namespace
    std::string name;
    std::vector<sluice::ipv4::interface_address> addresses;
    sluice::u32 mtu = 0;  // octets; 0: as the interface has it

    [[nodiscard]] std::string label() const { return space.empty() ? name : space + ":" + name; }
};

struct static_route {
    sluice::ipv4::prefix to;
    sluice::ipv4::address gateway;
};

struct arguments {
    std::vector<link_request> links;
    std::vector<static_route> routes;
    std::string pcap;  // empty: none
    unsigned workers = 1;
    unsigned table_seconds = 0;  // 0: no table
    bool stats = false;          // at the end
    bool plain = false;
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

inline bool parse_number(std::string_view text, unsigned least, unsigned most, unsigned& to) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
    return error == std::errc{} && end == text.data() + text.size() && to >= least && to <= most;
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

inline bool parse_route(std::string_view text, static_route& to) {
    const std::string_view prefix = take_until(text, " via ");
    const auto parsed = sluice::ipv4::parse_prefix(prefix == "default" ? "0.0.0.0/0" : prefix);
    const auto gateway = sluice::ipv4::parse_address(text);
    if (parsed && gateway) {
        to = {*parsed, *gateway};
    }
    return parsed && gateway;
}

// The options with a value; false: `word` is none of them. What is wrong goes into given.problem.
inline bool parse_with_value(std::string_view word, std::string_view value, arguments& given) {
    const auto expect = [&](bool right, const char* wanted) {
        if (!right) {
            given.problem = std::string{word} + " wants " + wanted + ", not: " + std::string{value};
        }
    };
    if (word == "--packet" || word == "--tun") {
        link_request& link = given.links.emplace_back();
        link.is_tun = word == "--tun";
        expect(parse_link(value, link), link.is_tun ? "NS:NAME:ADDRESS/LEN[:MTU], MTU 68 to 1500"
                                                    : "NS:NAME:ADDRESS/LEN[:MTU], MTU 68 to 65535");
        for (std::size_t i = 0; i + 1 < given.links.size(); ++i) {
            if (given.links[i].label() == link.label()) {
                given.problem = link.label() + " is given twice";
            }
        }
    } else if (word == "--route") {
        expect(parse_route(value, given.routes.emplace_back()), "\"PREFIX via GATEWAY\"");
    } else if (word == "--pcap") {
        given.pcap = value;
        expect(!value.empty(), "a file");
    } else if (word == "--workers") {
        expect(parse_number(value, 1, most_workers, given.workers), "a number from 1 to 64");
    } else {
        return false;
    }
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
            i += detail::parse_number(value, 1, 86'400, given.table_seconds) ? 1 : 0;
        } else if (word == "--plain") {
            given.plain = true;
        } else if (detail::parse_with_value(word, value, given)) {
            ++i;
        } else {
            given.problem = "unknown argument: " + std::string{word};
        }
    }
    if (given.problem.empty() && !given.help && given.links.empty()) {
        given.problem = "no --packet and no --tun: nothing to route between";
    }
    if (given.links.size() > most_links) {
        given.problem = "at most 250 links";
    }
    return given;
}

}  // namespace router
