// no_options: the options policy of a stack that drops packets with IPv4 options and sends none.
//
// It leaves the code for options out of the program. A general host uses linux_options instead:
// RFC 1122 section 3.2.1.8 requires a host to pass received options on.
//
// Expects:   a stack that asks `supported`.
// Never:     sends an ICMP error about a dropped packet.
// Deviation: RFC 7126 section 3 advises routers against dropping packets for their options alone;
//            this policy is for networks that do.
#pragma once

#include <sluice/options/concept.hpp>

namespace sluice {

struct no_options {
    static constexpr bool supported = false;

    // The error is the offset of the first option byte.
    template <class Env>
    [[nodiscard]] static constexpr result<void, u8> compile(ipv4::view, option_offsets& found,
                                                            Env&) noexcept {
        found = option_offsets{};
        return failure{static_cast<u8>(ipv4::min_header_length)};
    }
    template <ip_options::hop_router Router>
    [[nodiscard]] static constexpr ip_options::source_route_step
    follow(ipv4::view, option_offsets&, const ip_options::route_arrival&, Router&&) noexcept {
        return {ip_options::source_route_result::refused};
    }
    template <class Env>
    static constexpr void forward(ipv4::view, option_offsets&, Env&) noexcept {}
    static constexpr void fragment(ipv4::view, option_offsets&) noexcept {}
    template <class Env>
    [[nodiscard]] static constexpr bool echo(ipv4::const_view, const option_offsets&,
                                             ip_options::outgoing& to, Env&) noexcept {
        to = ip_options::outgoing{};
        return true;
    }
    // Accepts only an empty request.
    template <class Env>
    [[nodiscard]] static constexpr result<ip_options::outgoing, u8>
    compile_request(const_bytes wanted, ip_options::sender_rights, Env&) noexcept {
        if (!wanted.empty()) return failure{static_cast<u8>(ipv4::min_header_length)};
        return ip_options::outgoing{};
    }
    static constexpr option_offsets build(ipv4::view, const ip_options::outgoing&, ipv4::address,
                                          u32) noexcept {
        return {};
    }
};
static_assert(options_policy<no_options>);

}  // namespace sluice
