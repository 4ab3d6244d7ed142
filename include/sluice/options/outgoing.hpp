// outgoing: the options of a packet to be sent; build writes them into its header.
//
// echo makes them for a reply, compile_request for a program's own packets. They hold the bytes,
// the offset of each option and the first hop of a source route. build adds the destination at the
// end of the source route, the local address and the time.
//
// Expects: for build, a header of 20 + length bytes whose length field and source address are set.
// Never:   sets the header's checksum or length.
// Cost:    40 bytes copied.
// Source:  RFC 791 section 3.1, RFC 1122 section 4.1.3.2; Linux ip_options_build.
#pragma once

#include <array>
#include <cstddef>

#include <sluice/options/option_bytes.hpp>
#include <sluice/packet/metadata.hpp>

namespace sluice::ip_options {

struct outgoing {
    std::array<std::byte, ipv4::max_options_length>
        storage{};            // the first offsets.length bytes are used
    option_offsets offsets;   // length is a multiple of 4
    ipv4::address first_hop;  // first hop of the source route, if there is one

    // The value of the destination field: the first hop of the source route, else
    // `final_destination`.
    [[nodiscard]] constexpr ipv4::address
    destination(ipv4::address final_destination) const noexcept {
        if (offsets.source_route != 0) return first_hop;
        return final_destination;
    }
    [[nodiscard]] constexpr const_bytes area() const noexcept {
        const std::size_t length = offsets.length;
        return const_bytes{storage.data(), length < storage.size() ? length : storage.size()};
    }

    friend constexpr bool operator==(const outgoing&, const outgoing&) noexcept = default;
};

// Writes `options` behind the fixed header and completes them; returns the offsets for the packet's
// metadata. The recorded local address is the header's source address. Writes nothing if the header
// has no room for all options.
constexpr option_offsets build(ipv4::view ip, const outgoing& options,
                               ipv4::address final_destination, u32 midnight_ms) noexcept {
    const const_bytes area = options.area();
    if (ipv4::header_length(ip) < ipv4::min_header_length + area.size()) return {};
    copy_bytes(ip.data() + ipv4::min_header_length, area.data(), area.size());

    const option_offsets& at = options.offsets;
    const u32 local = ip[ipv4::source].value;
    const bytes route = detail::option_at(ip, at.source_route);
    detail::set_word(route, route.size() - 4, final_destination.value);
    // The pointers already point behind the slots that are filled here.
    const bytes recorded = detail::option_at(ip, at.record_route);
    if (at.record_address)
        detail::set_word(recorded, detail::byte(recorded, 2) - std::size_t{5}, local);
    const bytes stamped = detail::option_at(ip, at.timestamp);
    if (at.stamp_address)
        detail::set_word(stamped, detail::byte(stamped, 2) - std::size_t{9}, local);
    if (at.stamp_time)
        detail::set_word(stamped, detail::byte(stamped, 2) - std::size_t{5}, midnight_ms);
    return at;
}

}  // namespace sluice::ip_options
