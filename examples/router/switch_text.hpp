// `--set`: reads a switch of the kernel with its value, in the syntax of `sysctl`.
//
//   net.ipv4.ip_default_ttl=32    net.ipv4.conf.eth1.rp_filter=1    net.ipv4.route.min_pmtu=576
//
// Never: has a side effect: the caller writes the value.
#pragma once

#include <sluice/packet/named_settings.hpp>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace router {

// A switch and its new value.
struct switch_setting {
    const sluice::named_setting<sluice::settings>* global = nullptr;
    const sluice::named_setting<sluice::interface_settings>* of_interface = nullptr;  // or this
    std::string interface;  // all, default or a name
    sluice::setting_value value;
};

namespace detail {

// One number, or two with blanks between them.
template <class Owner>
std::string read_values(const sluice::named_setting<Owner>& row, std::string_view text,
                        sluice::setting_value& to) {
    constexpr std::string_view blanks = " \t";
    sluice::u32 numbers[2] = {};
    unsigned count = 0;
    bool right = true;
    for (std::string_view rest = text; right && !rest.empty();) {
        const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
        const auto [end, error] =
            std::from_chars(word.data(), word.data() + word.size(), numbers[count < 2 ? count : 1]);
        right = ++count <= row.numbers && error == std::errc{} && end == word.data() + word.size();
        rest.remove_prefix(word.size());
        rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    }
    to = {numbers[0], numbers[1]};
    return right && count == row.numbers && row.takes(to)
               ? ""
               : std::string{row.numbers == 1 ? "wants a number from "
                                              : "wants two numbers from "} +
                     std::to_string(row.least) + " to " + std::to_string(row.most) +
                     ", not: " + std::string{text};
}

}  // namespace detail

// Returns an error text. Empty: the switch is in `to`.
inline std::string parse_switch(std::string_view text, switch_setting& to) {
    constexpr std::string_view root = "net.ipv4.";
    constexpr std::string_view conf = "conf.";
    const auto equals = text.find('=');
    std::string_view name = text.substr(0, equals);
    if (equals == std::string_view::npos || !name.starts_with(root)) {
        return "wants net.ipv4.NAME=VALUE, not: " + std::string{text};
    }
    const std::string_view value = text.substr(equals + 1);
    name.remove_prefix(root.size());
    to = {};
    if (name.starts_with(conf)) {
        // An interface may have dots in its name, a switch has none.
        const auto dot = name.rfind('.');
        to.interface = dot < conf.size() ? "" : name.substr(conf.size(), dot - conf.size());
        to.of_interface =
            sluice::find_setting(sluice::named_interface_settings, name.substr(dot + 1));
    } else {
        to.global = sluice::find_setting(sluice::named_settings, name);
    }
    std::string problem;
    if (to.of_interface != nullptr && !to.interface.empty()) {
        problem = detail::read_values(*to.of_interface, value, to.value);
    } else if (to.global != nullptr) {
        problem = detail::read_values(*to.global, value, to.value);
    } else {
        return "knows no switch " + std::string{text.substr(0, equals)};
    }
    return problem.empty() ? "" : std::string{text.substr(0, equals)} + " " + problem;
}

}  // namespace router
