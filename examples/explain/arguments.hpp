// explain_arguments: the command line of the example explain, as values.
//
// It reads addresses, routes in the syntax of `ip route`, the file and the packet's number, and
// prints on stderr what is wrong with a route. The stack checks later whether a route makes sense.
//
// Expects: argc and argv of main.
#pragma once

#include "../support/offloaded.hpp"

#include <sluice/route/text.hpp>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

namespace examples {

constexpr const char* explain_usage =
    "usage: explain [--address A/LENGTH]... [--route ROUTE]... [--forward] [--no-checksum]\n"
    "               FILE [N]\n"
    "Explains the fate of packet N of a capture (pcap or pcapng) in a stack, or the fate of each.\n"
    "The stack owns the addresses: the first is that of interface 2, where all packets arrive, "
    "each\n"
    "other one that of the next interface: 3, 4 and so on; 1 is lo. Without --address the stack "
    "is\n"
    "a router without addresses with a route to everywhere, and accepts no other route.\n"
    "--no-checksum ignores checksums, for captures made before the device filled them in.\n"
    "ROUTE, in quotes, as of ip route:\n"
    "  [TYPE] PREFIX [via ADDRESS] [dev NUMBER] [onlink] [src ADDRESS] [metric N]\n"
    "         [mtu [lock] N] [tos HEX]\n"
    "dev takes the number of the interface, or lo.\n";

struct explain_arguments {
    std::vector<sluice::ipv4::interface_address> addresses;
    std::vector<sluice::route_text> routes;  // of argv
    bool forwards = false;
    checksums made = checksums::as_captured;
    const char* file = nullptr;
    unsigned long number = 0;  // 0: all packets
};

namespace detail {

inline bool add_route(std::string_view text, explain_arguments& to) {
    const auto read = sluice::parse_route(text);
    if (!read) {
        std::fprintf(stderr, "explain: --route %.*s: %s\n", static_cast<int>(text.size()),
                     text.data(), message(read.error()).c_str());
        return false;
    }
    to.routes.push_back(*read);
    return true;
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
