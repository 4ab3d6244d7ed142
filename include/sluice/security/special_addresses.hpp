// special_addresses: the security policy that drops packets whose source or destination IANA does
// not permit in that role.
//
// It also drops packets to be forwarded from or to addresses that are not forwardable. With a
// source route, the next listed address counts as destination. Multicast, private, shared and
// benchmarking networks pass. So does 127.0.0.0/8 within the host; from outside it is dropped
// earlier (pipeline/classify.hpp).
//
// Cost:   up to thirteen compared prefixes per address.
// Source: RFC 6890 section 2.2.2, RFC 1812 section 5.3.7, RFC 3927 section 2.7.
#pragma once

#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/metadata.hpp>
#include <sluice/security/concept.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/literals.hpp>

namespace sluice {

struct special_use {
    ipv4::prefix block{};
    bool source = true;
    bool destination = true;
    bool forwardable = true;  // as source and as destination
};

namespace detail {

using literals::operator""_prefix;

// The registered blocks with a restriction, and their permissions; the first that contains an
// address counts. The blocks of 192.0.0.0/24 include later ones: RFC 7600, RFC 7723, RFC 8155.
inline constexpr special_use special_uses[] = {
    {"0.0.0.0/8"_prefix, true, false, false},           // this network
    {"127.0.0.0/8"_prefix, true, true, false},          // loopback
    {"169.254.0.0/16"_prefix, true, true, false},       // link local
    {"192.0.0.0/29"_prefix, true, true, true},          // DS-Lite
    {"192.0.0.8/32"_prefix, true, false, true},         // dummy source of errors
    {"192.0.0.9/32"_prefix, true, true, true},          // port control
    {"192.0.0.10/32"_prefix, true, true, true},         // traversal using relays
    {"192.0.0.0/24"_prefix, false, false, false},       // protocol assignments
    {"192.0.2.0/24"_prefix, false, false, false},       // documentation
    {"198.51.100.0/24"_prefix, false, false, false},    // documentation
    {"203.0.113.0/24"_prefix, false, false, false},     // documentation
    {"255.255.255.255/32"_prefix, false, true, false},  // limited broadcast
    {"240.0.0.0/4"_prefix, false, false, false},        // reserved
};

}  // namespace detail

[[nodiscard]] constexpr special_use special_use_of(ipv4::address a) noexcept {
    for (const special_use& u : detail::special_uses) {
        if (u.block.contains(a)) {
            return u;
        }
    }
    return {};
}

struct special_addresses {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        [[nodiscard]] static constexpr drop_reason
        refusal(security_point point, const Packet& packet, const security_context&) noexcept {
            const ipv4::const_view ip{packet.data()};
            const bool forwards = point == security_point::forward;
            const special_use from = special_use_of(ip[ipv4::source]);
            if (!from.source || (forwards && !from.forwardable)) {
                return drop_reason::source_invalid;
            }
            const option_offsets& o = packet.metadata().options;
            const special_use to = special_use_of(o.route_hit ? o.next_hop : ip[ipv4::destination]);
            if (!to.destination || (forwards && !to.forwardable)) {
                return drop_reason::destination_invalid;
            }
            return drop_reason::none;
        }
    };
};

}  // namespace sluice
