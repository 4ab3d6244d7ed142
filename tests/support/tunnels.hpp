// Tunnels built byte by byte: the headers in front of an inner packet, with right lengths and
// checksums.
#pragma once

#include "support/segments.hpp"

namespace support {

// TCP over IPv6, built from the IPv4 datagram of the same flow.
inline byte_vector over_ipv6(const byte_vector& datagram) {
    const byte_vector transport = payload_of(datagram);
    byte_vector made = list({0x60, 0, 0, 0, 0, 0, ipv4::protocols::tcp, 64});
    const byte_vector addresses = pattern(32);
    made.insert(made.end(), addresses.begin(), addresses.end());
    store_be<u16>(made.data() + 4, static_cast<u16>(transport.size()));
    made.insert(made.end(), transport.begin(), transport.end());
    store_be<u16>(made.data() + 40 + 16, 0);
    const u64 pseudo = checksum::partial(addresses) + transport.size() + ipv4::protocols::tcp;
    store_be<u16>(made.data() + 40 + 16,
                  checksum::finish(checksum::partial(const_bytes{made}.subspan(40), pseudo)));
    return made;
}

struct tunnel {
    u8 protocol = ipv4::protocols::ipip;
    byte_vector own = {};      // behind the outer IPv4 header
    bool udp_sum = false;      // of an outer UDP header at the start of `own`
    bool gre_sum = false;      // at offset 4 of a GRE header
    byte_vector options = {};  // of the outer IPv4 header
    u16 fragment_word = 0;     // flags and offset of the outer IPv4 header

    [[nodiscard]] byte_vector wrap(const byte_vector& inner, u16 identification) const {
        datagram_fields f{.source = "10.0.1.2"_ip,
                          .destination = "10.0.2.2"_ip,
                          .protocol = protocol,
                          .identification = identification,
                          .flags_and_offset = fragment_word,
                          .options = options,
                          .payload = own};
        f.payload.insert(f.payload.end(), inner.begin(), inner.end());
        if (protocol == ipv4::protocols::udp) {
            udp::view{f.payload.data()}.set(udp::length, static_cast<u16>(f.payload.size()));
            if (udp_sum) {
                udp::set_checksum(f.source, f.destination, f.payload);
            }
        } else if (gre_sum) {
            store_be<u16>(f.payload.data() + 4, 0);
            store_be<u16>(f.payload.data() + 4, checksum::compute(f.payload));
        }
        return datagram_of(f);
    }
    [[nodiscard]] std::size_t headers() const { return 20 + options.size() + own.size(); }
};

inline byte_vector joined(std::initializer_list<byte_vector> parts) {
    byte_vector made;
    for (const byte_vector& part : parts)
        made.insert(made.end(), part.begin(), part.end());
    return made;
}

namespace tunnel_parts {

inline byte_vector mac_header(int type, bool tagged = false) {
    byte_vector made = list({2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});
    return joined(
        {made, tagged ? list({0x81, 0, 0, 5}) : byte_vector{}, list({type >> 8, type & 255})});
}
inline byte_vector udp_header(int port) {
    return list({0xc0, 1, port >> 8, port & 255, 0, 0, 0, 0});
}
inline byte_vector vxlan() {
    return joined({udp_header(8472), list({8, 0, 0, 0, 0, 0, 42, 0})});
}
inline byte_vector geneve(std::size_t options, int type) {
    return joined({udp_header(6081),
                   list({static_cast<int>(options / 4), 0, type >> 8, type & 255, 0, 0, 42, 0}),
                   pattern(options)});
}

}  // namespace tunnel_parts

// Every kind of tunnel that Linux's offloads support, for an inner packet of IPv4 (0x0800) or IPv6.
struct named_tunnel {
    const char* name;
    tunnel t;
};
inline std::vector<named_tunnel> tunnels_of(int type) {
    using namespace tunnel_parts;
    const bool six = type == 0x86dd;
    constexpr u8 udp = ipv4::protocols::udp;
    constexpr u8 gre = ipv4::protocols::gre;
    const int high = type >> 8, low = type & 255;
    return {
        {"IP in IP", {.protocol = six ? ipv4::protocols::ipv6 : ipv4::protocols::ipip}},
        {"IP in IP, options outside",
         {.protocol = six ? ipv4::protocols::ipv6 : ipv4::protocols::ipip,
          .options = list({1, 1, 1, 1})}},
        {"GRE", {.protocol = gre, .own = list({0, 0, high, low})}},
        {"GRE with key", {.protocol = gre, .own = list({0x20, 0, high, low, 0, 0, 0, 7})}},
        {"GRE with checksum and key",
         {.protocol = gre,
          .own = list({0xa0, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 7}),
          .gre_sum = true}},
        {"GRE of Ethernet",
         {.protocol = gre, .own = joined({list({0, 0, 0x65, 0x58}), mac_header(type)})}},
        {"VXLAN", {.protocol = udp, .own = joined({vxlan(), mac_header(type)})}},
        {"VXLAN, DF outside",
         {.protocol = udp, .own = joined({vxlan(), mac_header(type)}), .fragment_word = 0x4000}},
        {"VXLAN with checksum",
         {.protocol = udp, .own = joined({vxlan(), mac_header(type)}), .udp_sum = true}},
        {"VXLAN, a tag inside",
         {.protocol = udp, .own = joined({vxlan(), mac_header(type, true)})}},
        {"GENEVE", {.protocol = udp, .own = joined({geneve(0, 0x6558), mac_header(type)})}},
        {"GENEVE with options and checksum",
         {.protocol = udp,
          .own = joined({geneve(124, 0x6558), mac_header(type)}),
          .udp_sum = true}},
        {"GENEVE of IP", {.protocol = udp, .own = geneve(8, type)}},
        {"IP in UDP", {.protocol = udp, .own = udp_header(5555), .udp_sum = true}},
    };
}

// Leaves the checksum to the device: the sum of the pseudo header in its field.
template <class Packet>
void leave_to_device(Packet& p, const tunnel& t, segmentation_kind kind, std::size_t inner_header,
                     u16 each) {
    const bool udp = kind == segmentation_kind::udp;
    metadata& m = p.writable_metadata();
    m.checksum = checksum_state::pending;
    m.checksum_start = static_cast<u16>(t.headers() + inner_header);
    m.checksum_offset = udp ? 6 : 16;
    m.segmentation = kind;
    m.segment_size = each;
    const std::byte* const ip = p.data() + t.headers();
    const u32 length = p.size() - m.checksum_start;
    const u64 protocol = udp ? ipv4::protocols::udp : ipv4::protocols::tcp;
    const u64 addresses = kind == segmentation_kind::tcp_ipv6 ? checksum::partial({ip + 8, 32})
                                                              : checksum::partial({ip + 12, 8});
    store_be<u16>(p.writable() + m.checksum_start + m.checksum_offset,
                  checksum::fold(addresses + length + protocol));
}

}  // namespace support
