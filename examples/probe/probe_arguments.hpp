// probe_arguments: the part of the command line that the examples ping and traceroute share: the
// options of the program's own stack, numbers and times as values of options.
//
// Never:   prints, exits.
// Errors:  a text that says what the option wants; empty: none.
#pragma once

#include "kernel_path.hpp"
#include "stack_path.hpp"

#include <sluice/base/time.hpp>
#include <sluice/wire/text.hpp>

#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <getopt.h>

namespace examples {

// The values of getopt_long for the long options.
enum host_option : int { option_device = 256, option_address, option_gateway, option_help };

inline constexpr const char* host_usage =
    "  --device NAME    uses a stack of the program's own instead of the kernel's raw sockets:\n"
    "                   on an Ethernet interface without address, otherwise on TUN device NAME\n"
    "  --address A/LEN  the address of that stack\n"
    "  --gateway A      its default route; without it only neighbours are reached\n";

// Reads a decimal number; false, unless it is from `least` to `most`.
template <class Number>
[[nodiscard]] bool parse_number(std::string_view text, Number least, Number most, Number& to) {
    Number read{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (error != std::errc{} || end != text.data() + text.size() || read < least || read > most) {
        return false;
    }
    to = read;
    return true;
}

// Reads seconds with up to nine decimals ("0.2", "3"), less than 1,000,000.
[[nodiscard]] inline bool parse_seconds(std::string_view text, sluice::duration& to) {
    const auto point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view decimals =
        point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
    sluice::i64 seconds = 0;
    sluice::i64 nanoseconds = 0;
    if ((whole.empty() && decimals.empty()) || decimals.size() > 9 ||
        (!whole.empty() && !parse_number<sluice::i64>(whole, 0, 999'999, seconds)) ||
        (!decimals.empty() && !parse_number<sluice::i64>(decimals, 0, 999'999'999, nanoseconds))) {
        return false;
    }
    for (std::size_t i = decimals.size(); i < 9; ++i) {
        nanoseconds *= 10;
    }
    to = {seconds * 1'000'000'000 + nanoseconds};
    return true;
}

// "-c wants a number from 1 to 9, not: x".
[[nodiscard]] inline std::string wants(const char* option, const char* what, const char* value) {
    return std::string{option} + " wants " + what + ", not: " + value;
}

// Reads an option of the program's own stack. Returns a problem.
[[nodiscard]] inline std::string take_host_option(int option, const char* value, host_request& to) {
    if (option == option_device) {
        to.device = value;
        return to.device.empty() ? "--device wants the name of an interface" : "";
    }
    if (option == option_address) {
        const auto address = sluice::ipv4::parse_interface_address(value);
        if (!address || address->length == 0) {
            return wants("--address", "an address with its length, as 192.0.2.1/24", value);
        }
        to.address = *address;
        return {};
    }
    const auto gateway = sluice::ipv4::parse_address(value);
    if (!gateway || gateway->is_unspecified()) {
        return wants("--gateway", "an address, as 192.0.2.254", value);
    }
    to.gateway = *gateway;
    return {};
}

// Returns the problem of options that do not fit together.
[[nodiscard]] inline std::string check_host(const host_request& host) {
    if (host.device.empty() == host.address.address.is_unspecified()) {
        return {host.device.empty() && !host.gateway.is_unspecified()
                    ? "--gateway needs --device NAME and --address A/LEN"
                    : ""};
    }
    return host.device.empty() ? "--address needs --device NAME" : "--device needs --address A/LEN";
}

[[nodiscard]] inline std::string parse_destination(const char* text, sluice::ipv4::address& to) {
    const auto address = sluice::ipv4::parse_address(text);
    if (!address) {
        return std::string{text} +
               " is no IPv4 address; give four numbers, as 192.0.2.1: names are "
               "not resolved";
    }
    to = *address;
    return {};
}

// The problem that getopt_long found: '?' for an unknown option, ':' for a missing value.
[[nodiscard]] inline std::string option_problem(int found, const char* word) {
    return std::string{word} + (found == ':' ? " wants a value" : " is no option") +
           "; --help lists the options";
}

// Reads the options with these letters, the long ones of `more` and those of a host by getopt_long.
// `take(option, value)` returns a problem, which ends reading, as --help does. Behind it,
// argv[optind] is the first word that is no option.
template <class Take>
[[nodiscard]] std::string read_options(int argc, char** argv, const char* letters,
                                       std::initializer_list<option> more, Take&& take) {
    std::vector<option> rows{{"device", required_argument, nullptr, option_device},
                             {"address", required_argument, nullptr, option_address},
                             {"gateway", required_argument, nullptr, option_gateway},
                             {"help", no_argument, nullptr, option_help}};
    rows.insert(rows.end(), more);
    rows.push_back({nullptr, 0, nullptr, 0});
    opterr = 0;
    optind = 0;  // starts anew
    std::string problem;
    int found = 0;
    while (problem.empty() && found != option_help &&
           (found = getopt_long(argc, argv, letters, rows.data(), nullptr)) != -1) {
        problem = found == '?' || found == ':' ? option_problem(found, argv[optind - 1])
                                               : take(found, optarg);
    }
    return problem;
}

// By the kernel's raw sockets, or by a stack of this program's own if a device is named.
[[nodiscard]] inline opened_path open_path(const host_request& on, const path_options& how) {
    return on.device.empty() ? kernel_path::open(how) : open_stack_path(on, how);
}

}  // namespace examples
