// work: the work queue of a stack, and the state of the calls into it.
//
// A packet waits in the queue if a hook, handler, output or observer receives or sends it during a
// call, if it is looped back, or if the link could not deliver it. So no call recurses. drain.hpp
// takes the packets out at the end of the outer call.
//
// Cost:    one move of the packet into the queue.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/packet/mib.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/stack/books.hpp>

#include <utility>

namespace sluice {

// The number of packets that may wait. Together they hold at most 64 times 4,096 bytes, or 64
// blocks if a block is larger.
inline constexpr std::size_t work_queue_size = 64;

// The MIB counters that a sent packet moves.
struct send_counters {
    bool request = true;        // Ip.OutRequests
    mib sent = mib::none;       // counted when the packet is sent
    mib no_buffer = mib::none;  // counted when no buffer is free
};

// multicast: waited for its multicast entry.
enum class work_kind : u8 { receive, receive_own, send, link_failure, multicast };

template <class Packet>
struct work_item {
    Packet packet{};
    // send: the packet's route. receive_own: the type of the route by which it was sent, and the
    // interface by which it is received.
    routing::output_route route{};
    // receive_own: the decision of that route. link_failure: why, and the error for the sender.
    decision back = decision::deliver();
    // receive_own: route_generation() when it was sent. multicast: the table of its entry.
    u32 number = 0;
    work_kind kind = work_kind::receive;
    send_counters counters{};
};

// The calls that run now: one from the program, and nested ones from hooks, handlers, outputs and
// observers.
struct call_state {
    moment now{};
    u8 depth = 0;
    bool wants_poll = false;

    // Whether the current call runs within another one. Then the packets that it receives or sends
    // wait in the work queue.
    [[nodiscard]] constexpr bool is_nested() const noexcept { return depth > 1; }
};

namespace acts {

// Marks a call into the stack as long as the object exists. Time does not go back within a call.
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

// Puts a packet into the work queue; the caller has counted it as received or originated. Drops it
// for `work_queue_full` if the queue is full.
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
