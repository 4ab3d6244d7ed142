// ecn_summary: merges the ECN codepoints of the fragments of one datagram.
//
// Expects: a bit for each codepoint that a held fragment had.
// Cost:    four bits.
// Source:  RFC 3168 section 5.3; Linux ip_frag_ecn_table.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

class ecn_summary {
public:
    // The bit of a codepoint among the four of a summary.
    [[nodiscard]] static constexpr u32 bit_of(u8 tos) noexcept { return 1u << (tos & 3); }
    // Of the codepoints with these bits.
    constexpr explicit ecn_summary(u32 seen) noexcept : seen_(seen & 0x0f) {}

    // Deviation: RFC 3168 section 5.3 asks to drop only not-ECT with CE. As Linux, not-ECT with any
    // other codepoint drops.
    [[nodiscard]] constexpr bool contradicts() const noexcept {
        constexpr u32 with_others = 0xaaa8;  // a bit for each set of not-ECT and others
        static_assert(ipv4::ecn_codepoints::not_ect == 0);
        return (with_others >> seen_ & 1) != 0;
    }
    // The bits to add to the header's own: CE if any fragment had it.
    [[nodiscard]] constexpr u8 bits() const noexcept {
        return static_cast<u8>((seen_ >> ipv4::ecn_codepoints::ce) * ipv4::ecn_codepoints::ce);
    }

private:
    u32 seen_;
};

}  // namespace sluice
