// link_header: which header the packets of an interface begin with, and how long it is.
//
// Expects: a packet as the interface gives or takes it. Never: guesses: it is unknown of kinds that
// hardware_type.hpp does not list.
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
