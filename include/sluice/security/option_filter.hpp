// option_filter: the security policy that drops packets with an IPv4 option that is not listed.
//
// It checks forwarded packets and those for this host, not those that this host sends. The list may
// change while the stack runs.
//
// Expects: headers with checked options.
// Cost:    nothing without options; else one walk over them.
// Source:  RFC 7126.
#pragma once

#include <sluice/security/concept.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/ipv4_options.hpp>

#include <concepts>

namespace sluice {

// A set of option kinds.
class option_set {
public:
    template <std::same_as<u8>... Kinds>
    constexpr explicit option_set(Kinds... kinds) noexcept {
        (add(kinds), ...);
    }
    [[nodiscard]] constexpr bool has(u8 kind) const noexcept {
        return (bits_[kind / 64] >> (kind % 64) & 1) != 0;
    }
    constexpr void add(u8 kind) noexcept { bits_[kind / 64] |= u64{1} << (kind % 64); }
    constexpr void remove(u8 kind) noexcept { bits_[kind / 64] &= ~(u64{1} << (kind % 64)); }

private:
    u64 bits_[4] = {};
};

// The options that RFC 7126 does not advise to drop. Its section 4.23 leaves unknown kinds to a
// switch; here they are dropped. accept_source_route decides about source routes.
inline constexpr option_set harmless_options{
    ipv4::option_kinds::end_of_list,
    ipv4::option_kinds::no_operation,
    ipv4::option_kinds::quick_start,
    ipv4::option_kinds::security,
    ipv4::option_kinds::loose_source_route,
    ipv4::option_kinds::extended_security,
    ipv4::option_kinds::cipso,
    ipv4::option_kinds::strict_source_route,
    ipv4::option_kinds::router_alert,
};

struct option_filter {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;

        option_set passing_options = harmless_options;

        [[nodiscard]] constexpr drop_reason refusal(security_point point, const Packet& packet,
                                                    const security_context&) const noexcept {
            if (point == security_point::out) {
                return drop_reason::none;
            }
            const ipv4::const_view ip{packet.data()};
            for (option_cursor at{ipv4::options_of(ip)}; at.next();) {
                if (!passing_options.has(at.kind())) {
                    return drop_reason::option_refused;
                }
            }
            return drop_reason::none;
        }
    };
};

}  // namespace sluice
