// The loops behind wire/checksum.hpp: sums of native words over any length and alignment, while
// copying if the caller wants it.
//
// They return one's-complement sums in native byte order, congruent to the sum of native 16-bit
// words modulo 65535, and 0 only if all bytes are 0. An odd last byte counts as the first byte in
// memory of a word padded with zero. Define SLUICE_PORTABLE_CHECKSUM, the same in every translation
// unit, to leave the vector loop out.
//
// Expects: `count` readable bytes at `from`, with any alignment and any parity of address and
//          length.
#pragma once

#include <bit>
#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SLUICE_PORTABLE_CHECKSUM)
#define SLUICE_CHECKSUM_AVX2 1
#else
#define SLUICE_CHECKSUM_AVX2 0
#endif

namespace sluice::checksum::detail {

// The sum in host terms, byte by byte, for constant evaluation.
[[nodiscard]] constexpr u64 sum_by_bytes(const std::byte* from, std::size_t count) noexcept {
    u64 sum = 0;
    for (std::size_t i = 0; i + 1 < count; i += 2)
        sum += load_be<u16>(from + i);
    if (count % 2 != 0) sum += std::to_integer<u64>(from[count - 1]) << 8;
    return sum;
}

template <class T>
[[nodiscard]] inline T load_native(const std::byte* from) noexcept {
    T value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

// One's-complement addition: adds the carry out of the top bit at the bottom.
[[nodiscard]] inline u64 add_with_carry(u64 left, u64 right) noexcept {
    u64 sum;
    const bool carry = __builtin_add_overflow(left, right, &sum);
    return sum + carry;
}

[[nodiscard]] constexpr u16 fold_native(u64 sum) noexcept {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>((sum & 0xffff) + (sum >> 16));
}

// Byte swapping commutes with one's-complement addition, so a whole sum is swapped once.
// RFC 1071 section 2 (B).
[[nodiscard]] constexpr u16 native_to_numeric(u16 folded) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
        return static_cast<u16>((u32{folded} << 8) | (u32{folded} >> 8));
    } else {
        return folded;
    }
}

// A native sum in host terms, unfolded (below 2^41): modulo 65535, a sum of native words times 256
// equals the sum of swapped words.
[[nodiscard]] constexpr u64 numeric_of(u64 native) noexcept {
    const u64 narrow = (native & 0xffffffff) + (native >> 32);
    return std::endian::native == std::endian::little ? narrow << 8 : narrow;
}

// What a loop does with each value that it summed: nothing, or it stores it at `to`.
struct no_copy {
    [[gnu::always_inline]] void operator()(const void*, std::size_t) noexcept {}
};
struct copy_to {
    std::byte* to;

    [[gnu::always_inline]] void operator()(const void* value, std::size_t size) noexcept {
        __builtin_memcpy(to, value, size);
        to += size;
    }
};
template <class T, class Copy>
[[nodiscard, gnu::always_inline]] inline T load_native(const std::byte* from, Copy& copy) noexcept {
    const T value = load_native<T>(from);
    copy(&value, sizeof value);
    return value;
}

// The sum of the last 0 to 7 bytes, as if zeros followed them.
template <class Copy>
[[nodiscard]] inline u64 sum_tail(const std::byte* from, std::size_t count, Copy copy) noexcept {
    u64 sum = 0;
    if ((count & 4) != 0) {
        sum += load_native<u32>(from, copy);
        from += 4;
    }
    if ((count & 2) != 0) {
        sum += load_native<u16>(from, copy);
        from += 2;
    }
    if ((count & 1) != 0) {
        const u64 last = load_native<u8>(from, copy);
        sum += std::endian::native == std::endian::little ? last : last << 8;
    }
    return sum;
}

template <class Copy>
[[nodiscard]] inline u64 sum_portable(const std::byte* from, std::size_t count,
                                      Copy copy) noexcept {
    u64 a = 0;
    if (count >= 32) {
        u64 b = 0;
        u64 c = 0;
        u64 d = 0;
        do {
            a = add_with_carry(a, load_native<u64>(from, copy));
            b = add_with_carry(b, load_native<u64>(from + 8, copy));
            c = add_with_carry(c, load_native<u64>(from + 16, copy));
            d = add_with_carry(d, load_native<u64>(from + 24, copy));
            from += 32;
            count -= 32;
        } while (count >= 32);
        a = add_with_carry(add_with_carry(a, b), add_with_carry(c, d));
    }
    for (; count >= 8; count -= 8, from += 8)
        a = add_with_carry(a, load_native<u64>(from, copy));
    return add_with_carry(a, sum_tail(from, count, copy));
}

// The native sum of a header of any number of 32-bit words. Not inlined: options are rare, and the
// inlined loop causes false warnings where the compiler knows that the header has 20 bytes.
[[nodiscard, gnu::noinline]] inline u64 sum_long_header(const std::byte* header,
                                                        unsigned words) noexcept {
    u64 sum = 0;
    for (unsigned i = 0; i < words; ++i)
        sum += load_native<u32>(header + std::size_t{i} * 4);
    return sum;
}

// The native sum of a header of `words` (at least 5) 32-bit words.
[[nodiscard]] inline u64 sum_header(const std::byte* header, unsigned words) noexcept {
    if (words > 5) [[unlikely]]
        return sum_long_header(header, words);
    return u64{load_native<u32>(header)} + load_native<u32>(header + 4) +
           load_native<u32>(header + 8) + load_native<u32>(header + 12) +
           load_native<u32>(header + 16);
}

// The native sum of five words that were not written just before: wider loads would wait for
// narrower stores.
[[nodiscard]] inline u64 sum_received_header(const std::byte* header) noexcept {
    const u64 sum = add_with_carry(load_native<u64>(header), load_native<u64>(header + 8));
    return add_with_carry(sum, load_native<u32>(header + 16));
}

#if SLUICE_CHECKSUM_AVX2

// 64 bytes in each step. It makes 16-bit words signed by flipping their top bit (which subtracts
// 0x8000 from each), sums pairs into 32-bit lanes by multiply-and-add with ones, and adds the bias
// again at the end.
template <class Copy>
[[nodiscard, gnu::target("avx2")]] inline u64 sum_avx2(const std::byte* from, std::size_t count,
                                                       Copy copy) noexcept {
    using words = short __attribute__((vector_size(32)));
    using lanes = int __attribute__((vector_size(32)));
    using quads = unsigned long long __attribute__((vector_size(32)));
    constexpr short top = -0x8000;
    const words flip = {top, top, top, top, top, top, top, top,
                        top, top, top, top, top, top, top, top};
    const words ones = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    // Each step adds four words to a lane: unbiased, a lane stays below 2^18 * 2^13 = 2^31.
    constexpr std::size_t steps_at_most = 8192;

    u64 sum = 0;
    while (count >= 64) {
        const std::size_t steps = count / 64 < steps_at_most ? count / 64 : steps_at_most;
        lanes low = {};
        lanes high = {};
        for (std::size_t i = 0; i < steps; ++i, from += 64) {
            words first;
            words second;
            __builtin_memcpy(&first, from, sizeof first);
            __builtin_memcpy(&second, from + 32, sizeof second);
            copy(&first, sizeof first);
            copy(&second, sizeof second);
            low += reinterpret_cast<lanes>(__builtin_ia32_pmaddwd256(first ^ flip, ones));
            high += reinterpret_cast<lanes>(__builtin_ia32_pmaddwd256(second ^ flip, ones));
        }
        count -= 64 * steps;
        // A biased lane lies within [-2^30, 2^30], and the sum of two within an int.
        const quads total = reinterpret_cast<quads>(low + high + static_cast<int>(steps << 17));
        const quads halves = (total & 0xffffffff) + (total >> 32);
        sum += halves[0] + halves[1] + halves[2] + halves[3];
    }
    return add_with_carry(sum, sum_portable(from, count, copy));
}

// For fewer bytes the four carry chains are faster.
inline constexpr std::size_t avx2_from = 128;

#endif

template <class Copy = no_copy>
[[nodiscard]] inline u64 sum_native(const std::byte* from, std::size_t count,
                                    Copy copy = {}) noexcept {
#if SLUICE_CHECKSUM_AVX2
    if (count >= avx2_from && __builtin_cpu_supports("avx2")) return sum_avx2(from, count, copy);
#endif
    return sum_portable(from, count, copy);
}

}  // namespace sluice::checksum::detail
