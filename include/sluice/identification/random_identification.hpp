// random_identification: identifications in random order, one sequence for all flows.
//
// It takes the 65536 values in the order of a keyed permutation, then of another. No value repeats
// within a permutation, and the values seen do not reveal the next. It stores no flows, but all
// flows together wrap after 65536 datagrams. For fast senders that fragment, linux_identification
// repeats values later (RFC 4963).
//
// Expects: a secret key.
// Cost:    four hashes; 40 bytes.
// Source:  RFC 7739 section 5.2.
#pragma once

#include <sluice/identification/concept.hpp>

#include <cstddef>

namespace sluice {

class random_identification {
public:
    static constexpr std::size_t memory_limit = 40;

    constexpr explicit random_identification(hash_key secret) noexcept : secret_(secret) {}

    // A device that cuts segments counts up from this value.
    [[nodiscard]] constexpr u16 next(ipv4::address, ipv4::address, u8, u16, instant) noexcept {
        const u64 walk = count_ >> 16;
        const auto step = static_cast<u16>(count_++);
        // A Feistel network of four rounds permutes 16 bits, whatever its round function.
        u32 left = step >> 8;
        u32 right = step & 0xff;
        for (u64 round = 0; round < 4; ++round) {
            const u64 mixed = siphash(secret_, walk, round << 8 | right);
            const u32 next_right = left ^ static_cast<u32>(mixed >> 56);
            left = right;
            right = next_right;
        }
        return static_cast<u16>(left << 8 | right);
    }

private:
    hash_key secret_;
    u64 count_ = 0;
};
static_assert(identification_policy<random_identification>);
static_assert(sizeof(random_identification) <= random_identification::memory_limit);

}  // namespace sluice
