// no_directed_broadcasts: the security policy that drops directed broadcasts to this host.
//
// It also drops packets to be forwarded to the lowest address of a connected network, an old form
// of broadcast. It drops the looped back copy of a directed broadcast that this host sent.
// 255.255.255.255 is received. Directed broadcasts are still forwarded where bc_forwarding is on.
//
// Cost:   one comparison.
// Source: RFC 2644 section 3, RFC 1812 section 4.2.3.1.
#pragma once

#include <sluice/security/concept.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

struct no_directed_broadcasts {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        [[nodiscard]] static constexpr drop_reason
        refusal(security_point point, const Packet& packet, const security_context& c) noexcept {
            const bool directed =
                point == security_point::in && c.form == destination_form::broadcast &&
                !ipv4::const_view{packet.data()}[ipv4::destination].is_limited_broadcast();
            return directed || c.form == destination_form::network
                       ? drop_reason::destination_invalid
                       : drop_reason::none;
        }
    };
};

}  // namespace sluice
