// ecn_summary: collects the ECN codepoints of the fragments of one datagram and merges them.
//
// Expects: the type-of-service byte of each held fragment.
// Cost:    one byte.
// Source:  RFC 3168 section 5.3; Linux ip_frag_ecn_table.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

class ecn_summary {
public:
    constexpr void add(u8 tos) noexcept { seen_ = static_cast<u8>(seen_ | (1u << (tos & 3))); }

    // Deviation: RFC 3168 section 5.3 asks to drop only not-ECT with CE. As Linux, not-ECT with any
    // other codepoint drops.
    [[nodiscard]] constexpr bool contradicts() const noexcept {
        constexpr unsigned plain = 1u << ipv4::ecn_codepoints::not_ect;
        return (seen_ & plain) != 0 && seen_ != plain;
    }
    // The bits to add to the header's own: CE if any fragment had it.
    [[nodiscard]] constexpr u8 bits() const noexcept {
        return (seen_ >> ipv4::ecn_codepoints::ce) != 0 ? ipv4::ecn_codepoints::ce : u8{0};
    }

private:
    u8 seen_ = 0;
};

}  // namespace sluice
