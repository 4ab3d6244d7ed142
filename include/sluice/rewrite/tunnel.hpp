// tunnel: puts a packet into a tunnel and takes it out again: IP in IP, and GRE with its optional
// checksum, key and sequence number.
//
// A program without a stack uses encapsulate() and decapsulate(). link/tunnels.hpp makes an
// interface of each tunnel, for routes.
//
// Expects: a packet that begins with a valid IPv4 header, with headroom for the outer headers.
// Never:   changes an inner byte but the ECN field of a packet that leaves the tunnel; copies IP
//          options to the outer header.
// Errors:  no buffer for a writable copy, no headroom, more than 65,535 bytes.
// Cost:    the outer headers; with a GRE checksum each byte once.
// Source:  RFC 2003 section 3, RFC 2784 section 2, RFC 2890, RFC 6040 section 4; Linux
//          iptunnel_xmit, gre_build_header, iptunnel_pull_header.
#pragma once

#include <sluice/pipeline/tunnel.hpp>
#include <sluice/pipeline/tunnel_headers.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/rewrite/new_header.hpp>
#include <sluice/rewrite/originate.hpp>

#include <utility>

namespace sluice::rewrite {

namespace detail {

// A pending checksum moves with the transport header.
template <class Packet>
constexpr void shift_checksum_start(Packet& packet, u32 by) noexcept {
    if (std::as_const(packet).metadata().checksum == checksum_state::pending) {
        metadata& m = packet.writable_metadata();
        m.checksum_start = static_cast<u16>(m.checksum_start + by);
    }
}

template <class Packet>
[[nodiscard]] constexpr bool push_gre(Packet& packet, const tunnel_settings& s,
                                      u32 sequence) noexcept {
    const bool is_cut = std::as_const(packet).metadata().segmentation != segmentation_kind::none;
    // The sum of the tunnel covers the final bytes; where the packet is cut, each segment has its
    // own.
    if (s.sums && !is_cut && !finish_checksum(packet)) {
        return false;
    }
    const u32 length = pipeline::tunnel_header_length(s);
    std::byte* const to = packet.push(length);
    if (to == nullptr) {
        return false;
    }
    gre::header header{.key = s.send_key};
    if (s.sums) header.checksum = u16{0};
    if (s.sequences) header.sequence = sequence;
    static_cast<void>(emit_value(header, {to, length}));
    if (s.sums) {
        store_be<u16>(to + pipeline::tunnels::gre_checksum,
                      checksum::finish(packet_sum(packet, 0, packet.size())));
    }
    return true;
}

}  // namespace detail

// Puts the tunnel's own header in front of a packet, which becomes the payload of an outer datagram
// of this protocol. sequence: the number of the packet, for tunnels that count. False: the packet
// is unchanged but for a finished checksum.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool enter_tunnel(Packet& packet, const tunnel_settings& s,
                                          u32 sequence) noexcept {
    if (!packet.unshare() || !forget_header(packet)) {
        return false;
    }
    if (s.protocol == tunnel_protocol::gre && !detail::push_gre(packet, s, sequence)) {
        return false;
    }
    if (packet.has_metadata()) {
        packet.writable_metadata().ignore_df = false;
        detail::shift_checksum_start(packet, pipeline::tunnel_header_length(s) +
                                                 static_cast<u32>(ipv4::min_header_length));
    }
    return true;
}

// Takes the outer headers off, and sets the inner ECN field. Faults: malformed, ecn; the packet is
// unchanged then.
template <packet_buffer Packet>
[[nodiscard]] constexpr pipeline::tunnel_fault
leave_tunnel(Packet& packet, const pipeline::outer_headers& outer) noexcept {
    using pipeline::tunnel_fault;
    const u8 protocol = ipv4::const_view{packet.data()}[ipv4::protocol];
    const ipv4::const_view inner{packet.data() + outer.length};
    const u8 was = inner[ipv4::ecn];
    const pipeline::inner_ecn ecn = pipeline::ecn_behind(outer.ecn, was);
    if (ecn.drop) {
        return tunnel_fault::ecn;
    }
    if (inner[ipv4::ttl] == 0 || !packet.unshare() || !packet.pull(outer.length)) {
        return tunnel_fault::malformed;
    }
    if (ecn.codepoint != was) {
        const ipv4::view ip{packet.writable()};
        const u16 before = load_be<u16>(packet.data());
        ip.set(ipv4::ecn, ecn.codepoint);
        ip.set(ipv4::header_checksum,
               checksum::update(ip[ipv4::header_checksum], before, load_be<u16>(packet.data())));
    }
    static_cast<void>(enter_inner(packet, outer.length, protocol));  // unshared above
    return tunnel_fault::none;
}

// The state of a tunnel end that a program keeps beside its settings.
struct tunnel_state {
    u32 sent = 0;                   // sequence number of the next packet
    std::optional<u32> expected{};  // of the next received packet; absent: none came yet
};

// Puts a packet into the tunnel, with the whole outer header; s.local and s.remote are its
// addresses. identification: of the outer header, from a policy of identification/.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool encapsulate(Packet& packet, const tunnel_settings& s,
                                         tunnel_state& state, u16 identification) noexcept {
    constexpr u8 default_ttl = 64;
    const pipeline::outer_choice outer =
        pipeline::outer_of(s, ipv4::const_view{std::as_const(packet).data()});
    if (!enter_tunnel(packet, s, state.sent)) {
        return false;
    }
    ++state.sent;
    return originate(packet, {.source = s.local, .destination = s.remote},
                     {.tos = outer.tos,
                      .ttl = outer.ttl != 0 ? outer.ttl : default_ttl,
                      .protocol = pipeline::protocol_of(s.protocol),
                      .identification = identification,
                      .dont_fragment = outer.dont_fragment || s.path_mtu},
                     {}, s.remote, 0);
}

// Takes a packet out of the tunnel. It must be for it: from s.remote to s.local, where these are
// specified; `malformed` otherwise. On a fault the packet still begins with the outer header.
template <packet_buffer Packet>
[[nodiscard]] constexpr pipeline::tunnel_fault decapsulate(Packet& packet, const tunnel_settings& s,
                                                           tunnel_state& state) noexcept {
    const ipv4::const_view ip{std::as_const(packet).data()};
    const bool is_ours = ip[ipv4::protocol] == pipeline::protocol_of(s.protocol) &&
                         (s.remote.is_unspecified() || ip[ipv4::source] == s.remote) &&
                         (s.local.is_unspecified() || ip[ipv4::destination] == s.local);
    if (!is_ours) {
        return pipeline::tunnel_fault::malformed;
    }
    const auto outer = pipeline::read_outer(packet);
    if (!outer.has_value()) {
        return outer.error();
    }
    const pipeline::tunnel_fault f = pipeline::judge_outer(s, *outer, state.expected);
    return f != pipeline::tunnel_fault::none ? f : leave_tunnel(packet, *outer);
}

}  // namespace sluice::rewrite
