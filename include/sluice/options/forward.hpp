// forward: completes the options of a packet that a router is about to send.
//
// It replaces the local address that compile recorded with that of the egress, moves a source route
// on by one hop, and recomputes the header checksum if anything changed since the packet was
// received.
//
// Expects: a compiled header whose TTL is decremented already; the route is chosen.
// Never:   writes a time: the time of arrival stays.
// Cost:    a few bytes and one checksum.
// Source:  RFC 791 section 3.1, RFC 1812 section 5.3.13.4 (source route), RFC 1812 section 5.3.13.5
//          (record route), RFC 1812 section 5.3.13.6 (timestamp); Linux ip_forward_options.
#pragma once

#include <cstddef>

#include <sluice/options/environment.hpp>
#include <sluice/options/option_bytes.hpp>
#include <sluice/packet/metadata.hpp>

namespace sluice::ip_options {

namespace detail {

// Makes the next listed hop the destination, and writes the egress address into the hop's slot.
template <class Env>
constexpr void advance_route(ipv4::view ip, option_offsets& options, Env& env) noexcept {
    const bytes route = option_at(ip, options.source_route);
    for (std::size_t pointer = byte(route, 2); pointer + 3 <= route.size(); pointer += 4) {
        if (word(route, pointer - 1) != options.next_hop.value) continue;
        ip.set(ipv4::destination, options.next_hop);
        set_word(route, pointer - 1, env.output_source(options.next_hop).value);
        set_byte(route, 2, pointer + 4);
        options.changed = true;
        return;
    }
}

// Replaces the address that compile wrote, `back` bytes before the slot that the pointer names.
template <class Env>
constexpr void replace_address(ipv4::view ip, u8 option, std::size_t back, Env& env) noexcept {
    const bytes recorded = option_at(ip, option);
    const ipv4::address local = env.output_source(ip[ipv4::destination]);
    set_word(recorded, byte(recorded, 2) - 1 - back, local.value);
}

}  // namespace detail

template <answers_output_source Env>
constexpr void forward(ipv4::view ip, option_offsets& options, Env& env) noexcept {
    if (options.record_address) {
        detail::replace_address(ip, options.record_route, 4, env);
        options.changed = true;
    }
    if (options.route_hit) {
        detail::advance_route(ip, options, env);
        // Deviation: a timestamp's address becomes the egress one only in source-routed packets, as
        // in Linux; other packets keep the address that compile recorded. RFC 791 section 3.1
        // leaves the choice open.
        if (options.stamp_address) {
            detail::replace_address(ip, options.timestamp, 8, env);
            options.changed = true;
        }
    }
    if (options.changed) {
        options.changed = false;
        ipv4::set_checksum(ip);
    }
}

}  // namespace sluice::ip_options
