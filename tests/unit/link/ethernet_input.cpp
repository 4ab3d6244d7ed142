// Received frames: their link addressing, and the link's reaction to ARP.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_ethernet_input {
using namespace link_test;
using frames = std::vector<std::string>;

namespace {

struct frame_row {
    const char* name;
    const char* hex;
    frame_kind kind = frame_kind::ipv4;
    sluice::link_addressing type = sluice::link_addressing::host;
};

// Requests and replies from 10.0.1.2 at 02:00:00:00:01:02 on interface 2 (10.0.1.1,
// 02:00:00:00:01:01).
std::string arp_frame(const char* destination, const char* operation, const char* sender_mac,
                      const char* sender, const char* target_mac, const char* target) {
    return std::string{destination} +
           "020000000102"
           "0806"
           "00010800060400"
           "0" +
           operation + sender_mac + sender + target_mac + target;
}

}  // namespace

TEST_CASE("the packet type comes from the destination address") {
    const frame_row rows[] = {
        {.name = "own",
         .hex = "020000000101"
                "020000000102"
                "0800"
                "4500"},
        {.name = "broadcast",
         .hex = "ffffffffffff"
                "020000000102"
                "0800"
                "4500",
         .type = sluice::link_addressing::broadcast},
        {.name = "group",
         .hex = "01005e010101"
                "020000000102"
                "0800"
                "4500",
         .type = sluice::link_addressing::multicast},
        {.name = "another host",
         .hex = "020000000201"
                "020000000102"
                "0800"
                "4500",
         .type = sluice::link_addressing::other_host},
        {.name = "empty datagram",
         .hex = "020000000101"
                "020000000102"
                "0800"},
        {.name = "13 bytes",
         .hex = "020000000101"
                "020000000102"
                "08",
         .kind = frame_kind::dropped},
        {.name = "no bytes", .hex = "", .kind = frame_kind::dropped},
        {.name = "IPv6",
         .hex = "020000000101"
                "020000000102"
                "86dd"
                "6000",
         .kind = frame_kind::dropped},
    };
    linked_host<> b;
    for (const frame_row& r : rows) {
        CAPTURE(r.name);
        packet p = from_hex(b.buffers, r.hex, 2);
        const u32 size = p.size();
        REQUIRE(b.link.input(p, at(0)) == r.kind);
        REQUIRE(static_cast<bool>(p) == (r.kind == frame_kind::ipv4));
        if (p) {
            CHECK(p.addressing() == r.type);
            CHECK(p.size() == size - 14);
            CHECK(p.interface() == 2);
        }
    }
    CHECK(b.link.counters().unknown_type == 1);
    CHECK(b.link.counters().too_short == 2);
    CHECK(b.buffers.available() == 64);
}

TEST_CASE("which ARP packets are answered, and which are learned from") {
    constexpr auto none = neighbour_state::none;
    constexpr auto stale = neighbour_state::stale;
    const char* const all = "ffffffffffff";
    const char* const us = "020000000101";
    const char* const other = "020000000103";
    const char* const them = "020000000102";
    const char* const zero = "000000000000";
    const std::string reply =
        "2 020000000102020000000101080600010800060400020200000001010a0001010200000001020a000102";
    const std::string probe_reply =
        "2 020000000102020000000101080600010800060400020200000001010a00010102000000010200000000";
    const std::string other_reply =
        "2 020000000102020000000101080600010800060400020200000001010a0002010200000001020a000102";
    const auto wrong = [](const char* first) {
        return "ffffffffffff0200000001020806" + std::string{first} +
               "0200000001020a0001020000000000000a000101";
    };
    struct row {
        const char* name;
        std::string frame;
        frames answers = {};
        neighbour_state learned = none;  // about 10.0.1.2
    };
    const row rows[] = {
        {.name = "request for this host",
         .frame = arp_frame(all, "1", them, "0a000102", zero, "0a000101"),
         .answers = {reply},
         .learned = stale},
        {.name = "request to this host alone",
         .frame = arp_frame(us, "1", them, "0a000102", zero, "0a000101"),
         .answers = {reply},
         .learned = stale},
        {.name = "request for another",
         .frame = arp_frame(all, "1", them, "0a000102", zero, "0a000163")},
        {.name = "request to another host",
         .frame = arp_frame(other, "1", them, "0a000102", zero, "0a000101")},
        {.name = "probe",
         .frame = arp_frame(all, "1", them, "00000000", zero, "0a000101"),
         .answers = {probe_reply}},
        {.name = "announcement of an unknown host",
         .frame = arp_frame(all, "1", them, "0a000102", zero, "0a000102")},
        {.name = "reply without a request",
         .frame = arp_frame(us, "2", them, "0a000102", us, "0a000101")},
        {.name = "request from the local address",
         .frame = arp_frame(all, "1", them, "0a000101", zero, "0a000101")},
        {.name = "link address a group",
         .frame = arp_frame(all, "1", "010000000102", "0a000102", zero, "0a000101")},
        {.name = "link address zero",
         .frame = arp_frame(all, "1", zero, "0a000102", zero, "0a000101")},
        {.name = "sender a group",
         .frame = arp_frame(all, "1", them, "e0000001", zero, "0a000101")},
        {.name = "sender loopback",
         .frame = arp_frame(all, "1", them, "7f000001", zero, "0a000101")},
        {.name = "sender of the zero network",
         .frame = arp_frame(all, "1", them, "00000102", zero, "0a000101")},
        {.name = "sender that cannot be a neighbour",
         .frame = arp_frame(all, "1", them, "0a0001ff", zero, "0a000101")},
        {.name = "request for a group",
         .frame = arp_frame(all, "1", them, "0a000102", zero, "e0000001")},
        {.name = "request for loopback",
         .frame = arp_frame(all, "1", them, "0a000102", zero, "7f000001")},
        {.name = "request for the address of another local interface",
         .frame = arp_frame(all, "1", them, "0a000102", zero, "0a000201"),
         .answers = {other_reply},
         .learned = stale},
        {.name = "probe for another",
         .frame = arp_frame(all, "1", them, "00000000", zero, "0a000163")},
        {.name = "reply from 0.0.0.0",
         .frame = arp_frame(us, "2", them, "00000000", us, "0a000101")},
        {.name = "link address broadcast",
         .frame = arp_frame(all, "1", all, "0a000102", zero, "0a000101")},
        {.name = "hardware type 6", .frame = wrong("0006080006040001")},
        {.name = "protocol type IPv6", .frame = wrong("000186dd06040001")},
        {.name = "hardware length 8", .frame = wrong("0001080008040001")},
        {.name = "protocol length 16", .frame = wrong("0001080006100001")},
        {.name = "operation 0", .frame = wrong("0001080006040000")},
        {.name = "reverse request", .frame = wrong("0001080006040003")},
        {.name = "operation 257", .frame = wrong("0001080006040101")},
        {.name = "operation 3", .frame = arp_frame(all, "3", them, "0a000102", zero, "0a000101")},
        {.name = "cut", .frame = arp_frame(all, "1", them, "0a000102", zero, "0a0001")},
        {.name = "padded to 60 bytes",
         .frame = arp_frame(all, "1", them, "0a000102", zero, "0a000101") + std::string(36, '0'),
         .answers = {reply},
         .learned = stale},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        linked_host<> b;
        CHECK(b.hear(r.frame, 2, at(0)) == frame_kind::taken);
        CHECK(b.device.take() == r.answers);
        const auto* entry = b.link.neighbours().find(2, "10.0.1.2"_ip);
        CHECK((entry == nullptr ? none : entry->state) == r.learned);
        CHECK(b.link.neighbours().size() == (r.learned == none ? 0 : 1));
        CHECK(b.buffers.available() == 64);
    }
}

}  // namespace link_ethernet_input
