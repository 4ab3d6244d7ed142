// tunnel: decides about the headers of a tunnel: the outer header of a packet that enters it, the
// ECN field of one that leaves it, and the error for the inner sender when the tunnel fails.
//
// rewrite/tunnel.hpp writes the headers; link/tunnels.hpp makes an interface of a tunnel.
//
// Never:   changes a byte; copies IP options to the outer header.
// Cost:    a few loads.
// Source:  RFC 2003 section 3 and 4, RFC 2784, RFC 2890, RFC 6040 section 4; Linux
//          ip_tunnel_xmit, INET_ECN_decapsulate, ipip_err.
// Deviation: Linux writes ECT(0) outside for a CE inside (RFC 3168 section 9.1.1).
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/gre.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4.hpp>

#include <optional>

namespace sluice {

enum class tunnel_protocol : u8 { ip_in_ip, gre };

// One tunnel for IPv4 packets.
struct tunnel_settings {
    tunnel_protocol protocol = tunnel_protocol::ip_in_ip;
    ipv4::address local{};   // of this end; unspecified: any
    ipv4::address remote{};  // of the other end; unspecified: receives from any, and sends nothing
    u8 ttl = 0;              // of the outer header; 0: the route's hop limit or ip_default_ttl
    bool inherits_ttl = false;  // the outer TTL is the inner one
    i16 tos = -1;  // DSCP of the outer header, as a TOS octet; below 0: that of the inner one
    // Sets DF in outer headers whose packet fits the path MTU, which this host then learns. Linux
    // pmtudisc.
    bool path_mtu = true;
    // Copies the inner ECN field to the outer header (normal mode). false: it is zero
    // (compatibility mode). RFC 6040 section 4.1.
    bool copies_ecn = true;
    // GRE only. A received packet must have the key `receive_key`, or none if it is absent.
    std::optional<u32> receive_key{};
    std::optional<u32> send_key{};
    bool sums = false;       // sends checksums, and requires them
    bool sequences = false;  // numbers packets; drops those that arrive late. RFC 2890 section 2.2
};

namespace pipeline {

[[nodiscard]] constexpr u8 protocol_of(tunnel_protocol p) noexcept {
    return p == tunnel_protocol::gre ? ipv4::protocols::gre : ipv4::protocols::ipip;
}

// Bytes of the tunnel's header behind the outer IPv4 header.
[[nodiscard]] constexpr u32 tunnel_header_length(const tunnel_settings& s) noexcept {
    if (s.protocol == tunnel_protocol::ip_in_ip) {
        return 0;
    }
    return u32{gre::layout::min_size} + (s.sums ? 4u : 0u) + (s.send_key.has_value() ? 4u : 0u) +
           (s.sequences ? 4u : 0u);
}

// -- leaving a tunnel --

struct inner_ecn {
    u8 codepoint = 0;
    bool drop = false;    // the network marked a packet whose transport ignores marks
    bool unused = false;  // a combination that no encapsulator produces: for an alarm
};

// The ECN field of a packet that leaves a tunnel, from both headers' codepoints. RFC 6040 figure 4.
[[nodiscard]] constexpr inner_ecn ecn_behind(u8 outer, u8 inner) noexcept {
    namespace is = ipv4::ecn_codepoints;
    switch (inner) {
    case is::not_ect:
        return {inner, outer == is::ce, outer != is::not_ect};
    case is::ect1:
        return {outer == is::ce ? outer : inner, false, outer == is::ect0};
    case is::ect0:
        return {outer == is::not_ect ? inner : outer, false, false};
    default:
        return {inner, false, outer == is::ect1};
    }
}

// Why a packet does not leave a tunnel.
enum class tunnel_fault : u8 {
    none,
    malformed,  // cut short, another inner protocol than IPv4, or a GRE header of another kind
    checksum,   // wrong, or absent where the tunnel requires it
    key,        // not the tunnel's
    sequence,   // late, or absent where the tunnel requires it
    ecn         // marked by the network, for a transport that ignores marks
};

// The outer headers of a received packet.
struct outer_headers {
    ipv4::address source{};
    ipv4::address destination{};
    u8 ecn = 0;
    u32 length = 0;  // bytes of the IPv4 header and the tunnel's
    bool has_sum = false;
    std::optional<u32> key{};
    std::optional<u32> sequence{};
};

// Reads the outer headers of a packet that begins with a valid IPv4 header of protocol 4 or 47, and
// verifies the GRE checksum. Errors: malformed, checksum. Makes the headers contiguous, the inner
// IPv4 header too.
template <packet_buffer Packet>
[[nodiscard]] constexpr result<outer_headers, tunnel_fault> read_outer(Packet& packet) noexcept {
    constexpr u32 inner = ipv4::min_header_length;
    const ipv4::const_view ip{packet.data()};
    outer_headers found{.source = ip[ipv4::source],
                        .destination = ip[ipv4::destination],
                        .ecn = ip[ipv4::ecn],
                        .length = static_cast<u32>(ipv4::header_length(ip))};
    if (ip[ipv4::protocol] == ipv4::protocols::gre) {
        const u32 start = found.length;
        const u32 behind = packet.size() - start;
        constexpr u32 most = gre::layout::max_size;
        if (!packet.may_pull(start + (behind < most ? behind : most))) {
            return failure{tunnel_fault::malformed};
        }
        const auto header = parse_value<gre::header>(packet.head().subspan(start));
        if (!header.has_value() || header->protocol_type != ethernet::types::ipv4) {
            return failure{tunnel_fault::malformed};
        }
        if (header->checksum.has_value() && !sums_up(packet, start, behind)) {
            return failure{tunnel_fault::checksum};
        }
        found.has_sum = header->checksum.has_value();
        found.key = header->key;
        found.sequence = header->sequence;
        found.length += static_cast<u32>(length_of(*header));
    }
    if (!packet.may_pull(found.length + inner) ||
        ipv4::const_view{packet.data() + found.length}[ipv4::version] != 4) {
        return failure{tunnel_fault::malformed};
    }
    return found;
}

// Whether a received packet meets the tunnel's settings. next_sequence: the number that the tunnel
// expects; moves behind the packet's. Linux __ip_tunnel_rcv.
[[nodiscard]] constexpr tunnel_fault judge_outer(const tunnel_settings& s,
                                                 const outer_headers& outer,
                                                 std::optional<u32>& next_sequence) noexcept {
    if (outer.key != s.receive_key) {
        return tunnel_fault::key;
    }
    if (s.sums && !outer.has_sum) {
        return tunnel_fault::checksum;
    }
    if (!s.sequences) {
        return tunnel_fault::none;
    }
    const auto is_late = [&] {
        return next_sequence.has_value() && static_cast<i32>(*outer.sequence - *next_sequence) < 0;
    };
    if (!outer.sequence.has_value() || is_late()) {
        return tunnel_fault::sequence;
    }
    next_sequence = *outer.sequence + 1;
    return tunnel_fault::none;
}

// -- entering a tunnel --

struct outer_choice {
    u8 tos = 0;
    u8 ttl = 0;                  // 0: the route's
    bool dont_fragment = false;  // the inner header forbids it
};

[[nodiscard]] constexpr outer_choice outer_of(const tunnel_settings& s,
                                              ipv4::const_view inner) noexcept {
    constexpr u8 dscp = 0xfc;
    const u8 inside = inner[ipv4::tos];
    const u8 wanted = s.tos < 0 ? inside : static_cast<u8>(s.tos);
    const u8 ecn = s.copies_ecn ? inside & 3 : 0;
    return {.tos = static_cast<u8>((wanted & dscp) | ecn),
            .ttl = s.inherits_ttl ? inner[ipv4::ttl] : s.ttl,
            .dont_fragment = inner[ipv4::dont_fragment]};
}

// Whether a packet would go round between the ends: its source is the other end. RFC 2003
// section 3.2.
[[nodiscard]] constexpr bool turns_back(const tunnel_settings& s, ipv4::const_view inner) noexcept {
    return inner[ipv4::source] == s.remote;
}

// -- errors from inside a tunnel --

// The error that inner senders get for a while after this error about an outer packet; none: it is
// not relayed. RFC 2003 section 4. The path MTU has its own way: the stack learns it.
[[nodiscard]] constexpr std::optional<icmp_request> relayed(u8 type, u8 code) noexcept {
    namespace unreachable = icmp::unreachable;
    if (type == icmp::types::time_exceeded) {
        return code == 0 ? std::optional{icmp_request::host_unreachable()} : std::nullopt;
    }
    if (type != icmp::types::destination_unreachable || code == unreachable::port ||
        code == unreachable::fragmentation_needed || code == unreachable::source_route_failed) {
        return std::nullopt;
    }
    return code == unreachable::network ? icmp_request::net_unreachable()
                                        : icmp_request::host_unreachable();
}

}  // namespace pipeline

}  // namespace sluice
