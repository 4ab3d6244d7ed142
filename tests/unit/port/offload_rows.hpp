// Every combination of virtio-net flags, GSO type and checksum place, with Linux's result
// (virtio_net_hdr_to_skb: whether a TUN device accepts it) and Sluice's.
#pragma once

#include "support/tunnels.hpp"

#include <sluice/port/virtio_net.hpp>

#include <cstddef>
#include <string>

namespace offload_test {

using namespace support;
namespace virtio = sluice::port::virtio_net;

inline constexpr u16 segment_size = 1000;
inline constexpr std::size_t payload_size = 3001;

// Where the checksum begins, says the header: behind the inner IPv4 header of a packet in a tunnel;
// behind the IPv4 header of a plain one; inside that; at the end of the packet.
enum class place { inner, outer, inside, past };
inline constexpr place places[] = {place::inner, place::outer, place::inside, place::past};

// what: w whole, nothing left to do; p whole, its checksum pending; s segments; r refused.
struct offload_row {
    const char* gso_name;
    u8 gso;
    u8 flags;
    const char* linux_takes;  // y or n; a letter for each place
    const char* what;
};

// Where we differ from Linux: without a pending checksum nothing says where the segments of a
// packet in a tunnel begin (Linux takes it, and cannot cut it); UDP segments with a verified
// checksum Linux tells (fraglist GRO) but does not take; TCP over IPv6 in IPv4 has an IPv6 header
// in front.
inline constexpr offload_row offload_rows[] = {
    {.gso_name = "none", .gso = 0, .flags = 0, .linux_takes = "yyyy", .what = "wwww"},
    {.gso_name = "none", .gso = 0, .flags = 1, .linux_takes = "yynn", .what = "pprr"},
    {.gso_name = "none", .gso = 0, .flags = 2, .linux_takes = "yyyy", .what = "wwww"},
    {.gso_name = "none", .gso = 0, .flags = 3, .linux_takes = "yynn", .what = "pprr"},
    {.gso_name = "TCPV4", .gso = 1, .flags = 0, .linux_takes = "yyyy", .what = "rsss"},
    {.gso_name = "TCPV4", .gso = 1, .flags = 1, .linux_takes = "yynn", .what = "ssrr"},
    {.gso_name = "TCPV4", .gso = 1, .flags = 2, .linux_takes = "yyyy", .what = "rsss"},
    {.gso_name = "TCPV4", .gso = 1, .flags = 3, .linux_takes = "yynn", .what = "ssrr"},
    {.gso_name = "TCPV4 with ECN", .gso = 0x81, .flags = 0, .linux_takes = "yyyy", .what = "rsss"},
    {.gso_name = "TCPV4 with ECN", .gso = 0x81, .flags = 1, .linux_takes = "yynn", .what = "ssrr"},
    {.gso_name = "TCPV4 with ECN", .gso = 0x81, .flags = 2, .linux_takes = "yyyy", .what = "rsss"},
    {.gso_name = "TCPV4 with ECN", .gso = 0x81, .flags = 3, .linux_takes = "yynn", .what = "ssrr"},
    {.gso_name = "UDP", .gso = 3, .flags = 0, .linux_takes = "yyyy", .what = "wwww"},
    {.gso_name = "UDP", .gso = 3, .flags = 1, .linux_takes = "yynn", .what = "pprr"},
    {.gso_name = "UDP", .gso = 3, .flags = 2, .linux_takes = "yyyy", .what = "wwww"},
    {.gso_name = "UDP", .gso = 3, .flags = 3, .linux_takes = "yynn", .what = "pprr"},
    {.gso_name = "UDP with ECN", .gso = 0x83, .flags = 0, .linux_takes = "yyyy", .what = "wwww"},
    {.gso_name = "UDP with ECN", .gso = 0x83, .flags = 1, .linux_takes = "yynn", .what = "pprr"},
    {.gso_name = "UDP with ECN", .gso = 0x83, .flags = 2, .linux_takes = "yyyy", .what = "wwww"},
    {.gso_name = "UDP with ECN", .gso = 0x83, .flags = 3, .linux_takes = "yynn", .what = "pprr"},
    {.gso_name = "UDP_L4", .gso = 5, .flags = 0, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "UDP_L4", .gso = 5, .flags = 1, .linux_takes = "yynn", .what = "ssrr"},
    {.gso_name = "UDP_L4", .gso = 5, .flags = 2, .linux_takes = "nnnn", .what = "rsss"},
    {.gso_name = "UDP_L4", .gso = 5, .flags = 3, .linux_takes = "yynn", .what = "ssrr"},
    {.gso_name = "UDP_L4 with ECN", .gso = 0x85, .flags = 0, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "UDP_L4 with ECN", .gso = 0x85, .flags = 1, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "UDP_L4 with ECN", .gso = 0x85, .flags = 2, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "UDP_L4 with ECN", .gso = 0x85, .flags = 3, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "TCPV6", .gso = 4, .flags = 0, .linux_takes = "yyyy", .what = "rrrr"},
    {.gso_name = "TCPV6", .gso = 4, .flags = 1, .linux_takes = "ynnn", .what = "rrrr"},
    {.gso_name = "TCPV6", .gso = 4, .flags = 2, .linux_takes = "yyyy", .what = "rrrr"},
    {.gso_name = "TCPV6", .gso = 4, .flags = 3, .linux_takes = "ynnn", .what = "rrrr"},
    {.gso_name = "TCPV6 with ECN", .gso = 0x84, .flags = 0, .linux_takes = "yyyy", .what = "rrrr"},
    {.gso_name = "TCPV6 with ECN", .gso = 0x84, .flags = 1, .linux_takes = "ynnn", .what = "rrrr"},
    {.gso_name = "TCPV6 with ECN", .gso = 0x84, .flags = 2, .linux_takes = "yyyy", .what = "rrrr"},
    {.gso_name = "TCPV6 with ECN", .gso = 0x84, .flags = 3, .linux_takes = "ynnn", .what = "rrrr"},
    {.gso_name = "ECN", .gso = 0x80, .flags = 0, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "ECN", .gso = 0x80, .flags = 1, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "ECN", .gso = 0x80, .flags = 2, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "ECN", .gso = 0x80, .flags = 3, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "unknown", .gso = 2, .flags = 0, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "unknown", .gso = 2, .flags = 1, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "unknown", .gso = 7, .flags = 2, .linux_takes = "nnnn", .what = "rrrr"},
    {.gso_name = "unknown", .gso = 0x86, .flags = 3, .linux_takes = "nnnn", .what = "rrrr"},
};

// A packet of one of these rows: IPv4 in IPv4 for place::inner.
struct offload_packet {
    offload_row row;
    place where;
    flow f;
    tunnel t{};

    offload_packet(const offload_row& r, place p)
        : row{r}, where{p},
          f{.tcp = (r.gso & 0x7f) != 3 && (r.gso & 0x7f) != 5, .fragment_word = 0} {}

    [[nodiscard]] std::string name() const {
        return std::string{row.gso_name} + ", flags " + std::to_string(row.flags) + ", place " +
               std::to_string(static_cast<int>(where));
    }
    [[nodiscard]] char linux_takes() const { return row.linux_takes[static_cast<int>(where)]; }
    [[nodiscard]] char what() const { return row.what[static_cast<int>(where)]; }
    [[nodiscard]] bool is_pending() const { return (row.flags & 1) != 0; }

    // Finished, as it would be on a wire.
    [[nodiscard]] byte_vector datagram() const { return outside(inside(), f.identification); }
    // As the device delivers it: the checksum field holds the sum of the pseudo header.
    [[nodiscard]] byte_vector given() const {
        byte_vector made = datagram();
        if (is_pending()) {
            const std::size_t at = transport();
            const ipv4::const_view ip{made.data() + at - 20};
            store_be<u16>(made.data() + at + field(),
                          checksum::fold(checksum::pseudo_header(
                              ip[ipv4::source], ip[ipv4::destination], ip[ipv4::protocol],
                              static_cast<u32>(made.size() - at))));
        }
        return made;
    }
    // link: bytes in front of the IPv4 header.
    [[nodiscard]] virtio::header header(u16 link = 0) const {
        const std::size_t size = datagram().size();
        const std::size_t start = where == place::inside ? 12
                                  : where == place::past ? size
                                                         : transport();
        return {row.flags,
                row.gso,
                static_cast<u16>(link + transport() + (f.tcp ? 20 : 8)),
                row.gso == 0 ? u16{0} : segment_size,
                static_cast<u16>(link + start),
                static_cast<u16>(field())};
    }
    // What leaves, one hop on, by a device that takes nothing unfinished.
    [[nodiscard]] std::vector<byte_vector> expected() const {
        std::vector<byte_vector> all;
        if (what() == 's') {
            for (const byte_vector& one : naive(f, 0, pattern(payload_size), segment_size)) {
                all.push_back(outside(one, static_cast<u16>(f.identification + all.size())));
            }
        } else if (what() != 'r') {
            all.push_back(datagram());
        }
        for (byte_vector& one : all) {
            ipv4::decrement_ttl(ipv4::view{one.data()});
        }
        return all;
    }

private:
    [[nodiscard]] byte_vector inside() const {
        return f.datagram(f.identification, f.sequence, 0, pattern(payload_size));
    }
    [[nodiscard]] byte_vector outside(const byte_vector& one, u16 identification) const {
        return where == place::inner ? t.wrap(one, identification) : one;
    }
    [[nodiscard]] std::size_t transport() const { return where == place::inner ? 40 : 20; }
    [[nodiscard]] std::size_t field() const { return f.tcp ? 16 : 6; }
};

}  // namespace offload_test
