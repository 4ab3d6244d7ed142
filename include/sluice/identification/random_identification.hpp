// random_identification: identifications in random order, one sequence for all flows.
//
// It takes the 65536 values in the order of a keyed permutation, then of another. No value repeats
// within a permutation, and the values seen do not reveal the next. It stores no flows, but all
// flows together wrap after 65536 datagrams, and a value may come twice around the wrap. For
// senders that fragment, flow_identification repeats values later (RFC 4963).
//
// Expects: a secret key.
// Cost:    one hash and one permutation; 40 bytes.
// Source:  RFC 7739 section 5.2.
#pragma once

#include <sluice/identification/concept.hpp>
#include <sluice/identification/keyed_permutation.hpp>

#include <cstddef>

namespace sluice {

class random_identification {
public:
    static constexpr std::size_t memory_limit = 40;

    constexpr explicit random_identification(hash_key secret) noexcept : secret_(secret) {}

    // A device that cuts segments counts up from this value.
    [[nodiscard]] constexpr u16 next(ipv4::address, ipv4::address, u8, u16, instant) noexcept {
        const u64 walk = count_ >> 16;
        return keyed_permutation(siphash(secret_, walk), static_cast<u16>(count_++));
    }

private:
    hash_key secret_;
    u64 count_ = 0;
};
static_assert(identification_policy<random_identification>);
static_assert(sizeof(random_identification) <= random_identification::memory_limit);

}  // namespace sluice
