// finish_offloads: completes a captured packet that was captured before its device had finished it.
//
// A total length of 0 stands for segmentation offload: it becomes the packet's length, as in
// tcpdump and Wireshark, and TCP is to be cut for an MTU of 1,500. For more than 65,535 bytes it
// stays 0 (BIG TCP), and the stack uses the packet's own length. On request the header checksum is
// filled in and transport checksums are trusted.
//
// Expects: a packet of one piece that begins at its IPv4 header, in a buffer of its own.
// Never:   fills in a checksum without a request; takes a cut packet for a whole one.
#pragma once

#include <sluice/packet/metadata.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/tcp.hpp>

namespace examples {

enum class checksums : sluice::u8 { as_captured, not_filled_in };
// The treatment of total length 0.
enum class presumed : sluice::u8 {
    nothing,  // the field is not 0
    length,   // set to the packet's
    too_long  // stays 0: too large for the field, and not a whole, unfragmented TCP packet
};

namespace detail {

// Leaves cutting and the checksums of the segments to the device.
template <class Packet>
void set_segmentation(Packet& p, sluice::u32 header) {
    namespace tcp = sluice::tcp;
    using sluice::u16;
    constexpr sluice::u32 mtu = 1500;
    constexpr u16 checksum_offset = 16;
    const auto behind = static_cast<sluice::u32>(
        tcp::header_length(tcp::const_view{std::as_const(p).data() + header}));
    sluice::metadata& known = p.metadata();
    known.segmentation = sluice::segmentation_kind::tcp_ipv4;
    known.segment_size = static_cast<u16>(mtu - header - behind);
    known.checksum = sluice::checksum_state::pending;
    known.checksum_start = static_cast<u16>(header);
    known.checksum_offset = checksum_offset;
}

}  // namespace detail

// `missing`: bytes that are not in the capture.
template <class Packet>
presumed finish_offloads(Packet& p, checksums made, sluice::u32 missing) {
    namespace ipv4 = sluice::ipv4;
    if (p.size() < ipv4::min_header_length) {
        return presumed::nothing;
    }
    const ipv4::view ip{p.data()};
    const auto header = static_cast<sluice::u32>(header_length(ip));
    if (ip[ipv4::version] != 4 || header < ipv4::min_header_length || header > p.size()) {
        return presumed::nothing;
    }
    const bool fill_in = made == checksums::not_filled_in;
    const bool says_nothing = ip[ipv4::total_length] == 0;
    const bool was_right = checksum_ok(ip);
    const sluice::u64 length = sluice::u64{p.size()} + missing;
    const bool fits = length <= ipv4::max_total_length;
    if (says_nothing && fits) {
        ip.set(ipv4::total_length, static_cast<sluice::u16>(length));
        if (was_right) {
            set_checksum(ip);
        }
    }
    if (fill_in) {
        set_checksum(ip);
        p.metadata().checksum = sluice::checksum_state::verified;
    }
    if (!says_nothing) {
        return presumed::nothing;
    }
    const bool is_cut_later = missing == 0 && ip[ipv4::protocol] == ipv4::protocols::tcp &&
                              !is_fragment(ip) &&
                              p.size() >= header + sluice::u32{sluice::tcp::min_header_length};
    if (is_cut_later) {
        detail::set_segmentation(p, header);
    }
    return fits || is_cut_later ? presumed::length : presumed::too_long;
}

}  // namespace examples
