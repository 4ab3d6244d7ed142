// arp_frame: ARP frames as Linux sends them: requests, replies and announcements.
//
// Expects: 42 bytes of room.
// Never:   pads a frame; the device does.
// Cost:    a few stores.
// Source:  RFC 826, RFC 5227 section 2.3.
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

// "Who has target? Tell sender." The target's hardware address stays zero, also in a request that
// is sent to one neighbour only.
[[nodiscard]] constexpr packet make_request(ethernet::address hardware, ipv4::address sender,
                                            ipv4::address target) noexcept {
    return {operations::request, hardware, sender, {}, target};
}

// The answer to a request for a local address.
[[nodiscard]] constexpr packet make_reply(ethernet::address hardware,
                                          const packet& request) noexcept {
    return {operations::reply, hardware, request.target_protocol, request.sender_hardware,
            request.sender_protocol};
}

// Announces the link address of a local address to the whole link. Linux arp_notify.
[[nodiscard]] constexpr packet make_announcement(ethernet::address hardware,
                                                 ipv4::address own) noexcept {
    return make_request(hardware, own, own);
}

}  // namespace sluice::arp
