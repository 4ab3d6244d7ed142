// # output_policy
//
// Takes packets that leave by an interface. It is a tag whose `model<Packet>` stores or hands on
// packets.
//
// `transmit(packet, egress)` takes the packet and returns true, or leaves it with the caller and
// returns false (a full queue, a device that refuses). The packet begins with its IPv4 header; it
// may be segmented where `takes_segmented` says that the model sends several pieces (otherwise the
// stack makes it contiguous before), and larger than the MTU with GSO facts where `takes_gso` says
// so. `flush()` ends a burst: called once after each batch, so that a model may gather packets for
// one system call.
//
// Exemplar:
//
//     struct tag {
//         template <class Packet> struct model {
//             static constexpr bool takes_segmented = false;
//             static constexpr bool takes_gso = false;
//             bool transmit(Packet& packet, const egress& to) noexcept;   // true: moved from
//             void flush() noexcept;
//         };
//     };
//
// Models: `queue_output<N>` (a bounded queue that the caller drains), `tee_output<First, Second>`
// (a copy to each), `callback_output` (a function of the caller's), `link_output` of the ports.
#pragma once

#include <sluice/packet/next_hop.hpp>

#include <concepts>

namespace sluice {

// A refused packet stays with the caller, who counts it: so it is passed by reference and moved
// from when taken.
template <class O, class Packet>
concept has_transmit = requires(O& o, Packet& p, const egress& e) {
    { o.transmit(p, e) } noexcept -> std::same_as<bool>;
};

template <class O>
concept has_flush = requires(O& o) {
    { o.flush() } noexcept -> std::same_as<void>;
};

template <class O>
concept states_output_facts = requires {
    { O::takes_segmented } -> std::convertible_to<bool>;
    { O::takes_gso } -> std::convertible_to<bool>;
};

template <class T, class Packet>
concept output_policy = has_transmit<typename T::template model<Packet>, Packet> &&
                        has_flush<typename T::template model<Packet>> &&
                        states_output_facts<typename T::template model<Packet>>;

}  // namespace sluice
