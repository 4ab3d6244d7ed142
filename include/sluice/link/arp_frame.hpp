// ARP frames as Linux sends them.
//
// Expects: 42 bytes of room. Does: writes requests, replies and announcements. Never: pads: that
// is the device's. Cost: a few stores. RFC 826, RFC 5227 section 2.3.
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
    static_cast<void>(emit_value(link, {to, ethernet::layout::size}));
    static_cast<void>(emit_value(contents, {to + ethernet::layout::size, layout::size}));
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

// Tells everybody on the link, unasked, whose link address that is. As Linux arp_notify sends it.
[[nodiscard]] constexpr packet make_announcement(ethernet::address hardware,
                                                 ipv4::address own) noexcept {
    return make_request(hardware, own, own);
}

}  // namespace sluice::arp
