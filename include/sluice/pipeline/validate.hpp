// validate: checks whether a packet is an IPv4 datagram. The maker of `datagram` and
// `unsummed_datagram`.
//
// It checks in Linux's order (ip_rcv_core): at least 20 bytes, version and header length, whole
// header present, checksum, total length against the received bytes and the header, a pending
// checksum within it. Then it cuts the link layer's padding. A TCP packet with segmentation
// metadata may be longer than the total length field allows: the field is 0 then (BIG TCP).
//
// Expects: a packet that begins at its IPv4 header.
// Never:   reads beyond the packet, changes a byte; takes a packet that it refuses: the caller
//          keeps it.
// Cost:    one pass over the header.
// Source:  RFC 1812 section 5.2.2, RFC 1122 section 3.2.1.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/packet/datagram.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::pipeline {

struct validator {
    // drop_reason::none, or the reason. May make the header contiguous; trims the padding.
    template <header_sum Sum = header_sum::verified, packet_buffer Packet>
    [[nodiscard]] static constexpr drop_reason check(Packet& packet) noexcept {
        if (!is_plain(packet)) {
            return check_in_order<Sum>(packet);
        }
        const bool sound = Sum == header_sum::unknown || checksum::verify_header(packet.data(), 5);
        return sound ? drop_reason::none : drop_reason::header_checksum;
    }

    // Moves from the packet if it is a datagram, else leaves it alone.
    template <header_sum Sum, packet_buffer Packet>
    [[nodiscard]] static constexpr result<basic_datagram<Packet, Sum>, drop_reason>
    prove(Packet& packet) noexcept {
        const drop_reason why = check<Sum>(packet);
        if (why != drop_reason::none) {
            return failure{why};
        }
        return basic_datagram<Packet, Sum>{std::move(packet)};
    }

private:
    // Most packets: a header of 20 bytes, the right length, no metadata. Only the checksum can be
    // wrong then.
    template <packet_buffer Packet>
    [[nodiscard]] static constexpr bool is_plain(const Packet& packet) noexcept {
        const u32 size = packet.size();
        return !packet.is_segmented() && !packet.has_metadata() &&
               size >= ipv4::min_header_length &&
               ipv4::differs_from_plain(packet.data(), size) == 0;
    }

    template <header_sum Sum, packet_buffer Packet>
    [[nodiscard]] static constexpr drop_reason check_in_order(Packet& packet) noexcept {
        if (!packet.may_pull(ipv4::min_header_length)) {
            return drop_reason::header_truncated;
        }
        const ipv4::const_view ip{packet.data()};
        if (ip[ipv4::version] != 4 || ip[ipv4::ihl] < 5) {
            return drop_reason::header_invalid;
        }
        const u32 header = 4u * ip[ipv4::ihl];
        if (!packet.may_pull(header)) {
            return drop_reason::header_truncated;
        }
        const ipv4::const_view whole{packet.data()};
        if (Sum == header_sum::verified && !ipv4::checksum_ok(whole)) {
            return drop_reason::header_checksum;
        }
        const u32 field = whole[ipv4::total_length];
        const u32 total = field == 0 && is_big_tcp(packet, whole) ? packet.size() : field;
        if (packet.size() < total) {
            return drop_reason::length_beyond_packet;
        }
        if (total < header) {
            return drop_reason::length_below_header;
        }
        if (!std::as_const(packet).metadata().checksum_fits(header, total)) {
            return drop_reason::checksum_misplaced;
        }
        packet.trim(total);
        return drop_reason::none;
    }

    // Linux iph_totlen.
    // Deviation: not for a fragment, whose end is known only from the total length.
    template <packet_buffer Packet>
    [[nodiscard]] static constexpr bool is_big_tcp(const Packet& packet,
                                                   ipv4::const_view ip) noexcept {
        const segmentation_kind kind = packet.metadata().segmentation;
        return (kind == segmentation_kind::tcp_ipv4 || kind == segmentation_kind::tcp_ipv6) &&
               !ipv4::is_fragment(ip);
    }
};

// Moves from the packet if it is a datagram; the caller keeps a refused packet.
template <packet_buffer Packet>
[[nodiscard]] constexpr result<datagram<Packet>, drop_reason> validate(Packet& packet) noexcept {
    return validator::prove<header_sum::verified>(packet);
}

// For a packet that was validated before, and changed since by a hook, a handler or reassembly:
// does not check the checksum.
template <packet_buffer Packet>
[[nodiscard]] constexpr result<unsummed_datagram<Packet>, drop_reason>
revalidate(Packet& packet) noexcept {
    return validator::prove<header_sum::unknown>(packet);
}

}  // namespace sluice::pipeline
