// judge: what to do about an ARP packet that came, as a value. Linux arp_process.
//
// Expects: a packet of IPv4 over Ethernet, and what the host knows of its addresses. Does: decides
// whether to answer, what to learn, and whether somebody else has our address. Never: acts, answers
// for others (proxy ARP). Cost: comparisons. RFC 826, RFC 1812 section 3.3.2, RFC 5227 section
// 2.4.
#pragma once

#include <sluice/wire/arp.hpp>
#include <sluice/wire/ethernet.hpp>

namespace sluice::arp {

// Linux's sysctls of an interface, with its defaults. arp_ignore and arp_filter are the answers of
// link_host::is_own; arp_notify is ethernet_link::announce; there is no proxy_arp.
struct settings {
    bool accept = false;           // arp_accept: announcements and replies make entries
    bool drop_gratuitous = false;  // drop_gratuitous_arp: announcements are not believed
    bool ask_from_packet = true;   // arp_announce 0: a question's sender is the packet's source
};

// What the host knows.
struct circumstances {
    ethernet::address hardware;      // of the interface by which it came
    bool to_us_alone = false;        // the frame was addressed to that
    bool sender_is_own = false;      // sender_protocol is one of our addresses
    bool target_is_own = false;      // target_protocol is answered for on that interface
    bool sender_is_martian = false;  // sender_protocol cannot be a neighbour there
};

struct decision {
    bool answer = false;
    bool learn = false;
    bool create = false;     // learn also of a stranger
    bool solicited = false;  // the neighbour is reachable
    bool forced = false;     // believed soon after another link address
    bool conflict = false;   // somebody else says that our address is his
};

// Whether anything may be done about it: a request or a reply about unicast addresses. A router
// must not believe that a group address is somebody's link address, RFC 1812 section 3.3.2; Linux
// leaves that to the operator.
[[nodiscard]] constexpr bool is_believable(const packet& p) noexcept {
    const auto is_host = [](ipv4::address a) {
        return !a.is_multicast() && !a.is_loopback() && !a.is_limited_broadcast();
    };
    return (p.operation == operations::request || p.operation == operations::reply) &&
           p.sender_hardware.is_valid_unicast() && is_host(p.sender_protocol) &&
           is_host(p.target_protocol);
}

// Asks whether somebody has an address, before it is used. RFC 5227 section 1.1.
[[nodiscard]] constexpr bool is_probe(const packet& p) noexcept {
    return p.operation == operations::request && p.sender_protocol.is_unspecified();
}

// Says something of its own sender, to everybody. RFC 5227 section 3. Linux arp_is_garp.
[[nodiscard]] constexpr bool is_announcement(const packet& p) noexcept {
    return p.sender_protocol == p.target_protocol &&
           (p.operation == operations::request || p.target_hardware == p.sender_hardware);
}

[[nodiscard]] constexpr decision judge(const packet& heard, const circumstances& c,
                                       const settings& s) noexcept {
    const bool asks = heard.operation == operations::request;
    if (!is_believable(heard)) {
        return {};
    }
    if (heard.sender_protocol.is_unspecified()) {
        // Answered, so that a prober learns that the address is taken, and not learned from.
        return {.answer = is_probe(heard) && c.target_is_own};
    }
    if (c.sender_is_own) {
        // With our own link address it is a frame of ours that came back. Linux does not answer
        // either: a martian source.
        return {.conflict = heard.sender_hardware != c.hardware};
    }
    if (s.drop_gratuitous && heard.sender_protocol == heard.target_protocol) {
        return {};
    }
    const bool martian = c.sender_is_martian || heard.sender_protocol.is_zero_network();
    if (asks && c.target_is_own && !martian) {
        return {.answer = true, .learn = true, .create = true, .forced = true};
    }
    const bool announced = is_announcement(heard);
    return {.learn = true,
            .create = s.accept && !martian && (!asks || announced),
            .solicited = !asks && c.to_us_alone,
            .forced = announced};
}

}  // namespace sluice::arp
