// UDP-Lite between a stack on a TUN device and the kernel's sockets: each receives what the other
// sent, by any coverage. Needs root and a kernel with UDP-Lite; else skipped.
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include "own_namespace.hpp"

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <memory>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace port_udp_lite_kernel {
using namespace support;
using namespace port_test;
using namespace sluice::port;

namespace {

constexpr int level = 136;  // SOL_UDPLITE
constexpr int send_coverage = 10;
constexpr int receive_coverage = 11;

struct on_tun : policies<based_on<linux_host>, buffers<fixed_pool<2048, 64>>, output<tun::sender>> {
};
using stack_type = stack<on_tun>;
using lite_endpoint = udp_endpoint<stack_type>;

sockaddr_in address_of(ipv4::address host, u16 port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(host.value);
    return a;
}

constexpr ipv4::address kernel = "10.9.0.1"_ip;
constexpr ipv4::address mine = "10.9.0.2"_ip;

// Passes the stack what waits at the device, until the endpoint has a datagram or nothing comes.
void feed(stack_type& s, tun::device& from, const lite_endpoint& until) {
    while (until.waiting_packets() == 0 && wait_readable(from.fd())) {
        auto p = from.receive(s.buffers());
        if (p) static_cast<void>(s.receive(std::move(*p), tun::device::now()));
    }
}

}  // namespace

TEST_CASE("UDP-Lite: the kernel and an endpoint accept each other's coverage") {
    const own_namespace ns{"lite"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    const descriptor peer{in_namespace(ns.path(), []() -> result<int, port_error> {
                              return ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, level);
                          }).value()};
    if (!peer) {
        support::skip("needs a kernel with UDP-Lite");
        return;
    }
    auto device = tun::open_in_namespace(ns.path(), "sl0", {.interface = 2});
    REQUIRE(device.has_value());
    REQUIRE(ns.ip("addr add 10.9.0.1/24 dev sl0"));
    REQUIRE(ns.ip("link set sl0 up"));
    const auto s = std::make_unique<stack_type>(
        stack_type::parts{.output = device->sender(), .seed = sluice::testing::fixed_seed});
    REQUIRE(s->add_interface({.index = 2, .address = {mine, 24}, .mtu = 1500}).has_value());
    lite_endpoint e{*s, udp_protocol::lite};
    REQUIRE(e.bind({{}, 7000}).has_value());
    const sockaddr_in there = address_of(kernel, 7001);
    REQUIRE(::bind(peer.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0);

    const sockaddr_in to = address_of(mine, 7000);
    std::byte room[2000];
    for (const std::size_t size : {0u, 1u, 13u, 1400u}) {
        const byte_vector data = pattern(size);
        for (const int covered : {0, 1, 8, 9, 20, 21, 1407, 1408, 5000}) {
            CAPTURE(size);
            CAPTURE(covered);
            REQUIRE(::setsockopt(peer.get(), level, send_coverage, &covered, sizeof covered) == 0);
            REQUIRE(::sendto(peer.get(), data.data(), data.size(), 0,
                             reinterpret_cast<const sockaddr*>(&to),
                             sizeof to) == static_cast<ssize_t>(size));
            feed(*s, *device, e);
            const auto got = e.receive(room);
            REQUIRE(got.has_value());
            CHECK(byte_vector(room, room + got->copied) == data);
            const std::size_t least = covered == 0 ? size + 8 : covered < 8 ? 8u : u32(covered);
            CHECK(got->coverage == (least < size + 8 ? least : 0u));

            // Back, with the same coverage. The kernel refuses less than it asks for.
            e.options().send_coverage = static_cast<u16>(covered);
            REQUIRE(e.send(data, {kernel, 7001}, tun::device::now()).has_value());
            REQUIRE(wait_readable(peer.get()));
            const ssize_t n = ::recv(peer.get(), room, sizeof room, 0);
            REQUIRE(n == static_cast<ssize_t>(size));
            CHECK(byte_vector(room, room + n) == data);
        }
    }
    const int asked = 20;
    REQUIRE(::setsockopt(peer.get(), level, receive_coverage, &asked, sizeof asked) == 0);
    const byte_vector data = pattern(40);
    for (const u16 covered : {u16{19}, u16{20}}) {
        e.options().send_coverage = covered;
        REQUIRE(e.send(data, {kernel, 7001}, tun::device::now()).has_value());
    }
    REQUIRE(wait_readable(peer.get()));
    CHECK(::recv(peer.get(), room, sizeof room, 0) == 40);
    CHECK(::recv(peer.get(), room, sizeof room, 0) == -1);  // of 19: refused
    CHECK(s->counters()[mib::udplite_in_errors] == 0);
    CHECK(s->counters()[mib::udplite_in_datagrams] == 36);
}

}  // namespace port_udp_lite_kernel
