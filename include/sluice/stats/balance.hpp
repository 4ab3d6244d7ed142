// balance_of(stack): the balance of fates, by which each packet is accounted for.
//
//     if (!balance_of(router).is_even()) { ... }  // some packet has no fate, or two
//
// Expects: counters that keep the balance (snmp_counters), between two packets.
// Never:   is uneven, in a stack that works: use it in tests, and at a program's end.
// Cost:    a pass over the drop reasons.
#pragma once

#include <sluice/stats/concept.hpp>

namespace sluice {

struct balance_sides {
    u64 in = 0;   // received, originated, copied
    u64 out = 0;  // delivered, transmitted, absorbed, dropped, held now

    [[nodiscard]] constexpr bool is_even() const noexcept { return in == out; }
};

template <class Stack>
[[nodiscard]] constexpr balance_sides balance_of(const Stack& stack) noexcept {
    using enum balance;
    const auto& n = stack.counters();
    return {n[received] + n[originated] + n[copied],
            n[delivered] + n[transmitted] + n[absorbed] + n.drops() + stack.held()};
}

}  // namespace sluice
