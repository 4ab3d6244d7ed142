// Tests the properties of every device on each port. Ports of the kernel live in a namespace of the
// test; without root these tests are skipped.
#include "port_kinds.hpp"

namespace conformance_port {

namespace {

#define SLUICE_DEVICES                                                                             \
    tun_device, tap_device, offload_device, socket_device, ring_device, raw_device
#define SLUICE_RECEIVERS SLUICE_DEVICES, capture_device
#define SLUICE_TRANSMITTERS SLUICE_DEVICES, transmit_ring_device, pipe_device

static_assert(!port::device_for<port::capture::device, pool>);
static_assert(!port::device_for<port::af_packet::transmit_ring, pool>);
static_assert(!port::device_for<port::pcap::writer, pool>);

template <class Kind>
using model_of = typename Kind::type::sender_type::template model<packet>;

template <class Kind>
[[nodiscard]] const std::byte* header_of(const packet& p) {
    return p.data() + (Kind::link == port::link_header::ethernet ? 14 : 0);
}

}  // namespace

TEST_CASE_TEMPLATE("it models the concept, or a half of it", Kind, SLUICE_RECEIVERS,
                   transmit_ring_device, pipe_device) {
    using type = typename Kind::type;
    static_assert(port::receiver_for<type, pool> || port::transmitter_for<type, packet>);
    opened<Kind> o;
    if (o.device) {
        CHECK(o.device->fd() >= 0);
        CHECK(o.device->state() == device_state::up);
        CHECK(o.device->link() == Kind::link);
    }
}

TEST_CASE_TEMPLATE("nothing waits: it says so and does not block", Kind, SLUICE_DEVICES) {
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
    CHECK(buffers.available() == 64);
}

TEST_CASE_TEMPLATE("a burst: whole packets, in order, with the interface's index", Kind,
                   SLUICE_RECEIVERS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    REQUIRE(Kind::offer(o.place, 5));
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

TEST_CASE_TEMPLATE("without buffers it takes nothing, or counts what it lost", Kind,
                   SLUICE_RECEIVERS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    std::array<packet, 64> kept;
    for (packet& p : kept) {
        p = buffers.take_reserved(0);
    }
    REQUIRE(Kind::offer(o.place, 1));
    REQUIRE(wait_readable(o.device->fd()));
    std::array<packet, 8> burst;
    const auto got = o.device->receive(buffers, burst);
    CHECK(got.count == 0);
    CHECK((got.end == read_status::no_buffer || got.thrown_away != 0));
}

TEST_CASE_TEMPLATE("a burst that its sender takes has left the caller, and is counted", Kind,
                   SLUICE_TRANSMITTERS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    model_of<Kind> out{o.device->sender()};
    const byte_vector datagram = support::datagram_of(
        {.source = "10.9.0.3"_ip, .destination = "10.9.0.2"_ip, .payload = support::pattern(9)});
    for (int i = 0; i < 5; ++i) {
        packet p = support::packet_of(buffers, Kind::link == port::link_header::ethernet
                                                   ? with_link_header(datagram)
                                                   : datagram);
        if constexpr (requires { out.send_frame(p, 7, instant{}); }) {
            REQUIRE(out.send_frame(p, 7, instant{}));
        } else {
            REQUIRE(out.transmit(p, {.interface = 7}, instant{}));
        }
        CHECK_FALSE(p);
    }
    out.flush();
    CHECK(out.counters().sent == 5);
    CHECK(out.counters().lost == 0);
    CHECK(out.counters().refused == 0);
    CHECK(buffers.available() == 64);
}

TEST_CASE_TEMPLATE("what its sender refuses stays with the caller", Kind, SLUICE_TRANSMITTERS) {
    opened<Kind> o;
    if (!o.device) {
        return;
    }
    pool buffers;
    model_of<Kind> out{o.device->sender()};
    packet nothing;
    CHECK_FALSE(out.transmit(nothing, {.interface = 7}, {}));
    if (Kind::remove(o.place)) {
        packet p =
            support::packet_of(buffers, support::datagram_of({.payload = support::pattern(9)}));
        // A socket finds out when the burst ends.
        const bool taken = out.transmit(p, {.interface = 7}, {});
        out.flush();
        CHECK((taken ? out.counters().lost != 0 || out.counters().sent != 0 : bool{p}));
        p.reset();
        CHECK(o.device->state() == device_state::gone);
    }
    CHECK(buffers.available() == 64);
}

TEST_CASE_TEMPLATE("its interface goes: it says so", Kind, SLUICE_DEVICES) {
    opened<Kind> o;
    if (!o.device || !Kind::remove(o.place)) {
        return;
    }
    CHECK(o.device->state() == device_state::gone);
    pool buffers;
    std::array<packet, 4> burst;
    CHECK(wait_until([&] { return o.device->receive(buffers, burst).end != read_status::none; }));
    CHECK(o.device->state() == device_state::gone);
}

TEST_CASE("a capture ends: reading is closed, and the device is gone") {
    opened<capture_device> o;
    REQUIRE(o.device);
    pool buffers;
    std::array<packet, 8> burst;
    const auto got = o.device->receive(buffers, burst);
    CHECK(got.count == 5);
    CHECK(got.thrown_away == 1);
    CHECK(got.end == read_status::closed);
    CHECK(o.device->state() == device_state::gone);
    CHECK(o.device->error() == port::capture::error::end);
    CHECK(o.device->counters().not_ipv4 == 1);
    CHECK(wait_readable(o.device->fd()));  // so that a loop learns of the end
}

TEST_CASE("an interface that is down") {
    opened<socket_device> o;
    if (!o.device) {
        return;
    }
    REQUIRE(o.place.ip("link set sl0 down"));
    CHECK(o.device->state() == device_state::down);
    REQUIRE(o.place.ip("link set sl0 up"));
    CHECK(o.device->state() == device_state::up);
}

}  // namespace conformance_port
