// drain: handles the packets in the work queue before a call returns. entrance: a call that ends
// so.
//
// It lets queued packets go on that got their verdict meanwhile, does the items of the work queue
// in order, then flushes the outputs. It does at most work_budget items per packet or call; the
// rest waits for the next call, and poll() returns `now`.
//
// Cost:    one test when the queue is empty.
// Source:  Linux process_backlog, net_rx_action.
#pragma once

#include <sluice/stack/reinject.hpp>

#include <utility>

namespace sluice::acts {

// A packet causes few items. The limit is for hooks and handlers that reply to replies.
inline constexpr std::size_t work_budget = 4 * work_queue_size;

template <class Core>
[[nodiscard]] constexpr bool has_work(const Core& c) noexcept {
    return !c.later.empty() || c.calls.wants_poll || has_judged(c.gates);
}

// The next hop did not answer. RFC 1812 section 5.2.7.1.
inline constexpr decision no_answer =
    decision::reject(drop_reason::neighbour_unreachable, icmp_request::host_unreachable());

// Handles a packet that its link could not deliver, for the reason in `why`. Linux
// ipv4_link_failure.
template <class Core>
constexpr void fail_link(Core& c, typename Core::packet_type&& packet,
                         const decision& why) noexcept {
    if (pipeline::validator::check(packet) == drop_reason::none) {
        send_error(c, packet, why.error(), route_type::unicast);
    }
    static_cast<void>(drop(c.books, std::move(packet), why.reason()));
}

namespace detail {

template <class Core>
constexpr void work_one(Core& c, work_item<typename Core::packet_type>&& item) noexcept {
    switch (item.kind) {
    case work_kind::receive:
        static_cast<void>(receive(c, std::move(item.packet)));
        break;
    case work_kind::receive_own:
        static_cast<void>(receive_own(c, std::move(item)));
        break;
    case work_kind::send:
        static_cast<void>(output_now(c, std::move(item.packet), item.route, item.counters));
        break;
    case work_kind::link_failure:
        fail_link(c, std::move(item.packet), item.back);
        break;
    case work_kind::multicast:
        if constexpr (!Core::multicast_type::never_routes) {
            if (auto* const table = multicast_table(c.multicast, item.number)) {
                static_cast<void>(resume_multicast(c, *table, std::move(item.packet)));
            }
        }
        break;
    }
}

}  // namespace detail

// Handles items until the queue or the budget is empty, and reduces the budget.
template <class Core>
[[gnu::noinline]] constexpr void drain(Core& c, std::size_t& budget) noexcept {
    for (; budget > 0 && has_work(c); --budget) {
        if (std::exchange(c.calls.wants_poll, false)) {
            expire_fragments(c);
            if constexpr (!Core::multicast_type::never_routes) {
                expire_multicast(c);
            }
        } else if (has_judged(c.gates)) {
            reinject_judged(c);
        } else {
            detail::work_one(c, c.later.pop());
        }
    }
}

// Ends a call from outside. A flushed output may cause more work.
template <class Core>
constexpr void finish(Core& c) noexcept {
    std::size_t budget = work_budget;
    do {
        if (has_work(c)) {
            drain(c, budget);
        }
        c.device.output.flush();
    } while (has_work(c) && budget > 0);
}

// A call that does the work it caused when it ends.
template <class Core>
class entrance : call<Core> {
public:
    constexpr entrance(Core& c, moment now) noexcept : call<Core>(c, now), c_(c) {}
    entrance(const entrance&) = delete;
    entrance& operator=(const entrance&) = delete;
    constexpr ~entrance() {
        if (!c_.calls.is_nested()) {
            finish(c_);
        }
    }

private:
    Core& c_;
};

}  // namespace sluice::acts
