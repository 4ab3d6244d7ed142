// The bytes of one option, bounded: what the option functions read and write with.
// Expects: a header and the offset of an option in it. Does: reads 0 and writes nothing where the
// option has no such byte, and takes an offset that names no option for an empty one, so that
// offsets which no longer fit their header (a hook rewrote it) can do no harm.
// Never: leaves the option. Cost: one compare an access. RFC 791 section 3.1.
#pragma once

#include <cstddef>
#include <span>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::ip_options::detail {

// The whole option at `at` from the start of the header; empty where there is none.
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

// Offsets are sums and differences of untrusted bytes: one that wrapped round is outside as well.
constexpr void set_word(bytes option, std::size_t at, u32 value) noexcept {
    if (at < option.size() && at + 4 <= option.size()) store_be<u32>(option.data() + at, value);
}

}  // namespace sluice::ip_options::detail
