// Frames of VLANs as packet sockets of every kind get them: frames of VLAN 0 are received like
// untagged ones, frames of other VLANs are dropped, and ARP in them is ignored. Needs root; else
// skipped.
#include <sluice/link/ethernet.hpp>
#include <sluice/port/af_packet_ring.hpp>

#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace port_af_packet_vlan {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;

namespace {

using source = heap_source<2048, 64>;
using packet = source::packet_type;
using device_sender = ap::sender::model<packet>;

// No host waits for an answer.
struct nowhere {
    static constexpr bool takes_segmented = true;
    bool send_frame(packet& frame, u16, instant) noexcept {
        frame.reset();
        return true;
    }
    void flush() noexcept {}
};
using link = ethernet_link<source, single_link_host, nowhere>;

constexpr ethernet::address truth = "02:00:00:00:00:0a"_mac;
constexpr ethernet::address lie = "02:00:00:00:00:66"_mac;

struct tagged_row {
    const char* name;
    std::initializer_list<u32> tags;  // type and control
    bool taken;                       // as the kernel takes it for itself
};
const tagged_row rows[] = {
    {.name = "untagged", .tags = {}, .taken = true},
    {.name = "VLAN 0", .tags = {0x81000000}, .taken = true},
    {.name = "VLAN 0 with a priority", .tags = {0x8100e000}, .taken = true},
    {.name = "802.1ad, VLAN 0", .tags = {0x88a80000}, .taken = true},
    {.name = "VLAN 0 twice", .tags = {0x81000000, 0x81000000}, .taken = true},
    {.name = "VLAN 0, of both kinds", .tags = {0x88a80000, 0x81000000}, .taken = true},
    {.name = "VLAN 0, three times", .tags = {0x81000000, 0x88a80000, 0x81000000}, .taken = true},
    {.name = "VLAN 5", .tags = {0x81000005}, .taken = false},
    {.name = "VLAN 4095 with a priority", .tags = {0x8100efff}, .taken = false},
    {.name = "802.1ad, VLAN 5", .tags = {0x88a80005}, .taken = false},
    {.name = "VLAN 5 inside VLAN 0", .tags = {0x81000000, 0x81000005}, .taken = false},
    {.name = "VLAN 0 inside VLAN 5", .tags = {0x81000005, 0x81000000}, .taken = false},
    {.name = "0x9100", .tags = {0x91000000}, .taken = false},
};

byte_vector tagged_frame(std::initializer_list<u32> tags, u16 type, const byte_vector& contents,
                         bool to_all) {
    byte_vector frame = list({2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a});
    if (to_all) {
        fill_bytes(frame.data(), 6, std::byte{0xff});
    }
    const auto add = [&frame](u32 value, std::size_t size) {
        std::byte four[4];
        store_be<u32>(four, value);
        frame.insert(frame.end(), four + 4 - size, four + 4);
    };
    for (const u32 tag : tags) {
        add(tag, 4);
    }
    add(type, 2);
    frame.insert(frame.end(), contents.begin(), contents.end());
    return frame;
}
// 10.9.0.1 sends an ARP request for this host.
byte_vector question(ethernet::address sender) {
    byte_vector made(28);
    const arp::packet p{arp::operations::request, sender, "10.9.0.1"_ip, {}, "10.9.0.2"_ip};
    REQUIRE(emit_value(p, made).has_value());
    return made;
}

byte_vector last(u16 type) {
    return tagged_frame({}, type, byte_vector(46, std::byte{0xee}), false);
}
bool is_last(const packet& frame) {
    const byte_vector all = content_of(frame);
    return all == last(ethernet::types::arp) || all == last(ethernet::types::ipv4);
}

struct station {
    source buffers;
    ap::device far;  // the other end of the wire
    device_sender far_sender{far.sender()};
    nowhere answers;
    single_link_host host{"02:00:00:00:00:0b"_mac, "10.9.0.2"_ip};
    link eth{buffers, host, answers, {1, 2}};
    int datagrams = 0;
    int last_ones = 0;
    i64 now = 0;

    explicit station(const veth_pair& wire) : far{*ap::open_in_namespace(wire.ns.path(), "va")} {}

    void send(const byte_vector& frame) {
        packet p = packet_of(buffers, frame);
        REQUIRE(far_sender.send_frame(p, 1, {}));
        far_sender.flush();
    }
    // One frame of each received type, behind all sent frames.
    void send_last() {
        send(last(ethernet::types::arp));
        send(last(ethernet::types::ipv4));
    }
    void hear(std::span<packet> frames) {
        for (packet& frame : frames) {
            if (is_last(frame)) {
                ++last_ones;
            } else if (eth.input(frame, instant{} + duration::from_milliseconds(now += 2'000)) ==
                           frame_kind::ipv4 &&
                       frame.addressing() != link_addressing::other_host) {
                CHECK(frame.size() == 60);
                CHECK(frame.data()[0] == std::byte{0x45});
                ++datagrams;
            }
            frame.reset();
        }
    }
};

// What each row's frames come to, through devices that receive(packets) gives a batch of.
template <class Receive>
void check_rows(station& us, Receive&& receive) {
    const byte_vector datagram =
        datagram_of({.destination = "10.9.0.2"_ip, .payload = pattern(40)});
    const auto drain = [&] {
        us.send_last();
        us.last_ones = 0;
        REQUIRE(wait_until([&] {
            packet batch[8];
            const std::size_t n = receive(std::span{batch});
            us.hear(std::span{batch}.first(n));
            return n == 0 && us.last_ones == 2;
        }));
    };
    for (const tagged_row& r : rows) {
        CAPTURE(r.name);
        us.send(tagged_frame({}, ethernet::types::arp, question(truth), true));
        drain();
        const auto* neighbour = us.eth.neighbours().find(1, "10.9.0.1"_ip);
        REQUIRE(neighbour != nullptr);
        REQUIRE(neighbour->hardware == truth);
        const int before = us.datagrams;
        us.send(tagged_frame(r.tags, ethernet::types::ipv4, datagram, false));
        us.send(tagged_frame(r.tags, ethernet::types::arp, question(lie), true));
        us.send(tagged_frame(r.tags, ethernet::types::arp, question(lie), false));
        drain();
        CHECK(us.datagrams - before == (r.taken ? 1 : 0));
        CHECK(us.eth.neighbours().find(1, "10.9.0.1"_ip)->hardware == (r.taken ? lie : truth));
    }
    CHECK(us.buffers.available() == 64);
}

}  // namespace

TEST_CASE("frames of VLANs are dropped on every packet socket") {
    const veth_pair wire{"afvl"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    station us{wire};
    const std::string path = wire.ns.path();
    const auto open = [&](u16 protocol, std::optional<ap::fanout> group = {}) {
        auto made = ap::open_in_namespace(path, "vb", {.protocol = protocol, .fanout = group});
        REQUIRE(made.has_value());
        return std::move(*made);
    };
    const auto open_ring = [&](u16 protocol, std::optional<ap::fanout> group = {}) {
        auto made = port::in_namespace(path, [&] {
            return ap::ring<64>::open("vb", {.protocol = protocol, .fanout = group});
        });
        REQUIRE(made.has_value());
        return std::move(*made);
    };
    // The VLANs of 12 rows, each with a datagram and two questions; 0x9100 does not come to sockets
    // of one type, nor does what is in a second tag behind that of a VLAN.
    constexpr u64 tagged_by_type = 3 * 4;
    constexpr u64 tagged_in_all = 3 * 6;
    SUBCASE("plain, a socket a type") {
        auto arp = open(ethernet::types::arp);
        auto ip = open(ethernet::types::ipv4);
        check_rows(us, [&](std::span<packet> to) {
            const std::size_t n = arp.receive(us.buffers, to.first(4)).count;
            return n + ip.receive(us.buffers, to.subspan(n)).count;
        });
        CHECK(us.eth.counters().tagged == tagged_by_type);
    }
    SUBCASE("plain, of a group") {
        auto arp = open(ethernet::types::arp);
        std::vector<ap::device> group;
        for (int i = 0; i < 2; ++i) {
            group.push_back(open(ethernet::types::ipv4, ap::fanout{.group = 77}));
        }
        check_rows(us, [&](std::span<packet> to) {
            std::size_t n = arp.receive(us.buffers, to.first(2)).count;
            n += group[0].receive(us.buffers, to.subspan(n, 2)).count;
            return n + group[1].receive(us.buffers, to.subspan(n, 2)).count;
        });
        CHECK(us.eth.counters().tagged == tagged_by_type);
    }
    SUBCASE("rings, a socket a type, one of a group") {
        auto arp = open_ring(ethernet::types::arp);
        auto ip = open_ring(ethernet::types::ipv4, ap::fanout{.group = 78});
        check_rows(us, [&](std::span<packet> to) {
            const std::size_t n = arp.receive(to.first(4)).count;
            return n + ip.receive(to.subspan(n)).count;
        });
        CHECK(us.eth.counters().tagged == tagged_by_type);
    }
    SUBCASE("plain, of all types: the tags are delivered beside the frames") {
        auto all = open(0x0003);
        check_rows(us, [&](std::span<packet> to) { return all.receive(us.buffers, to).count; });
        CHECK(us.eth.counters().tagged == tagged_in_all);
    }
    SUBCASE("a ring of all types") {
        auto all = open_ring(0x0003);
        check_rows(us, [&](std::span<packet> to) { return all.receive(to).count; });
        CHECK(us.eth.counters().tagged == tagged_in_all);
    }
}

}  // namespace port_af_packet_vlan
