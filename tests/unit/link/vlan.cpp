// Frames of VLANs: with their tags, and as sockets of one EtherType get them, after the kernel
// removed the tag and marked the frame. Measured on Linux 6.18: only frames of VLAN 0 are accepted,
// with any number and kind of tags; 0x9100 is no tag.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_vlan {
using namespace link_test;
using mark = sluice::link_addressing;

namespace {

const std::string us = "020000000101";
const std::string other = "020000000201";
const std::string all = "ffffffffffff";
const std::string group = "01005e010101";
const std::string them = "020000000102";

std::string ipv4_frame(const std::string& destination, const std::string& tags) {
    return destination + them + tags + "0800" + std::string{datagram_hex};
}
// An ARP request for this host claims that 10.0.1.2 is at 02:00:00:00:01:66.
std::string arp_frame(const std::string& destination, const std::string& tags) {
    return destination + them + tags + "0806" + "0001080006040001" + "020000000166" + "0a000102" +
           "000000000000" + "0a000101";
}

}  // namespace

TEST_CASE("tags of VLAN 0 are taken off, frames of other VLANs are dropped and counted") {
    struct row {
        const char* tags;
        bool taken;
        u64 tagged = 0;
    };
    const row rows[] = {
        {.tags = "", .taken = true},
        {.tags = "81000000", .taken = true},
        {.tags = "8100e000", .taken = true},  // a priority
        {.tags = "81001000", .taken = true},  // may be dropped first
        {.tags = "8100f000", .taken = true},
        {.tags = "88a80000", .taken = true},
        {.tags = "8100000081000000", .taken = true},
        {.tags = "88a8000081000000", .taken = true},
        {.tags = "8100000088a80000", .taken = true},
        {.tags = "810000008100000081000000", .taken = true},
        {.tags = "81000005", .taken = false, .tagged = 1},
        {.tags = "81000001", .taken = false, .tagged = 1},
        {.tags = "8100e005", .taken = false, .tagged = 1},
        {.tags = "81000fff", .taken = false, .tagged = 1},
        {.tags = "88a80005", .taken = false, .tagged = 1},
        {.tags = "8100000081000005", .taken = false, .tagged = 1},
        {.tags = "8100000581000000", .taken = false, .tagged = 1},
        {.tags = "88a8000581000005", .taken = false, .tagged = 1},
        {.tags = "91000000", .taken = false, .tagged = 1},
        {.tags = "91000005", .taken = false, .tagged = 1},
        {.tags = "8100000091000000", .taken = false, .tagged = 1},
    };
    for (const row& r : rows) {
        CAPTURE(r.tags);
        linked_host<> b;
        packet p = from_hex(b.buffers, ipv4_frame(us, r.tags), 2);
        REQUIRE(b.link.input(p, at(0)) == (r.taken ? frame_kind::ipv4 : frame_kind::dropped));
        CHECK(b.link.counters().tagged == r.tagged);
        CHECK(b.link.counters().ipv4_received == (r.taken ? 1 : 0));
        CHECK(b.link.counters().unknown_type == 0);
        if (r.taken) {
            CHECK(to_hex(p) == datagram_hex);
            CHECK(p.addressing() == mark::host);
        }
        p.reset();
        CHECK(b.hear(arp_frame(all, r.tags), 2, at(0)) ==
              (r.taken ? frame_kind::taken : frame_kind::dropped));
        const auto* known = b.link.neighbours().find(2, "10.0.1.2"_ip);
        CHECK((known != nullptr) == r.taken);
        CHECK(b.device.take().size() == (r.taken ? 1 : 0));
        CHECK(b.link.counters().tagged == 2 * r.tagged);
        CHECK(b.buffers.available() == 64);
    }
}

TEST_CASE("frames that end in a tag are dropped") {
    for (const char* tags : {"8100", "810000", "81000000", "8100000008", "81000000810000",
                             "88a8000081000000", "910000"}) {
        CAPTURE(tags);
        linked_host<> b;
        CHECK(b.hear(us + them + tags, 2, at(0)) == frame_kind::dropped);
        CHECK(b.link.counters().tagged + b.link.counters().unknown_type == 1);
        CHECK(b.buffers.available() == 64);
    }
}

TEST_CASE("tags in any number of pieces") {
    linked_host<> b;
    const std::string frame = ipv4_frame(us, "8100000088a8000081000000");
    for (std::size_t cut = 1; cut < frame.size() / 2; ++cut) {
        CAPTURE(cut);
        packet p = from_hex(b.buffers, frame.substr(0, cut * 2), 2);
        p.append(from_hex(b.buffers, frame.substr(cut * 2), 2));
        REQUIRE(b.link.input(p, at(0)) == frame_kind::ipv4);
        CHECK(to_hex(p) == datagram_hex);
    }
}

// As packet(7) describes: the kernel has classified the destination, and removed a VLAN's tag.
TEST_CASE("the destination address never improves the link addressing that the device stated") {
    struct row {
        mark below;
        const std::string& destination;
        mark after;
        u64 tagged = 0;
    };
    const row rows[] = {
        {.below = mark::host, .destination = us, .after = mark::host},
        {.below = mark::host, .destination = all, .after = mark::broadcast},
        {.below = mark::host, .destination = group, .after = mark::multicast},
        {.below = mark::host, .destination = other, .after = mark::other_host},
        {.below = mark::broadcast, .destination = us, .after = mark::broadcast},
        {.below = mark::broadcast, .destination = all, .after = mark::broadcast},
        {.below = mark::broadcast, .destination = other, .after = mark::other_host},
        {.below = mark::multicast, .destination = us, .after = mark::multicast},
        {.below = mark::multicast, .destination = group, .after = mark::multicast},
        {.below = mark::multicast, .destination = other, .after = mark::other_host},
        {.below = mark::other_host, .destination = us, .after = mark::other_host, .tagged = 1},
        {.below = mark::other_host, .destination = all, .after = mark::other_host, .tagged = 1},
        {.below = mark::other_host, .destination = group, .after = mark::other_host, .tagged = 1},
        {.below = mark::other_host, .destination = other, .after = mark::other_host},
    };
    for (const row& r : rows) {
        CAPTURE(static_cast<int>(r.below));
        CAPTURE(r.destination);
        linked_host<> b;
        packet p = from_hex(b.buffers, ipv4_frame(r.destination, ""), 2);
        p.set_addressing(r.below);
        REQUIRE(b.link.input(p, at(0)) == frame_kind::ipv4);
        CHECK(p.addressing() == r.after);
        CHECK(b.link.counters().tagged == r.tagged);
    }
}

TEST_CASE("an ARP request out of a VLAN is not answered and changes no neighbour") {
    for (const std::string& destination : {all, us}) {
        linked_host<> b;
        REQUIRE(b.hear(all + them + "0806" + "0001080006040001" + "020000000102" + "0a000102" +
                           "000000000000" + "0a000101",
                       2, at(0)) == frame_kind::taken);
        REQUIRE(b.device.take().size() == 1);
        CHECK(b.link.counters().arp_ignored == 0);
        packet p = from_hex(b.buffers, arp_frame(destination, ""), 2);
        p.set_addressing(mark::other_host);
        CHECK(b.link.input(p, at(60'000)) == frame_kind::taken);
        CHECK(b.device.take().empty());
        CHECK(b.link.neighbours().find(2, "10.0.1.2"_ip)->hardware == "02:00:00:00:01:02"_mac);
        CHECK(b.link.counters().arp_ignored == 1);
        CHECK(b.link.counters().tagged == 1);
    }
}

}  // namespace link_vlan
