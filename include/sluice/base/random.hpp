// random_source, keyed_random: random numbers as an argument, and one source seeded by its owner.
//
// A program takes the seed from its operating system, a test writes a constant. Outsiders who see
// some numbers cannot predict others.
//
// Expects: a seed that outsiders do not know.
// Never:   asks the operating system.
// Cost:    one SipHash for a number; below() needs one for two numbers.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/siphash.hpp>

#include <concepts>

namespace sluice {

// Exemplar: struct source { u64 next() noexcept; };   Model: keyed_random.
template <class R>
concept random_source = requires(R& r) {
    { r.next() } noexcept -> std::same_as<u64>;
};

class keyed_random {
public:
    constexpr explicit keyed_random(hash_key seed) noexcept : key_(seed) {}

    [[nodiscard]] constexpr u64 next() noexcept { return siphash(key_, ++counter_); }

    // A number in 0 .. bound-1 (0 when bound is 0), made of 32 random bits: its bias is under
    // 2^-32.
    [[nodiscard]] constexpr u32 below(u32 bound) noexcept {
        return static_cast<u32>((u64{next_half()} * bound) >> 32);
    }

private:
    // Returns the high half of a new number, then its low half.
    [[nodiscard]] constexpr u32 next_half() noexcept {
        has_low_ = !has_low_;
        if (!has_low_) {
            return low_;
        }
        const u64 both = next();
        low_ = static_cast<u32>(both);
        return static_cast<u32>(both >> 32);
    }

    hash_key key_;
    u64 counter_ = 0;
    u32 low_ = 0;
    bool has_low_ = false;
};
static_assert(random_source<keyed_random>);

// Draws a key from a random source.
template <random_source Source>
[[nodiscard]] constexpr hash_key draw_key(Source& source) noexcept {
    const u64 low = source.next();
    return {low, source.next()};
}

}  // namespace sluice
