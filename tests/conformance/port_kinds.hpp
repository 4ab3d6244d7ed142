// The ports that port.cpp tests: for each, where it lives, how it is opened, how packets reach it,
// and how it is removed.
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

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>

#include <unistd.h>

namespace conformance_port {

using namespace sluice;
using namespace sluice::literals;
using namespace port_test;
using port::device_state;
using port::read_status;

using pool = fixed_pool<2048, 64>;
using packet = pool::packet_type;

// An interface of a namespace, to which the kernel sends echo requests.
struct of_kernel {
    using place = own_namespace;
    static bool prepare(const own_namespace&) { return true; }
    static bool start(const own_namespace&) { return true; }
    static bool remove(const own_namespace& ns) { return ns.ip("link del sl0"); }
    static bool offer(const own_namespace& ns, int count) {
        return run("ip netns exec " + ns.name + " ping -c " + std::to_string(count) +
                   " -i 0.01 -W 1 -q 10.9.0.2; true");
    }
};
struct tun_device : of_kernel {
    using type = port::tun::device;
    static constexpr auto link = port::link_header::none;
    static auto open(const own_namespace& ns) {
        return port::tun::open_in_namespace(ns.path(), "sl0", {.interface = 7});
    }
    static bool start(const own_namespace& ns) {
        return ns.ip("addr add 10.9.0.1/24 dev sl0") && ns.ip("link set sl0 up");
    }
};
struct tap_device : tun_device {
    static constexpr auto link = port::link_header::ethernet;
    static auto open(const own_namespace& ns) {
        return port::tun::open_in_namespace(ns.path(), "sl0",
                                            {.kind = port::tun::kind::tap, .interface = 7});
    }
    static bool start(const own_namespace& ns) {
        return tun_device::start(ns) &&
               ns.ip("neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev sl0");
    }
};
// With a virtio-net header in front of each packet.
struct offload_device : tun_device {
    static auto open(const own_namespace& ns) {
        return port::tun::open_in_namespace(ns.path(), "sl0", {.interface = 7, .offload = true});
    }
};
struct socket_device : of_kernel {
    using type = port::af_packet::device;
    static constexpr auto link = port::link_header::ethernet;
    static bool prepare(const own_namespace& ns) {
        return ns.ip("link add sl0 type veth peer name sl1") && ns.ip("link set sl0 up") &&
               ns.ip("link set sl1 up") && ns.ip("addr add 10.9.0.1/24 dev sl1") &&
               ns.ip("neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev sl1");
    }
    static auto open(const own_namespace& ns) {
        return port::af_packet::open_in_namespace(
            ns.path(), "sl0", {.interface = 7, .protocol = ethernet::types::ipv4});
    }
};
struct ring_device : socket_device {
    using type = port::af_packet::ring<64>;
    static auto open(const own_namespace& ns) {
        return port::in_namespace(ns.path(), [] {
            return type::open("sl0", {.interface = 7, .protocol = ethernet::types::ipv4});
        });
    }
};
struct transmit_ring_device : socket_device {
    using type = port::af_packet::transmit_ring;
    static auto open(const own_namespace& ns) {
        return port::in_namespace(ns.path(), [] { return type::open("sl0"); });
    }
};
struct raw_device : of_kernel {
    using type = port::raw_socket::device;
    static constexpr auto link = port::link_header::none;
    static bool prepare(const own_namespace& ns) {
        return ns.ip("link set lo up") && ns.ip("addr add 10.9.0.2/32 dev lo");
    }
    static auto open(const own_namespace& ns) {
        return port::raw_socket::open_in_namespace(ns.path(), {.interface = 7});
    }
    static bool remove(const own_namespace&) { return false; }  // it belongs to no interface
};

// A capture of five echo requests, with a question of ARP among them.
struct capture_place : temporary_file {
    bool made = bool{fd};
    explicit capture_place(const char*) {}
};
struct capture_device {
    using type = port::capture::device;
    using place = capture_place;
    static constexpr auto link = port::link_header::none;
    static bool prepare(const capture_place& at) {
        auto file = port::pcap::writer::create(at.path, port::pcap::link_type::ethernet);
        bool written = file.has_value();
        for (u8 number = 1; written && number <= 5; ++number) {
            byte_vector echo = support::list({8, 0, 0, 0, 0, 0, 0, number});
            const byte_vector frame = with_link_header(
                support::datagram_of({.protocol = ipv4::protocols::icmp, .payload = echo}));
            written =
                file->write({}, frame) &&
                (number != 2 || file->write({}, with_link_header(byte_vector(28), {}, 0x0806)));
        }
        return written;
    }
    static auto open(const capture_place& at) { return type::open(at.path, {.interface = 7}); }
    static bool start(const capture_place&) { return true; }
    static bool offer(const capture_place&, int) { return true; }
};

// A capture that a program reads from a pipe.
struct pipe_place {
    int ends[2] = {-1, -1};
    bool made = ::pipe(ends) == 0;
    mutable port::descriptor reader{ends[0]};
    explicit pipe_place(const char*) {}
};
struct pipe_device {
    using type = port::pcap::writer;
    using place = pipe_place;
    static constexpr auto link = port::link_header::none;
    static bool prepare(const pipe_place&) { return true; }
    static auto open(const pipe_place& at) {
        return type::open(port::descriptor{at.ends[1]}, port::pcap::link_type::raw);
    }
    static bool start(const pipe_place&) { return true; }
    static bool remove(const pipe_place& at) {
        at.reader.reset();
        return true;
    }
};

template <class Kind>
struct opened {
    typename Kind::place place{"port"};
    std::optional<typename Kind::type> device{};

    opened() {
        if (!place.made) {
            support::skip("needs root, ip and ping");
            return;
        }
        REQUIRE(Kind::prepare(place));
        auto made = Kind::open(place);
        REQUIRE(made.has_value());
        device.emplace(std::move(*made));
        REQUIRE(Kind::start(place));
    }
};

}  // namespace conformance_port
