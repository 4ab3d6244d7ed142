// Harnesses of the ports that port.cpp tests: for each, how it is opened, the other side that sends
// to it and sees what left, and how it is removed.
#pragma once

#include "../unit/port/temporary_file.hpp"
#include "../unit/port/veth_pair.hpp"

#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/af_packet_ring.hpp>
#include <sluice/port/af_packet_ring_send.hpp>
#include <sluice/port/capture_device.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/port/tun.hpp>
#include <sluice/testing/conformance/port.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace conformance_port {

using namespace sluice;
using namespace sluice::literals;
using namespace port_test;
using port::device_state;
using port::read_status;
using sluice::testing::port_arrival;

inline constexpr u16 interface_number = 7;

template <class Opened>
auto value_of(Opened made) {
    REQUIRE(made.has_value());
    return std::move(*made);
}

// The echo request of this number, from the device's neighbour to the device.
inline byte_vector echo(std::size_t number) {
    byte_vector message = support::list({8, 0, 0, 0, 0, 0, 0, static_cast<int>(number)});
    icmp::set_checksum(message);
    return support::datagram_of({.source = "10.9.0.1"_ip,
                                 .destination = "10.9.0.2"_ip,
                                 .protocol = ipv4::protocols::icmp,
                                 .payload = std::move(message)});
}

// The other side of a device: a device of the library.
template <class Device>
class far_side {
public:
    explicit far_side(Device device) : device_{std::move(device)}, out_{device_.sender()} {}

    std::vector<byte_vector> offer(std::size_t count) {
        std::vector<byte_vector> all;
        for (std::size_t i = 1; i <= count; ++i) {
            all.push_back(device_.link() == port::link_header::ethernet ? with_link_header(echo(i))
                                                                        : echo(i));
            packet p = support::packet_of(buffers_, all.back());
            if constexpr (requires { out_.send_frame(p, u16{}, instant{}); }) {
                REQUIRE(out_.send_frame(p, interface_number, {}));
            } else {
                REQUIRE(out_.transmit(p, {}, {}));
            }
        }
        out_.flush();
        REQUIRE(out_.counters().lost == 0);
        return all;
    }
    std::vector<port_arrival> sent() {
        std::vector<port_arrival> all;
        std::array<packet, 8> packets;
        for (;;) {
            const auto got = device_.receive(buffers_, std::span{packets});
            for (std::size_t i = 0; i < got.count; ++i) {
                all.push_back(
                    {support::content_of(packets[i]), std::as_const(packets[i]).metadata()});
                packets[i].reset();
            }
            if (got.end != read_status::none) {
                return all;
            }
        }
    }

private:
    using pool = fixed_pool<2048, 256>;
    using packet = pool::packet_type;

    pool buffers_;
    Device device_;
    typename Device::sender_type::template model<packet> out_;
};

// A TUN or TAP device. The kernel's side is a packet socket on its interface.
template <port::tun::kind Kind, bool Offload = false>
struct tun_harness {
    using type = port::tun::device;

    own_namespace ns{"port"};
    type made = value_of(port::tun::open_in_namespace(
        ns.path(), "sl0", {.kind = Kind, .interface = interface_number, .offload = Offload}));
    far_side<port::af_packet::device> far{(come_up(), open_far())};

    void come_up() const {
        // The kernel's own IPv6 would send as well.
        REQUIRE(run("ip netns exec " + ns.name +
                    " sh -c 'echo 1 >/proc/sys/net/ipv6/conf/sl0/disable_ipv6'; true"));
        REQUIRE(ns.ip("link set sl0 up"));
    }
    [[nodiscard]] port::af_packet::device open_far() const {
        return value_of(port::af_packet::open_in_namespace(ns.path(), "sl0",
                                                           {.protocol = ethernet::types::ipv4}));
    }
    type& device() { return made; }
    auto offer(std::size_t count) { return far.offer(count); }
    auto sent() { return far.sent(); }
    bool remove() { return ns.ip("link del sl0"); }
};
using tun_device = tun_harness<port::tun::kind::tun>;
using tap_device = tun_harness<port::tun::kind::tap>;
// With a virtio-net header in front of each packet.
using offload_device = tun_harness<port::tun::kind::tun, true>;

// One end of a veth pair. The other side is a packet socket at the other end.
template <class Device>
struct veth_harness {
    using type = Device;

    veth_pair wire{"port"};
    type made = open();
    far_side<port::af_packet::device> far{value_of(port::af_packet::open_in_namespace(
        wire.ns.path(), "vb", {.protocol = ethernet::types::ipv4}))};

    [[nodiscard]] type open() const {
        REQUIRE(wire.made);
        const port::af_packet::options how{.interface = interface_number,
                                           .protocol = ethernet::types::ipv4};
        return value_of(port::in_namespace(wire.ns.path(), [&] {
            if constexpr (std::is_same_v<type, port::af_packet::device>) {
                return port::af_packet::open("va", how);
            } else if constexpr (std::is_same_v<type, port::af_packet::transmit_ring>) {
                return type::open("va");
            } else {
                return type::open("va", how);
            }
        }));
    }
    type& device() { return made; }
    auto offer(std::size_t count)
        requires port::receiver_for<Device, sluice::testing::conformance::detail::port_pool>
    {
        return far.offer(count);
    }
    auto sent() { return far.sent(); }
    bool remove() { return wire.ns.ip("link del va"); }
    bool set_up(bool up) { return wire.ns.ip(up ? "link set va up" : "link set va down"); }
};
using socket_device = veth_harness<port::af_packet::device>;
using ring_device = veth_harness<port::af_packet::ring<64>>;
using transmit_ring_device = veth_harness<port::af_packet::transmit_ring>;

// A raw socket. It belongs to no interface; the other side is another one, over the loopback.
struct raw_device {
    using type = port::raw_socket::device;

    own_namespace ns{"port"};
    type made = open(ipv4::protocols::icmp);
    far_side<type> far{open(ipv4::protocols::udp)};

    [[nodiscard]] type open(u8 protocol) const {
        REQUIRE(ns.ip("link set lo up"));
        REQUIRE(run("ip -n " + ns.name + " addr replace 10.9.0.2/32 dev lo"));
        return value_of(port::raw_socket::open_in_namespace(
            ns.path(), {.protocol = protocol, .interface = interface_number}));
    }
    type& device() { return made; }
    auto offer(std::size_t count) { return far.offer(count); }
    auto sent() { return far.sent(); }
};

// A capture of echo requests, with a question of ARP behind the second.
struct capture_device {
    using type = port::capture::device;

    temporary_file file;
    std::optional<type> made;

    type& device() {
        if (!made) {
            static_cast<void>(offer(0));
        }
        return *made;
    }
    std::vector<byte_vector> offer(std::size_t count) {
        std::vector<byte_vector> all;
        {
            auto to =
                value_of(port::pcap::writer::create(file.path, port::pcap::link_type::ethernet));
            for (std::size_t i = 1; i <= count; ++i) {
                all.push_back(echo(i));
                REQUIRE(to.write({}, with_link_header(all.back())));
                REQUIRE((i != 2 || to.write({}, with_link_header(byte_vector(28), {}, 0x0806))));
            }
        }
        made.emplace(value_of(type::open(file.path, {.interface = interface_number})));
        return all;
    }
};

// A capture that a program reads from a pipe.
struct pipe_device {
    using type = port::pcap::writer;

    port::descriptor reader;
    type made = open();
    byte_vector content;   // of the pipe until now
    std::size_t seen = 0;  // records of it

    [[nodiscard]] type open() {
        int ends[2] = {-1, -1};
        REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);
        reader = port::descriptor{ends[0]};
        return value_of(type::open(port::descriptor{ends[1]}, port::pcap::link_type::raw));
    }
    type& device() { return made; }
    std::vector<port_arrival> sent() {
        std::byte some[4096];
        for (ssize_t n = 0; (n = ::read(reader.get(), some, sizeof some)) > 0;) {
            content.insert(content.end(), some, some + n);
        }
        auto records = value_of(port::pcap::reader::open(content));
        std::vector<port_arrival> all;
        std::size_t number = 0;
        while (const auto record = records.next()) {
            if (number++ >= seen) {
                all.push_back({.content = {record->captured.begin(), record->captured.end()},
                               .time = instant{} + record->since_epoch});
            }
        }
        seen = number;
        return all;
    }
    bool remove() {
        reader.reset();
        return true;
    }
};

}  // namespace conformance_port
