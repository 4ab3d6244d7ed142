// finish_offloads: makes a captured packet what it was behind its device, where the capture was
// made before the device had done its part.
//
// Expects: a packet of one piece that begins at its IPv4 header, in a buffer of its own. Does:
// total length 0, which stands for segmentation offload, becomes the length of the capture, as
// tcpdump and Wireshark do, and TCP is to be cut for an MTU of 1,500; on request, the header
// checksum is filled in and those of the transport are believed. Never: fills a checksum in unless
// asked to.
#pragma once

#include <sluice/packet/metadata.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/tcp.hpp>

namespace examples {

enum class checksums : sluice::u8 { as_captured, not_filled_in };

namespace detail {

// The device has to cut it, and to sum the pieces.
template <class Packet>
void set_segmentation(Packet& p, sluice::u32 header) {
    namespace tcp = sluice::tcp;
    using sluice::u16;
    constexpr sluice::u32 mtu = 1500;
    constexpr u16 checksum_offset = 16;
    if (p.size() < header + tcp::min_header_length) {
        return;
    }
    const auto behind = static_cast<sluice::u32>(
        tcp::header_length(tcp::const_view{std::as_const(p).data() + header}));
    sluice::metadata& known = p.facts();
    known.segmentation = sluice::segmentation_kind::tcp_ipv4;
    known.segment_size = static_cast<u16>(mtu - header - behind);
    known.checksum = sluice::checksum_state::pending;
    known.checksum_start = static_cast<u16>(header);
    known.checksum_offset = checksum_offset;
}

}  // namespace detail

// Whether the length had to be presumed.
template <class Packet>
bool finish_offloads(Packet& p, checksums made) {
    namespace ipv4 = sluice::ipv4;
    if (p.size() < ipv4::min_header_length) {
        return false;
    }
    const ipv4::view ip{p.data()};
    const auto header = static_cast<sluice::u32>(header_length(ip));
    if (ip[ipv4::version] != 4 || header < ipv4::min_header_length || header > p.size()) {
        return false;
    }
    const bool fill_in = made == checksums::not_filled_in;
    const bool presumed = ip[ipv4::total_length] == 0;
    const bool was_right = checksum_ok(ip);
    if (presumed && p.size() <= ipv4::max_total_length) {
        ip.set(ipv4::total_length, static_cast<sluice::u16>(p.size()));
        if (was_right) {
            set_checksum(ip);
        }
    }
    if (fill_in) {
        set_checksum(ip);
        p.facts().checksum = sluice::checksum_state::verified;
    }
    if (presumed && ip[ipv4::protocol] == ipv4::protocols::tcp && !is_fragment(ip)) {
        detail::set_segmentation(p, header);
    }
    return presumed;
}

}  // namespace examples
