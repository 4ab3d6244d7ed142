// counter_identification: 0, 1, 2 and so on, for tests that state the identifications they expect.
//
// Never:   hides anything: whoever sees two values knows how many datagrams were sent in between,
//          and the next value (RFC 7739 section 3). Not for a network.
// Cost:    2 bytes.
#pragma once

#include <sluice/identification/concept.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

class counter_identification {
public:
    static constexpr std::size_t memory_limit = 2;

    constexpr explicit counter_identification(hash_key) noexcept {}

    [[nodiscard]] constexpr u16 next(ipv4::address, ipv4::address, u8, u16 segments,
                                     instant) noexcept {
        return std::exchange(next_, static_cast<u16>(next_ + segments));
    }

private:
    u16 next_ = 0;
};
static_assert(identification_policy<counter_identification>);
static_assert(sizeof(counter_identification) <= counter_identification::memory_limit);

}  // namespace sluice
