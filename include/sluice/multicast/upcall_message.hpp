// write_upcall: an event of multicast routing as the message that the kernel gives to a routing
// socket: an IPv4 header whose protocol is 0, with the event and the VIF in it.
//
// A daemon that reads such messages from a raw endpoint of IGMP then runs on the stack.
//
// Expects: a packet with its IPv4 header contiguous at data().
// Cost:    a copy of the header; for whole packets of all bytes.
// Source:  Linux ipmr_cache_report, struct igmpmsg.
// Deviation: the last six bytes of the short messages are 0; Linux leaves them uninitialized.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/multicast/route_concept.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

namespace detail {

[[nodiscard]] constexpr bool carries_packet(multicast_event_kind kind) noexcept {
    return kind == multicast_event_kind::whole_packet ||
           kind == multicast_event_kind::wrong_interface_packet;
}

}  // namespace detail

// The length of the message of an event about the packet.
template <class Packet>
[[nodiscard]] constexpr u32 upcall_size(const multicast_event& e, const Packet& packet) noexcept {
    if (e.kind == multicast_event_kind::message) {
        return packet.size();
    }
    if (detail::carries_packet(e.kind)) {
        return packet.size() + ipv4::min_header_length;
    }
    return static_cast<u32>(ipv4::header_length(ipv4::const_view{packet.data()})) + 8;
}

// Writes the message. Returns its length; 0: `room` is too small, or the length exceeds 65,535.
template <class Packet>
constexpr u32 write_upcall(bytes room, const multicast_event& e, const Packet& packet) noexcept {
    const u32 size = upcall_size(e, packet);
    if (size > room.size() || size > 0xffff) {
        return 0;
    }
    if (e.kind == multicast_event_kind::message) {
        packet.copy_to(room.data());
        return size;
    }
    const ipv4::const_view ip{packet.data()};
    const bool is_whole = detail::carries_packet(e.kind);
    const u32 header =
        is_whole ? u32{ipv4::min_header_length} : static_cast<u32>(ipv4::header_length(ip));
    copy_bytes(room.data(), packet.data(), header);
    if (is_whole) {
        packet.copy_to(room.data() + header);
        room[0] = std::byte{0x45};
    } else {
        for (u32 i = 0; i < 8; ++i) {
            room[header + i] = std::byte{0};
        }
        room[header] = static_cast<std::byte>(e.kind);
    }
    store_be<u16>(room.data() + 2, static_cast<u16>(size));
    room[8] = static_cast<std::byte>(e.kind);
    room[9] = std::byte{0};
    room[10] = static_cast<std::byte>(e.vif);
    room[11] = std::byte{0};
    return size;
}

}  // namespace sluice
