// Two Ethernet interfaces on one wire, in a namespace of the test without other traffic.
#pragma once

#include "own_namespace.hpp"

#include "support/datagrams.hpp"

#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/tcp.hpp>

namespace port_test {

using support::byte_vector;

struct veth_pair {
    own_namespace ns;
    bool made;

    explicit veth_pair(const char* purpose)
        : ns{purpose}, made{ns.made && make_in("link add va type veth peer name vb") &&
                            make_in("link set va address 02:00:00:00:00:0a addrgenmode none") &&
                            make_in("link set vb address 02:00:00:00:00:0b addrgenmode none") &&
                            make_in("link set va up") && make_in("link set vb up") &&
                            carries("va") && carries("vb")} {}

    // The kernel notes the carrier of the end that came up first a while after: until then that
    // end drops what is sent. A change behind that note waits for what it sets off.
    [[nodiscard]] bool carries(const char* end) const {
        return make("for i in $(seq 3000); do ip -n " + ns.name + " link show " + end +
                    " | grep -q 'state UP' && exit 0; sleep 0.01; done; exit 1") &&
               make_in(std::string{"link set "} + end + " up");
    }

private:
    [[nodiscard]] bool make_in(const std::string& arguments) const {
        return make("ip -n " + ns.name + " " + arguments);
    }
};

inline byte_vector with_link_header(const byte_vector& content,
                                    std::initializer_list<int> destination = {},
                                    int type = 0x0800) {
    byte_vector frame =
        support::list({2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, type >> 8, type & 255});
    std::size_t i = 0;
    for (const int byte : destination)
        frame[i++] = static_cast<std::byte>(byte);
    frame.insert(frame.end(), content.begin(), content.end());
    return frame;
}

// TCP or UDP in Ethernet, with the pseudo header's sum where the checksum goes.
inline byte_vector unfinished_frame(bool tcp, std::size_t payload) {
    using namespace sluice;
    const std::size_t head = tcp ? 32 : 8;
    byte_vector transport = support::pattern(head + payload);
    if (tcp) {
        tcp::view{transport.data()}.set(tcp::data_offset, 8);
        tcp::view{transport.data()}.set(tcp::flags, 0x10);
    } else {
        udp::view{transport.data()}.set(udp::length, static_cast<u16>(transport.size()));
    }
    const support::datagram_fields f{.protocol = tcp ? u8{6} : u8{17}, .payload = transport};
    byte_vector frame = with_link_header(support::datagram_of(f));
    const u64 sum = checksum::pseudo_header(f.source, f.destination, f.protocol,
                                            static_cast<u32>(transport.size()));
    store_be<u16>(frame.data() + 34 + (tcp ? 16 : 6), checksum::fold(sum));
    return frame;
}

template <class Packet>
void set_unfinished(Packet& frame, bool tcp, sluice::u16 segment_size) {
    using namespace sluice;
    metadata& m = frame.writable_metadata();
    m.checksum = checksum_state::pending;
    m.checksum_start = 20;
    m.checksum_offset = tcp ? 16 : 6;
    m.segment_size = segment_size;
    if (segment_size > 0) {
        m.segmentation = tcp ? segmentation_kind::tcp_ipv4 : segmentation_kind::udp;
    }
}

}  // namespace port_test
