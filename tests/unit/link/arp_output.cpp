// Resolution on output, against frames recorded from Linux.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_arp_output {
using namespace link_test;
using frames = std::vector<std::string>;

namespace {
const std::string asked = "3 " + std::string{request};
}

TEST_CASE("an unknown next hop is asked for by broadcast, and the packet waits") {
    linked_host<> b;
    CHECK(b.send(datagram_hex, 3, "10.0.2.77"_ip, at(0)));
    CHECK(b.device.take() == frames{asked});
    CHECK(b.send(datagram_hex, 3, "10.0.2.77"_ip, at(10)));
    CHECK(b.device.take() == frames{});
    CHECK(b.hear(answer, 3, at(20)) == frame_kind::taken);
    CHECK(b.device.take() == frames{sent_datagram, sent_datagram});
    CHECK(b.send(datagram_hex, 3, "10.0.2.77"_ip, at(30)));
    CHECK(b.device.take() == frames{sent_datagram});
    CHECK(b.buffers.available() == 64);
}

TEST_CASE(
    "scenario forward/neighbour-fail: two requests 100 ms apart, then the packet comes back") {
    linked_host<> b{{.retransmit = 100_ms, .broadcast_requests = 2}};
    std::vector<std::string> failed;
    const auto keep = [&](packet&& p) { failed.push_back(to_hex(p)); };
    for (i64 start : {0, 600}) {
        REQUIRE(b.send(datagram_hex, 3, "10.0.2.77"_ip, at(start)));
        CHECK(b.device.take() == frames{asked});
        CHECK(b.link.poll(at(start + 99), keep) == at(start + 100));
        CHECK(b.link.poll(at(start + 100), keep) == at(start + 200));
        CHECK(b.device.take() == frames{asked});
        CHECK(failed.empty());
        CHECK(b.link.poll(at(start + 200), keep) > at(start + 1000));
        CHECK(failed == frames{std::string{datagram_hex}});
        CHECK(b.device.take() == frames{});
        CHECK(b.link.neighbours().find(3, "10.0.2.77"_ip)->state == neighbour_state::failed);
        failed.clear();
    }
    CHECK(b.link.counters().unresolved == 2);
    CHECK(b.buffers.available() == 64);
}

TEST_CASE("arp: a request has the packet's source if that is a local address") {
    linked_host<> b;
    // Scenario redirect/shared-media: the packet that waits comes from 10.0.9.1, the first address
    // is 10.0.1.1.
    CHECK(b.send("4500001c0000000040010000"
                 "0a000901"
                 "0a000907"
                 "0000000000000000",
                 2, "10.0.9.7"_ip, at(0)));
    CHECK(b.device.take() == frames{"2 "
                                    "ffffffffffff020000000101080600010800060400010200000001010a0009"
                                    "010000000000000a000907"});
}

TEST_CASE("at most four packets wait: the oldest makes room") {
    linked_host<> b;
    for (const char* last : {"01", "02", "03", "04", "05", "06"}) {
        CHECK(b.send(std::string{datagram_hex} + last, 3, "10.0.2.77"_ip, at(0)));
    }
    CHECK(b.link.counters().held_dropped == 2);
    b.device.take();
    b.hear(answer, 3, at(20));
    const frames sent = b.device.take();
    REQUIRE(sent.size() == 4);
    CHECK(sent[0] == sent_datagram + "03");
    CHECK(sent[3] == sent_datagram + "06");
}

TEST_CASE("groups and broadcasts have link addresses by rule") {
    struct row {
        const char* name;
        link_destination kind;
        ipv4::address to;
        const char* mac;
    };
    for (const row& r : {row{.name = "directed broadcast",
                             .kind = link_destination::broadcast,
                             .to = "10.0.2.255"_ip,
                             .mac = "ffffffffffff"},
                         row{.name = "limited broadcast",
                             .kind = link_destination::unicast,
                             .to = "255.255.255.255"_ip,
                             .mac = "ffffffffffff"},
                         row{.name = "group",
                             .kind = link_destination::multicast,
                             .to = "224.0.0.22"_ip,
                             .mac = "01005e000016"},
                         row{.name = "23 bits of it",
                             .kind = link_destination::multicast,
                             .to = "239.255.1.2"_ip,
                             .mac = "01005e7f0102"}}) {
        CAPTURE(r.name);
        linked_host<> b;
        CHECK(b.send(datagram_hex, 3, r.to, at(0), r.kind));
        CHECK(b.device.take() ==
              frames{std::string{"3 "} + r.mac + "0200000002010800" + std::string{datagram_hex}});
        CHECK(b.link.neighbours().size() == 0);
    }
}

TEST_CASE("a multicast by a gateway goes to the gateway's link address") {
    linked_host<> b;
    REQUIRE(b.link.set_permanent(3, "10.0.2.88"_ip, {{2, 0, 0, 0, 2, 0x58}}, at(0)));
    CHECK(b.send(datagram_hex, 3, "10.0.2.88"_ip, at(0), link_destination::multicast));
    CHECK(b.device.take() == frames{"3 0200000002580200000002010800" + std::string{datagram_hex}});
    // A route of type multicast to a unicast address.
    CHECK(b.send(datagram_hex, 3, "10.0.2.77"_ip, at(0), link_destination::multicast));
    CHECK(b.device.take() == frames{"3 01005e00024d0200000002010800" + std::string{datagram_hex}});
}

TEST_CASE("a packet that the device refuses stays as it was") {
    linked_host<> b;
    REQUIRE(b.link.set_permanent(3, "10.0.2.77"_ip, {{2, 0, 0, 0, 2, 0x4d}}, at(0)));
    for (u16 headroom : {u16{32}, u16{0}}) {  // header pushed, header in a copy
        CAPTURE(headroom);
        packet p = from_hex(b.buffers, datagram_hex, 0, headroom);
        b.device.refuses = true;
        CHECK_FALSE(b.link.output(p, {3, link_destination::unicast, "10.0.2.77"_ip}, at(0)));
        CHECK(to_hex(p) == datagram_hex);
        b.device.refuses = false;
        CHECK(b.link.output(p, {3, link_destination::unicast, "10.0.2.77"_ip}, at(0)));
        CHECK(b.device.take() == frames{sent_datagram});
    }
    CHECK(b.buffers.available() == 64);
}

TEST_CASE("resolve asks without a packet, flush forgets") {
    linked_host<> b;
    CHECK_FALSE(b.link.resolve(3, "10.0.2.77"_ip, at(0)));
    CHECK(b.device.take() == frames{asked});
    b.hear(answer, 3, at(1));
    CHECK(b.link.resolve(3, "10.0.2.77"_ip, at(2)));
    b.link.flush(2);
    CHECK(b.link.resolve(3, "10.0.2.77"_ip, at(3)));
    b.link.flush(3);
    CHECK_FALSE(b.link.resolve(3, "10.0.2.77"_ip, at(4)));
}

}  // namespace link_arp_output
