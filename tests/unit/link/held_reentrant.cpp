// Packets that waited for a neighbour are sent while the device calls the link: another neighbour
// may have taken the entry.
#include "support.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace link_held_reentrant {
using namespace link_test;

namespace {

// At its first frame of IPv4 it calls the program.
struct calling_sink : sink {
    std::function<void(u16)> program{};

    bool send_frame(packet& frame, u16 interface, instant now) noexcept {
        if (program && to_hex(frame).substr(24, 4) == "0800") {
            std::exchange(program, nullptr)(interface);
        }
        return sink::send_frame(frame, interface, now);
    }
};

}  // namespace

TEST_CASE("packets for a neighbour that replaced another are not sent to the other") {
    for (const ipv4::address next : {"10.0.2.78"_ip, "10.0.2.77"_ip}) {
        CAPTURE(next.value);
        pool buffers{};
        host addresses{};
        calling_sink device{};
        ethernet_link<pool, host, calling_sink, 1> link{buffers, addresses, device, {1, 2}};
        packet p = from_hex(buffers, datagram_hex, 0);
        REQUIRE(link.output(p, {3, link_destination::unicast, "10.0.2.77"_ip}, at(0)));
        REQUIRE(device.take().size() == 1);  // it is asked for
        device.program = [&](u16 interface) {
            link.flush(interface);
            packet again = from_hex(buffers, datagram_hex, 0);
            CHECK(link.output(again, {3, link_destination::unicast, next}, at(30)));
        };
        packet heard = from_hex(buffers, answer, 3, 0);
        CHECK(link.input(heard, at(20)) == frame_kind::taken);
        const auto frames = device.take();
        REQUIRE(frames.size() == 2);
        CHECK(frames[0].substr(26, 4) == "0806");  // the other one is asked for
        CHECK(frames[1] == sent_datagram);
        // Its packet waits.
        CHECK(link.neighbours().find(3, next)->state == neighbour_state::incomplete);
        CHECK(buffers.available() == 63);
    }
}

}  // namespace link_held_reentrant
