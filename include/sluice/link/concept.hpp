// # frame_sink and link_host
//
// The device below a link layer, and the host above it.
//
// A **frame_sink** sends whole frames by an interface: `send_frame` takes the frame and returns
// true, or leaves it with the caller; `now` is the time of the call. It must not call back into the
// link.
//
// A **link_host** knows the addresses: the link address of an interface; the IPv4 addresses that it
// answers for there (Linux answers on every interface for every local address); and the sender
// address of an ARP request for `target` (Linux inet_select_addr: the primary address of the
// network that holds the target, else the first of the interface), unspecified if there is none.
// Two members are optional: whether an address cannot be a neighbour's (a broadcast address;
// Linux's martian sources), and the reaction when another host claims a local address (RFC 5227
// section 2.4).
//
// Exemplars:
//
//     struct sink {
//         static constexpr bool takes_segmented = true;    // frames of several pieces
//         static constexpr bool takes_gso = true;          // optional, as output_policy's
//         output_offloads offloads(const egress& to) const noexcept;  // likewise
//         bool send_frame(Packet& frame, u16 interface, instant now) noexcept;
//         void flush() noexcept;
//     };
//     struct host {
//         ethernet::address hardware_address(u16 interface) const noexcept;
//         bool is_own(u16 interface, ipv4::address address) const noexcept;
//         ipv4::address source_for(u16 interface, ipv4::address target) const noexcept;
//         bool is_martian(u16 interface, ipv4::address sender) const noexcept;      // optional
//         void address_conflict(u16 interface, ipv4::address own,
//                               ethernet::address claimant) noexcept;               // optional
//     };
//
// Models of frame_sink: `port::tun::sender::model` of a TAP device. Of link_host:
// `single_link_host`.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/time.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/ethernet.hpp>

#include <concepts>

namespace sluice {

template <class S, class Packet>
concept frame_sink = requires(S& s, Packet& frame, u16 interface, instant now) {
    { s.send_frame(frame, interface, now) } noexcept -> std::same_as<bool>;
    { s.flush() } noexcept -> std::same_as<void>;
    { S::takes_segmented } -> std::convertible_to<bool>;
};

template <class H>
concept link_host = requires(H& h, u16 interface, ipv4::address address) {
    { h.hardware_address(interface) } noexcept -> std::same_as<ethernet::address>;
    { h.is_own(interface, address) } noexcept -> std::same_as<bool>;
    { h.source_for(interface, address) } noexcept -> std::same_as<ipv4::address>;
};

// A host with one interface and one address.
struct single_link_host {
    ethernet::address hardware;
    ipv4::address own;

    [[nodiscard]] constexpr ethernet::address hardware_address(u16) const noexcept {
        return hardware;
    }
    [[nodiscard]] constexpr bool is_own(u16, ipv4::address a) const noexcept { return a == own; }
    [[nodiscard]] constexpr ipv4::address source_for(u16, ipv4::address) const noexcept {
        return own;
    }
};
static_assert(link_host<single_link_host>);

}  // namespace sluice
