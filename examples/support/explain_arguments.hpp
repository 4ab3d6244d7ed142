// The command line of the example explain.
//
// Expects: argc and argv of main. Does: reads addresses, routes, the file and the packet's number.
// Never: takes what it does not understand.
#pragma once

#include "offloaded.hpp"

#include <sluice/wire/text.hpp>

#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace examples {

constexpr const char* explain_usage =
    "usage: explain [--address A/LENGTH]... [--route \"PREFIX via GATEWAY\"]... [--forward]\n"
    "               [--no-checksum] FILE [N]\n"
    "What a stack would do with packet N of a capture (pcap or pcapng), or with each. It owns the\n"
    "addresses: the first is that of the interface where all packets come in, each other one of\n"
    "the next interface. Without --address: a router without addresses that has a route to\n"
    "everywhere. --no-checksum: checksums are not looked at, for captures made before the device\n"
    "filled them in.\n";

struct explain_route {
    sluice::ipv4::prefix to{};
    sluice::ipv4::address gateway{};
};

struct explain_arguments {
    std::vector<sluice::ipv4::interface_address> addresses;
    std::vector<explain_route> routes;
    bool forwards = false;
    checksums made = checksums::as_captured;
    const char* file = nullptr;
    unsigned long number = 0;  // 0: all
};

namespace detail {

inline bool add_route(std::string_view text, explain_arguments& to) {
    constexpr std::string_view via = " via ";
    const auto at = text.find(via);
    if (at == std::string_view::npos) {
        return false;
    }
    const std::string_view name = text.substr(0, at);
    const auto prefix = sluice::ipv4::parse_prefix(name == "default" ? "0.0.0.0/0" : name);
    const auto gateway = sluice::ipv4::parse_address(text.substr(at + via.size()));
    if (prefix && gateway) {
        to.routes.push_back({*prefix, *gateway});
    }
    return prefix && gateway;
}

inline bool add_value(std::string_view option, std::string_view value, explain_arguments& to) {
    if (option == "--route") {
        return add_route(value, to);
    }
    const auto address = sluice::ipv4::parse_interface_address(value);
    if (option == "--address" && address) {
        to.addresses.push_back(*address);
        return true;
    }
    return false;
}

}  // namespace detail

inline std::optional<explain_arguments> parse_explain_arguments(int argc, char** argv) {
    explain_arguments made;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--forward") {
            made.forwards = true;
        } else if (word == "--no-checksum") {
            made.made = checksums::not_filled_in;
        } else if (word.starts_with("--")) {
            if (i + 1 == argc || !detail::add_value(word, argv[++i], made)) {
                return std::nullopt;
            }
        } else if (made.file == nullptr) {
            made.file = argv[i];
        } else {
            const auto end = word.data() + word.size();
            const auto read = std::from_chars(word.data(), end, made.number);
            if (read.ec != std::errc{} || read.ptr != end || made.number == 0) {
                return std::nullopt;
            }
        }
    }
    made.forwards = made.forwards || made.addresses.empty();
    const bool stray = made.addresses.empty() && !made.routes.empty();
    return made.file == nullptr || stray ? std::nullopt : std::optional{made};
}

}  // namespace examples
