// link_header: the header with which the packets of an interface begin, and its length.
//
// It is unknown for kinds of interfaces that hardware_type.hpp does not list.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/ethernet.hpp>

namespace sluice::port {

enum class link_header : u8 {
    none,      // packets begin with the IP header
    ethernet,  // also of the loopback
    unknown
};

// Bytes in front of the IP header.
template <class Packet>
[[nodiscard]] constexpr u32 bytes_of(link_header link, const Packet& packet) noexcept {
    return link == link_header::ethernet ? ethernet::header_length(packet.head()) : 0;
}

}  // namespace sluice::port
