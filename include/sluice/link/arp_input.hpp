// judge: decides about a received ARP packet: whether to answer, what to learn, and whether another
// host claims a local address.
//
// Expects: a packet of IPv4 over Ethernet, and what the host knows about its addresses.
// Never:   answers for other hosts (proxy ARP).
// Cost:    comparisons.
// Source:  RFC 826, RFC 1812 section 3.3.2, RFC 5227 section 2.4; Linux arp_process.
#pragma once

#include <sluice/wire/arp.hpp>
#include <sluice/wire/ethernet.hpp>

namespace sluice::arp {

// Linux's sysctls of an interface, with Linux's defaults. link_host::is_own implements arp_ignore
// and arp_filter, ethernet_link::announce implements arp_notify; proxy_arp does not exist.
struct settings {
    bool accept = false;           // arp_accept: announcements and replies create entries
    bool drop_gratuitous = false;  // drop_gratuitous_arp: announcements are ignored
    bool ask_from_packet = true;   // arp_announce 0: a request has the packet's source as sender
};

// The host's knowledge about the addresses in the packet.
struct circumstances {
    ethernet::address hardware;      // the ingress interface's
    bool to_us_alone = false;        // the frame was addressed to `hardware`
    bool sender_is_own = false;      // sender_protocol is a local address
    bool target_is_own = false;      // the host answers for target_protocol on this interface
    bool sender_is_martian = false;  // sender_protocol cannot be a neighbour on this interface
};

struct decision {
    bool answer = false;
    bool learn = false;
    bool create = false;     // learn also an unknown neighbour
    bool solicited = false;  // the neighbour is reachable
    bool forced = false;     // learn soon after another link address, too
    bool conflict = false;   // another host claims a local address
};

// Whether the packet may be believed: a request or a reply about unicast addresses. A router must
// not accept a group address as a link address, RFC 1812 section 3.3.2; Linux leaves that to the
// operator.
[[nodiscard]] constexpr bool is_believable(const packet& p) noexcept {
    const auto is_host = [](ipv4::address a) {
        return !a.is_multicast() && !a.is_loopback() && !a.is_limited_broadcast();
    };
    return (p.operation == operations::request || p.operation == operations::reply) &&
           p.sender_hardware.is_valid_unicast() && is_host(p.sender_protocol) &&
           is_host(p.target_protocol);
}

// A host asks whether an address is in use before it takes it. RFC 5227 section 1.1.
[[nodiscard]] constexpr bool is_probe(const packet& p) noexcept {
    return p.operation == operations::request && p.sender_protocol.is_unspecified();
}

// A host announces its own address to the link. RFC 5227 section 3. Linux arp_is_garp.
[[nodiscard]] constexpr bool is_announcement(const packet& p) noexcept {
    return p.sender_protocol == p.target_protocol &&
           (p.operation == operations::request || p.target_hardware == p.sender_hardware);
}

[[nodiscard]] constexpr decision judge(const packet& received, const circumstances& c,
                                       const settings& s) noexcept {
    const bool asks = received.operation == operations::request;
    if (!is_believable(received)) {
        return {};
    }
    if (received.sender_protocol.is_unspecified()) {
        // Answered, so that the prober learns that the address is in use; nothing is learned.
        return {.answer = is_probe(received) && c.target_is_own};
    }
    if (c.sender_is_own) {
        // A frame with the local link address is one of this host that was received again. Linux
        // answers neither: its source is a martian.
        return {.conflict = received.sender_hardware != c.hardware};
    }
    if (s.drop_gratuitous && received.sender_protocol == received.target_protocol) {
        return {};
    }
    const bool martian = c.sender_is_martian || received.sender_protocol.is_zero_network();
    if (asks && c.target_is_own && !martian) {
        return {.answer = true, .learn = true, .create = true, .forced = true};
    }
    const bool announced = is_announcement(received);
    return {.learn = true,
            .create = s.accept && !martian && (!asks || announced),
            .solicited = !asks && c.to_us_alone,
            .forced = announced};
}

}  // namespace sluice::arp
