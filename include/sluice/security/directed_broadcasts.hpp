// no_directed_broadcasts: the security policy that takes nothing sent to all hosts of a network of
// ours. Expects: nothing. Does: refuses directed broadcasts for us, and to forward to the lowest
// address of a network, the old form of one; 255.255.255.255 is received. Never: hinders the
// forwarding of directed broadcasts where bc_forwarding is switched on. Cost: one comparison. The
// copy that we hear of a directed broadcast of our own is refused as well. RFC 2644 section 3, RFC
// 1812 section 4.2.3.1.
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
