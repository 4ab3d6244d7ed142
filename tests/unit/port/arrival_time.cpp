// The times of reception that devices report, if they are asked to. Those of the kernel need root;
// else skipped.
#include <sluice/port/af_packet_ring.hpp>
#include <sluice/port/capture_device.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/port/tun.hpp>

#include "temporary_file.hpp"
#include "veth_pair.hpp"

#include <doctest/doctest.h>

namespace port_arrival_time {
using namespace support;
using namespace port_test;
using namespace sluice::port;

namespace {

using pool = fixed_pool<2048, 64, shared>;

// Receives one packet of the device, without and with timestamps, by a call that sends it.
template <class Open, class Send>
void check_device(const char* name, const Open& open, const Send& send) {
    INFO(doctest::String{name});
    static pool buffers;
    for (const bool asked : {false, true}) {
        CAPTURE(asked);
        auto device = open(asked);
        REQUIRE(device.has_value());
        const duration before = arrival_time::now();
        send();
        pool::packet_type got[1];
        while (!got[0] && wait_readable(device->fd()))  // a TUN device also throws away IPv6
            static_cast<void>(device->receive(buffers, std::span{got}));
        REQUIRE(got[0]);
        const duration seen = std::as_const(got[0]).metadata().received_at;
        if (asked) {
            CHECK(seen >= before);
            CHECK(seen <= arrival_time::now());
        } else {
            CHECK(seen == duration{});
        }
    }
}

}  // namespace

TEST_CASE("arrival time: a capture has the times of its packets") {
    const port_test::temporary_file file;
    const duration times[] = {{1'700'000'000'123'456'000}, {1'700'000'001'000'000'000}};
    {
        auto to = pcap::writer::create(file.path, pcap::link_type::raw);
        REQUIRE(to.has_value());
        for (const duration t : times)
            REQUIRE(to->write(t, datagram_of({})));
    }
    pool buffers;
    auto from = capture::device::open(file.path, {.timestamps = true});
    REQUIRE(from.has_value());
    for (const duration t : times) {
        const auto p = from->receive(buffers);
        REQUIRE(p.has_value());
        CHECK(p->metadata().received_at == t);
    }
    auto plain = capture::device::open(file.path);
    REQUIRE(plain.has_value());
    const auto p = plain->receive(buffers);
    REQUIRE(p.has_value());
    CHECK_FALSE(p->has_metadata());
}

TEST_CASE("arrival time: the kernel's, of each device that receives from it") {
    const veth_pair wire{"art"};
    if (!wire.made || !wire.ns.ip("link set lo up")) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    const std::string path = wire.ns.path();
    static pool buffers;
    auto a = af_packet::open_in_namespace(path, "va");
    REQUIRE(a.has_value());
    af_packet::sender::model<pool::packet_type> out = a->sender();
    const auto send_frame = [&] {
        auto frame = packet_of(buffers, with_link_header(datagram_of({})));
        REQUIRE(out.send_frame(frame, 9, {}));
        out.flush();
    };
    check_device(
        "af_packet",
        [&](bool asked) { return af_packet::open_in_namespace(path, "vb", {.timestamps = asked}); },
        send_frame);
    check_device(
        "af_packet ring",
        [&](bool asked) {
            return in_namespace(path, [asked] {
                return af_packet::ring<64>::open("vb", {.timestamps = asked}, {.blocks = 2});
            });
        },
        send_frame);

    auto raw = raw_socket::open_in_namespace(path, {.protocol = ipv4::protocols::raw});
    REQUIRE(raw.has_value());
    raw_socket::sender::model<pool::packet_type> to_raw = raw->sender();
    check_device(
        "raw socket",
        [&](bool asked) {
            return raw_socket::open_in_namespace(
                path, {.protocol = ipv4::protocols::experiment1, .timestamps = asked});
        },
        [&] {
            auto p = packet_of(buffers, datagram_of({.source = "127.0.0.3"_ip,
                                                     .destination = "127.0.0.2"_ip,
                                                     .protocol = ipv4::protocols::experiment1}));
            REQUIRE(to_raw.transmit(p, {}, {}));
        });
}

TEST_CASE("arrival time: the port's clock, of a TUN device") {
    const own_namespace ns{"artun"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    check_device(
        "tun",
        [&](bool asked) {
            auto device = tun::open_in_namespace(ns.path(), "sl0", {.timestamps = asked});
            REQUIRE(ns.ip("addr add 10.9.0.1/24 dev sl0"));
            return device;
        },
        // A host that comes up with an IPv4 address sends IGMP or, asked so, an echo request.
        [&] {
            REQUIRE(ns.ip("link set sl0 up"));
            ns.start("ping -c 1 -W 1 10.9.0.2");
        });
}

}  // namespace port_arrival_time
