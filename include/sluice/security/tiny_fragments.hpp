// tiny_fragments: the security policy that forwards no fragments made to get past filters. Expects:
// nothing. Does: refuses what begins a TCP segment with less than the bytes up to the flags, and
// fragments of TCP at offset 8, which would replace the flags. Never: judges what is for us:
// reassembly does (RFC 5722). Cost: one comparison; for TCP two more. RFC 1858 section 3.2.1, RFC
// 3128 section 4.
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
