// The IPv4 packet inside a captured frame: every link type, headers in between, and frames cut
// anywhere.
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

constexpr auto group = link_addressing::multicast;
constexpr auto all = link_addressing::broadcast;
constexpr auto host = link_addressing::host;

struct row {
    const char* name;
    link_type link = link_type::ethernet;
    const char* frame;
    std::size_t size = 2;  // of the IPv4 packet; 0: none
    std::vector<u32> path = {};
    link_addressing addressed = host;
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
        {.name = "plain", .frame = MACS "0800 4500"},
        {.name = "to all", .frame = "ffffffffffff 020000000001 0800 4500", .addressed = all},
        {.name = "to a group", .frame = "01005e000001 020000000001 0800 4500", .addressed = group},
        {.name = "cut in the type", .frame = MACS "08", .size = 0},
        {.name = "cut in an address", .frame = "ffffffffffff 02000000", .size = 0},
        {.name = "nothing", .frame = "", .size = 0},
        {.name = "nothing behind", .frame = MACS "0800", .size = 0},
        {.name = "ARP", .frame = MACS "0806 0001", .size = 0},
        {.name = "a tag", .frame = MACS "8100 a005 0800 450000", .size = 3, .path = {customer(5)}},
        {.name = "two tags",
         .frame = MACS "88a8 0005 8100 0006 0800 4500",
         .path = {provider(5), customer(6)}},
        {.name = "9100",
         .frame = MACS "9100 0005 8100 0006 0800 4500",
         .path = {provider(5), customer(6)}},
        {.name = "three tags",
         .frame = MACS "8100 0005 8100 0006 8100 0007 0800 4500",
         .path = {customer(5), customer(6), customer(7)}},
        {.name = "priority alone", .frame = MACS "8100 e000 0800 4500"},
        {.name = "a tag, cut", .frame = MACS "8100 0005 08", .size = 0},
        {.name = "a tag, ARP", .frame = MACS "8100 0005 0806 4500", .size = 0},
        {.name = "SNAP, padding", .frame = MACS "000a" SNAP "0800 4500 0000"},
        {.name = "SNAP, more length than there is", .frame = MACS "05dc" SNAP "0800 4500"},
        {.name = "SNAP of 802.1H", .frame = MACS "000a aaaa03 0000f8 0800 4500"},
        {.name = "SNAP of a maker", .frame = MACS "000a aaaa03 00000c 0800 4500", .size = 0},
        {.name = "SNAP, cut by its length", .frame = MACS "0007" SNAP "0800 4500", .size = 0},
        {.name = "SNAP, a tag behind",
         .frame = MACS "000e" SNAP "8100 0005 0800 4500",
         .path = {customer(5)}},
        {.name = "SNAP behind a tag",
         .frame = MACS "8100 0005 000a" SNAP "0800 4500",
         .path = {customer(5)}},
        {.name = "LLC", .frame = MACS "0005 060603 4500"},
        {.name = "LLC of others", .frame = MACS "0005 424203 4500", .size = 0},
        {.name = "LLC, no UI frame", .frame = MACS "0005 060601 4500", .size = 0},
        {.name = "PPPoE", .frame = MACS "8864 1100 0009 0004 0021 4500", .path = {session(9)}},
        {.name = "PPPoE in a VLAN",
         .frame = MACS "8100 0005 8864 1100 0009 0004 0021 4500",
         .path = {customer(5), session(9)}},
        {.name = "PPPoE, not data", .frame = MACS "8864 11a7 0009 0004 0021 4500", .size = 0},
        {.name = "PPPoE, IPv6", .frame = MACS "8864 1100 0009 0004 0057 4500", .size = 0},
    };
    for (const row& r : rows) {
        check(r);
    }
}

TEST_CASE("other link types") {
    const row rows[] = {
        {.name = "raw", .link = link_type::raw, .frame = "4500"},
        {.name = "raw 12", .link = link_type{12}, .frame = "4500"},
        {.name = "raw 14", .link = link_type{14}, .frame = "4500"},
        {.name = "raw IPv6", .link = link_type::raw, .frame = "6000", .size = 0},
        {.name = "raw, nothing", .link = link_type::raw, .frame = "", .size = 0},
        {.name = "IPv4, version 6", .link = link_type::ipv4, .frame = "6000"},
        {.name = "IPv6", .link = link_type::ipv6, .frame = "4500", .size = 0},
        {.name = "NULL, little", .link = link_type::null, .frame = "02000000 4500"},
        {.name = "NULL, big", .link = link_type::null, .frame = "00000002 4500"},
        {.name = "NULL, IPv6", .link = link_type::null, .frame = "0000001e 6000", .size = 0},
        {.name = "NULL, cut", .link = link_type::null, .frame = "000000", .size = 0},
        {.name = "LOOP", .link = link_type{108}, .frame = "00000002 4500"},
        {.name = "PPP", .link = link_type{9}, .frame = "0021 4500"},
        {.name = "PPP, address and control", .link = link_type{9}, .frame = "ff03 0021 4500"},
        {.name = "PPP, one byte", .link = link_type{9}, .frame = "21 4500"},
        {.name = "PPP, all", .link = link_type{9}, .frame = "ff03 21 4500"},
        {.name = "PPP, LCP", .link = link_type{9}, .frame = "c021 4500", .size = 0},
        {.name = "PPP, IPv6CP, one byte of another",
         .link = link_type{9},
         .frame = "57 4500",
         .size = 0},
        {.name = "PPP, cut", .link = link_type{9}, .frame = "00", .size = 0},
        {.name = "PPP, address and control alone",
         .link = link_type{9},
         .frame = "ff03",
         .size = 0},
        {.name = "HDLC, PPP", .link = link_type{50}, .frame = "ff03 0021 4500"},
        {.name = "HDLC, PPP without", .link = link_type{50}, .frame = "0021 4500"},
        {.name = "HDLC, Cisco", .link = link_type{50}, .frame = "0f00 0800 4500"},
        {.name = "HDLC, Cisco, multicast", .link = link_type{50}, .frame = "8f00 0800 4500"},
        {.name = "Cisco HDLC", .link = link_type{104}, .frame = "0f00 0800 4500"},
        {.name = "Cisco HDLC, cut", .link = link_type{104}, .frame = "0f", .size = 0},
        {.name = "PPPoE",
         .link = link_type{51},
         .frame = "1100 0102 0004 0021 4500",
         .path = {session(0x0102)}},
        {.name = "PPPoE, cut", .link = link_type{51}, .frame = "1100 0102 00", .size = 0},
        {.name = "SLL",
         .link = link_type{113},
         .frame = "0000" SLL "0800 4500",
         .path = {received}},
        {.name = "SLL, sent",
         .link = link_type{113},
         .frame = "0004" SLL "0800 4500",
         .path = {sent}},
        {.name = "SLL, to all",
         .link = link_type{113},
         .frame = "0001" SLL "0800 4500",
         .path = {received},
         .addressed = all},
        {.name = "SLL, to a group",
         .link = link_type{113},
         .frame = "0002" SLL "0800 4500",
         .path = {received},
         .addressed = group},
        {.name = "SLL, to others",
         .link = link_type{113},
         .frame = "0003" SLL "0800 4500",
         .path = {received},
         .addressed = link_addressing::other_host},
        {.name = "SLL, a VLAN",
         .link = link_type{113},
         .frame = "0000" SLL "8100 0005 0800 4500",
         .path = {received, customer(5)}},
        {.name = "SLL, LLC",
         .link = link_type{113},
         .frame = "0000" SLL "0004" SNAP "0800 4500",
         .path = {received}},
        {.name = "SLL, IPX",
         .link = link_type{113},
         .frame = "0000" SLL "0001 aaaa 4500",
         .size = 0},
        {.name = "SLL, cut", .link = link_type{113}, .frame = "0000" SLL "08", .size = 0},
        {.name = "SLL2",
         .link = link_type{276},
         .frame = "0800 0000 00010002 0001 04 06 0200000000010000 4500",
         .path = {interface(1), interface(2), sent}},
        {.name = "SLL2, a VLAN",
         .link = link_type{276},
         .frame = "8100 0000 00000002 0001 00 06 0200000000010000 0005 0800 4500",
         .path = {interface(0), interface(2), received, customer(5)}},
        {.name = "SLL2, ARP",
         .link = link_type{276},
         .frame = "0806 0000 00000002 0001 00 06 0200000000010000 4500",
         .size = 0},
        {.name = "SLL2, cut",
         .link = link_type{276},
         .frame = "0800 0000 00000002 0001 00 06 02000000000100",
         .size = 0},
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

TEST_CASE("endlessly nested headers are given up") {
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
