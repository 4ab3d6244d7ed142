// Literals for addresses and bytes, checked at compile time: a malformed one does not compile.
//
//     using namespace sluice::literals;
//     auto gateway = "10.0.1.1"_ip;                     // ipv4::address
//     auto subnet  = "10.0.0.0/8"_prefix;               // ipv4::prefix; host bits must be zero
//     auto local   = "10.0.1.1/24"_net;                 // ipv4::interface_address
//     auto station = "02:00:00:00:00:01"_mac;           // ethernet::address
//     auto packet  = "4500 0014 0000 0000"_hex;         // std::array of 8 bytes; ignores blanks
#pragma once

#include <array>
#include <cstddef>

#include <sluice/wire/address.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/text.hpp>

namespace sluice {

namespace detail {

// Not constexpr, so that a call ends constant evaluation; the compiler's message shows its name.
inline void malformed_literal() noexcept {}

template <std::size_t Size>
struct literal_text {
    char characters[Size] = {};

    consteval literal_text(const char (&text)[Size]) noexcept {
        for (std::size_t i = 0; i < Size; ++i)
            characters[i] = text[i];
    }

    // The number of hexadecimal digits. Blanks and line ends do not count; any other character is
    // malformed.
    [[nodiscard]] consteval std::size_t digit_count() const noexcept {
        std::size_t count = 0;
        for (std::size_t i = 0; i + 1 < Size; ++i) {
            const char c = characters[i];
            if (c == ' ' || c == '\n') continue;
            if (text_reader::hex_digit(c) > 15) malformed_literal();
            ++count;
        }
        if (count % 2 != 0) malformed_literal();
        return count;
    }
};

template <class Parsed>
[[nodiscard]] consteval auto literal_value(const Parsed& parsed) noexcept {
    if (!parsed) malformed_literal();
    return *parsed;
}

}  // namespace detail

inline namespace literals {

[[nodiscard]] consteval ipv4::address operator""_ip(const char* text, std::size_t size) noexcept {
    return detail::literal_value(ipv4::parse_address(text_view{text, size}));
}
[[nodiscard]] consteval ipv4::prefix operator""_prefix(const char* text,
                                                       std::size_t size) noexcept {
    return detail::literal_value(ipv4::parse_prefix(text_view{text, size}));
}
[[nodiscard]] consteval ipv4::interface_address operator""_net(const char* text,
                                                               std::size_t size) noexcept {
    return detail::literal_value(ipv4::parse_interface_address(text_view{text, size}));
}
[[nodiscard]] consteval ethernet::address operator""_mac(const char* text,
                                                         std::size_t size) noexcept {
    return detail::literal_value(ethernet::parse_address(text_view{text, size}));
}

// Two hexadecimal digits for each byte; blanks and line ends are ignored.
template <detail::literal_text Text>
[[nodiscard]] consteval auto operator""_hex() noexcept {
    std::array<std::byte, Text.digit_count() / 2> packet{};
    std::size_t digit = 0;
    for (const char c : Text.characters) {
        const unsigned value = detail::text_reader::hex_digit(c);
        if (value > 15) continue;
        packet[digit / 2] |= static_cast<std::byte>(digit % 2 == 0 ? value << 4 : value);
        ++digit;
    }
    return packet;
}

}  // namespace literals

}  // namespace sluice
