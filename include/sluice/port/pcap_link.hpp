// ipv4_of: the IPv4 packet inside a captured frame.
//
// Expects: a frame and its link type. Does: Ethernet with up to two 802.1Q or 802.1ad tags, raw IP,
// raw IPv4, Linux cooked (SLL), BSD loopback of either byte order. Never: looks into the IPv4
// header beyond what raw IP needs (the version), cuts padding (total length is the stack's
// business). Cost: a few loads.
#pragma once

#include <sluice/port/pcap.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cstddef>

namespace sluice::port::pcap {

namespace detail {

[[nodiscard]] constexpr const_bytes behind_ethernet(const_bytes frame) noexcept {
    std::size_t at = 12;  // of the type field
    for (int tags = 0; tags < 3 && frame.size() >= at + 2; ++tags) {
        const u16 type = load_be<u16>(frame.data() + at);
        if (type == ethernet::types::ipv4) {
            return frame.subspan(at + 2);
        }
        if (type != ethernet::types::vlan && type != ethernet::types::service_vlan) {
            break;
        }
        at += ethernet::tag_layout::size;
    }
    return {};
}

}  // namespace detail

// Empty when the frame does not say that it carries IPv4, or the link type is another.
[[nodiscard]] constexpr const_bytes ipv4_of(link_type link, const_bytes frame) noexcept {
    constexpr std::size_t null_size = 4;
    constexpr std::size_t sll_size = 16;
    constexpr u32 family_ipv4 =
        2;  // AF_INET, the same number everywhere, in the byte order of the writer
    switch (link) {
    case link_type::ethernet:
        return detail::behind_ethernet(frame);
    case link_type::ipv4:
        return frame;
    case link_type::raw:
        return !frame.empty() && (frame[0] >> 4) == std::byte{4} ? frame : const_bytes{};
    case link_type::linux_sll:
        return frame.size() >= sll_size && load_be<u16>(frame.data() + 14) == ethernet::types::ipv4
                   ? frame.subspan(sll_size)
                   : const_bytes{};
    case link_type::null: {
        if (frame.size() < null_size) {
            return {};
        }
        const u32 family = load_be<u32>(frame.data());
        return family == family_ipv4 || family == __builtin_bswap32(family_ipv4)
                   ? frame.subspan(null_size)
                   : const_bytes{};
    }
    }
    return {};
}

}  // namespace sluice::port::pcap
