// ARP frames as Linux sends them, and the first judgement of those that come.
//
// Expects: 42 octets of room. Does: writes requests and replies; tells a sane ARP packet from one
// that nobody may believe. Never: pads: that is the device's. Cost: a few stores. RFC 826, RFC 1812
// section 3.3.2.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/wire/arp.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cstddef>

namespace sluice::arp {

inline constexpr std::size_t frame_size = ethernet::layout::size + layout::size;
static_assert(frame_size == 42);

constexpr void write_frame(std::byte* to, ethernet::address destination,
                           const packet& contents) noexcept {
    const ethernet::header link{destination, contents.sender_hardware, ethernet::types::arp};
    static_cast<void>(link.emit({to, ethernet::layout::size}));
    static_cast<void>(contents.emit({to + ethernet::layout::size, layout::size}));
}

// "Who has target? Tell sender." The target's hardware address stays zero even when one neighbour
// alone is asked.
[[nodiscard]] constexpr packet make_request(ethernet::address hardware, ipv4::address sender,
                                            ipv4::address target) noexcept {
    return {operations::request, hardware, sender, {}, target};
}

// The answer to a request for one of our addresses.
[[nodiscard]] constexpr packet make_reply(ethernet::address hardware,
                                          const packet& request) noexcept {
    return {operations::reply, hardware, request.target_protocol, request.sender_hardware,
            request.sender_protocol};
}

// Whether anything may be done about it: a request or a reply about unicast addresses. A router
// must not believe that a group address is somebody's link address, RFC 1812 section 3.3.2; Linux
// leaves that to the operator.
[[nodiscard]] constexpr bool is_believable(const packet& p) noexcept {
    const auto is_host = [](ipv4::address a) {
        return !a.is_multicast() && !a.is_loopback() && !a.is_limited_broadcast();
    };
    return (p.operation == operations::request || p.operation == operations::reply) &&
           p.sender_hardware.is_valid_unicast() && is_host(p.sender_protocol) &&
           is_host(p.target_protocol);
}

// Says something of its own sender, to everybody. RFC 5227 section 3.
[[nodiscard]] constexpr bool is_announcement(const packet& p) noexcept {
    return p.sender_protocol == p.target_protocol &&
           (p.operation == operations::request || p.target_hardware == p.sender_hardware);
}

}  // namespace sluice::arp
