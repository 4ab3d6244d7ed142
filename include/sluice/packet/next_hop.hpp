// next_hop: the id of a route entry, as a lookup returns it. egress: the interface, gateway and
// kind of link address with which an output sends a packet.
//
// Expects: next_hop ids of the route policy in use.
// Cost:    4 and 8 bytes.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

// The number of a route entry in its route policy; none: no route.
enum class next_hop : u32 { none = 0xffffffff };

// The kind of link address that the packet's destination needs.
enum class link_destination : u8 { unicast, broadcast, multicast };

// The interface that sends a packet, and the receiver on that link.
struct egress {
    u16 interface = 0;
    link_destination kind = link_destination::unicast;
    ipv4::address next_hop{};  // the gateway, or the destination itself

    friend constexpr bool operator==(const egress&, const egress&) noexcept = default;
};

}  // namespace sluice
