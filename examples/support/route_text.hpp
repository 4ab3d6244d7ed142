// route_text: a route of the command line or of a file, with its interface's name and where it
// stands.
#pragma once

#include <sluice/route/text.hpp>

#include <string>
#include <string_view>

namespace router {

struct route_line {
    sluice::route_entry route;
    std::string device{};  // empty: not given
    std::string where{};   // "FILE:LINE: ", or "--route "

    friend bool operator==(const route_line&, const route_line&) = default;
};

// What is wrong with the text; empty: nothing, and the route is in `to`.
inline std::string parse_route(std::string_view text, route_line& to) {
    const auto read = sluice::parse_route(sluice::text_view{text.data(), text.size()});
    if (!read) {
        return message(read.error()).c_str();
    }
    to = {read->route, {read->device.begin(), read->device.end()}, {}};
    return {};
}

// As `ip -4 route show` prints it, scope included.
inline std::string text_of(const sluice::route_entry& r, std::string_view device) {
    return sluice::to_text(r, {device.data(), device.size()}).c_str();
}

}  // namespace router
