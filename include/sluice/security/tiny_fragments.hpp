// tiny_fragments: the security policy that does not forward fragments made to evade filters.
//
// It drops a first fragment of TCP that ends before the flags, and fragments of TCP at offset 8,
// which would replace the flags. Fragments for this host are left to reassembly (RFC 5722).
//
// Cost:   one comparison; for TCP two more.
// Source: RFC 1858 section 3.2.1, RFC 3128 section 4.
#pragma once

#include <sluice/security/concept.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

struct tiny_fragments {
    // Bytes of the TCP header that the first fragment must hold.
    static constexpr u32 least = 16;

    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        [[nodiscard]] static constexpr drop_reason
        refusal(security_point point, const Packet& packet, const security_context&) noexcept {
            const ipv4::const_view ip{packet.data()};
            if (point != security_point::forward || ip[ipv4::protocol] != ipv4::protocols::tcp) {
                return drop_reason::none;
            }
            const u16 offset = ip[ipv4::fragment_offset];
            const bool tiny = offset == 0 && packet.size() < ipv4::header_length(ip) + least;
            return tiny || offset == 1 ? drop_reason::tiny_fragment : drop_reason::none;
        }
    };
};

}  // namespace sluice
