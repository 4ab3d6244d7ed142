// virtio-net header: the ten bytes in front of a frame that tell what a device or a peer left
// undone, and what metadata says about the same.
//
// Expects: the header in the order of the machine, as the kernel gives it (PACKET_VNET_HDR,
//          IFF_VNET_HDR without TUNSETVNETBE).
// Does:    both directions, every GSO type. UDP that is to be cut into IP fragments (UFO) becomes a
//          plain large datagram: whoever sends it on fragments it.
// Never:   believes a number: offsets are held against the frame and its IPv4 header, the segment
//          size against its kind; the headers inside are for pipeline/segment_plan.hpp to check.
//          Needs no header of the system.
// Cost:    ten bytes a frame.
// Source:  Virtual I/O Device (VIRTIO) 1.2, 5.1.6. Linux virtio_net_hdr_to_skb.
// Deviation: a checksum that begins in the IPv4 header is refused, and one at an odd place; so are
//          segments of a packet that is neither TCP nor UDP itself and has no pending checksum to
//          show where they begin. UDP segments with a verified checksum, which Linux tells
//          (fraglist GRO) and does not take, are taken.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/result.hpp>
#include <sluice/packet/metadata.hpp>
#include <sluice/pipeline/segment_plan.hpp>
#include <sluice/port/link_header.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/udp.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace sluice::port::virtio_net {

inline constexpr std::size_t header_size = 10;

namespace flags {
inline constexpr u8 needs_checksum = 1;
inline constexpr u8 data_valid = 2;
}  // namespace flags

namespace gso {
inline constexpr u8 none = 0;
inline constexpr u8 tcp_ipv4 = 1;
inline constexpr u8 udp_fragments = 3;
inline constexpr u8 tcp_ipv6 = 4;
inline constexpr u8 udp_segments = 5;
inline constexpr u8 ecn = 0x80;  // beside a TCP type: the first segment has CWR
}  // namespace gso

struct header {
    u8 flags = 0;
    u8 gso = 0;
    u16 header_length = 0;  // bytes to the payload; a hint
    u16 segment_size = 0;
    u16 checksum_start = 0;  // from the beginning of the frame
    u16 checksum_offset = 0;

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

enum class error : u8 {
    none,
    unknown_kind,      // a GSO type that IPv4 has no use for, or of another protocol
    checksum_outside,  // the checksum is not in the frame behind the IPv4 header
    wrong_checksum,    // it is not where this GSO type has it
    segment_size       // none, or so small that the pieces would be too many
};

// A sentence for a person.
[[nodiscard]] constexpr const char* message(error why) noexcept {
    switch (why) {
    case error::none:
        return "no error";
    case error::unknown_kind:
        return "the segmentation kind does not fit IPv4";
    case error::checksum_outside:
        return "the checksum lies outside the packet";
    case error::wrong_checksum:
        return "the checksum offset does not fit the segmentation kind";
    case error::segment_size:
        return "the segment size is zero or too small";
    }
    return "unknown virtio-net error";
}

namespace detail {

constexpr u16 load_native(const std::byte* from) noexcept {
    return std::bit_cast<u16>(std::array{from[0], from[1]});
}
constexpr void store_native(std::byte* to, u16 value) noexcept {
    const auto halves = std::bit_cast<std::array<std::byte, 2>>(value);
    to[0] = halves[0];
    to[1] = halves[1];
}

[[nodiscard]] constexpr u16 checksum_offset_of(segmentation_kind kind) noexcept {
    return kind == segmentation_kind::udp ? 6 : 16;
}

// The kind of segments of a GSO type; none also of UFO, which is not cut into segments.
[[nodiscard]] constexpr result<segmentation_kind, error> kind_of(u8 type) noexcept {
    switch (type) {
    case gso::none:
    case gso::udp_fragments:
    case gso::udp_fragments | gso::ecn:
        return segmentation_kind::none;
    case gso::tcp_ipv4:
    case gso::tcp_ipv4 | gso::ecn:
        return segmentation_kind::tcp_ipv4;
    case gso::tcp_ipv6:
    case gso::tcp_ipv6 | gso::ecn:
        return segmentation_kind::tcp_ipv6;
    case gso::udp_segments:
        return segmentation_kind::udp;
    default:
        return failure{error::unknown_kind};
    }
}

}  // namespace detail

// header_size bytes at `from`, `to`.
[[nodiscard]] constexpr header load(const std::byte* from) noexcept {
    return {std::to_integer<u8>(from[0]),  std::to_integer<u8>(from[1]),
            detail::load_native(from + 2), detail::load_native(from + 4),
            detail::load_native(from + 6), detail::load_native(from + 8)};
}
constexpr void store(std::byte* to, const header& h) noexcept {
    to[0] = static_cast<std::byte>(h.flags);
    to[1] = static_cast<std::byte>(h.gso);
    detail::store_native(to + 2, h.header_length);
    detail::store_native(to + 4, h.segment_size);
    detail::store_native(to + 6, h.checksum_start);
    detail::store_native(to + 8, h.checksum_offset);
}

// What matters of a frame's IPv4 header: of at least five words. By default it has no options, and
// carries whatever the segments are.
struct network_header {
    u32 length = ipv4::min_header_length;
    u8 protocol = 0;  // 0: not known
};

namespace detail {

// Why a packet with that IPv4 header, of which so much is known, is none of those segments.
[[nodiscard]] constexpr error why_not(segmentation_kind kind, const metadata& known,
                                      network_header ip) noexcept {
    if (known.checksum == checksum_state::pending) {
        constexpr u32 ipv6_header = 40;
        if (known.checksum_offset != checksum_offset_of(kind)) {
            return error::wrong_checksum;
        }
        return kind == segmentation_kind::tcp_ipv6 && known.checksum_start < ip.length + ipv6_header
                   ? error::unknown_kind
                   : error::none;
    }
    // Without a pending checksum the transport header is taken to follow the IPv4 header.
    const bool udp = kind == segmentation_kind::udp;
    const u8 right = udp ? ipv4::protocols::udp : ipv4::protocols::tcp;
    if (kind == segmentation_kind::tcp_ipv6 || (ip.protocol != 0 && ip.protocol != right)) {
        return error::unknown_kind;
    }
    return udp && known.checksum == checksum_state::unknown ? error::wrong_checksum : error::none;
}

}  // namespace detail

// What the header says of a frame of `size` bytes whose IPv4 header is network_offset bytes in.
// Only checksum and segmentation are set. Whether the device found the checksum right is told too.
[[nodiscard]] constexpr result<metadata, error>
to_metadata(const header& h, u32 size, u32 network_offset, network_header ip = {}) noexcept {
    metadata m;
    const bool pending = (h.flags & flags::needs_checksum) != 0;
    const auto kind = detail::kind_of(h.gso);
    if (!kind) {
        return failure{kind.error()};
    }
    // What stands where the segments begin.
    const u32 transport = *kind == segmentation_kind::none  ? 0
                          : *kind == segmentation_kind::udp ? u32{udp::layout::size}
                                                            : u32{tcp::min_header_length};
    if (h.gso != gso::none && (h.segment_size == 0 || h.segment_size == 0xffff)) {
        return failure{error::segment_size};  // the latter has a meaning of its own in Linux
    }
    if (pending) {
        const u32 field_end = u32{h.checksum_offset} + 2;
        const u32 needed = field_end > transport ? field_end : transport;
        if (h.checksum_start < network_offset + ip.length || h.checksum_start + needed > size ||
            (h.checksum_offset & 1) != 0) {
            return failure{error::checksum_outside};
        }
        m.checksum = checksum_state::pending;
        m.checksum_start = static_cast<u16>(h.checksum_start - network_offset);
        m.checksum_offset = h.checksum_offset;
    } else if ((h.flags & flags::data_valid) != 0) {
        m.checksum = checksum_state::verified;
    }
    if (*kind == segmentation_kind::none) {
        return m;
    }
    const error wrong = detail::why_not(*kind, m, ip);
    if (wrong != error::none) {
        return failure{wrong};
    }
    const u32 begin = network_offset + pipeline::transport_offset(m, ip.length) + transport;
    if (begin > size) {
        return failure{error::checksum_outside};
    }
    const u32 most =
        *kind == segmentation_kind::udp ? pipeline::most_udp_segments : pipeline::most_tcp_segments;
    if (pipeline::segments_of(size - begin, h.segment_size) > most) {
        return failure{error::segment_size};
    }
    if (size - begin > h.segment_size) {  // else there is nothing to cut
        m.segmentation = *kind;
        m.segment_size = h.segment_size;
    }
    return m;
}

// The header for a frame that begins with these bytes (at least through the transport header where
// there is one) and has these facts. Where they cannot be told, the error says why.
[[nodiscard]] constexpr result<header, error> of_metadata(const metadata& m, const_bytes frame,
                                                          u32 network_offset) noexcept {
    header h;
    if (m.checksum == checksum_state::pending) {
        const u32 start = network_offset + m.checksum_start;
        if (start > 0xffff || start + m.checksum_offset + 2 > frame.size()) {
            return failure{error::checksum_outside};
        }
        h.flags = flags::needs_checksum;
        h.checksum_start = static_cast<u16>(start);
        h.checksum_offset = m.checksum_offset;
    }
    if (m.segmentation == segmentation_kind::none) {
        return h;
    }
    if (m.segmentation == segmentation_kind::tcp_ipv6) {
        return failure{error::unknown_kind};
    }
    if (h.flags == 0 || m.checksum_offset != detail::checksum_offset_of(m.segmentation)) {
        return failure{error::wrong_checksum};
    }
    if (m.segment_size == 0) {
        return failure{error::segment_size};
    }
    h.segment_size = m.segment_size;
    if (m.segmentation == segmentation_kind::udp) {
        h.gso = gso::udp_segments;
        h.header_length = static_cast<u16>(h.checksum_start + 8u);
        return h;
    }
    // The checksum field is within the frame, so flags and data offset in front of it are.
    const tcp::const_view segment{frame.data() + h.checksum_start};
    h.gso = static_cast<u8>(gso::tcp_ipv4 | (segment[tcp::cwr] ? gso::ecn : u8{0}));
    h.header_length = static_cast<u16>(h.checksum_start + tcp::header_length(segment));
    return h;
}

// Gives the packet what the header says of it. A checksum that a device found right is told of
// segments alone: it would give every packet facts, for a sum that is cheap to check. Nothing is
// told of what is not IPv4. false: the facts do not fit the packet.
template <class Packet>
[[nodiscard]] constexpr bool set_metadata(Packet& packet, const header& h,
                                          link_header link) noexcept {
    if (h == header{}) {
        return true;
    }
    const u32 network = bytes_of(link, packet);
    if (!packet.may_pull(network + u32{ipv4::min_header_length}) ||
        (network != 0 && load_be<u16>(packet.data() + network - 2) != ethernet::types::ipv4)) {
        return true;
    }
    const ipv4::const_view ip{std::as_const(packet).data() + network};
    if (ip[ipv4::version] != 4 || ip[ipv4::ihl] < 5) {
        return true;
    }
    const auto known = to_metadata(h, packet.size(), network,
                                   {static_cast<u32>(ipv4::header_length(ip)), ip[ipv4::protocol]});
    if (known && (known->checksum == checksum_state::pending ||
                  known->segmentation != segmentation_kind::none)) {
        packet.writable_metadata() = *known;
    }
    return known.has_value();
}

// Writes the header of a packet at `to`, by its facts; may make its headers contiguous. false: they
// cannot be told.
template <class Packet>
[[nodiscard]] constexpr bool write_header(std::byte* to, Packet& packet,
                                          link_header link) noexcept {
    header told;
    if (packet.has_metadata()) {
        const u32 network = bytes_of(link, packet);
        const metadata& known = std::as_const(packet).metadata();
        if (known.checksum == checksum_state::pending &&
            !packet.may_pull(network + known.checksum_start + known.checksum_offset + 2u)) {
            return false;
        }
        const auto made = of_metadata(std::as_const(packet).metadata(), packet.head(), network);
        if (!made) {
            return false;
        }
        told = *made;
    }
    store(to, told);
    return true;
}

}  // namespace sluice::port::virtio_net
