// dump: a hex dump of any bytes: offset, hexadecimal and text columns, 16 bytes in each line.
//
//     0000  45 00 00 54 00 00 40 00  40 01 26 a7 0a 00 00 01  |E..T..@.@.&.....|
//
//     dump(packet.head(), [](const auto& line) { std::puts(line.c_str()); });
//
// Offsets have four digits, or eight for more than 64 KiB. Each line goes to the caller's function,
// or into the caller's buffer.
//
// Expects: for a complete dump_to, a buffer of dump_size(n) characters.
// Never:   allocates.
#pragma once

#include <cstddef>
#include <span>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/text.hpp>

namespace sluice {

inline constexpr std::size_t dump_bytes_per_line = 16;
using dump_text = short_text<80>;

namespace detail {

// One line of up to 16 bytes, without a line end.
[[nodiscard]] constexpr dump_text dump_line(const_bytes all, std::size_t offset) noexcept {
    dump_text line;
    text_writer to{line.characters};
    if (all.size() > 0x10000) {
        to.hex_pair(static_cast<unsigned>(offset >> 24));
        to.hex_pair(static_cast<unsigned>(offset >> 16));
    }
    to.hex_pair(static_cast<unsigned>(offset >> 8));
    to.hex_pair(static_cast<unsigned>(offset));
    to.put(' ');
    for (std::size_t i = 0; i < dump_bytes_per_line; ++i) {
        if (i % 8 == 0) to.put(' ');
        if (offset + i < all.size()) {
            to.hex_pair(std::to_integer<unsigned>(all[offset + i]));
        } else {
            to.put(' ');
            to.put(' ');
        }
        to.put(' ');
    }
    to.put(' ');
    to.put('|');
    for (std::size_t i = 0; i < dump_bytes_per_line && offset + i < all.size(); ++i) {
        const u8 c = std::to_integer<u8>(all[offset + i]);
        to.put(c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.');
    }
    to.put('|');
    line.length = static_cast<std::size_t>(to.next - line.characters);
    return line;
}

}  // namespace detail

// Calls `line(const dump_text&)` for each line, in order, without line ends.
template <class Line>
constexpr void dump(const_bytes all, Line&& line) {
    for (std::size_t offset = 0; offset < all.size(); offset += dump_bytes_per_line) {
        const dump_text text = detail::dump_line(all, offset);
        line(text);
    }
}

// The characters that the dump of `count` bytes needs, including line ends.
[[nodiscard]] constexpr std::size_t dump_size(std::size_t count) noexcept {
    const std::size_t lines = (count + dump_bytes_per_line - 1) / dump_bytes_per_line;
    const std::size_t offset_digits = count > 0x10000 ? 8 : 4;
    // A line has the offset, a blank, 16 times "xx ", two blanks before the halves, " |", "|" and
    // the line end.
    return lines * (offset_digits + 1 + 3 * dump_bytes_per_line + 2 + 2 + 1 + 1) + count;
}

// Writes as many whole lines as fit, each with a '\n'; returns the number of characters written.
constexpr std::size_t dump_to(const_bytes all, std::span<char> to) noexcept {
    std::size_t written = 0;
    for (std::size_t offset = 0; offset < all.size(); offset += dump_bytes_per_line) {
        const auto line = detail::dump_line(all, offset);
        if (to.size() - written < line.size() + 1) break;
        for (const char c : text_view{line})
            to[written++] = c;
        to[written++] = '\n';
    }
    return written;
}

}  // namespace sluice
