// # stats_policy and observer
//
// A **stats_policy** keeps the counters. Only the stack moves them: `add(counter, n)`,
// `icmp_in(type)`, `icmp_out(type)`, and `dropped(reason)`, which also moves the counters that the
// row of the reason names. `tally(kind, n)` keeps the balance of fates.
//
// An **observer** sees each decision: `observe(event)` with stage, decision, drop reason and
// interface; stats/explain.hpp puts it into words. If `never_observes` is true, the compiler
// removes the call.
//
// Exemplars:
//
//     struct counters {
//         void add(mib counter, u64 n) noexcept;
//         void icmp_in(u8 type) noexcept;
//         void icmp_out(u8 type) noexcept;
//         void dropped(drop_reason why, u64 n) noexcept;
//         void tally(balance kind, u64 n) noexcept;
//     };
//     struct watcher {
//         static constexpr bool never_observes = false;
//         void observe(const trace_event& e) noexcept;
//     };
//
// Models of stats_policy: `snmp_counters`, `no_stats`. Models of observer: `null_observer`,
// `recording_observer<N>`.
#pragma once

#include <sluice/packet/decision.hpp>
#include <sluice/packet/mib.hpp>

#include <concepts>

namespace sluice {

// The balance that always holds: received + originated + copied = delivered + transmitted +
// absorbed + dropped (by reason) + held now.
enum class balance : u8 { received, originated, copied, delivered, transmitted, absorbed };
inline constexpr unsigned balance_kinds = 6;

template <class S>
concept stats_policy = requires(S& s, mib counter, u64 n, u8 type, drop_reason why, balance kind) {
    { s.add(counter, n) } noexcept;
    { s.icmp_in(type) } noexcept;
    { s.icmp_out(type) } noexcept;
    { s.dropped(why, n) } noexcept;
    { s.tally(kind, n) } noexcept;
};

// The stages and acts of a packet, in their order.
enum class stage : u8 {
    receive,
    validate,
    hook,
    classify,
    options,
    deliver,
    reassemble,
    handler,
    icmp_input,
    forward,
    fragment,
    originate,
    icmp_error,
    output,
    end,  // the packet was dropped
};

struct trace_event {
    stage where{};
    decision_kind what{};
    drop_reason why = drop_reason::none;
    u8 detail = 0;  // by stage: hook point, protocol or ICMP type; of reject the ICMP type
    u16 interface = 0;
    u8 code = 0;    // of reject and icmp_error: the ICMP code
    u32 value = 0;  // by stage: bytes, next hop, fragments; of reject the ICMP header's second word
};

template <class O>
concept observer = requires(O& o, const trace_event& e) {
    { O::never_observes } -> std::convertible_to<bool>;
    { o.observe(e) } noexcept;
};

}  // namespace sluice
