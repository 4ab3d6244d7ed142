// The Internet checksum: over any bytes, in pieces, while copying, and by increments.
//
// Expects: sums in host terms, as `load_be<u16>` reads the words; a sum is a u64 that is folded
// when it is finished, so partial sums of pieces are simply added. A piece that starts at an odd
// offset is passed through `shift`.
// Never: allocates, or reads outside its range. The same results on every byte order and alignment.
// Cost: native words are summed and swapped once at the end; four carry chains of 64-bit words, and
// where the processor has AVX2, 64 bytes a step from 128 bytes on (checksum_kernels.hpp). A header
// check has no fold at all.
// RFC 1071 section 2, RFC 1624 section 3, RFC 791 section 3.1.
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

// Adds the carries of a sum until it fits 16 bits. Not complemented.
[[nodiscard]] constexpr u16 fold(u64 sum) noexcept {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>(sum);
}

// The checksum to store for a finished sum.
[[nodiscard]] constexpr u16 finish(u64 sum) noexcept {
    return static_cast<u16>(~fold(sum));
}

// The checksum to store for a sum of at most 2^32 words, one of which is not 0: a division by a
// constant instead of the folding, as in verify_header().
[[nodiscard]] constexpr u16 finish_header(u64 sum) noexcept {
    const u64 rest = sum % 65535;
    return rest == 0 ? u16{0} : static_cast<u16>(~rest);
}

// `sum` plus the words of `data`; an odd last byte counts as the high half of a word.
[[nodiscard]] constexpr u64 partial(const_bytes data, u64 sum = 0) noexcept {
    if (std::is_constant_evaluated()) return sum + detail::sum_by_bytes(data.data(), data.size());
    const u16 native = detail::fold_native(detail::sum_native(data.data(), data.size()));
    return sum + detail::native_to_numeric(native);
}

// The sum of a piece as it counts when an odd number of bytes precedes the piece.
// RFC 1071 section 2 (B).
[[nodiscard]] constexpr u64 shift(u64 sum) noexcept {
    const u32 folded = fold(sum);
    return ((folded << 8) | (folded >> 8)) & 0xffff;
}

// The checksum of `data`, as it is stored in a header (complemented). The checksum field itself
// must read as zero.
[[nodiscard]] constexpr u16 compute(const_bytes data) noexcept {
    return finish(partial(data));
}

// Whether `data`, its checksum field included, and `sum` (below 2^63) sum to zero. Without folding,
// as for headers below: a sum of native words counts as one of swapped words by 256 times itself.
[[nodiscard]] constexpr bool verify(const_bytes data, u64 sum = 0) noexcept {
    if (std::is_constant_evaluated()) return fold(partial(data, sum)) == 0xffff;
    const u64 native = detail::sum_native(data.data(), data.size());
    const u64 narrow = (native & 0xffffffff) + (native >> 32);
    sum += std::endian::native == std::endian::little ? narrow << 8 : narrow;
    return sum != 0 && sum % 65535 == 0;
}

// Whether an IPv4 header of `ihl_words` (at least 5) 32-bit words has a correct checksum; both
// representations of zero are accepted, as RFC 1624 section 3 asks of receivers.
//
// A sum of words is congruent to the folded sum modulo 65535, in either byte order, so one
// division by a constant replaces the folding. It would also accept all-zero words, which a header
// with a version cannot be.
[[nodiscard]] constexpr bool verify_header(const std::byte* header, unsigned ihl_words) noexcept {
    if (std::is_constant_evaluated())
        return verify(const_bytes{header, std::size_t{ihl_words} * 4});
    const u64 sum = ihl_words == 5 ? detail::sum_received_header(header)
                                   : detail::sum_header(header, ihl_words);
    return sum % 65535 == 0;
}

// The checksum to store in a header of `ihl_words` (at least 5) words whose checksum field reads
// as zero.
[[nodiscard]] constexpr u16 compute_header(const std::byte* header, unsigned ihl_words) noexcept {
    if (std::is_constant_evaluated())
        return compute(const_bytes{header, std::size_t{ihl_words} * 4});
    const u16 native = detail::fold_native(detail::sum_header(header, ihl_words));
    return static_cast<u16>(~detail::native_to_numeric(native));
}

// Copies `from` to the beginning of `to`, which is at least as long and does not overlap, and
// returns the sum of the bytes copied.
[[nodiscard]] constexpr u64 copy_and_sum(bytes to, const_bytes from) noexcept {
    // A piece is small enough to be in the first cache level when it is summed, and even, so that
    // pieces just add.
    constexpr std::size_t piece = 4096;
    u64 sum = 0;
    for (std::size_t done = 0; done < from.size(); done += piece) {
        const std::size_t left = from.size() - done;
        const std::size_t count = left < piece ? left : piece;
        copy_bytes(to.data() + done, from.data() + done, count);
        sum = partial(from.subspan(done, count), sum);
    }
    return sum;
}

// The checksum after one 16-bit word of the data changed. RFC 1624 section 3, equation 3: HC' =
// ~(~HC + ~m + m').
//
// Unlike equation 2 this never makes 0xffff of data that are not all zero, and it accepts either
// form of zero.
[[nodiscard]] constexpr u16 update(u16 checksum, u16 old_word, u16 new_word) noexcept {
    const u32 sum = (~u32{checksum} & 0xffff) + (~u32{old_word} & 0xffff) + new_word;
    const u32 once = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>(~((once & 0xffff) + (once >> 16)));
}

// The same for a 32-bit word, such as an address, at an even offset.
[[nodiscard]] constexpr u16 update(u16 checksum, u32 old_word, u32 new_word) noexcept {
    const u64 sum = (~u64{checksum} & 0xffff) + (~u64{old_word} & 0xffffffff) + new_word;
    return finish(sum);
}

// The sum of the pseudo header of UDP and TCP. `length` is that of the transport header and its
// data, in bytes. RFC 768, RFC 9293 section 3.1.
[[nodiscard]] constexpr u64 pseudo_header(ipv4::address source, ipv4::address destination,
                                          u8 protocol, u32 length) noexcept {
    return u64{source.value} + destination.value + protocol + length;
}
// The same with the transport header and its data, unfolded.
[[nodiscard]] constexpr u64 transport_sum(ipv4::address source, ipv4::address destination,
                                          u8 protocol, const_bytes segment) noexcept {
    return partial(segment,
                   pseudo_header(source, destination, protocol, static_cast<u32>(segment.size())));
}

}  // namespace sluice::checksum
