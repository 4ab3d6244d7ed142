// # hook_policy
//
// Calls the user's code at the five hook points (Linux netfilter).
//
// `run(point, packet, context)` calls the hooks of the point, lowest priority number first, and
// returns their verdict:
//
// - `accept`, `drop`;
// - `stolen`: a hook took the packet. The handle is empty, or the hook returns the packet later;
// - `queue`: the stack holds the packet until the program gives its verdict (stack/hold.hpp);
// - `repeat`: the hook is called again, at most `max_repeats` times; then it counts as a drop.
//
// A hook that took the packet owns it, whatever verdict it returns. A hook that lets the packet
// continue may keep only a clone, and must unshare the packet before it changes bytes. A hook that
// keeps packets bounds them by number and by bytes, for example with `bounded_packet_queue`
// (packet/bounded_packet_queue.hpp), and asks `may_wait`, which leaves buffers for reception.
//
// `active(point)` returns whether the point has a hook. Constant: `never_active`: if true, the
// compiler removes the whole call.
//
// A policy whose hooks queue packets says how many the stack holds at most: `queue_capacity`. Then
// it also needs three functions. `queued_at()` returns the place of the hook that queued the last
// packet. `run_again(point, packet, context, place)` calls the hook of that place once more, and
// accepts if it is gone. `run_behind(point, packet, context, place)` calls the hooks that now stand
// behind the place. Without `queue_capacity` a stack has no queue, and `queue` counts as a drop.
// The program then decides at its leisure, for example in its loop:
//
//     while (const auto* q = router.queued().next(0)) {  // oldest first
//         const auto v = likes(q->packet) ? queue_verdict::accept : queue_verdict::drop;
//         (void)router.verdict(q->id, v, now);
//     }
//
// Exemplar:
//
//     struct tag {
//         template <class Packet> struct model {
//             static constexpr bool never_active = false;
//             bool active(hook_point p) const noexcept;
//             hook_verdict run(hook_point p, Packet& packet, const hook_context& c) noexcept;
//         };
//     };
//
// Models: `no_hooks` (the default: no byte, no branch), `hook_chain<N, Queued>`.
#pragma once

#include <sluice/base/integer.hpp>

#include <concepts>
#include <cstddef>

namespace sluice {

enum class hook_point : u8 { prerouting, local_in, forward, local_out, postrouting };
inline constexpr unsigned hook_points = 5;

enum class hook_verdict : u8 { accept, drop, stolen, queue, repeat };

struct hook_context {
    u16 in = 0;   // ingress; 0: this host sends the packet
    u16 out = 0;  // egress; 0: not known yet
};

template <class H>
concept has_hook_run =
    requires(H& h, hook_point p, typename H::packet_type& packet, const hook_context& c) {
        { h.run(p, packet, c) } noexcept -> std::same_as<hook_verdict>;
    };

template <class H>
concept tells_active = requires(const H& h, hook_point p) {
    { H::never_active } -> std::convertible_to<bool>;
    { h.active(p) } noexcept -> std::same_as<bool>;
};

// The place of a hook at its point. It names no other hook, also after the hook is gone.
struct hook_place {
    i32 priority = 0;
    u64 registration = 0;
};

// The number of packets that hooks may queue at a time.
template <class H>
inline constexpr std::size_t hook_queue_capacity = 0;
template <class H>
    requires requires { H::queue_capacity; }
inline constexpr std::size_t hook_queue_capacity<H> = H::queue_capacity;

template <class H>
concept goes_on_behind_hooks =
    hook_queue_capacity<H> == 0 || requires(H& h, hook_point p, typename H::packet_type& packet,
                                            const hook_context& c, const hook_place& at) {
        { h.queued_at() } noexcept -> std::convertible_to<hook_place>;
        { h.run_again(p, packet, c, at) } noexcept -> std::same_as<hook_verdict>;
        { h.run_behind(p, packet, c, at) } noexcept -> std::same_as<hook_verdict>;
    };

template <class T, class Packet>
concept hook_policy = has_hook_run<typename T::template model<Packet>> &&
                      tells_active<typename T::template model<Packet>> &&
                      goes_on_behind_hooks<typename T::template model<Packet>>;

template <std::size_t N = 8, std::size_t Queued = 0>
struct hook_chain;  // hooks/hook_chain.hpp

}  // namespace sluice
