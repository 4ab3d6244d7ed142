// accept_fast: may this packet be forwarded at once? One branch for all rare conditions.
// Expects: tables; the packet's interface. Does: for a plain packet (20-octet header, no padding,
// right checksum, ordinary unicast addresses, not from ourselves, TTL left, to another interface
// whose MTU it fits) says yes and leaves the route entry in the hint, which is what the chain
//     validate -> classify -> forward
// decides for it; for every other packet no, and that chain says why. Never: changes the
// packet. Cost: the header, one probe of our addresses, one lookup; no branch but the last ones.
// RFC 1812 section 5.2. A test holds it equal to the chain (tests/scenario/fast_path.cpp).
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/pipeline/forward.hpp>
#include <sluice/routing/tables.hpp>

namespace sluice::pipeline {

// The route of the packet before, while the tables stay as they are (Linux ip_extract_route_hint).
struct route_hint {
    u64 key = 0;  // destination and tos; 0, to which no plain packet goes: none yet
    const route_entry* entry = nullptr;
};

namespace detail {

// Whether the header is one of the plain ones: all conditions are computed, then OR-ed.
[[nodiscard]] [[gnu::always_inline]] constexpr bool is_plain_header(const std::byte* h,
                                                                    u32 size) noexcept {
    const u32 first = load_be<u32>(h);
    const u32 source_top = static_cast<u32>(h[12]);
    const u32 destination_top = static_cast<u32>(h[16]);
    u32 rare = (first >> 24) ^ 0x45;
    rare |= (first & 0xffff) ^ size;
    rare |= static_cast<u32>(static_cast<u8>(h[8]) <= 1);
    // 0 and 224 to 255, and the loopback net: neither may stand in a plain packet.
    rare |= static_cast<u32>(source_top - 1 >= 223) | static_cast<u32>(source_top == 127);
    rare |= static_cast<u32>(destination_top - 1 >= 223) | static_cast<u32>(destination_top == 127);
    rare |= static_cast<u32>(!checksum::verify_header(h, 5));
    return rare == 0;
}

}  // namespace detail

// Inlined into the loop over the batch, so that tables and hint stay in registers.
// in: the packet's interface, whose path accepts fast; the caller asks once for many packets.
template <class Tables, packet_buffer Packet>
[[nodiscard]] [[gnu::always_inline]] constexpr bool
accept_fast(const Tables& t, const Packet& packet, u16 in, route_hint& hint) noexcept {
    const u32 size = packet.size();
    if (!packet.is_plain_host() || packet.is_shared() || size < ipv4::min_header_length) {
        return false;
    }
    const std::byte* h = packet.data();
    if (!detail::is_plain_header(h, size)) {
        return false;
    }
    const ipv4::const_view ip{h};
    const ipv4::address destination = ip[ipv4::destination];
    const u8 tos = routing::route_tos(static_cast<u8>(h[1]));
    if (const u64 key = (u64{destination.value} << 8) | tos; hint.key != key) {
        hint.key = key;
        hint.entry = &t.routes.at(
            tos == 0 ? t.routes.lookup(destination)
                     : t.routes.lookup(route_query{.destination = destination, .tos = tos}));
    }
    const route_entry& r = *hint.entry;
    const u32 mtu = t.interfaces.path_of(r.interface).output_mtu;
    u32 rare = static_cast<u32>(r.type) ^ static_cast<u32>(route_type::unicast);
    rare |= static_cast<u32>(r.interface == in) | static_cast<u32>(mtu == 0);
    // forwarding_mtu() of a size that fits a header.
    rare |= static_cast<u32>(size > (r.mtu != 0 ? r.mtu : mtu));
    rare |= static_cast<u32>(t.interfaces.is_own(ip[ipv4::source]));
    return rare == 0;
}

}  // namespace sluice::pipeline
