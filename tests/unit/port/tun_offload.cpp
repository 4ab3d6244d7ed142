// Offload of TUN and TAP devices with the kernel as peer, in a network namespace of the test: UDP
// packets with segmentation metadata both ways, and segmentation by a stack for a device without
// offload. Needs root and ip; else skipped.
#include <sluice/port/tun.hpp>

#include "own_namespace.hpp"
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

namespace port_tun_offload {
using namespace sluice;
using namespace sluice::literals;
using namespace sluice::port;
using namespace port_test;
using support::byte_vector;

namespace {

using pool = fixed_pool<2048, 64>;
using packet = pool::packet_type;
constexpr u16 our_port = 7000;
constexpr u16 kernel_port = 7001;
constexpr u16 segment_size = 1000;

// A UDP socket of the kernel inside the namespace.
descriptor kernel_socket(const own_namespace& ns) {
    auto made = in_namespace(ns.path(), []() -> result<descriptor, port_error> {
        descriptor fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_port = htons(kernel_port);
        if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) < 0) {
            return failure{port_error::last("bind", "")};
        }
        return fd;
    });
    REQUIRE(made.has_value());
    return std::move(*made);
}

// To this host at 10.9.0.2, in segments of 1000 bytes.
void send_large(const descriptor& socket, const byte_vector& payload) {
    const int each = segment_size;
    REQUIRE(::setsockopt(socket.get(), SOL_UDP, UDP_SEGMENT, &each, sizeof each) == 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(our_port);
    to.sin_addr.s_addr = htonl(0x0a090002);
    REQUIRE(::sendto(socket.get(), payload.data(), payload.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to) == std::ssize(payload));
}

// What the kernel's socket has received: datagrams of 1000 bytes, and the rest.
byte_vector heard(const descriptor& socket, std::size_t size) {
    byte_vector all;
    while (all.size() < size && wait_readable(socket.get())) {
        byte_vector one(2000);
        const ssize_t n = ::recv(socket.get(), one.data(), one.size(), 0);
        REQUIRE(n > 0);
        CHECK(static_cast<std::size_t>(n) ==
              std::min<std::size_t>(segment_size, size - all.size()));
        all.insert(all.end(), one.begin(), one.begin() + n);
    }
    return all;
}

// The next UDP packet to this host; skips other packets of the kernel.
packet next_udp(tun::device& device, pool& buffers, u32 link) {
    while (wait_readable(device.fd())) {
        auto p = device.receive(buffers);
        if (p && p->head_size() >= link + 28 && p->data()[link] == std::byte{0x45} &&
            p->data()[link + 9] == std::byte{17} &&
            load_be<u16>(p->data() + link + 22) == our_port) {
            return std::move(*p);
        }
    }
    return {};
}

void swap_bytes(std::byte* a, std::byte* b, std::size_t n) {
    std::swap_ranges(a, a + n, b);
}

// From this host to the kernel; the sum over addresses and ports is unchanged.
void swap_ends(packet& p, u32 link) {
    std::byte* const ip = p.data() + link;
    swap_bytes(ip + 12, ip + 16, 4);
    swap_bytes(ip + 20, ip + 22, 2);
    if (link != 0) {
        swap_bytes(p.data(), p.data() + 6, 6);
    }
}

void check_metadata(const packet& p, std::size_t payload) {
    const metadata& m = p.metadata();
    CHECK(m.segmentation == segmentation_kind::udp);
    CHECK(m.segment_size == segment_size);
    CHECK(m.checksum == checksum_state::pending);
    CHECK(m.checksum_start == 20);
    CHECK(m.checksum_offset == 6);
    CHECK(p.is_segmented());
    CHECK(p.size() >= payload + 28);
}

struct forwarder : policies<based_on<linux_router>, buffers<pool>, output<tun::sender>> {};

}  // namespace

TEST_CASE("large packets go whole between the kernel and a device with offload") {
    const own_namespace ns{"tunoff"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    const byte_vector payload = support::pattern(9'500);
    static pool buffers;
    for (const tun::kind kind : {tun::kind::tun, tun::kind::tap}) {
        const u32 link = kind == tun::kind::tap ? 14 : 0;
        CAPTURE(link);
        auto device = tun::open_in_namespace(ns.path(), "sl0", {.kind = kind, .offload = true});
        REQUIRE(device.has_value());
        tun::sender::model<packet> output = device->sender();
        if (!output.offloads({}).udp_segments) {
            support::skip("this kernel cuts no UDP");
            return;
        }
        CHECK(output.offloads({}) == output_offloads{true, true, true});
        REQUIRE(ns.ip("addr add 10.9.0.1/24 dev sl0"));
        REQUIRE(ns.ip("link set sl0 up"));
        if (link != 0) {
            REQUIRE(ns.ip("neigh add 10.9.0.2 lladdr 02:00:00:00:09:02 dev sl0"));
        }
        const descriptor socket = kernel_socket(ns);
        send_large(socket, payload);
        packet large = next_udp(*device, buffers, link);
        REQUIRE(large);
        check_metadata(large, payload.size());
        swap_ends(large, link);
        CHECK(output.transmit(large, {}, {}));
        CHECK(heard(socket, payload.size()) == payload);
        CHECK(buffers.available() == 64);
        REQUIRE(ns.ip("link del sl0"));
    }
}

TEST_CASE("a stack segments and sums for a device without offload, and the kernel accepts it") {
    const own_namespace ns{"tuncut"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    auto in = tun::open_in_namespace(ns.path(), "sl0", {.interface = 2, .offload = true});
    auto out = tun::open_in_namespace(ns.path(), "sl1");
    REQUIRE((in && out));
    for (const char* command :
         {"addr add 10.9.0.1/24 dev sl0", "addr add 10.8.0.1/24 dev sl1", "link set sl0 up",
          "link set sl1 up", "route add 10.7.0.0/24 dev sl1"}) {
        REQUIRE(ns.ip(command));
    }
    stack_test::world<forwarder> router({.links = {{.index = 2, .address = "10.9.0.2/24"_net},
                                                   {.index = 3, .address = "10.8.0.2/24"_net}}},
                                        {.output = out->sender(), .seed = testing::fixed_seed});
    const byte_vector payload = support::pattern(9'500);
    const descriptor socket = kernel_socket(ns);
    send_large(socket, payload);
    packet large = next_udp(*in, router->buffers(), 0);
    REQUIRE(large);
    REQUIRE(large.size() == payload.size() + 28);
    // From 10.7.0.2 to the kernel behind the other device, as a virtual machine would have sent it.
    swap_ends(large, 0);
    const ipv4::view ip{large.data()};
    ip.set(ipv4::source, "10.7.0.2"_ip);
    ip.set(ipv4::destination, "10.8.0.1"_ip);
    ipv4::set_checksum(ip);
    store_be<u16>(large.data() + 26,
                  checksum::fold(checksum::pseudo_header("10.7.0.2"_ip, "10.8.0.1"_ip,
                                                         ipv4::protocols::udp, large.size() - 20)));
    CHECK(router->receive(std::move(large), tun::device::now()) == fate::forwarded);
    CHECK(router->output().counters().sent == 10);
    CHECK(heard(socket, payload.size()) == payload);
    CHECK(router->buffers().available() == 64);
}

TEST_CASE("a sender without offload refuses packets that need it") {
    pool buffers;
    tun::sender::model<packet> output = tun::sender{};
    packet p = support::packet_of(buffers, support::datagram_of({.payload = byte_vector(40)}));
    p.writable_metadata().checksum = checksum_state::pending;
    CHECK_FALSE(output.transmit(p, {}, {}));
    CHECK(output.counters().last_error == EINVAL);
    p.writable_metadata().checksum = checksum_state::unknown;
    CHECK_FALSE(output.transmit(p, {}, {}));
    CHECK(output.counters().last_error == EBADF);
}

}  // namespace port_tun_offload
