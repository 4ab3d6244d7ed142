// The Ethernet link over AF_PACKET: the Linux kernel at the other end of the wire pings this host,
// once through the plain device and once through the ring. Needs root; else skipped.
#include <sluice/link/ethernet.hpp>
#include <sluice/port/af_packet_ring.hpp>

#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <span>

namespace port_af_packet_link {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;

namespace {

// One packet type for frames that lie in a ring and for those that the station makes.
using source = heap_source<2048, 64>;
using packet = source::packet_type;
using device_sender = ap::sender::model<packet>;
using link = ethernet_link<source, single_link_host, device_sender>;

struct station {
    source buffers;
    single_link_host host{{}, "10.9.0.2"_ip};
    device_sender sender;
    link eth{buffers, host, sender, {1, 2}};
    int echoes = 0;

    void handle(std::span<packet> frames, instant now) {
        for (packet& frame : frames) {
            if (eth.input(frame, now) == frame_kind::ipv4 &&
                frame.addressing() == link_addressing::host && is_echo_request(frame)) {
                ++echoes;
                turn_round(frame);
                CHECK(eth.output(frame, {1, link_destination::unicast, "10.9.0.1"_ip}, now));
            }
            frame.reset();
        }
        sender.flush();  // the burst's end
    }
};

template <class Receive>
void answer(const veth_pair& wire, station& us, int fd, Receive&& receive) {
    wire.ns.start("ping -c 5 -i 0.1 -w 30 10.9.0.2");
    while (us.echoes < 5 && wait_readable(fd)) {
        packet batch[8];
        const std::size_t n = receive(std::span{batch}).count;
        us.handle(std::span{batch}.first(n), port::steady_clock::now_instant());
    }
    CHECK(wire.ns.finished());
    CHECK(us.echoes == 5);
    CHECK(us.sender.counters().lost == 0);
}

}  // namespace

TEST_CASE("ping is answered over Ethernet by AF_PACKET") {
    const veth_pair wire{"afe"};
    if (!wire.made || !wire.ns.ip("addr add 10.9.0.1/24 dev va")) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    station us;
    SUBCASE("plain") {
        auto device = ap::open_in_namespace(wire.ns.path(), "vb");
        REQUIRE(device.has_value());
        us.host.hardware = device->hardware_address();
        us.sender = device->sender();
        answer(wire, us, device->fd(),
               [&](std::span<packet> batch) { return device->receive(us.buffers, batch); });
    }
    SUBCASE("ring") {
        auto ring = port::in_namespace(wire.ns.path(), [] { return ap::ring<64>::open("vb"); });
        REQUIRE(ring.has_value());
        us.host.hardware = ring->hardware_address();
        us.sender = ring->sender();
        answer(wire, us, ring->fd(), [&](std::span<packet> batch) { return ring->receive(batch); });
        CHECK(ring->blocks_held() <= 1);
    }
    CHECK(us.buffers.available() == 64);
}

}  // namespace port_af_packet_link
