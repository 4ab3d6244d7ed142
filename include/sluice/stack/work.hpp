// work: what waits for its turn inside a call, and the call itself: how deep it is, and its time.
// Expects: a core. Does: puts off what would recurse: a packet that was received or sent from
// within a call, one that comes back to ourselves, one that the link could not deliver. Never: does
// the work (drain.hpp). Cost: the queue's.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/packet/mib.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/stack/books.hpp>

#include <utility>

namespace sluice {

// So many packets wait, of 4,096 bytes or one block each.
inline constexpr std::size_t work_queue_size = 64;

// What is counted of a packet that a program sends.
struct send_counters {
    bool request = true;        // Ip.OutRequests
    mib sent = mib::none;       // when it went
    mib no_buffer = mib::none;  // when there was no buffer for it
};

enum class work_kind : u8 { receive, receive_own, send, link_failure };

template <class Packet>
struct work_item {
    Packet packet{};
    // Of send: how it leaves. Of receive_own: the type of the route by which it left, and the
    // interface whose rules it meets.
    routing::output_route route{};
    decision back = decision::deliver();  // of receive_own: what that route makes of it
    u32 version = 0;                      // of receive_own: route_generation() when it left
    work_kind kind = work_kind::receive;
    send_counters counters{};
};

// The calls that are going on: from outside, and nested in it by a hook, a handler, an output or an
// observer.
struct call_state {
    moment now{};
    u8 depth = 0;
    bool wants_poll = false;

    // Whether the call at hand was made from within another one: it sends and receives nothing
    // itself, but leaves that to the work queue.
    [[nodiscard]] constexpr bool is_nested() const noexcept { return depth > 1; }
};

namespace acts {

// A call into the stack, as long as it lives. Time never goes back within a call.
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
