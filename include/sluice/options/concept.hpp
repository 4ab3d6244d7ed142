// # options_policy
//
// Decides about the IPv4 options of received, forwarded, answered, fragmented and sent packets. All
// members are static:
//
// - `supported`: if false, the stack silently drops a packet with options for
//   `drop_reason::option_invalid` and calls no other member for received packets.
// - `compile(ip, found, env)` checks a received header once and records the local address; its
//   error is the pointer of a parameter problem.
// - `follow(ip, options, arrival, route)` makes the next hop of a source route the destination.
// - `forward(ip, options, env)` records the egress address and updates the header checksum.
// - `echo(received, from, to, env)` makes the options of a reply, with reversed source route;
// false:
//   no reply may be sent.
// - `compile_request(wanted, rights, env)` checks the options that a program requests for its
//   packets.
// - `build(ip, options, final_destination, midnight_ms)` writes outgoing options into a header.
// - `fragment(ip, options)` replaces by no-operation bytes the options that only the first fragment
//   carries (RFC 791 section 3.1, copied flag).
//
// Exemplar: struct no_options of options/no_options.hpp; options/environment.hpp describes the
// environment.
//
// Models: `linux_options` (all options), `no_options`.
#pragma once

#include <concepts>

#include <sluice/base/result.hpp>
#include <sluice/options/environment.hpp>
#include <sluice/options/outgoing.hpp>
#include <sluice/options/request.hpp>
#include <sluice/options/source_route.hpp>
#include <sluice/packet/metadata.hpp>

namespace sluice {

namespace detail {

// An environment with the required members only; the concept is checked with it.
struct option_environment_archetype {
    ipv4::address specific_destination() noexcept;
    bool is_unicast(ipv4::address) noexcept;
    u32 midnight_ms() noexcept;
    ipv4::address output_source(ipv4::address) noexcept;
};
using hop_router_archetype = ip_options::route_target (*)(ipv4::address) noexcept;

}  // namespace detail

template <class P>
concept states_option_support = requires {
    { P::supported } -> std::convertible_to<bool>;
};

template <class P>
concept compiles_options =
    requires(ipv4::view ip, option_offsets& o, detail::option_environment_archetype& e) {
        { P::compile(ip, o, e) } noexcept -> std::same_as<result<void, u8>>;
    };

template <class P>
concept follows_source_routes =
    requires(ipv4::view ip, option_offsets& o, const ip_options::route_arrival& arrival,
             detail::hop_router_archetype route) {
        {
            P::follow(ip, o, arrival, route)
        } noexcept -> std::same_as<ip_options::source_route_step>;
    };

template <class P>
concept forwards_options =
    requires(ipv4::view ip, option_offsets& o, detail::option_environment_archetype& e) {
        { P::forward(ip, o, e) } noexcept -> std::same_as<void>;
        { P::fragment(ip, o) } noexcept -> std::same_as<void>;
    };

template <class P>
concept echoes_options =
    requires(ipv4::const_view ip, const option_offsets& from, ip_options::outgoing& to,
             detail::option_environment_archetype& e) {
        { P::echo(ip, from, to, e) } noexcept -> std::same_as<bool>;
    };

template <class P>
concept sends_options =
    requires(ipv4::view ip, const_bytes wanted, ip_options::sender_rights r,
             const ip_options::outgoing& out, detail::option_environment_archetype& e) {
        {
            P::compile_request(wanted, r, e)
        } noexcept -> std::same_as<result<ip_options::outgoing, u8>>;
        { P::build(ip, out, ipv4::address{}, u32{}) } noexcept -> std::same_as<option_offsets>;
    };

template <class P>
concept options_policy =
    states_option_support<P> && compiles_options<P> && follows_source_routes<P> &&
    forwards_options<P> && echoes_options<P> && sends_options<P>;

}  // namespace sluice
