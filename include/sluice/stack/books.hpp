// books: what a stack writes down: its counters, its balance, what its observer is told, and the
// one place where packets end unwanted.
// Expects: a stats policy and an observer. Does: counts, traces, drops. Never: decides, looks at an
// byte. Cost: the policies' own; with null_observer a trace is nothing.
#pragma once

#include <sluice/packet/decision.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/mib.hpp>
#include <sluice/stats/concept.hpp>

#include <utility>

namespace sluice {

template <class Stats, class Observer>
struct stack_books {
    static constexpr bool is_observed = !Observer::never_observes;

    Stats counters{};
    [[no_unique_address]] Observer observer{};
    drop_reason last_drop = drop_reason::none;
    bool is_observing = false;  // what an observer causes itself it is not told: it could go on

    constexpr void count(mib counter, u64 n = 1) noexcept { counters.add(counter, n); }
    constexpr void tally(balance kind, u64 n = 1) noexcept { counters.tally(kind, n); }
    // Packets that ended, whatever became of those they belonged to.
    constexpr void count_drops(drop_reason why, u64 n) noexcept { counters.dropped(why, n); }

    constexpr void trace(stage where, decision_kind what, drop_reason why = drop_reason::none,
                         u16 interface_index = 0, u32 value = 0, u8 detail = 0,
                         u8 code = 0) noexcept {
        if constexpr (is_observed) {
            if (!std::exchange(is_observing, true)) {
                observer.observe({where, what, why, detail, interface_index, code, value});
                is_observing = false;
            }
        }
    }
    // `value` is of a decision that refuses nothing.
    constexpr void trace(stage where, const decision& d, u16 interface_index = 0,
                         u32 value = 0) noexcept {
        if (d.kind() == decision_kind::reject) {
            const icmp_request e = d.error();
            trace(where, d.kind(), d.reason(), interface_index, e.info(), e.type(), e.code());
        } else {
            trace(where, d.kind(), d.reason(), interface_index, value);
        }
    }
};

namespace acts {

// Both stand apart from their many callers, whose way is another.

// Of a packet that is no more: it became its pieces, or a policy has it.
template <class Books>
[[gnu::noinline]] constexpr fate dropped(Books& b, drop_reason why) noexcept {
    b.count_drops(why, 1);
    b.last_drop = why;
    return fate::dropped;
}

// The buffer goes back with the argument.
template <class Books, class Packet>
[[gnu::noinline]] constexpr fate drop(Books& b, Packet&& packet, drop_reason why) noexcept {
    const Packet ended = std::move(packet);
    b.trace(stage::end, decision_kind::drop, why, ended.interface());
    return dropped(b, why);
}

}  // namespace acts

}  // namespace sluice
