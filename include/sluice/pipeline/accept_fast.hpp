// accept_fast: decides whether a packet may be forwarded, or delivered, at once.
//
// It returns true for a plain packet: 20-byte header, no padding, right checksum, ordinary unicast
// addresses, a source that is not local, TTL above 1, an egress other than the ingress, no larger
// than its MTU. The next hop is
// then in the hint. The stages validate, classify, forward decide the same for this packet. For
// every other packet it returns false, and the stages decide. judge_fast() also recognizes plain
// packets whose route is local.
//
// Expects: tables; the packet's interface.
// Never:   changes the packet; reads a route if the table stores hops.
// Cost:    the header, one probe of the local addresses, one lookup. Each rare condition is a
//          branch of its own: predicted branches cost less than computing all conditions for a
//          single one.
// Source:  RFC 1812 section 5.2. tests/scenario/fast_path.cpp holds it equal to the stages.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/pipeline/forward.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/route/hop.hpp>
#include <sluice/routing/tables.hpp>

#include <type_traits>
#include <utility>

namespace sluice::pipeline {

// The hop of the previous packet, valid while the tables do not change (Linux
// ip_extract_route_hint).
struct route_hint {
    u64 key = 0;  // destination and tos; 0: the hint is empty
    hop_entry hop{};
};

// How a packet may be handled without further checks.
enum class accepted : u8 {
    no,
    forward,
    local  // deliver, unless its source is a local address
};

namespace detail {

// First bytes that neither address of a plain packet has: 0, 127 (the loopback net), 224 to 255.
struct special_bytes {
    u8 is_special[256]{};

    constexpr special_bytes() noexcept {
        for (u32 i = 0; i < 256; ++i) {
            is_special[i] = i == 0 || i == 127 || i >= 224 ? 1 : 0;
        }
    }
};
inline constexpr special_bytes first_bytes{};

// Whether the header is that of a plain packet.
[[nodiscard]] [[gnu::always_inline]] constexpr bool is_plain_header(const std::byte* h,
                                                                    u32 size) noexcept {
    if (ipv4::differs_from_plain(h, size) != 0) [[unlikely]] {
        return false;
    }
    if (static_cast<u8>(h[8]) <= 1) [[unlikely]] {
        return false;
    }
    if ((first_bytes.is_special[static_cast<u8>(h[12])] |
         first_bytes.is_special[static_cast<u8>(h[16])]) != 0) [[unlikely]] {
        return false;
    }
    return checksum::verify_header(h, 5);
}

}  // namespace detail

// All of these are inlined into the loops over a batch, so that tables and hint stay in registers.

// The header of a plain packet, whose hop it stores in the hint; nullptr: it is not plain.
template <class Tables, packet_buffer Packet>
[[nodiscard]] [[gnu::always_inline]] constexpr const std::byte*
find_plain_hop(const Tables& t, const Packet& packet, route_hint& hint) noexcept {
    if (!packet.is_plain_host_of(ipv4::min_header_length) || packet.is_shared()) [[unlikely]] {
        return nullptr;
    }
    const std::byte* h = packet.data();
    if (!detail::is_plain_header(h, packet.size())) [[unlikely]] {
        return nullptr;
    }
    const ipv4::address destination = ipv4::const_view{h}[ipv4::destination];
    const u8 tos = routing::route_tos(static_cast<u8>(h[1]));
    // A lookup in a table that stores hops is faster than comparing with the hint.
    if (const u64 key = (u64{destination.value} << 8) | tos;
        has_hops<std::remove_cvref_t<decltype(t.routes)>> || hint.key != key) {
        hint.key = key;
        const hop_entry& found = find_hop(t.routes, destination, tos);
        // g++ keeps the hop in registers when it is copied by members, but not when copied whole.
        hint.hop.gateway = found.gateway;
        hint.hop.interface = found.interface;
        hint.hop.mtu = found.mtu;
        hint.hop.type = found.type;
    }
    return h;
}

// Whether a plain packet of `size` bytes with this header is forwarded by this hop.
template <class Tables>
[[nodiscard]] [[gnu::always_inline]] constexpr bool
forwards_plain(const Tables& t, ipv4::const_view header, u32 size, u16 in,
               const hop_entry& hop) noexcept {
    if (hop.type != route_type::unicast) [[unlikely]] {
        return false;
    }
    const interface_path& out = t.interfaces.path_of(hop.interface);
    // forwarding_mtu() of a size that fits a header. Both values are read, so there is no branch.
    const u32 mtu = out.output_mtu;
    const u32 own = hop.mtu & out.hop_mtus;
    if (size > (own != 0 ? own : mtu)) [[unlikely]] {
        return false;
    }
    if (t.interfaces.is_own(header[ipv4::source])) [[unlikely]] {
        return false;
    }
    return hop.interface != in;
}

// in: the packet's interface, whose path accepts fast; the caller checks that once for a batch.
template <class Tables, packet_buffer Packet>
[[nodiscard]] [[gnu::always_inline]] constexpr bool
accept_fast(const Tables& t, const Packet& packet, u16 in, route_hint& hint) noexcept {
    const std::byte* h = find_plain_hop(t, packet, hint);
    return h != nullptr && forwards_plain(t, ipv4::const_view{h}, packet.size(), in, hint.hop);
}

// As accept_fast(), and also recognizes plain packets for this host.
template <class Tables, packet_buffer Packet>
[[nodiscard]] [[gnu::always_inline]] constexpr accepted
judge_fast(const Tables& t, const Packet& packet, u16 in, route_hint& hint) noexcept {
    const std::byte* h = find_plain_hop(t, packet, hint);
    if (h == nullptr) {
        return accepted::no;
    }
    if (hint.hop.type == route_type::local) {
        return accepted::local;
    }
    return forwards_plain(t, ipv4::const_view{h}, packet.size(), in, hint.hop) ? accepted::forward
                                                                               : accepted::no;
}

// Makes a datagram of a packet that accept_fast or judge_fast just accepted; they check more than
// validate(). Expects: this packet, unchanged; asserted in debug builds.
struct acceptor {
    template <packet_buffer Packet>
    [[nodiscard]] static constexpr datagram<Packet> take(Packet& packet) noexcept {
        SLUICE_ASSERT(validator::check(packet) == drop_reason::none);
        return datagram<Packet>{std::move(packet)};
    }
};

}  // namespace sluice::pipeline
