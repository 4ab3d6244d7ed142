// next_hop and egress: where a packet goes, as a number on the packet path and as what an output
// needs to know. Expects: next_hop ids given out by the route policy in use. Does: names. Cost: 4
// and 8 bytes.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

// The number of a route entry in the route policy that gave it; none: no route.
enum class next_hop : u32 { none = 0xffffffff };

// What the link layer is to make of the packet's destination.
enum class link_destination : u8 { unicast, broadcast, multicast };

// By which interface a packet leaves, and to whom on that link.
struct egress {
    u16 interface = 0;
    link_destination kind = link_destination::unicast;
    ipv4::address next_hop{};  // the gateway, or the destination itself

    friend constexpr bool operator==(const egress&, const egress&) noexcept = default;
};

}  // namespace sluice
