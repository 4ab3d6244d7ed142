// work: the work queue, for packets that have to wait for the end of a call; and the calls
// themselves.
//
// A packet is queued if it was received or sent from within a call, if it is looped back, or if the
// link could not deliver it: nothing recurses. drain.hpp does the work.
//
// Expects: a core.
// Cost:    the queue's.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/packet/mib.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/stack/books.hpp>

#include <utility>

namespace sluice {

// Packets that may wait; together at most so many times 4,096 bytes, or blocks if those are larger.
inline constexpr std::size_t work_queue_size = 64;

// The counters that a sent packet moves.
struct send_counters {
    bool request = true;        // Ip.OutRequests
    mib sent = mib::none;       // when it is sent
    mib no_buffer = mib::none;  // when no buffer is free
};

enum class work_kind : u8 { receive, receive_own, send, link_failure };

template <class Packet>
struct work_item {
    Packet packet{};
    // send: the packet's route. receive_own: the type of the route by which it was sent, and the
    // interface by which it is received.
    routing::output_route route{};
    decision back = decision::deliver();  // receive_own: the decision of that route
    u32 version = 0;                      // receive_own: route_generation() when it was sent
    work_kind kind = work_kind::receive;
    send_counters counters{};
};

// The current calls: from outside, and nested ones of a hook, a handler, an output or an observer.
struct call_state {
    moment now{};
    u8 depth = 0;
    bool wants_poll = false;

    // Whether the current call was made from within another: it leaves receiving and sending to the
    // work queue.
    [[nodiscard]] constexpr bool is_nested() const noexcept { return depth > 1; }
};

namespace acts {

// A call into the stack, while the object lives. Time never goes back within a call.
template <class Core>
class call {
public:
    constexpr call(Core& c, moment now) noexcept : calls_(c.calls) {
        if (calls_.depth++ == 0 || calls_.now.now < now.now) {
            calls_.now = now;
        }
        c.tables.touch();
    }
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    constexpr ~call() { --calls_.depth; }

private:
    call_state& calls_;
};

// Puts a packet that was counted as received or originated into the work queue.
template <class Core>
[[gnu::noinline]] constexpr fate put_off(Core& c,
                                         work_item<typename Core::packet_type>&& item) noexcept {
    constexpr u64 block = Core::chosen::buffers::block_capacity;
    constexpr u64 most = work_queue_size * (block > 4096 ? block : u64{4096});
    auto* const place = c.later.claim(item.packet, most);
    if (place == nullptr) {
        return drop(c.books, std::move(item.packet), drop_reason::work_queue_full);
    }
    *place = std::move(item);
    return fate::held;
}

}  // namespace acts

}  // namespace sluice
