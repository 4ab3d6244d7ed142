// What every device must do, asked of each port in a namespace of the test's own. Needs root; else
// skipped.
#include "../unit/port/veth_pair.hpp"

#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/af_packet_ring.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/port/tun.hpp>

#include <array>
#include <optional>

namespace conformance_port {

namespace {

using namespace sluice;
using namespace port_test;
using port::device_state;
using port::read_status;

using pool = fixed_pool<2048, 64>;
using packet = pool::packet_type;

// How a device is opened, which interface of the namespace is its, and what takes that away.
struct tun_device {
    using type = port::tun::device;
    static constexpr auto link = port::link_header::none;
    static bool prepare(const own_namespace&) { return true; }
    static auto open(const own_namespace& ns) {
        return port::tun::open_in_namespace(ns.path(), "sl0", {.interface = 7});
    }
    static bool start(const own_namespace& ns) {
        return ns.ip("addr add 10.9.0.1/24 dev sl0") && ns.ip("link set sl0 up");
    }
    static bool remove(const own_namespace& ns) { return ns.ip("link del sl0"); }
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
struct socket_device {
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
    static bool start(const own_namespace&) { return true; }
    static bool remove(const own_namespace& ns) { return ns.ip("link del sl0"); }
};
struct ring_device : socket_device {
    using type = port::af_packet::ring<64>;
    static auto open(const own_namespace& ns) {
        return port::in_namespace(ns.path(), [] {
            return type::open("sl0", {.interface = 7, .protocol = ethernet::types::ipv4});
        });
    }
};
struct raw_device {
    using type = port::raw_socket::device;
    static constexpr auto link = port::link_header::none;
    static bool prepare(const own_namespace& ns) {
        return ns.ip("link set lo up") && ns.ip("addr add 10.9.0.2/32 dev lo");
    }
    static auto open(const own_namespace& ns) {
        return port::raw_socket::open_in_namespace(ns.path(), {.interface = 7});
    }
    static bool start(const own_namespace&) { return true; }
    static bool remove(const own_namespace&) { return false; }  // it belongs to no interface
};

#define SLUICE_PORTS tun_device, tap_device, socket_device, ring_device, raw_device

template <class Kind>
struct opened {
    own_namespace ns{"port"};
    std::optional<typename Kind::type> device{};

    opened() {
        if (!ns.made) {
            support::skip("needs root, ip and ping");
            return;
        }
        REQUIRE(Kind::prepare(ns));
        auto made = Kind::open(ns);
        REQUIRE(made.has_value());
        device.emplace(std::move(*made));
        REQUIRE(Kind::start(ns));
    }
    // The kernel sends 10.9.0.2 some echo requests.
    [[nodiscard]] bool ping(int count) const {
        return run("ip netns exec " + ns.name + " ping -c " + std::to_string(count) +
                   " -i 0.01 -W 1 -q 10.9.0.2; true");
    }
};

template <class Kind>
[[nodiscard]] const std::byte* header_of(const packet& p) {
    return p.data() + (Kind::link == port::link_header::ethernet ? 14 : 0);
}

}  // namespace

TEST_CASE_TEMPLATE("it models the concept", Kind, SLUICE_PORTS) {
    static_assert(port::device_for<typename Kind::type, pool>);
    static_assert(output_policy<typename Kind::type::sender_type, packet>);
}

TEST_CASE_TEMPLATE("nothing waits: it says so and does not block", Kind, SLUICE_PORTS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    std::array<packet, 8> burst;
    // What the kernel says by itself when an interface comes up (IPv6) is thrown away.
    REQUIRE(wait_until([&] {
        const auto got = o.device->receive(buffers, burst);
        return got.count == 0 && got.end == read_status::would_block;
    }));
    burst = {};
    CHECK(o.device->state() == device_state::up);
    CHECK(o.device->link() == Kind::link);
    CHECK(buffers.available() == 64);
}

TEST_CASE_TEMPLATE("a burst: whole packets, in order, with the interface's index", Kind,
                   SLUICE_PORTS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    REQUIRE(o.ping(5));
    std::array<packet, 3> burst;
    u16 next = 1;  // of the echo requests' sequence
    REQUIRE(wait_until([&] {
        if (!wait_readable(o.device->fd())) {
            return false;
        }
        const auto got = o.device->receive(buffers, burst);
        for (std::size_t i = 0; i < got.count; ++i) {
            REQUIRE(burst[i]);
            CHECK(burst[i].interface() == 7);
            const std::byte* const ip = header_of<Kind>(burst[i]);
            if (ip[0] == std::byte{0x45} && ip[9] == std::byte{1} && ip[20] == std::byte{8}) {
                CHECK(load_be<u16>(ip + 26) == next++);
            }
            burst[i].reset();
        }
        return next == 6;
    }));
    CHECK(o.device->counters().received >= 5);
    CHECK(buffers.available() == 64);
}

TEST_CASE_TEMPLATE("without buffers it takes nothing, or counts what it lost", Kind, SLUICE_PORTS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    std::array<packet, 64> kept;
    for (packet& p : kept) {
        p = buffers.take_reserved(0);
    }
    REQUIRE(o.ping(1));
    REQUIRE(wait_readable(o.device->fd()));
    std::array<packet, 8> burst;
    const auto got = o.device->receive(buffers, burst);
    CHECK(got.count == 0);
    CHECK((got.end == read_status::no_buffer || got.thrown_away != 0));
}

TEST_CASE_TEMPLATE("what its sender refuses stays with the caller", Kind, SLUICE_PORTS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    using sender = typename Kind::type::sender_type;
    typename sender::template model<packet> out{o.device->sender()};
    packet nothing;
    CHECK_FALSE(out.transmit(nothing, {.interface = 7}, {}));
    if (Kind::remove(o.ns)) {
        packet p =
            support::packet_of(buffers, support::datagram_of({.payload = support::pattern(9)}));
        // A socket finds out when the burst ends.
        const bool taken = out.transmit(p, {.interface = 7}, {});
        out.flush();
        CHECK((taken ? out.counters().lost != 0 || out.counters().sent != 0 : bool{p}));
        p.reset();
    }
    CHECK(buffers.available() == 64);
}

TEST_CASE_TEMPLATE("its interface goes: it says so", Kind, SLUICE_PORTS) {
    opened<Kind> o;
    if (!o.device || !Kind::remove(o.ns)) {
        return;
    }
    CHECK(o.device->state() == device_state::gone);
    pool buffers;
    std::array<packet, 4> burst;
    CHECK(wait_until([&] { return o.device->receive(buffers, burst).end != read_status::none; }));
    CHECK(o.device->state() == device_state::gone);
}

TEST_CASE("an interface that is down") {
    opened<socket_device> o;
    if (!o.device) {
        return;
    }
    REQUIRE(o.ns.ip("link set sl0 down"));
    CHECK(o.device->state() == device_state::down);
    REQUIRE(o.ns.ip("link set sl0 up"));
    CHECK(o.device->state() == device_state::up);
}

}  // namespace conformance_port
