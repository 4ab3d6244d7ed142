// A TUN device in a network namespace of the test, with ping as the peer. Needs root, ip and ping;
// else skipped.
#include <sluice/port/tun.hpp>

#include "own_namespace.hpp"

#include <doctest/doctest.h>

#include <string>

#include <sys/stat.h>

namespace port_tun {
using namespace sluice;
using namespace sluice::port;
using namespace port_test;

namespace {

using pool = fixed_pool<2048, 8, shared>;
using packet = pool::packet_type;

// The next echo request, past whatever else the kernel sends.
result<packet, read_status> next_echo(tun::device& device, pool& buffers) {
    while (wait_readable(device.fd())) {
        auto p = device.receive(buffers);
        if (p && is_echo_request(*p)) {
            return p;
        }
    }
    return failure{read_status::would_block};
}

}  // namespace

TEST_CASE("errors of opening") {
    CHECK(message(tun::open("a-name-that-is-too-long").error()) ==
          "open a-name-that-is-too-long: File name too long: at most 15 characters");
    const auto missing = tun::open_in_namespace("/no/such/ns", "tun0");
    CHECK(message(missing.error()) == "open /no/such/ns: No such file or directory");
    CHECK(tun::open_in_namespace("/dev/null", "tun0").error().what == std::string{"enter"});
}

TEST_CASE("ping is answered through a TUN device") {
    const own_namespace ns{"tun"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    struct stat before{}, after{};
    ::stat("/proc/thread-self/ns/net", &before);
    auto opened = tun::open_in_namespace(ns.path(), "sl%d", {.interface = 7});
    ::stat("/proc/thread-self/ns/net", &after);
    CHECK(before.st_ino == after.st_ino);  // back in the original namespace
    REQUIRE(opened.has_value());
    tun::device device = std::move(*opened);
    CHECK(device.name() == "sl0");

    static pool buffers;
    CHECK(device.receive(buffers).error() == read_status::would_block);
    tun::sender::model<packet> output = device.sender();
    packet early = buffers.take();
    *early.put(1) = std::byte{0x45};
    CHECK_FALSE(output.transmit(early, {}, {}));  // the interface is down
    CHECK(output.counters().last_error == EIO);
    CHECK(early.size() == 1);
    early.reset();

    REQUIRE(ns.ip("addr add 10.9.0.1/24 dev sl0"));
    REQUIRE(ns.ip("link set sl0 up"));
    // With -w ping fails unless every request was answered.
    ns.start("ping -c 2 -i 0.2 -w 30 10.9.0.2");
    for (int i = 0; i < 2; ++i) {
        auto echo = next_echo(device, buffers);
        REQUIRE(echo.has_value());
        CHECK(echo->interface() == 7);
        CHECK(echo->headroom() == default_headroom);
        turn_round(*echo);
        if (i == 1) {  // the second goes as two pieces
            packet rest = buffers.take();
            const u32 tail = echo->size() - 28;
            copy_bytes(rest.put(tail), echo->data() + 28, tail);
            echo->trim(28);
            CHECK(echo->attach(rest, 0, tail));
            CHECK(echo->is_segmented());
        }
        CHECK(output.transmit(*echo, {}, {}));
    }
    CHECK(ns.finished());
    CHECK(output.counters().sent == 2);
    CHECK(buffers.available() == 8);

    REQUIRE(ns.ip("link set sl0 mtu 4000"));
    run("ip netns exec " + ns.name + " ping -c 1 -W 1 -M do -s 3000 10.9.0.2");
    tun::device::batch got;
    packet many[4];
    for (int i = 0; i < 20 && got.end != read_status::would_block; ++i) {
        got = device.receive(buffers, many);
    }
    CHECK(got.end == read_status::would_block);
    CHECK(device.counters().too_long == 1);
    REQUIRE(ns.ip("link del sl0"));
    CHECK(device.receive(buffers).error() == read_status::closed);
}

}  // namespace port_tun
