// The IPv4 packet inside a captured frame: every link type, what may lie between, and frames that
// are cut anywhere.
#include <sluice/port/pcap_link.hpp>

#include "unit/port/hex.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace port_pcap_link {
using namespace sluice;
using namespace sluice::port::pcap;
using port_test::from_hex;

namespace {

constexpr auto group = packet_type::multicast;
constexpr auto all = packet_type::broadcast;
constexpr auto host = packet_type::host;

struct row {
    const char* name;
    link_type link;
    const char* frame;
    std::size_t size;  // of the IPv4 packet; 0: none
    std::vector<u32> path = {};
    packet_type addressed = host;
};

// Steps of a path.
constexpr u32 customer(u32 vlan) {
    return 1u << 16 | vlan;
}
constexpr u32 provider(u32 vlan) {
    return 1u << 16 | 0x1000 | vlan;
}
constexpr u32 session(u32 id) {
    return 2u << 16 | id;
}
constexpr u32 interface(u32 half) {
    return 3u << 16 | half;
}
constexpr u32 received = 4u << 16;
constexpr u32 sent = 4u << 16 | 1;

void check(const row& r) {
    CAPTURE(r.name);
    const auto frame = from_hex(r.frame);
    const parsed_frame parsed = parse_frame(r.link, frame);
    CHECK(parsed.known_link);
    CHECK(parsed.ipv4.size() == r.size);
    CHECK(parsed.addressed == r.addressed);
    if (r.size != 0) {
        const auto& steps = parsed.path.steps;
        CHECK(std::vector<u32>(steps.begin(), steps.begin() + parsed.path.count) == r.path);
    }
}

#define MACS "020000000001 020000000002"
#define SNAP "aaaa03 000000"
#define SLL "0001 0006 020000000001 0000"

}  // namespace

TEST_CASE("Ethernet") {
    const row rows[] = {
        {"plain", link_type::ethernet, MACS "0800 4500", 2},
        {"to all", link_type::ethernet, "ffffffffffff 020000000001 0800 4500", 2, {}, all},
        {"to a group", link_type::ethernet, "01005e000001 020000000001 0800 4500", 2, {}, group},
        {"cut in the type", link_type::ethernet, MACS "08", 0},
        {"cut in an address", link_type::ethernet, "ffffffffffff 02000000", 0},
        {"nothing", link_type::ethernet, "", 0},
        {"nothing behind", link_type::ethernet, MACS "0800", 0},
        {"ARP", link_type::ethernet, MACS "0806 0001", 0},
        {"a tag", link_type::ethernet, MACS "8100 a005 0800 450000", 3, {customer(5)}},
        {"two tags",
         link_type::ethernet,
         MACS "88a8 0005 8100 0006 0800 4500",
         2,
         {provider(5), customer(6)}},
        {"9100",
         link_type::ethernet,
         MACS "9100 0005 8100 0006 0800 4500",
         2,
         {provider(5), customer(6)}},
        {"three tags",
         link_type::ethernet,
         MACS "8100 0005 8100 0006 8100 0007 0800 4500",
         2,
         {customer(5), customer(6), customer(7)}},
        {"priority alone", link_type::ethernet, MACS "8100 e000 0800 4500", 2},
        {"a tag, cut", link_type::ethernet, MACS "8100 0005 08", 0},
        {"a tag, ARP", link_type::ethernet, MACS "8100 0005 0806 4500", 0},
        {"SNAP, padding", link_type::ethernet, MACS "000a" SNAP "0800 4500 0000", 2},
        {"SNAP, more length than there is", link_type::ethernet, MACS "05dc" SNAP "0800 4500", 2},
        {"SNAP of 802.1H", link_type::ethernet, MACS "000a aaaa03 0000f8 0800 4500", 2},
        {"SNAP of a maker", link_type::ethernet, MACS "000a aaaa03 00000c 0800 4500", 0},
        {"SNAP, cut by its length", link_type::ethernet, MACS "0007" SNAP "0800 4500", 0},
        {"SNAP, a tag behind",
         link_type::ethernet,
         MACS "000e" SNAP "8100 0005 0800 4500",
         2,
         {customer(5)}},
        {"SNAP behind a tag",
         link_type::ethernet,
         MACS "8100 0005 000a" SNAP "0800 4500",
         2,
         {customer(5)}},
        {"LLC", link_type::ethernet, MACS "0005 060603 4500", 2},
        {"LLC of others", link_type::ethernet, MACS "0005 424203 4500", 0},
        {"LLC, no UI frame", link_type::ethernet, MACS "0005 060601 4500", 0},
        {"PPPoE", link_type::ethernet, MACS "8864 1100 0009 0004 0021 4500", 2, {session(9)}},
        {"PPPoE in a VLAN",
         link_type::ethernet,
         MACS "8100 0005 8864 1100 0009 0004 0021 4500",
         2,
         {customer(5), session(9)}},
        {"PPPoE, not data", link_type::ethernet, MACS "8864 11a7 0009 0004 0021 4500", 0},
        {"PPPoE, IPv6", link_type::ethernet, MACS "8864 1100 0009 0004 0057 4500", 0},
    };
    for (const row& r : rows) {
        check(r);
    }
}

TEST_CASE("other link types") {
    const row rows[] = {
        {"raw", link_type::raw, "4500", 2},
        {"raw 12", link_type{12}, "4500", 2},
        {"raw 14", link_type{14}, "4500", 2},
        {"raw IPv6", link_type::raw, "6000", 0},
        {"raw, nothing", link_type::raw, "", 0},
        {"IPv4, version 6", link_type::ipv4, "6000", 2},
        {"IPv6", link_type::ipv6, "4500", 0},
        {"NULL, little", link_type::null, "02000000 4500", 2},
        {"NULL, big", link_type::null, "00000002 4500", 2},
        {"NULL, IPv6", link_type::null, "0000001e 6000", 0},
        {"NULL, cut", link_type::null, "000000", 0},
        {"LOOP", link_type{108}, "00000002 4500", 2},
        {"PPP", link_type{9}, "0021 4500", 2},
        {"PPP, address and control", link_type{9}, "ff03 0021 4500", 2},
        {"PPP, one octet", link_type{9}, "21 4500", 2},
        {"PPP, all", link_type{9}, "ff03 21 4500", 2},
        {"PPP, LCP", link_type{9}, "c021 4500", 0},
        {"PPP, IPv6CP, one octet of another", link_type{9}, "57 4500", 0},
        {"PPP, cut", link_type{9}, "00", 0},
        {"PPP, address and control alone", link_type{9}, "ff03", 0},
        {"HDLC, PPP", link_type{50}, "ff03 0021 4500", 2},
        {"HDLC, PPP without", link_type{50}, "0021 4500", 2},
        {"HDLC, Cisco", link_type{50}, "0f00 0800 4500", 2},
        {"HDLC, Cisco to many", link_type{50}, "8f00 0800 4500", 2},
        {"Cisco HDLC", link_type{104}, "0f00 0800 4500", 2},
        {"Cisco HDLC, cut", link_type{104}, "0f", 0},
        {"PPPoE", link_type{51}, "1100 0102 0004 0021 4500", 2, {session(0x0102)}},
        {"PPPoE, cut", link_type{51}, "1100 0102 00", 0},
        {"SLL", link_type{113}, "0000" SLL "0800 4500", 2, {received}},
        {"SLL, sent", link_type{113}, "0004" SLL "0800 4500", 2, {sent}},
        {"SLL, to all", link_type{113}, "0001" SLL "0800 4500", 2, {received}, all},
        {"SLL, to a group", link_type{113}, "0002" SLL "0800 4500", 2, {received}, group},
        {"SLL, to others",
         link_type{113},
         "0003" SLL "0800 4500",
         2,
         {received},
         packet_type::other_host},
        {"SLL, a VLAN",
         link_type{113},
         "0000" SLL "8100 0005 0800 4500",
         2,
         {received, customer(5)}},
        {"SLL, LLC", link_type{113}, "0000" SLL "0004" SNAP "0800 4500", 2, {received}},
        {"SLL, IPX", link_type{113}, "0000" SLL "0001 aaaa 4500", 0},
        {"SLL, cut", link_type{113}, "0000" SLL "08", 0},
        {"SLL2",
         link_type{276},
         "0800 0000 00010002 0001 04 06 0200000000010000 4500",
         2,
         {interface(1), interface(2), sent}},
        {"SLL2, a VLAN",
         link_type{276},
         "8100 0000 00000002 0001 00 06 0200000000010000 0005 0800 4500",
         2,
         {interface(0), interface(2), received, customer(5)}},
        {"SLL2, ARP", link_type{276}, "0806 0000 00000002 0001 00 06 0200000000010000 4500", 0},
        {"SLL2, cut", link_type{276}, "0800 0000 00000002 0001 00 06 02000000000100", 0},
    };
    for (const row& r : rows) {
        check(r);
    }
}

TEST_CASE("the lengths that lie in front of a packet are found") {
    const auto snap = from_hex(MACS "8100 0005 000a" SNAP "0800 4500");
    CHECK(parse_frame(link_type::ethernet, snap).length_field == 16);
    const auto cooked = from_hex("0000" SLL "0004" SNAP "0800 4500");
    CHECK(parse_frame(link_type::linux_sll, cooked).length_field == 0);
    const auto pppoe = from_hex(MACS "8864 1100 0009 0004 0021 4500");
    CHECK(parse_frame(link_type::ethernet, pppoe).pppoe_header == 14);
}

TEST_CASE("headers in headers without end are given up") {
    auto frame = from_hex(MACS);
    for (int i = 0; i < 8; ++i) {
        frame.insert(frame.end(), {std::byte{0x81}, {}, {}, std::byte{5}});
    }
    auto eight = frame;
    eight.insert(eight.end(), {std::byte{8}, {}, std::byte{0x45}});
    CHECK(parse_frame(link_type::ethernet, eight).ipv4.size() == 1);
    CHECK(parse_frame(link_type::ethernet, eight).path.count == 8);
    for (int i = 0; i < 60'000; ++i) {
        frame.insert(frame.end(), {std::byte{0x81}, {}, {}, {}});
    }
    frame.insert(frame.end(), {std::byte{8}, {}, std::byte{0x45}});
    CHECK(parse_frame(link_type::ethernet, frame).ipv4.empty());

    auto nested = from_hex(MACS "05dc");
    const auto once = from_hex(SNAP "8100 0000 05dc");
    for (int i = 0; i < 100'000; ++i) {
        nested.insert(nested.end(), once.begin(), once.end());
    }
    CHECK(parse_frame(link_type::ethernet, nested).ipv4.empty());
}

TEST_CASE("unknown link types have a name where one is known") {
    const auto frame = from_hex("4500");
    const parsed_frame parsed = parse_frame(link_type{127}, frame);
    CHECK_FALSE(parsed.known_link);
    CHECK(parsed.ipv4.empty());
    CHECK(std::string_view{name_of(link_type{127})} == "IEEE802_11_RADIOTAP");
    CHECK(std::string_view{name_of(link_type::linux_sll2)} == "LINUX_SLL2");
    CHECK(name_of(link_type{65'000}) == nullptr);
    const auto& table = port::pcap::detail::named_link_types;
    for (std::size_t i = 1; i < std::size(table); ++i) {
        CHECK(table[i - 1].number < table[i].number);
    }
}

}  // namespace port_pcap_link
