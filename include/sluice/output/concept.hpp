// # output_policy
//
// Transmits packets by an interface. It is a tag whose `model<Packet>` stores packets or passes
// them on.
//
// `transmit(packet, egress, now)` takes the packet and returns true, or leaves it with the caller
// and returns false (a full queue, a device that refuses). `now` is the time of the call into the
// stack. The packet begins with its IPv4 header. It may be segmented if `takes_segmented` is true:
// the model sends several pieces; otherwise the stack makes it contiguous first. If `takes_gso` is
// true, the packet may carry segmentation metadata and exceed the MTU, and its transport checksum
// may be pending (`packet/metadata.hpp`); otherwise the stack cuts it and finishes the checksum
// first. `flush()` ends a burst: the stack calls it once after each batch, so that a model may
// gather packets for one system call.
//
// The devices of one model may differ in the work that they finish, known at run time only. Then
// the model also has `offloads(egress)`, asked for packets with this metadata; `takes_gso` then
// only states whether a device may finish some of it.
//
// Next hops may have link addresses that must be found first. Then the model may have
// `resolve(egress, now)`: it returns whether the link address of the next hop is known, and asks
// for it if not. The stack follows no redirect to a gateway with an unknown link address.
//
// Exemplar:
//
//     struct tag {
//         template <class Packet> struct model {
//             static constexpr bool takes_segmented = false;
//             static constexpr bool takes_gso = false;
//             // True: moved from.
//             bool transmit(Packet& packet, const egress& to, instant now) noexcept;
//             void flush() noexcept;
//             output_offloads offloads(const egress& to) const noexcept;  // optional
//             bool resolve(const egress& to, instant now) noexcept;       // optional
//         };
//     };
//
// Models: `queue_output<N, Bytes>` (a bounded queue that the caller drains), `tee_output<First,
// Second>` (a copy to each), `by_interface<Output, N>` (an output for each interface),
// `with_tunnels<Output, N>` (some interfaces are tunnels),
// `callback_output` (a function of the caller's), `sender` of the ports.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/metadata.hpp>
#include <sluice/packet/next_hop.hpp>

#include <concepts>

namespace sluice {

// The work that an output does itself for packets of one egress (Linux NETIF_F_HW_CSUM,
// NETIF_F_TSO, NETIF_F_GSO_UDP_L4). It cuts segments only from packets with a pending checksum.
struct output_offloads {
    bool checksum = false;      // finishes pending checksums
    bool tcp_segments = false;  // cuts packets of segmentation_kind::tcp_ipv4
    bool udp_segments = false;  // cuts packets of segmentation_kind::udp

    [[nodiscard]] constexpr bool takes(const metadata& known) const noexcept {
        const bool pending = known.checksum == checksum_state::pending;
        switch (known.segmentation) {
        case segmentation_kind::tcp_ipv4:
            return pending && checksum && tcp_segments;
        case segmentation_kind::udp:
            return pending && checksum && udp_segments;
        case segmentation_kind::none:
            return !pending || checksum;
        default:
            return false;
        }
    }
    // The work that both outputs do.
    friend constexpr output_offloads operator&(output_offloads a, output_offloads b) noexcept {
        return {a.checksum && b.checksum, a.tcp_segments && b.tcp_segments,
                a.udp_segments && b.udp_segments};
    }
    friend constexpr bool operator==(output_offloads, output_offloads) noexcept = default;
};

// The offloads of a model for packets that leave by to.interface: its own answer, else takes_gso
// for all three. A model without takes_gso, which a frame_sink need not have, has none.
template <class O>
[[nodiscard]] constexpr output_offloads offloads_of(const O& output, const egress& to) noexcept {
    if constexpr (requires { output.offloads(to); }) {
        return output.offloads(to);
    } else if constexpr (requires { O::takes_gso; }) {
        return {O::takes_gso, O::takes_gso, O::takes_gso};
    } else {
        return {};
    }
}

// Whether packets go to the next hop without being held first. True for models without resolve().
template <class O>
[[nodiscard]] constexpr bool resolve_by(O& output, const egress& to, instant now) noexcept {
    if constexpr (requires { output.resolve(to, now); }) {
        return output.resolve(to, now);
    } else {
        return true;
    }
}

// The packet is passed by reference: a taken packet is moved from, a refused one stays with the
// caller, who counts it.
template <class O, class Packet>
concept has_transmit = requires(O& o, Packet& p, const egress& e, instant now) {
    { o.transmit(p, e, now) } noexcept -> std::same_as<bool>;
};

template <class O>
concept has_flush = requires(O& o) {
    { o.flush() } noexcept -> std::same_as<void>;
};

template <class O>
concept states_output_constants = requires {
    { O::takes_segmented } -> std::convertible_to<bool>;
    { O::takes_gso } -> std::convertible_to<bool>;
};

// A resolve() of another form would never be called: it is an error.
template <class O>
concept may_resolve = !requires { &O::resolve; } || requires(O& o, const egress& e, instant now) {
    { o.resolve(e, now) } noexcept -> std::same_as<bool>;
};

template <class O>
concept may_offload = !requires { &O::offloads; } || requires(const O& o, const egress& e) {
    { o.offloads(e) } noexcept -> std::same_as<output_offloads>;
};

template <class T, class Packet>
concept output_policy = has_transmit<typename T::template model<Packet>, Packet> &&
                        has_flush<typename T::template model<Packet>> &&
                        states_output_constants<typename T::template model<Packet>> &&
                        may_resolve<typename T::template model<Packet>> &&
                        may_offload<typename T::template model<Packet>>;

}  // namespace sluice
