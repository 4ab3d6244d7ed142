// checksum: the Internet checksum over any bytes, in pieces, while copying, and by increments.
//
// Sums are u64 in host terms, as load_be<u16> reads the words. They are folded only at the end, so
// that the sums of pieces simply add. Pass the sum of a piece at an odd offset through shift().
//
// Never:  allocates, or reads outside its range. Results are the same for every byte order and
//         alignment.
// Cost:   native words are summed and swapped once at the end, in four carry chains of 64-bit
//         words; with AVX2, 64 bytes in each step for 128 bytes or more (checksum_kernels.hpp). A
//         header check does not fold.
// Source: RFC 1071 section 2, RFC 1624 section 3, RFC 791 section 3.1.
#pragma once

#include <bit>
#include <cstddef>
#include <span>
#include <type_traits>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/checksum_kernels.hpp>

namespace sluice::checksum {

// Adds the carries until the sum fits 16 bits: 0 for the sum 0 alone. The result is not
// complemented. The upper half of a word plus its rotation is the sum of its halves, with the carry
// added (RFC 1071 section 2 (A)).
[[nodiscard]] constexpr u16 fold(u64 sum) noexcept {
    const auto half = static_cast<u32>((sum + std::rotl(sum, 32)) >> 32);
    return static_cast<u16>((half + std::rotl(half, 16)) >> 16);
}

// The checksum to store for a complete sum.
[[nodiscard]] constexpr u16 finish(u64 sum) noexcept {
    return static_cast<u16>(~fold(sum));
}

// `sum` plus the words of `data`; an odd last byte counts as the high half of a word.
[[nodiscard]] constexpr u64 partial(const_bytes data, u64 sum = 0) noexcept {
    if (std::is_constant_evaluated()) return sum + detail::sum_by_bytes(data.data(), data.size());
    const u16 native = detail::fold_native(detail::sum_native(data.data(), data.size()));
    return sum + detail::native_to_numeric(native);
}

// The contribution of a piece that an odd number of bytes precedes. RFC 1071 section 2 (B).
[[nodiscard]] constexpr u64 shift(u64 sum) noexcept {
    const u32 folded = fold(sum);
    return ((folded << 8) | (folded >> 8)) & 0xffff;
}

// The checksum of `data` as a header stores it (complemented). The checksum field must be 0.
[[nodiscard]] constexpr u16 compute(const_bytes data) noexcept {
    return finish(partial(data));
}

// Whether `data`, including its checksum field, and `sum` (below 2^63) sum to zero. It does not
// fold, as for headers below.
[[nodiscard]] constexpr bool verify(const_bytes data, u64 sum = 0) noexcept {
    if (std::is_constant_evaluated()) return fold(partial(data, sum)) == 0xffff;
    sum += detail::numeric_of(detail::sum_native(data.data(), data.size()));
    return sum != 0 && sum % 65535 == 0;
}

// Whether an IPv4 header of `ihl_words` (at least 5) 32-bit words has a correct checksum. Accepts
// both representations of zero, as RFC 1624 section 3 requires of receivers.
//
// A sum of words is congruent to the folded sum modulo 65535, in either byte order, so one division
// by a constant replaces the folding. It would also accept a header of zeros, but a header with a
// version is never all zero.
[[nodiscard]] constexpr bool verify_header(const std::byte* header, unsigned ihl_words) noexcept {
    if (std::is_constant_evaluated())
        return verify(const_bytes{header, std::size_t{ihl_words} * 4});
    const u64 sum = ihl_words == 5 ? detail::sum_received_header(header)
                                   : detail::sum_header(header, ihl_words);
    return sum % 65535 == 0;
}

// The checksum to store in a header of `ihl_words` (at least 5) words whose checksum field is 0.
[[nodiscard]] constexpr u16 compute_header(const std::byte* header, unsigned ihl_words) noexcept {
    if (std::is_constant_evaluated())
        return compute(const_bytes{header, std::size_t{ihl_words} * 4});
    const u16 native = detail::fold_native(detail::sum_header(header, ihl_words));
    return static_cast<u16>(~detail::native_to_numeric(native));
}

// Copies `from` to the beginning of `to`, which is at least as long and does not overlap, and
// returns the sum of the bytes copied.
[[nodiscard]] constexpr u64 copy_and_sum(bytes to, const_bytes from) noexcept {
    if (std::is_constant_evaluated()) {
        copy_bytes(to.data(), from.data(), from.size());
        return partial(from);
    }
    return detail::numeric_of(
        detail::sum_native(from.data(), from.size(), detail::copy_to{to.data()}));
}

// The checksum after one 16-bit word of the data changed. RFC 1624 section 3, equation 3: HC' =
// ~(~HC + ~m + m').
//
// Unlike equation 2, this never makes 0xffff from data that are not all zero, and it accepts both
// representations of zero.
[[nodiscard]] constexpr u16 update(u16 checksum, u16 old_word, u16 new_word) noexcept {
    const u32 sum = (~u32{checksum} & 0xffff) + (~u32{old_word} & 0xffff) + new_word;
    const u32 once = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>(~((once & 0xffff) + (once >> 16)));
}

// The checksum after a 32-bit word at an even offset changed, for example an address.
[[nodiscard]] constexpr u16 update(u16 checksum, u32 old_word, u32 new_word) noexcept {
    const u64 sum = (~u64{checksum} & 0xffff) + (~u64{old_word} & 0xffffffff) + new_word;
    return finish(sum);
}

// The sum of the pseudo header of UDP and TCP. `length`: bytes of the transport header and its
// data. RFC 768, RFC 9293 section 3.1.
[[nodiscard]] constexpr u64 pseudo_header(ipv4::address source, ipv4::address destination,
                                          u8 protocol, u32 length) noexcept {
    return u64{source.value} + destination.value + protocol + length;
}
// The unfolded sum of pseudo header, transport header and data.
[[nodiscard]] constexpr u64 transport_sum(ipv4::address source, ipv4::address destination,
                                          u8 protocol, const_bytes segment) noexcept {
    return partial(segment,
                   pseudo_header(source, destination, protocol, static_cast<u32>(segment.size())));
}

}  // namespace sluice::checksum
