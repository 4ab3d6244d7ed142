// parse_address, to_text, format and their like: the text form of addresses, prefixes and interface
// addresses.
//
// Accepted: dotted decimal of four numbers without leading zeros ("010" is octal to some readers
// and decimal to others); "/length" of one or two digits without leading zeros; MAC addresses as
// six pairs of hexadecimal digits separated by ':' or by '-'.
//
// Expects: for parsing, the text without surrounding blanks, as a range of char or a
//          zero-terminated string; for formatting, the caller's buffer.
// Never:   allocates, uses the locale, or resolves names.
// Source:  RFC 791 section 3.2, RFC 4632 section 3.1, RFC 6943 section 3.1.1 (why only one form).
#pragma once

#include <cstddef>
#include <span>

#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/ethernet.hpp>

namespace sluice {

// Text of the caller, without a terminating zero.
using text_view = std::span<const char>;

// Text of at most `Capacity` characters and a terminating zero: the form of all text that the
// library gives out. It prints with "%s" (c_str()) and to a stream (<<).
template <std::size_t Capacity>
struct short_text {
    char characters[Capacity + 1] = {};
    std::size_t length = 0;

    [[nodiscard]] constexpr const char* c_str() const noexcept { return characters; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return length; }
    [[nodiscard]] constexpr operator text_view() const noexcept {
        return text_view{characters, length};
    }
    friend constexpr bool operator==(const short_text& text, const char* other) noexcept {
        std::size_t i = 0;
        while (i < text.length && text.characters[i] == other[i] && other[i] != '\0') {
            ++i;
        }
        return i == text.length && other[i] == '\0';
    }
    template <class Stream>
        requires requires(Stream& to, const char* text) { to << text; }
    friend constexpr Stream& operator<<(Stream& to, const short_text& text) {
        to << text.c_str();
        return to;
    }
};

namespace detail {

// Reads text front to back; `failed` stays true after the first mismatch.
struct text_reader {
    text_view rest;
    bool failed = false;

    // A decimal number from 0 to `most` of at most three digits, without leading zeros.
    constexpr unsigned number(unsigned most) noexcept {
        unsigned value = 0;
        std::size_t digits = 0;
        while (digits < rest.size() && digits < 3 && rest[digits] >= '0' && rest[digits] <= '9') {
            value = value * 10 + static_cast<unsigned>(rest[digits] - '0');
            ++digits;
        }
        if (digits == 0 || value > most || (digits > 1 && rest[0] == '0')) {
            failed = true;
            return 0;
        }
        rest = rest.subspan(digits);
        return value;
    }

    constexpr u8 hex_pair() noexcept {
        if (rest.size() < 2) {
            failed = true;
            return 0;
        }
        const unsigned high = hex_digit(rest[0]);
        const unsigned low = hex_digit(rest[1]);
        failed = failed || high > 15 || low > 15;
        rest = rest.subspan(2);
        return static_cast<u8>((high << 4) | (low & 15));
    }

    constexpr void expect(char wanted) noexcept {
        if (rest.empty() || rest[0] != wanted) {
            failed = true;
        } else {
            rest = rest.subspan(1);
        }
    }

    [[nodiscard]] constexpr bool complete() const noexcept { return !failed && rest.empty(); }

    // 0 to 15, or 16 for a character that is not a hexadecimal digit.
    [[nodiscard]] static constexpr unsigned hex_digit(char c) noexcept {
        if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
        if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
        return 16;
    }
};

// Appends to a buffer that is large enough.
struct text_writer {
    char* next;

    constexpr void put(char c) noexcept { *next++ = c; }
    constexpr void number(unsigned value) noexcept {
        if (value >= 100) put(static_cast<char>('0' + value / 100));
        if (value >= 10) put(static_cast<char>('0' + value / 10 % 10));
        put(static_cast<char>('0' + value % 10));
    }
    constexpr void hex_pair(unsigned value) noexcept {
        constexpr const char* digits = "0123456789abcdef";
        put(digits[(value >> 4) & 15]);
        put(digits[value & 15]);
    }
    constexpr void dotted(ipv4::address a) noexcept {
        for (unsigned i = 0; i < 4; ++i) {
            if (i != 0) put('.');
            number(a.byte(i));
        }
    }
};

constexpr ipv4::address read_dotted(text_reader& from) noexcept {
    u32 value = 0;
    for (int i = 0; i < 4; ++i) {
        if (i != 0) from.expect('.');
        value = (value << 8) | from.number(255);
    }
    return ipv4::address{value};
}

[[nodiscard]] constexpr text_view zero_terminated(const char* text) noexcept {
    return text_view{text, __builtin_strlen(text)};
}

// Copies a short text into the caller's buffer; returns the number of characters, or 0 if they do
// not fit.
template <std::size_t Capacity>
[[nodiscard]] constexpr std::size_t copy_text(const short_text<Capacity>& text,
                                              std::span<char> to) noexcept {
    if (to.size() < text.length) return 0;
    for (std::size_t i = 0; i < text.length; ++i)
        to[i] = text.characters[i];
    return text.length;
}

}  // namespace detail

namespace ipv4 {

// "10.0.1.1".
[[nodiscard]] constexpr result<address, wire_error> parse_address(text_view text) noexcept {
    detail::text_reader from{text};
    const address parsed = detail::read_dotted(from);
    if (!from.complete()) return failure{wire_error::bad_value};
    return parsed;
}
[[nodiscard]] constexpr result<address, wire_error> parse_address(const char* text) noexcept {
    return parse_address(detail::zero_terminated(text));
}

// "10.0.1.1/24": an interface's address with the length of its prefix.
[[nodiscard]] constexpr result<interface_address, wire_error>
parse_interface_address(text_view text) noexcept {
    detail::text_reader from{text};
    const address parsed = detail::read_dotted(from);
    from.expect('/');
    const u8 bits = static_cast<u8>(from.number(32));
    if (!from.complete()) return failure{wire_error::bad_value};
    return interface_address{parsed, bits};
}
[[nodiscard]] constexpr result<interface_address, wire_error>
parse_interface_address(const char* text) noexcept {
    return parse_interface_address(detail::zero_terminated(text));
}

// "10.0.0.0/8". `bad_value` if bits behind the length are set: the text is a mistake or an
// interface address.
[[nodiscard]] constexpr result<prefix, wire_error> parse_prefix(text_view text) noexcept {
    const auto parsed = parse_interface_address(text);
    if (!parsed) return failure{parsed.error()};
    if (parsed->network().base != parsed->address) return failure{wire_error::bad_value};
    return parsed->network();
}
[[nodiscard]] constexpr result<prefix, wire_error> parse_prefix(const char* text) noexcept {
    return parse_prefix(detail::zero_terminated(text));
}

[[nodiscard]] constexpr short_text<15> to_text(address a) noexcept {
    short_text<15> text;
    detail::text_writer to{text.characters};
    to.dotted(a);
    text.length = static_cast<std::size_t>(to.next - text.characters);
    return text;
}

[[nodiscard]] constexpr short_text<18> to_text(interface_address a) noexcept {
    short_text<18> text;
    detail::text_writer to{text.characters};
    to.dotted(a.address);
    to.put('/');
    to.number(a.length);
    text.length = static_cast<std::size_t>(to.next - text.characters);
    return text;
}

[[nodiscard]] constexpr short_text<18> to_text(prefix p) noexcept {
    return to_text(interface_address{p.base, p.length});
}

// Writes the text without a terminating zero; the number of characters, or 0 if `to` is too small.
constexpr std::size_t format(address a, std::span<char> to) noexcept {
    return detail::copy_text(to_text(a), to);
}
constexpr std::size_t format(prefix p, std::span<char> to) noexcept {
    return detail::copy_text(to_text(p), to);
}
constexpr std::size_t format(interface_address a, std::span<char> to) noexcept {
    return detail::copy_text(to_text(a), to);
}

}  // namespace ipv4

namespace ethernet {

// "02:00:5e:10:00:01" or "02-00-5E-10-00-01".
[[nodiscard]] constexpr result<address, wire_error> parse_address(text_view text) noexcept {
    detail::text_reader from{text};
    const char separator = text.size() > 2 && text[2] == '-' ? '-' : ':';
    address parsed;
    for (std::size_t i = 0; i < 6; ++i) {
        if (i != 0) from.expect(separator);
        parsed.parts[i] = from.hex_pair();
    }
    if (!from.complete()) return failure{wire_error::bad_value};
    return parsed;
}
[[nodiscard]] constexpr result<address, wire_error> parse_address(const char* text) noexcept {
    return parse_address(detail::zero_terminated(text));
}

[[nodiscard]] constexpr short_text<17> to_text(const address& a) noexcept {
    short_text<17> text;
    detail::text_writer to{text.characters};
    for (std::size_t i = 0; i < 6; ++i) {
        if (i != 0) to.put(':');
        to.hex_pair(a.parts[i]);
    }
    text.length = static_cast<std::size_t>(to.next - text.characters);
    return text;
}

// Writes the text without a terminating zero; the number of characters, or 0 if `to` is too small.
constexpr std::size_t format(const address& a, std::span<char> to) noexcept {
    return detail::copy_text(to_text(a), to);
}

}  // namespace ethernet

}  // namespace sluice
