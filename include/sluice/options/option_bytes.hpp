// option_at, byte, word, set_byte, set_word: bounded access to the bytes of one option.
//
// The option functions read and write through these, so that offsets which no longer fit the header
// (a hook may have rewritten it) do no harm. A byte outside the option reads as 0, and a write to
// it does nothing. An offset that names no option counts as an empty option.
//
// Expects: a header and the offset of an option in it.
// Never:   accesses bytes outside the option.
// Cost:    one compare for each access.
// Source:  RFC 791 section 3.1.
#pragma once

#include <cstddef>
#include <span>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::ip_options::detail {

// The whole option at offset `at` from the start of the header; empty when there is none.
template <class Byte>
[[nodiscard]] constexpr std::span<Byte> option_at(header_view<ipv4::layout, Byte> ip,
                                                  std::size_t at) noexcept {
    const std::size_t end = ipv4::header_length(ip);
    if (at < ipv4::min_header_length || at + 2 > end) return {};
    const std::size_t length = std::to_integer<std::size_t>(ip.data()[at + 1]);
    if (length < 2 || at + length > end) return {};
    return {ip.data() + at, length};
}

[[nodiscard]] constexpr u8 byte(const_bytes option, std::size_t at) noexcept {
    return at < option.size() ? std::to_integer<u8>(option[at]) : u8{0};
}

constexpr void set_byte(bytes option, std::size_t at, std::size_t value) noexcept {
    if (at < option.size()) option[at] = static_cast<std::byte>(static_cast<u8>(value));
}

[[nodiscard]] constexpr u32 word(const_bytes option, std::size_t at) noexcept {
    return at < option.size() && at + 4 <= option.size() ? load_be<u32>(option.data() + at) : 0;
}

// Offsets are sums and differences of untrusted bytes; an offset that wrapped round is outside too.
constexpr void set_word(bytes option, std::size_t at, u32 value) noexcept {
    if (at < option.size() && at + 4 <= option.size()) store_be<u32>(option.data() + at, value);
}

}  // namespace sluice::ip_options::detail
