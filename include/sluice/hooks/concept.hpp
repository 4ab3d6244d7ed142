// # hook_policy
//
// Programs of the user's at the five points of the packet's way (Linux netfilter).
//
// `run(point, packet, context)` calls what is registered at the point, lowest priority number
// first, and answers `accept`, `drop`, `stolen` (a hook took the packet: the handle is empty or
// will be given back by it) or `queue` (the same, with the promise of a verdict later). A hook that
// took the packet has it, whatever it answers; what it keeps beside the packet is a clone, and what
// it changes it unshares first. A hook that
// answers `repeat` is called again, at most `max_repeats` times, then it counts as a drop.
// `active(point)` says whether anything is registered there: where `never_active` is true the
// compiler removes the whole call. A hook that keeps packets bounds them by number and by octets:
// `bounded_packet_queue` (packet/bounded_packet_queue.hpp) does, and `may_wait` leaves buffers to
// receive in.
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
// Models: `no_hooks` (the default: no byte, no branch), `hook_chain<N>`.
#pragma once

#include <sluice/base/integer.hpp>

#include <concepts>

namespace sluice {

enum class hook_point : u8 { prerouting, local_in, forward, local_out, postrouting };
inline constexpr unsigned hook_points = 5;

enum class hook_verdict : u8 { accept, drop, stolen, queue, repeat };

struct hook_context {
    u16 in = 0;   // interface it came by; 0 for what we originate
    u16 out = 0;  // interface it leaves by, once that is known
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

template <class T, class Packet>
concept hook_policy = has_hook_run<typename T::template model<Packet>> &&
                      tells_active<typename T::template model<Packet>>;

}  // namespace sluice
