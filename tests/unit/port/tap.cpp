// The Ethernet link over a TAP device: ARP and ping with the Linux kernel, both ways. Needs root;
// else skipped.
#include <sluice/link/ethernet.hpp>
#include <sluice/port/tun.hpp>

#include "own_namespace.hpp"

#include <sluice/wire/literals.hpp>

#include <doctest/doctest.h>

namespace port_tap {
using namespace sluice;
using namespace sluice::literals;
using namespace sluice::port;
using namespace port_test;

namespace {

using pool = fixed_pool<2048, 32>;
using packet = pool::packet_type;
using device_sender = tun::sender::model<packet>;
using link = ethernet_link<pool, single_link_host, device_sender>;

struct station {
    pool buffers;
    single_link_host host{{{2, 0, 0, 9, 0, 2}}, "10.9.0.2"_ip};
    device_sender sender;
    link eth{buffers, host, sender, {1, 2}};
    int echoes = 0;

    // Handles one frame; answers echo requests by way of the link.
    void step(tun::device& device) {
        auto frame = device.receive(buffers);
        const instant now = tun::device::now().now;
        if (!frame || eth.input(*frame, now) != frame_kind::ipv4 ||
            frame->addressing() != link_addressing::host || !is_echo_request(*frame)) {
            return;
        }
        ++echoes;
        turn_round(*frame);
        CHECK(eth.output(*frame, {1, link_destination::unicast, "10.9.0.1"_ip}, now));
    }
};

}  // namespace

TEST_CASE("ping is answered over Ethernet") {
    const own_namespace ns{"tap"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    auto opened = tun::open_in_namespace(ns.path(), "sl0", {.kind = tun::kind::tap});
    REQUIRE(opened.has_value());
    REQUIRE(ns.ip("addr add 10.9.0.1/24 dev sl0"));
    REQUIRE(ns.ip("link set sl0 up"));

    static station us;
    us.sender = opened->sender();
    SUBCASE("the kernel asks first") {}
    SUBCASE("we ask first, and ignore that it asked") {
        us.eth.flush(1);
        us.eth.resolve(1, "10.9.0.1"_ip, tun::device::now().now);
    }
    us.echoes = 0;
    ns.start("ping -c 3 -i 0.2 -w 30 10.9.0.2");
    while (us.echoes < 3 && wait_readable(opened->fd())) {
        us.step(*opened);
    }
    CHECK(ns.finished());
    CHECK(us.echoes == 3);
    const auto* kernel = us.eth.neighbours().find(1, "10.9.0.1"_ip);
    REQUIRE(kernel != nullptr);
    CHECK(kernel->is_usable());
    CHECK(us.eth.counters().replies_sent >= 1);
    CHECK(us.buffers.available() == 32);
}

}  // namespace port_tap
