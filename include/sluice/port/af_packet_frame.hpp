// Stores the properties that AF_PACKET delivers beside a frame in the packet.
//
// They are link addressing, checksum state, segmentation, the time of reception, and the VLAN tag
// that the kernel removed; the tag is inserted again. Bytes that do not fit the first buffer go
// into further ones.
//
// Expects: a packet that begins with the frame as the kernel delivered it.
// Never:   keeps a tagged frame without its tag, because the frame belongs to another network. A
//          socket of one EtherType sees no tags: the kernel removes them for good, and marks the
//          frames of VLANs PACKET_OTHERHOST.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/port/af_packet_abi.hpp>
#include <sluice/port/receive_batch.hpp>
#include <sluice/port/virtio_net.hpp>

namespace sluice::port::af_packet::detail {

struct arrival {
    u8 type = 0;         // abi::packet_types
    u16 link_bytes = 0;  // bytes in front of the network header
    u32 status = 0;      // abi::status
    u16 tag = 0;
    u16 tag_type = 0;
    duration time{};  // 0: not asked for
};

[[nodiscard]] constexpr link_addressing addressing_of(u8 kernel) noexcept {
    switch (kernel) {
    case abi::packet_types::host:
        return link_addressing::host;
    case abi::packet_types::broadcast:
        return link_addressing::broadcast;
    case abi::packet_types::multicast:
        return link_addressing::multicast;
    default:
        return link_addressing::other_host;
    }
}

template <class Packet>
[[nodiscard]] constexpr bool put_tag_back(Packet& packet, const arrival& how) noexcept {
    constexpr std::size_t addresses = 12;
    std::byte* const frame = packet.head_size() < addresses ? nullptr : packet.push(4);
    if (frame == nullptr) {
        return false;
    }
    move_bytes(frame, frame + 4, addresses);
    const bool named = (how.status & abi::status::tag_type_valid) != 0;
    store_be<u16>(frame + addresses, named ? how.tag_type : ethernet::types::vlan);
    store_be<u16>(frame + addresses + 2, how.tag);
    return true;
}

// Whether the kernel marked the packet as of another protocol. Never so for a frame, which has an
// EtherType itself.
[[nodiscard]] inline bool is_of_another_protocol(const abi::link_address& from,
                                                 link_header link) noexcept {
    return link == link_header::none &&
           load_be<u16>(reinterpret_cast<const std::byte*>(&from.protocol)) !=
               ethernet::types::ipv4;
}

// False: the metadata does not fit the frame, there is no room or no place for the tag, or the
// frame has a link header although the interface should have none (PPP over HDLC).
template <class Packet>
[[nodiscard]] constexpr bool set_arrival(Packet& packet, const virtio_net::header& offload,
                                         const arrival& how, link_header link) noexcept {
    packet.set_addressing(addressing_of(how.type));
    const bool has_header = link == link_header::ethernet;
    if ((!has_header && how.link_bytes != 0) || !virtio_net::set_metadata(packet, offload, link)) {
        return false;
    }
    if (how.time != duration{}) {
        packet.writable_metadata().received_at = how.time;
    }
    const bool tagged = (how.status & abi::status::tag_valid) != 0;
    return !tagged || (has_header ? put_tag_back(packet, how) : (how.tag & 0x0fff) == 0);
}

using port::detail::append_bytes;

}  // namespace sluice::port::af_packet::detail
