// books: a stack's counters, its balance, its observer, and the functions that drop packets.
//
// Expects: a stats policy and an observer.
// Never:   decides; reads a packet's bytes.
// Cost:    that of the policies; a trace costs nothing with null_observer.
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
    bool is_observing = false;  // calls made by the observer are not observed

    constexpr void count(mib counter, u64 n = 1) noexcept { counters.add(counter, n); }
    constexpr void tally(balance kind, u64 n = 1) noexcept { counters.tally(kind, n); }
    // Counts packets that ended apart from the packet being processed.
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
    // `value` counts only if the decision is not to reject.
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

// Neither is inlined: they are off the main path of their many callers.

// Counts the drop of a packet whose handle is empty already: it was fragmented, or a policy took
// it.
template <class Books>
[[gnu::noinline]] constexpr fate dropped(Books& b, drop_reason why) noexcept {
    b.count_drops(why, 1);
    b.last_drop = why;
    return fate::dropped;
}

// Drops the packet, counts the reason, and returns the buffer to its source.
template <class Books, class Packet>
[[gnu::noinline]] constexpr fate drop(Books& b, Packet&& packet, drop_reason why) noexcept {
    const Packet ended = std::move(packet);
    b.trace(stage::end, decision_kind::drop, why, ended.interface());
    return dropped(b, why);
}

}  // namespace acts

}  // namespace sluice
