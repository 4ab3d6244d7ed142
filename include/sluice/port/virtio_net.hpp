// virtio_net::header: the ten bytes in front of a frame that state the work that a device or a peer
// left undone; and its conversion from and to metadata.
//
// Both directions handle every GSO type. UDP to be cut into IP fragments (UFO) becomes a plain
// large datagram, which is fragmented when it is forwarded. It includes no header of the system.
//
// Expects: the header in host byte order, as the kernel uses it (PACKET_VNET_HDR, IFF_VNET_HDR
//          without TUNSETVNETBE).
// Never:   trusts a number: offsets are checked against the frame and its IPv4 header, the segment
//          size against its kind; pipeline/segment_plan.hpp checks the headers inside.
// Cost:    ten bytes a frame.
// Source:  Virtual I/O Device (VIRTIO) 1.2, 5.1.6. Linux virtio_net_hdr_to_skb.
// Deviation: it refuses a checksum that begins in the IPv4 header or has an odd offset, and
//          segments of a packet that is neither TCP nor UDP itself and has no pending checksum to
//          show where they begin. It accepts UDP segments with a verified checksum, which Linux
//          sends (fraglist GRO) but does not accept.
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
    u16 checksum_start = 0;  // from the start of the frame
    u16 checksum_offset = 0;

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

enum class error : u8 {
    none,
    unknown_kind,      // a GSO type that IPv4 cannot have, or of another protocol
    checksum_outside,  // the checksum is not in the frame behind the IPv4 header
    wrong_checksum,    // the checksum is not at the place that this GSO type has
    segment_size       // zero, or so small that there would be too many pieces
};

// A sentence to print.
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

// The kind of segments of a GSO type; none also for UFO, which is not cut into segments.
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

// load() reads header_size bytes, store() writes them.
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

// The needed fields of a frame's IPv4 header. By default it has no options and an unknown protocol.
struct network_header {
    u32 length = ipv4::min_header_length;
    u8 protocol = 0;  // 0: unknown
};

namespace detail {

// Why a packet with this IPv4 header and metadata cannot be cut into segments of `kind`.
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
    // Without a pending checksum the transport header must follow the IPv4 header.
    const bool udp = kind == segmentation_kind::udp;
    const u8 right = udp ? ipv4::protocols::udp : ipv4::protocols::tcp;
    if (kind == segmentation_kind::tcp_ipv6 || (ip.protocol != 0 && ip.protocol != right)) {
        return error::unknown_kind;
    }
    return udp && known.checksum == checksum_state::unknown ? error::wrong_checksum : error::none;
}

}  // namespace detail

// The metadata for a frame of `size` bytes whose IPv4 header begins at network_offset. Sets only
// segmentation and checksum state, also whether the device verified the checksum.
[[nodiscard]] constexpr result<metadata, error>
to_metadata(const header& h, u32 size, u32 network_offset, network_header ip = {}) noexcept {
    metadata m;
    const bool pending = (h.flags & flags::needs_checksum) != 0;
    const auto kind = detail::kind_of(h.gso);
    if (!kind) {
        return failure{kind.error()};
    }
    // Bytes of the transport header, at least.
    const u32 transport = *kind == segmentation_kind::none  ? 0
                          : *kind == segmentation_kind::udp ? u32{udp::layout::size}
                                                            : u32{tcp::min_header_length};
    if (h.gso != gso::none && (h.segment_size == 0 || h.segment_size == 0xffff)) {
        return failure{error::segment_size};  // 0xffff has a special meaning in Linux
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
    if (size - begin > h.segment_size) {  // otherwise there is nothing to cut
        m.segmentation = *kind;
        m.segment_size = h.segment_size;
    }
    return m;
}

// The header for a frame that begins with these bytes (at least through the transport header, if
// present) and has this metadata. An error says why a header cannot express it.
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
    // The checksum field is within the frame, and so are flags and data offset in front of it.
    const tcp::const_view segment{frame.data() + h.checksum_start};
    h.gso = static_cast<u8>(gso::tcp_ipv4 | (segment[tcp::cwr] ? gso::ecn : u8{0}));
    h.header_length = static_cast<u16>(h.checksum_start + tcp::header_length(segment));
    return h;
}

// Sets the packet's metadata from the header, for IPv4 only. A checksum that a device verified is
// set only for packets with segmentation: every packet would have metadata otherwise, for a sum
// that is cheap to check. False: the header does not fit the packet.
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

// Writes the header of a packet at `to`, from its metadata; may make the packet's headers
// contiguous. False: a header cannot express the metadata.
template <class Packet>
[[nodiscard]] constexpr bool write_header(std::byte* to, Packet& packet,
                                          link_header link) noexcept {
    header written;
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
        written = *made;
    }
    store(to, written);
    return true;
}

}  // namespace sluice::port::virtio_net
