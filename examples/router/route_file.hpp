// Reads routes from the command line, or from a file with one route a line; `#` begins a comment.
//
// Never: returns a part of a file: an error names its line.
#pragma once

#include <sluice/route/text.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace router {

struct route_line {
    sluice::route_entry route;
    std::string device{};  // the name of its interface; empty: none
    std::string where{};   // "FILE:LINE: ", or "--route "
};

// Returns an error text. Empty: the route is in `to`.
inline std::string parse_route(std::string_view text, route_line& to) {
    const auto read = sluice::parse_route(text);
    if (!read) {
        return message(read.error()).c_str();
    }
    to = {read->route, {read->device.begin(), read->device.end()}, {}};
    return {};
}
inline std::string text_of(const route_line& line) {
    return to_text(line.route, line.device).c_str();
}

namespace detail {

struct file_closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
};

// Returns an error text; empty: none.
inline std::string read_text(const std::string& name, std::string& to) {
    const std::unique_ptr<std::FILE, file_closer> file{std::fopen(name.c_str(), "re")};
    if (!file) {
        return name + ": " + std::strerror(errno);
    }
    char some[16'384];
    std::size_t n = 0;
    while ((n = std::fread(some, 1, sizeof some, file.get())) > 0) {
        to.append(some, n);
    }
    return std::ferror(file.get()) != 0 ? name + ": " + std::strerror(errno) : "";
}

}  // namespace detail

// Adds the routes of a text to `to`. Returns an error text with `name`; empty: none.
inline std::string parse_routes(std::string_view text, const std::string& name,
                                std::vector<route_line>& to) {
    for (sluice::route_lines lines{text}; lines.next();) {
        const std::string where = name + ":" + std::to_string(lines.number()) + ": ";
        const std::string_view line{lines.line().data(), lines.line().size()};
        route_line& r = to.emplace_back();
        if (const std::string problem = parse_route(line, r); !problem.empty()) {
            return where + problem;
        }
        r.where = where;
    }
    return {};
}

inline std::string read_routes(const std::string& name, std::vector<route_line>& to) {
    std::string text;
    const std::string problem = detail::read_text(name, text);
    return problem.empty() ? parse_routes(text, name, to) : problem;
}

}  // namespace router
