// enter: receives packets for a stack: one packet, a batch, a packet that the link returns. poll:
// does what is due.
//
// Plain packets take the accept branch (forward_plain, receive_plain), all others the full path
// (receive). A batch is one pass: a plain packet is checked, routed, rewritten and passed to the
// output before the next one is read; with forward or postrouting hooks it passes these first
// (forward_hooked). In a nested call packets wait in the work queue until the current packet is
// done, so that no call recurses.
//
// Never:   uses a table entry after a hook, handler or output may have changed the table.
// Cost:    the accept branch.
// Source:  Linux net_rx_action, ip_list_rcv.
#pragma once

#include <sluice/stack/igmp_send.hpp>
#include <sluice/stack/receive_plain.hpp>

#include <span>
#include <utility>

namespace sluice::acts {

namespace detail {

template <class Core>
constexpr fate receive_later(Core& c, typename Core::packet_type&& packet, work_kind kind,
                             const decision& back = decision::deliver()) noexcept {
    if (!packet) {
        return fate::dropped;
    }
    c.books.tally(balance::received);
    return put_off(c, {.packet = std::move(packet), .back = back, .kind = kind});
}

}  // namespace detail

// Receives one packet that came in by packet.interface(), with its IPv4 header at data() and its
// link addressing. In a nested call it waits until the current packet is done (fate `held`).
template <class Core>
constexpr fate enter(Core& c, typename Core::packet_type&& packet, moment now) noexcept {
    const entrance<Core> here{c, now};
    if (c.calls.is_nested()) {
        return detail::receive_later(c, std::move(packet), work_kind::receive);
    }
    const u16 in = packet.interface();
    pipeline::route_hint hint;
    const auto as = detail::may_go_fast(c, in)
                        ? detail::judge(c, detail::accept_rules<Core>{c, in}, packet, hint)
                        : pipeline::accepted::no;
    if (as != pipeline::accepted::forward || detail::meets_hooks(c)) {
        return detail::receive_judged(c, packet, as, hint.hop);
    }
    detail::run_count count;
    detail::fast_counts fast;
    const bool left = detail::forward_at_once(c, packet, hint.hop, now.now, count);
    count.add_to(fast, 1);
    fast.refused = left ? 0 : 1;
    detail::commit(c.books, fast);
    return left ? fate::forwarded : fate::dropped;
}

// Receives a batch in order of arrival: the same as each packet alone, but outputs are flushed
// once.
template <class Core>
constexpr void enter(Core& c, std::span<typename Core::packet_type> batch, moment now) noexcept {
    const entrance<Core> here{c, now};
    if (c.calls.is_nested()) {
        for (auto& p : batch) {
            static_cast<void>(detail::receive_later(c, std::move(p), work_kind::receive));
        }
        return;
    }
    detail::fast_counts fast;
    auto* at = batch.data();
    auto* const end = at + batch.size();
    const typename Core::packet_type* due = at;
    fetch_first(c.tables.routes, due, end);
    announce_batch(c, batch);
    pipeline::route_hint hint;
    u32 hint_version = c.tables.route_generation();
    while (at != end) {
        if (has_work(c)) {
            std::size_t budget = work_budget;
            drain(c, budget);
        }
        if (const u32 version = c.tables.route_generation(); version != hint_version) {
            hint = {};
            hint_version = version;
        }
        const u16 in = at->interface();
        if (!detail::may_go_fast(c, in)) {
            if (at == due) {
                fetch_ahead(c.tables.routes, at, end, due);
            }
            static_cast<void>(detail::receive_slow(c, std::move(*at++)));
            continue;
        }
        const detail::accept_rules<Core> rules{c, in};
        // After delivered packets the next is probably of the same destination: the hint saves its
        // lookup. In the loop of forward_plain a hint from outside would cost registers.
        const bool delivers = hint.key != 0 && hint.hop.type == route_type::local;
        if (!delivers && !detail::meets_hooks(c)) {
            const u32 seen = c.tables.touched;
            const auto some = detail::most_of_a_run(std::span{at, end});
            const auto run = detail::forward_plain(c, rules, some, due, fast.refused);
            run.count.add_to(fast, static_cast<u64>(run.end - at));
            at = run.end;
            if (at == some.data() + some.size() || seen != c.tables.touched ||
                at->interface() != in) {
                continue;
            }
        }
        at = detail::receive_plain(c, rules, std::span{at, end}, due, hint);
    }
    announce_batch(c, {});
    detail::commit(c.books, fast);
}

// Handles a packet (its IPv4 header at data()) that the link could not deliver: `why` is a
// rejection.
template <class Core>
constexpr void enter_failed(Core& c, typename Core::packet_type&& packet, const decision& why,
                            moment now) noexcept {
    const entrance<Core> here{c, now};
    if (c.calls.is_nested()) {
        static_cast<void>(
            detail::receive_later(c, std::move(packet), work_kind::link_failure, why));
    } else if (packet) {
        c.books.tally(balance::received);  // returned by the link after it was transmitted
        fail_link(c, std::move(packet), why);
    }
}

// Carries out the program's verdict about a packet that a hook queued; within a call, once the
// current packet is done (fate `held`).
template <class Core>
[[nodiscard]] constexpr result<fate, queue_error>
enter_verdict(Core& c, u64 id, queue_verdict verdict, moment now) noexcept {
    const entrance<Core> here{c, now};
    auto& queue = c.gates.queue;
    if (queue.find(id) == nullptr) {
        return failure{queue_error::unknown_packet};
    }
    if (c.calls.is_nested()) {
        static_cast<void>(queue.judge(id, verdict));
        return fate::held;
    }
    return reinject(c, queue.take(id), verdict);
}

// Does what is due. Returns the next deadline (instant::never(): nothing waits; now: work is left,
// or the current call will do it).
template <class Core>
[[nodiscard]] constexpr instant poll(Core& c, moment now) noexcept {
    {
        const entrance<Core> here{c, now};
        c.calls.wants_poll = true;
        static_cast<void>(report_groups(c));
    }
    if (has_work(c)) {
        return c.calls.now.now;
    }
    instant next = c.tables.exceptions.expire(c.calls.now.now);
    const instant gives_up = c.local.reassembly.next_deadline();
    next = gives_up < next ? gives_up : next;
    const instant abandons = c.multicast.next_deadline();
    next = abandons < next ? abandons : next;
    if constexpr (speaks_igmp<typename Core::tables_type::groups_type>) {
        const instant reports = c.tables.groups.next_deadline();
        next = reports < next ? reports : next;
    }
    return next;
}

}  // namespace sluice::acts
