// linux_options: the options policy that treats every option as Linux does (net/ipv4/ip_options.c).
//
// Each member calls the function of the same name; see its header for requirements and cost.
//
// Never:  holds state.
// Source: RFC 791 section 3.1, RFC 1122 section 3.2.1.8, RFC 1812 section 5.3.13.
#pragma once

#include <utility>

#include <sluice/options/compile.hpp>
#include <sluice/options/concept.hpp>
#include <sluice/options/echo.hpp>
#include <sluice/options/forward.hpp>
#include <sluice/options/fragment.hpp>
#include <sluice/options/outgoing.hpp>
#include <sluice/options/request.hpp>
#include <sluice/options/source_route.hpp>

namespace sluice {

struct linux_options {
    static constexpr bool supported = true;

    template <ip_options::receiving_environment Env>
    [[nodiscard]] static constexpr result<void, u8> compile(ipv4::view ip, option_offsets& found,
                                                            Env& env) noexcept {
        return ip_options::compile(ip, found, env);
    }
    template <ip_options::hop_router Router>
    [[nodiscard]] static constexpr ip_options::source_route_step
    follow(ipv4::view ip, option_offsets& options, const ip_options::route_arrival& arrival,
           Router&& route) noexcept {
        return ip_options::follow(ip, options, arrival, std::forward<Router>(route));
    }
    template <ip_options::answers_output_source Env>
    static constexpr void forward(ipv4::view ip, option_offsets& options, Env& env) noexcept {
        ip_options::forward(ip, options, env);
    }
    static constexpr void fragment(ipv4::view ip, option_offsets& options) noexcept {
        ip_options::fragment(ip, options);
    }
    template <ip_options::answers_is_unicast Env>
    [[nodiscard]] static constexpr bool echo(ipv4::const_view received, const option_offsets& from,
                                             ip_options::outgoing& to, Env& env) noexcept {
        return ip_options::echo(received, from, to, env);
    }
    template <ip_options::answers_is_unicast Env>
    [[nodiscard]] static constexpr result<ip_options::outgoing, u8>
    compile_request(const_bytes wanted, ip_options::sender_rights rights, Env& env) noexcept {
        return ip_options::compile_request(wanted, rights, env);
    }
    static constexpr option_offsets build(ipv4::view ip, const ip_options::outgoing& options,
                                          ipv4::address final_destination,
                                          u32 midnight_ms) noexcept {
        return ip_options::build(ip, options, final_destination, midnight_ms);
    }
};
static_assert(options_policy<linux_options>);

}  // namespace sluice
