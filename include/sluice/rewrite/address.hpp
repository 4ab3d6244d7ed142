// rewrite::source, rewrite::destination: give a packet another address, or address and port.
//
// Use them in a hook that translates addresses:
//
//     return rewrite::source(packet, "192.0.2.77"_ip, 40'000) ? hook_verdict::accept
//                                                             : hook_verdict::drop;
//
// The checksums of the header and of TCP, UDP, UDP-Lite or DCCP stay right, also one that is left
// to the device, or UDP's that is absent. In a packet without ports (a later fragment, ICMP) only
// the address changes. A datagram has the same edits as members.
//
// Errors:  false, and nothing changed: the packet is no IPv4 datagram; there is no buffer for a
//          copy of shared bytes; a tiny first fragment has its checksum in another fragment.
// Never:   translates back inside a quoted ICMP error.
// Cost:    the checks of revalidate, a few loads and stores.
// Source:  RFC 1624 section 3; Linux inet_proto_csum_replace4.
#pragma once

#include <sluice/pipeline/validate.hpp>

#include <utility>

namespace sluice::rewrite {

namespace detail {

template <packet_buffer Packet, class Edit>
[[nodiscard]] constexpr bool edit_datagram(Packet& packet, Edit&& edit) noexcept {
    auto d = pipeline::revalidate(packet);
    if (!d) {
        return false;
    }
    const bool done = edit(*d);
    packet = std::move(*d).release();
    return done;
}

}  // namespace detail

template <packet_buffer Packet>
[[nodiscard]] constexpr bool source(Packet& packet, ipv4::address to) noexcept {
    return detail::edit_datagram(packet, [to](auto& d) { return d.rewrite_source(to); });
}
template <packet_buffer Packet>
[[nodiscard]] constexpr bool source(Packet& packet, ipv4::address to, u16 port) noexcept {
    return detail::edit_datagram(packet, [=](auto& d) { return d.rewrite_source(to, port); });
}
template <packet_buffer Packet>
[[nodiscard]] constexpr bool destination(Packet& packet, ipv4::address to) noexcept {
    return detail::edit_datagram(packet, [to](auto& d) { return d.rewrite_destination(to); });
}
template <packet_buffer Packet>
[[nodiscard]] constexpr bool destination(Packet& packet, ipv4::address to, u16 port) noexcept {
    return detail::edit_datagram(packet, [=](auto& d) { return d.rewrite_destination(to, port); });
}

}  // namespace sluice::rewrite
