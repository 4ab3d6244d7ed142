// Parses routes from text and prints them, as `ip route` spells them.
//
//   [TYPE] PREFIX [via ADDRESS] [dev NAME] [onlink] [src ADDRESS] [metric N] [mtu [lock] N]
//          [hoplimit N] [tos HEX]
//
// Use parse_route for one route and route_lines for a text with several lines, with # for comments.
// Words after the prefix come in any order. An interface stays a name: the caller translates it to
// an index.
//
// Expects: a text that outlives the result.
// Never:   allocates; checks whether a route makes sense: add_route does.
// Errors:  route_text_error, with the words that are wrong; message(error) is a sentence.
// Source:  ip-route(8).
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/wire/text.hpp>
#include <sluice/wire/text_appender.hpp>

#include <cstddef>

namespace sluice {

struct route_text {
    route_entry route{};
    text_view device{};  // empty: not given
};

struct route_text_error {
    enum class reason : u8 { prefix, unknown_word, address, number, device };
    reason why = reason::prefix;
    text_view word{};   // the unknown word, or the word with a wrong value
    text_view value{};  // the wrong value; empty: no value
};

namespace detail {

inline constexpr const char* route_type_words[] = {
    "unicast", "local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "throw"};

[[nodiscard]] constexpr bool is_word(text_view text, const char* word) noexcept {
    for (const char c : text) {
        if (*word == '\0' || c != *word++) {
            return false;
        }
    }
    return *word == '\0';
}

class route_reader {
public:
    constexpr explicit route_reader(text_view line) noexcept : rest_{line} {}

    constexpr result<route_text, route_text_error> read() noexcept {
        text_view word = next();
        for (u8 type = 0; type < 8; ++type) {
            if (is_word(word, route_type_words[type])) {
                read_.route.type = static_cast<route_type>(type);
                word = next();
                break;
            }
        }
        read_prefix(word);
        for (word = next(); !word.empty() && !failed_; word = next()) {
            read_attribute(word);
        }
        if (failed_) {
            return failure{error_};
        }
        return read_;
    }

private:
    using reason = route_text_error::reason;

    [[nodiscard]] static constexpr bool is_blank(char c) noexcept {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }
    // The next word; empty at the end.
    constexpr text_view next() noexcept {
        std::size_t begin = 0;
        while (begin < rest_.size() && is_blank(rest_[begin])) {
            ++begin;
        }
        std::size_t end = begin;
        while (end < rest_.size() && !is_blank(rest_[end])) {
            ++end;
        }
        const text_view word = rest_.subspan(begin, end - begin);
        rest_ = rest_.subspan(end);
        return word;
    }
    constexpr void fail(reason why, text_view word, text_view value) noexcept {
        if (!failed_) {
            failed_ = true;
            error_ = {why, word, value};
        }
    }

    // "default", a prefix, or the address of one host.
    constexpr void read_prefix(text_view word) noexcept {
        if (is_word(word, "default")) {
            return;
        }
        if (const auto prefix = ipv4::parse_prefix(word)) {
            read_.route.prefix = *prefix;
        } else if (const auto host = ipv4::parse_address(word)) {
            read_.route.prefix = {*host, 32};
        } else {
            fail(reason::prefix, {}, word);
        }
    }
    constexpr void read_attribute(text_view word) noexcept {
        route_entry& to = read_.route;
        if (is_word(word, "via")) {
            to.gateway = read_address(word);
        } else if (is_word(word, "src")) {
            to.preferred_source = read_address(word);
        } else if (is_word(word, "dev")) {
            read_.device = next();
            if (read_.device.empty()) {
                fail(reason::device, word, {});
            }
        } else if (is_word(word, "onlink")) {
            to.on_link = true;
        } else if (is_word(word, "metric")) {
            to.metric = read_number(word, next(), 10, 0xffffffff);
        } else if (is_word(word, "tos")) {
            to.tos = static_cast<u8>(read_number(word, next(), 16, 255));
        } else if (is_word(word, "mtu")) {
            text_view value = next();
            to.mtu_locked = is_word(value, "lock");
            value = to.mtu_locked ? next() : value;
            const u32 mtu = read_number(word, value, 10, 0xffffffff);
            to.mtu = static_cast<u16>(mtu < 65'535 ? mtu : 65'535);
        } else if (is_word(word, "hoplimit")) {
            to.hop_limit = static_cast<u8>(read_number(word, next(), 10, 255));
        } else {
            fail(reason::unknown_word, word, {});
        }
    }
    constexpr ipv4::address read_address(text_view word) noexcept {
        const text_view value = next();
        const auto parsed = ipv4::parse_address(value);
        if (!parsed) {
            fail(reason::address, word, value);
            return {};
        }
        return *parsed;
    }
    // A hexadecimal number may have the prefix 0x.
    constexpr u32 read_number(text_view word, text_view value, unsigned base, u64 most) noexcept {
        const bool has_mark = base == 16 && value.size() > 2 && value[0] == '0' && value[1] == 'x';
        u64 number = 0;
        bool is_right = !value.empty();
        for (const char c : value.subspan(has_mark ? 2 : 0)) {
            const unsigned digit = text_reader::hex_digit(c);
            number = number * base + digit;
            is_right = is_right && digit < base && number <= most;
            number = is_right ? number : 0;  // no wrap, however long the text
        }
        if (!is_right) {
            fail(reason::number, word, value);
        }
        return static_cast<u32>(number);
    }

    text_view rest_;
    route_text read_{};
    route_text_error error_{};
    bool failed_ = false;
};

}  // namespace detail

// Parses one route.
[[nodiscard]] constexpr result<route_text, route_text_error> parse_route(text_view text) noexcept {
    return detail::route_reader{text}.read();
}
[[nodiscard]] constexpr result<route_text, route_text_error>
parse_route(const char* text) noexcept {
    return parse_route(detail::zero_terminated(text));
}

// "via wants an address, not: nothing"; cut to 200 characters.
[[nodiscard]] constexpr short_text<200> message(const route_text_error& error) noexcept {
    using reason = route_text_error::reason;
    short_text<200> text;
    detail::text_appender<200> to{text};
    switch (error.why) {
    case reason::unknown_word:
        to += "unknown word: ";
        to += error.word;
        return text;
    case reason::prefix:
        to += "a route begins with its prefix, such as 10.0.0.0/8 or default";
        break;
    case reason::address:
        to += error.word;
        to += " wants an address";
        break;
    case reason::number:
        to += error.word;
        to += " wants a number";
        break;
    case reason::device:
        to += error.word;
        to += " wants an interface";
        break;
    }
    to += ", not: ";
    if (error.value.empty()) {
        to += "nothing";
    }
    to += error.value;
    return text;
}

// As `ip -4 route show` prints it, with its scope; at most 80 characters of the device's name.
[[nodiscard]] constexpr short_text<255> to_text(const route_entry& r, text_view device) noexcept {
    short_text<255> text;
    detail::text_appender<255> to{text};
    if (r.type != route_type::unicast) {
        to += detail::route_type_words[static_cast<u8>(r.type) & 7];
        to += ' ';
    }
    if (r.prefix.length == 0) {
        to += "default";
    } else if (r.prefix.length == 32) {
        to += ipv4::to_text(r.prefix.base);
    } else {
        to += ipv4::to_text(r.prefix);
    }
    if (r.tos != 0) {
        constexpr const char* digits = "0123456789abcdef";
        to += " tos 0x";
        to += digits[r.tos >> 4];
        to += digits[r.tos & 15];
    }
    if (r.has_gateway()) {
        to += " via ";
        to += ipv4::to_text(r.gateway);
    }
    if (!device.empty()) {
        to += " dev ";
        to += device.size() < 80 ? device : device.subspan(0, 80);
    }
    if (r.scope == scopes::host) {
        to += " scope host";
    } else if (r.scope == scopes::link) {
        to += " scope link";
    } else if (r.scope != scopes::universe) {
        to += " scope ";
        to += u32{r.scope};
    }
    if (!r.preferred_source.is_unspecified()) {
        to += " src ";
        to += ipv4::to_text(r.preferred_source);
    }
    if (r.metric != 0) {
        to += " metric ";
        to += r.metric;
    }
    if (r.on_link) {
        to += " onlink";
    }
    if (r.mtu != 0) {
        to += r.mtu_locked ? " mtu lock " : " mtu ";
        to += u32{r.mtu};
    }
    if (r.hop_limit != 0) {
        to += " hoplimit ";
        to += u32{r.hop_limit};
    }
    return text;
}

// Iterates over the lines of a text that hold a route, without their comments.
class route_lines {
public:
    constexpr explicit route_lines(text_view text) noexcept : rest_{text} {}

    // Goes to the next such line; false: there is none.
    [[nodiscard]] constexpr bool next() noexcept {
        while (!rest_.empty()) {
            std::size_t end = 0;
            std::size_t comment = rest_.size();
            while (end < rest_.size() && rest_[end] != '\n') {
                comment = rest_[end] == '#' && end < comment ? end : comment;
                ++end;
            }
            line_ = rest_.subspan(0, comment < end ? comment : end);
            rest_ = rest_.subspan(end < rest_.size() ? end + 1 : end);
            ++number_;
            if (has_words()) {
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] constexpr text_view line() const noexcept { return line_; }
    [[nodiscard]] constexpr u32 number() const noexcept { return number_; }  // from 1

private:
    [[nodiscard]] constexpr bool has_words() const noexcept {
        for (const char c : line_) {
            if (c != ' ' && c != '\t' && c != '\r') {
                return true;
            }
        }
        return false;
    }

    text_view rest_;
    text_view line_{};
    u32 number_ = 0;
};

}  // namespace sluice
