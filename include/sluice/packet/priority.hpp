// priority_of_tos: the priority of a packet by its TOS, for the queues of outputs.
//
// The stack stores it with a packet that it forwards, and with one whose sender chose a TOS
// (metadata.priority), if it is not 0. Outputs read metadata().priority.
//
// Never:   returns 1, 3 or 5: the numbers are Linux's (0 best effort, 2 bulk, 4 interactive bulk, 6
//          interactive).
// Cost:    two tests of bits.
// Source:  RFC 1349; Linux rt_tos2priority, ip_tos2prio.
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice {

// The bits of a TOS that give a priority: low delay and high throughput.
inline constexpr u8 tos_bits_of_priority = 0x18;

[[nodiscard]] constexpr u32 priority_of_tos(u8 tos) noexcept {
    constexpr u32 by_bits[] = {0, 2, 6, 4};
    return by_bits[(tos & tos_bits_of_priority) >> 3];
}

}  // namespace sluice
