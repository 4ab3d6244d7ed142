// readdress: replaces the source or destination of an IPv4 packet, and its port where one is given,
// and updates the checksums that cover them.
//
// It updates the checksums of the header and of TCP, UDP, UDP-Lite and DCCP by the difference: a
// right checksum stays right, a wrong one wrong. A pending checksum keeps the sum of its pseudo
// header, and UDP without a checksum stays without. In a packet without ports (a later fragment,
// ICMP) only the address changes; of a fragmented datagram, only the first fragment has ports and
// checksum.
//
// Expects: a packet that begins with a whole IPv4 header.
// Never:   changes a quoted header or a later fragment's data.
// Errors:  no buffer for a copy of shared bytes; the checksum lies in another fragment, because the
//          first one is tiny. Nothing changes then.
// Cost:    a few loads and stores.
// Source:  RFC 1624 section 3, RFC 768; Linux inet_proto_csum_replace4.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::detail {

// The offset of the checksum in the transport header; 0 if none covers the addresses.
[[nodiscard]] constexpr u32 transport_checksum_offset(u8 protocol) noexcept {
    switch (protocol) {
    case ipv4::protocols::tcp:
        return 16;
    case ipv4::protocols::udp:
    case ipv4::protocols::udp_lite:
    case ipv4::protocols::dccp:
        return 6;
    default:
        return 0;
    }
}

// The offset of the transport checksum in the packet; 0 if the packet does not have it.
template <class Packet>
[[nodiscard]] constexpr u32 transport_checksum_at(const Packet& p) noexcept {
    const ipv4::const_view ip{p.data()};
    const u32 offset = transport_checksum_offset(ip[ipv4::protocol]);
    const u32 at = static_cast<u32>(ipv4::header_length(ip)) + offset;
    return offset != 0 && ipv4::is_first_fragment(ip) && at + 2 <= p.size() ? at : 0;
}

// The new values. The ports are the first two fields of the transport header, source first.
struct new_endpoint {
    ipv4::address address;
    u16 port = 0;
    bool has_port = false;
};

// The changes to fields that the transport checksum covers.
struct endpoint_change {
    ipv4::address from, to;
    bool has_port = false;
    u16 port_from = 0, port_to = 0;
};

// The transport's checksum field after the change.
[[nodiscard]] constexpr u16 mended_transport_checksum(u16 field, bool is_pending, u8 protocol,
                                                      const endpoint_change& c) noexcept {
    if (is_pending) {  // the field holds the sum of the pseudo header, not its complement
        return static_cast<u16>(
            ~checksum::update(static_cast<u16>(~field), c.from.value, c.to.value));
    }
    const bool is_udp = protocol == ipv4::protocols::udp;
    if (is_udp && field == 0) {
        return 0;  // the sender computed none
    }
    const u16 readdressed = checksum::update(field, c.from.value, c.to.value);
    const u16 sum =
        c.has_port ? checksum::update(readdressed, c.port_from, c.port_to) : readdressed;
    return sum == 0 && (is_udp || protocol == ipv4::protocols::udp_lite) ? u16{0xffff} : sum;
}

// Whether this is a first fragment and the transport checksum lies in another one.
[[nodiscard]] constexpr bool lacks_transport_checksum(ipv4::const_view ip, u32 at) noexcept {
    return at == 0 && ip[ipv4::more_fragments] && ip[ipv4::fragment_offset] == 0 &&
           transport_checksum_offset(ip[ipv4::protocol]) != 0;
}

template <packet_buffer Packet, class Field>
[[nodiscard]] constexpr bool readdress(Packet& p, Field field, const new_endpoint& to) noexcept {
    const u32 at = transport_checksum_at(std::as_const(p));
    if (lacks_transport_checksum(ipv4::const_view{std::as_const(p).data()}, at)) {
        return false;
    }
    if (!p.unshare() || (at != 0 && !p.may_pull(at + 2))) {
        return false;
    }
    const ipv4::view ip{p.writable()};
    endpoint_change change{.from = ip[field], .to = to.address};
    ip.set(field, to.address);
    ip.set(ipv4::header_checksum,
           checksum::update(ip[ipv4::header_checksum], change.from.value, change.to.value));
    if (at != 0) {
        change.has_port = to.has_port;
        if (to.has_port) {
            const bool is_source = field.bit_offset == ipv4::source.bit_offset;
            std::byte* const port = p.writable() + ipv4::header_length(ip) + (is_source ? 0 : 2);
            change.port_from = load_be<u16>(port);
            change.port_to = to.port;
            store_be<u16>(port, to.port);
        }
        const metadata& known = std::as_const(p).metadata();
        const bool is_pending = known.checksum == checksum_state::pending &&
                                known.checksum_start == ipv4::header_length(ip);
        std::byte* const sum = p.writable() + at;
        store_be<u16>(sum, mended_transport_checksum(load_be<u16>(sum), is_pending,
                                                     ip[ipv4::protocol], change));
    }
    return true;
}

}  // namespace sluice::detail
