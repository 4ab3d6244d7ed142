// Packets that are not IPv4, on interfaces without link header: the ports count and skip them, and
// no IPv4 counter moves. Needs root; else skipped.
#include <sluice/port/af_packet_ring.hpp>
#include <sluice/port/af_packet_ring_send.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/tun.hpp>

#include "own_namespace.hpp"
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>

namespace port_not_ipv4 {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;
namespace tun = sluice::port::tun;
using sluice::port::read_status;

namespace {

using pool = fixed_pool<2048, 256>;
using packet = pool::packet_type;

const byte_vector plain = datagram_of({.destination = "10.9.0.2"_ip, .payload = pattern(40)});

// IPv4 but for the version.
byte_vector of_version(int version) {
    byte_vector changed = plain;
    changed[0] = static_cast<std::byte>(version << 4 | 5);
    return changed;
}

// The program's end of a TUN or TAP device; each packet is preceded by its protocol.
struct program_end {
    port::descriptor fd;

    program_end(const own_namespace& ns, int kind, u16 hardware) {
        auto made = port::in_namespace(ns.path(), [] {
            return result<port::descriptor, port::port_error>{
                port::descriptor{::open("/dev/net/tun", O_RDWR | O_CLOEXEC)}};
        });
        REQUIRE(made.has_value());
        fd = std::move(*made);
        auto request = port::interface_request::of("sl0");
        request.set_flags(static_cast<u16>(kind));
        REQUIRE(request.ask(fd.get(), TUNSETIFF));
        REQUIRE(::ioctl(fd.get(), TUNSETLINK, static_cast<unsigned long>(hardware)) == 0);
        REQUIRE((ns.ip("link set sl0 addrgenmode none") && ns.ip("link set sl0 up")));
    }
    void send(u16 protocol, const byte_vector& contents) const {
        byte_vector all(4);
        store_be<u16>(all.data() + 2, protocol);
        all.insert(all.end(), contents.begin(), contents.end());
        REQUIRE(::write(fd.get(), all.data(), all.size()) == static_cast<ssize_t>(all.size()));
    }
};

// The packets delivered of the sent ones, and none behind them.
template <class Receive>
std::vector<byte_vector> drain(std::size_t count, Receive&& receive) {
    std::vector<byte_vector> all;
    packet batch[8];
    std::size_t came = 0;
    CHECK(wait_until([&] {
        for (;;) {
            const port::receive_batch got = receive(std::span{batch});
            CHECK(got.count + got.thrown_away <= 8);
            CHECK(got.has_progressed() == (got.count + got.thrown_away != 0));
            for (packet& p : std::span{batch}.first(got.count)) {
                all.push_back(content_of(p));
                p.reset();
            }
            came += got.count + got.thrown_away;
            if (!got.has_progressed()) {
                return came >= count;
            }
        }
    }));
    CHECK(came == count);
    return all;
}

}  // namespace

TEST_CASE("a TUN device delivers only IPv4, and skips other packets") {
    const own_namespace ns{"n4tun"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    for (const bool offload : {false, true}) {
        auto device = tun::open_in_namespace(ns.path(), "sl0", {.offload = offload});
        REQUIRE(device.has_value());
        REQUIRE((ns.ip("link set sl0 addrgenmode none") && ns.ip("link set sl0 up")));
        auto kernel = ap::open_in_namespace(ns.path(), "sl0");
        REQUIRE(kernel.has_value());
        static pool buffers;
        ap::sender::model<packet> out = kernel->sender();
        const auto send = [&](const byte_vector& contents) {
            auto p = packet_of(buffers, contents);
            REQUIRE(out.transmit(p, {}, {}));
            out.flush();
        };
        for (const int version : {6, 0, 5, 15}) {
            for (int i = 0; i < 25; ++i) {
                send(of_version(version));
            }
        }
        send(plain);
        send(byte_vector(1500, std::byte{0x60}));
        send(plain);
        const auto got =
            drain(103, [&](std::span<packet> to) { return device->receive(buffers, to); });
        CHECK(got == std::vector{plain, plain});
        CHECK(device->counters().not_ipv4 == 101);
        CHECK(device->counters().received == 2);
        CHECK(device->counters().received_bytes == 2 * plain.size());
        CHECK(device->counters().too_long == 0);
        send(of_version(6));
        CHECK(device->receive(buffers).error() == read_status::thrown_away);
        CHECK(buffers.available() == 256);
    }
}

TEST_CASE("without a link header AF_PACKET delivers the packets that the kernel calls IPv4") {
    const own_namespace ns{"n4afp"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    for (const u16 hardware :
         std::initializer_list<u16>{ARPHRD_NONE, ARPHRD_PPP, ARPHRD_TUNNEL, ARPHRD_TUNNEL6,
                                    ARPHRD_SIT, ARPHRD_IPGRE, ARPHRD_RAWIP}) {
        CAPTURE(hardware);
        const program_end program{ns, IFF_TUN, hardware};
        auto device = ap::open_in_namespace(ns.path(), "sl0");
        auto ring = port::in_namespace(ns.path(), [] { return ap::ring<64>::open("sl0"); });
        REQUIRE(device.has_value());
        REQUIRE(ring.has_value());
        CHECK_FALSE(device->is_ethernet());
        CHECK_FALSE(ring->is_ethernet());
        CHECK(device->hardware_address() == ethernet::address{});
        for (int i = 0; i < 50; ++i) {
            program.send(ETH_P_IPV6, of_version(6));
        }
        program.send(ETH_P_IP, plain);
        program.send(ETH_P_MPLS_UC, plain);
        program.send(ETH_P_IP, of_version(6));
        static pool buffers;
        const std::vector expected{plain, of_version(6)};
        CHECK(drain(53, [&](std::span<packet> to) { return device->receive(buffers, to); }) ==
              expected);
        CHECK(drain(53, [&](std::span<packet> to) { return ring->receive(buffers, to); }) ==
              expected);
        for (const auto& c : {device->counters(), ring->counters()}) {
            CHECK(c.not_ipv4 == 51);
            CHECK(c.received == 2);
            CHECK(c.refused == 0);
            CHECK(c.too_long == 0);
        }
        CHECK(buffers.available() == 256);
        // And in the other direction.
        ap::sender::model<packet> out = device->sender();
        auto p = packet_of(buffers, plain);
        REQUIRE(out.transmit(p, {}, {}));
        out.flush();
        byte_vector read(2048);
        REQUIRE(wait_readable(program.fd.get()));
        const auto n = ::read(program.fd.get(), read.data(), read.size());
        REQUIRE(n == static_cast<ssize_t>(4 + plain.size()));
        CHECK(load_be<u16>(read.data() + 2) == ETH_P_IP);
        CHECK(byte_vector(read.begin() + 4, read.begin() + n) == plain);
    }
}

TEST_CASE("a link header where there should be none is not taken for IPv4") {
    const own_namespace ns{"n4tap"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    const program_end program{ns, IFF_TAP, ARPHRD_PPP};
    auto device = ap::open_in_namespace(ns.path(), "sl0", {.promiscuous = true});
    auto ring = port::in_namespace(ns.path(), [] { return ap::ring<64>::open("sl0"); });
    REQUIRE(device.has_value());
    REQUIRE(ring.has_value());
    byte_vector frame(14, std::byte{0x02});
    store_be<u16>(frame.data() + 12, ETH_P_IP);
    frame.insert(frame.end(), plain.begin(), plain.end());
    program.send(0, frame);
    static pool buffers;
    CHECK(drain(1, [&](std::span<packet> to) { return device->receive(buffers, to); }).empty());
    CHECK(drain(1, [&](std::span<packet> to) { return ring->receive(buffers, to); }).empty());
    CHECK(device->counters().refused == 1);
    CHECK(ring->counters().refused == 1);
}

TEST_CASE("interfaces with yet another header are refused by name and number") {
    const own_namespace ns{"n4ib"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    for (const u16 hardware :
         std::initializer_list<u16>{ARPHRD_INFINIBAND, ARPHRD_IEEE802154, ARPHRD_NETLINK}) {
        const program_end program{ns, IFF_TUN, hardware};
        const std::string expected = "open sl0, of type " + std::to_string(hardware) + " (" +
                                     port::name_of_hardware(hardware) +
                                     "): Protocol not supported: ";
        const auto text = [](const auto& refused) {
            return std::string{message(refused.error()).c_str()};
        };
        CHECK(text(ap::open_in_namespace(ns.path(), "sl0")).starts_with(expected));
        CHECK(text(port::in_namespace(ns.path(), [] {
                  return ap::ring<64>::open("sl0");
              })).starts_with(expected));
        CHECK(text(port::in_namespace(ns.path(), [] {
                  return ap::transmit_ring::open("sl0");
              })).starts_with(expected));
    }
}

TEST_CASE("IPv6 of a TUN device neither reaches the stack nor holds up its loop") {
    struct host : policies<buffers<pool>, output<tun::sender>> {};
    const own_namespace ns{"n4loop"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    auto device = tun::open_in_namespace(ns.path(), "sl0", {.interface = 2});
    REQUIRE(device.has_value());
    REQUIRE((ns.ip("link set sl0 addrgenmode none") && ns.ip("link set sl0 up")));
    auto kernel = ap::open_in_namespace(ns.path(), "sl0");
    REQUIRE(kernel.has_value());
    stack_test::world<host> s({.links = {{.index = 2, .address = "10.9.0.2/24"_net}}},
                              {.output = device->sender(), .seed = testing::fixed_seed});
    static pool buffers;
    ap::sender::model<packet> out = kernel->sender();
    const auto send = [&](const byte_vector& contents) {
        auto p = packet_of(buffers, contents);
        REQUIRE(out.transmit(p, {}, {}));
        out.flush();
    };
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, nullptr, &before);
    auto loop = port::poll_loop::open();
    REQUIRE(loop.has_value());
    // One a turn: a loop that takes this for an idle device would rest longer
    // and longer. Whoever rests leaves the CPU of his own accord, which a busy machine does not
    // make anybody do.
    constexpr int most = 60;
    int turns = 0;
    const auto rested = rests();
    while (turns < most) {
        send(of_version(6));
        ++turns;
        REQUIRE(loop->step(*s, *device));
    }
    CHECK(rests() - rested < 10);
    CHECK(device->counters().not_ipv4 == most);
    using enum mib;
    for (const mib m : {ip_in_receives, ip_in_hdr_errors, ip_in_discards, ip_in_delivers}) {
        CHECK(s->counters()[m] == 0);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace port_not_ipv4
