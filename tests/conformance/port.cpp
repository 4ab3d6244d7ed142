// Runs the conformance suite on each port of the library, and tests what some of them promise
// beyond it. Ports of the kernel live in a namespace of the test; without root these tests are
// skipped.
#include "port_kinds.hpp"

#include "support/conformance.hpp"

namespace conformance_port {

namespace {

using pool = fixed_pool<2048, 64>;
using packet = pool::packet_type;

#define SLUICE_INTERFACES tun_device, tap_device, offload_device, socket_device, ring_device
#define SLUICE_DEVICES SLUICE_INTERFACES, raw_device

static_assert(!port::device_for<port::capture::device, pool>);
static_assert(!port::device_for<port::af_packet::transmit_ring, pool>);
static_assert(!port::device_for<port::pcap::writer, pool>);

// Namespaces need root, ip and ping.
bool has_namespaces() {
    static const bool has = own_namespace{"port"}.made;
    if (!has) {
        support::skip("needs root, ip and ping");
    }
    return has;
}

template <class Harness>
inline constexpr port::link_header link_of = port::link_header::none;
template <>
inline constexpr port::link_header link_of<tap_device> = port::link_header::ethernet;
template <class Device>
inline constexpr port::link_header link_of<veth_harness<Device>> = port::link_header::ethernet;

// Addresses that the raw socket's namespace has a route to; the others do not look at them.
inline constexpr testing::conformance::port_options options{.interface = interface_number,
                                                            .patience = 30_s,
                                                            .source = "10.9.0.3"_ip,
                                                            .destination = "10.9.0.2"_ip};

template <class Harness>
void conforms() {
    support::conforms(testing::conformance::port<Harness>(support::to_doctest, options), 8);
}

}  // namespace

TEST_CASE_TEMPLATE("a device of the kernel conforms", Harness, SLUICE_DEVICES) {
    if (has_namespaces()) {
        static_assert(port::device_for<typename Harness::type, pool>);
        conforms<Harness>();
        CHECK(Harness{}.device().link() == link_of<Harness>);
    }
}

TEST_CASE("a ring that only transmits conforms") {
    if (has_namespaces()) {
        conforms<transmit_ring_device>();
        CHECK(transmit_ring_device{}.device().link() == port::link_header::ethernet);
    }
}

TEST_CASE("captures conform: one that is read, one that is written") {
    conforms<capture_device>();
    CHECK(capture_device{}.device().link() == port::link_header::none);
    conforms<pipe_device>();
    CHECK(pipe_device{}.device().link() == port::link_header::none);
}

TEST_CASE_TEMPLATE("a device reports at once that its interface was deleted", Harness,
                   SLUICE_INTERFACES) {
    if (has_namespaces()) {
        Harness harness;
        REQUIRE(harness.remove());
        CHECK(harness.device().state() == device_state::closed);
    }
}

TEST_CASE("at the end of a capture reading ends, and the device is closed") {
    capture_device harness;
    REQUIRE(harness.offer(5).size() == 5);
    pool buffers;
    std::array<packet, 8> burst;
    auto& device = harness.device();
    const auto got = device.receive(buffers, burst);
    CHECK(got.count == 5);
    CHECK(got.thrown_away == 1);
    CHECK(got.end == read_status::closed);
    CHECK(device.state() == device_state::closed);
    CHECK(device.error() == port::capture::error::end);
    CHECK(device.counters().not_ipv4 == 1);
    CHECK(wait_readable(device.fd()));  // so that a loop learns of the end
}

}  // namespace conformance_port
