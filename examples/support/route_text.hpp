// route_text: a route as `ip route` spells it, read and written.
//
//   [TYPE] PREFIX [via ADDRESS] [dev NAME] [onlink] [src ADDRESS] [metric N] [mtu [lock] N] [tos
//   HEX]
//
// Expects: one route. Does: reads the words in any order behind the prefix; says in plain words
// what is wrong with them. Never: asks whether the route makes sense: the stack does.
#pragma once

#include <sluice/route/entry.hpp>
#include <sluice/wire/text.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <string_view>

namespace router {

struct route_line {
    sluice::route_entry route;
    std::string device{};  // empty: not given
    std::string where{};   // "FILE:LINE: ", or "--route "

    friend bool operator==(const route_line&, const route_line&) = default;
};

inline constexpr std::string_view route_types[] = {
    "unicast", "local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "throw"};

namespace detail {

// Of base 10, or of 16, behind 0x or not.
inline bool parse_number(std::string_view text, unsigned least, unsigned most, unsigned& to,
                         int base = 10) {
    text.remove_prefix(base == 16 && text.starts_with("0x") ? 2 : 0);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to, base);
    return error == std::errc{} && end == text.data() + text.size() && to >= least && to <= most;
}

// The words of a line, one after the other; empty at its end.
class words {
public:
    explicit words(std::string_view line) : rest_{line} {}
    std::string_view next() {
        constexpr std::string_view blanks = " \t\r";
        rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
        const std::string_view word = rest_.substr(0, rest_.find_first_of(blanks));
        rest_.remove_prefix(word.size());
        return word;
    }

private:
    std::string_view rest_;
};

class route_reader {
public:
    route_reader(std::string_view line, route_line& to) : words_{line}, to_{to} {}

    // What is wrong; empty: nothing.
    std::string read() {
        to_ = {};
        std::string_view word = words_.next();
        for (unsigned t = 0; t < std::size(route_types); ++t) {
            if (word == route_types[t]) {
                to_.route.type = static_cast<sluice::route_type>(t);
                word = words_.next();
                break;
            }
        }
        read_prefix(word);
        for (word = words_.next(); !word.empty() && problem_.empty(); word = words_.next()) {
            read_attribute(word);
        }
        return problem_;
    }

private:
    void read_prefix(std::string_view word) {
        const bool has_length = word.find('/') != std::string_view::npos;
        const std::string text = word == "default" ? "0.0.0.0/0"
                                 : has_length      ? std::string{word}
                                                   : std::string{word} + "/32";
        const auto parsed = sluice::ipv4::parse_prefix(text);
        if (parsed) {
            to_.route.prefix = *parsed;
        } else {
            problem_ = "a route begins with its prefix, such as 10.0.0.0/8 or default, not: ";
            problem_ += word.empty() ? "nothing" : word;
        }
    }
    void read_attribute(std::string_view word) {
        if (word == "via") {
            read_address(word, to_.route.gateway);
        } else if (word == "src") {
            read_address(word, to_.route.preferred_source);
        } else if (word == "dev") {
            to_.device = words_.next();
            expect(!to_.device.empty(), word, "an interface", "");
        } else if (word == "onlink") {
            to_.route.on_link = true;
        } else if (word == "metric") {
            to_.route.metric = read_number(word, words_.next(), 0xffffffff);
        } else if (word == "tos") {
            to_.route.tos = static_cast<sluice::u8>(read_number(word, words_.next(), 255, 16));
        } else if (word == "mtu") {
            std::string_view value = words_.next();
            to_.route.mtu_locked = value == "lock";
            value = to_.route.mtu_locked ? words_.next() : value;
            to_.route.mtu =
                static_cast<sluice::u16>(std::min(read_number(word, value, 0xffffffff), 65'535U));
        } else {
            problem_ = "unknown word: " + std::string{word};
        }
    }
    void read_address(std::string_view word, sluice::ipv4::address& to) {
        const std::string_view value = words_.next();
        const auto parsed = sluice::ipv4::parse_address(value);
        if (parsed) {
            to = *parsed;
        }
        expect(parsed.has_value(), word, "an address", value);
    }
    unsigned read_number(std::string_view word, std::string_view value, unsigned most,
                         int base = 10) {
        unsigned number = 0;
        expect(parse_number(value, 0, most, number, base), word, "a number", value);
        return number;
    }
    void expect(bool right, std::string_view word, std::string_view wanted,
                std::string_view value) {
        if (!right) {
            problem_ = std::string{word} + " wants " + std::string{wanted} +
                       ", not: " + std::string{value.empty() ? "nothing" : value};
        }
    }

    words words_;
    route_line& to_;
    std::string problem_;
};

}  // namespace detail

// What is wrong with the text; empty: nothing, and the route is in `to`.
inline std::string parse_route(std::string_view text, route_line& to) {
    return detail::route_reader{text, to}.read();
}

// As `ip -4 route show` prints it, scope included.
inline std::string to_text(const sluice::route_entry& r, std::string_view device) {
    using sluice::ipv4::to_text;
    std::string text;
    if (r.type != sluice::route_type::unicast) {
        text = std::string{route_types[static_cast<unsigned>(r.type)]} + " ";
    }
    text += r.prefix.length == 0    ? "default"
            : r.prefix.length == 32 ? std::string{to_text(r.prefix.base).c_str()}
                                    : std::string{to_text(r.prefix).c_str()};
    const auto number = [&](const char* word, unsigned n) { text += word + std::to_string(n); };
    if (r.tos != 0) {
        constexpr const char* digits = "0123456789abcdef";
        text += std::string{" tos 0x"} + digits[r.tos >> 4] + digits[r.tos & 15];
    }
    if (r.has_gateway()) {
        text += std::string{" via "} + to_text(r.gateway).c_str();
    }
    if (!device.empty()) {
        text += " dev " + std::string{device};
    }
    if (r.scope != sluice::scopes::universe) {
        text += r.scope == sluice::scopes::host   ? " scope host"
                : r.scope == sluice::scopes::link ? " scope link"
                                                  : " scope " + std::to_string(r.scope);
    }
    if (!r.preferred_source.is_unspecified()) {
        text += std::string{" src "} + to_text(r.preferred_source).c_str();
    }
    if (r.metric != 0) {
        number(" metric ", r.metric);
    }
    text += r.on_link ? " onlink" : "";
    if (r.mtu != 0) {
        number(r.mtu_locked ? " mtu lock " : " mtu ", r.mtu);
    }
    return text;
}

}  // namespace router
