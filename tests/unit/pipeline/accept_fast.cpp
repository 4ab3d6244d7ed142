// accept_fast: which packets are forwarded at once: plain ones, and nothing that any rule could
// treat otherwise. That both ways do the same is tested with whole stacks (scenario/fast_path.cpp);
// here, that the short one is taken at all, and where it ends.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/accept_fast.hpp>

#include "support/network.hpp"

namespace pipeline_accept_fast {

namespace {

using namespace support;
using support::datagram_fields;

using pool = fixed_pool<2048, 1>;

void nothing(network&) {}

bool accepts(const network& n, const octets& content, packet_type seen_as = packet_type::host) {
    pool source;
    pipeline::route_hint hint;
    const auto packet = support::packet_of(source, content, 2, seen_as);
    return pipeline::accept_fast(n.tables(), packet, 2, hint);
}

struct row {
    const char* name;
    bool accepted;
    datagram_fields datagram;
    void (*change)(network&) = nothing;
};

const row rows[] = {
    {"to a neighbour", true, {}},
    {"over a gateway", true, {.destination = "10.9.0.1"_ip}},
    {"TTL 2", true, {.ttl = 2}},
    {"TTL 255", true, {.ttl = 255}},
    {"TTL 1", false, {.ttl = 1}},
    {"TTL 0", false, {.ttl = 0}},
    {"as large as the MTU", true, {.payload = support::pattern(1480)}},
    {"an octet larger than the MTU", false, {.payload = support::pattern(1481)}},
    {"an octet larger than the route's MTU",
     false,
     {.destination = "10.31.0.1"_ip, .payload = support::pattern(581)},
     [](network& n) { n.add("10.31.0.0/16"_prefix, {.interface = 3, .mtu = 600}); }},
    {"as large as the route's MTU, which counts alone",
     true,
     {.destination = "10.31.0.1"_ip, .payload = support::pattern(1580)},
     [](network& n) { n.add("10.31.0.0/16"_prefix, {.interface = 3, .mtu = 1600}); }},
    {"options", false, {.options = support::list({1, 1, 1, 1})}},
    {"from 1.0.0.1", true, {.source = "1.0.0.1"_ip}},
    {"from 0.0.0.1", false, {.source = "0.0.0.1"_ip}},
    {"from 126.0.0.1", true, {.source = "126.0.0.1"_ip}},
    {"from 127.0.0.1", false, {.source = "127.0.0.1"_ip}},
    {"from 128.0.0.1", true, {.source = "128.0.0.1"_ip}},
    {"from 223.0.0.1", true, {.source = "223.0.0.1"_ip}},
    {"from a group", false, {.source = "224.0.0.1"_ip}},
    {"from class E", false, {.source = "240.0.0.1"_ip}},
    {"from our own address", false, {.source = "10.0.3.1"_ip}},
    {"to a group", false, {.destination = "224.0.0.9"_ip}},
    {"to everybody", false, {.destination = "255.255.255.255"_ip}},
    {"to the loopback net", false, {.destination = "127.0.0.1"_ip}},
    {"to us", false, {.destination = "10.0.2.1"_ip}},
    {"to a broadcast", false, {.destination = "10.0.2.255"_ip}},
    {"back to the link it came from", false, {.destination = "10.0.1.3"_ip}},
    {"to nowhere", false, {.destination = "192.0.2.1"_ip}},
    {"to what is unreachable", false, {.destination = "10.20.0.1"_ip}},
    {"to an interface that is down",
     false,
     {},
     [](network& n) {
         n.link(3).up = false;
         n.refresh();
     }},
};

TEST_CASE("which datagrams are plain") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        network n;
        r.change(n);
        CHECK(accepts(n, support::datagram_of(r.datagram)) == r.accepted);
    }
}

TEST_CASE("to or from the edges of the unicast addresses") {
    network n;
    n.add("0.0.0.0/0"_prefix, {.interface = 3, .gateway = "10.0.2.254"_ip});
    for (const u8 top : {u8{1}, u8{9}, u8{126}, u8{128}, u8{223}})
        CHECK(accepts(
            n, support::datagram_of({.destination = ipv4::address::from_octets(top, 0, 0, 1)})));
    for (const u8 top : {u8{0}, u8{127}, u8{224}, u8{239}, u8{240}, u8{255}})
        CHECK_FALSE(accepts(
            n, support::datagram_of({.destination = ipv4::address::from_octets(top, 0, 0, 1)})));
}

TEST_CASE("a header that is not right is nothing for it") {
    const network n;
    const octets good = support::datagram_of({});
    for (std::size_t at = 0; at < 20; ++at) {
        CAPTURE(at);
        octets bad = good;
        bad[at] ^= std::byte{0x10};
        CHECK_FALSE(accepts(n, bad));
    }
    octets padded = good;
    padded.push_back(std::byte{});
    CHECK_FALSE(accepts(n, padded));
    CHECK_FALSE(accepts(n, octets(good.begin(), good.begin() + 19)));
    CHECK_FALSE(accepts(n, good, packet_type::broadcast));
}

TEST_CASE("the route of the packet before serves for the same destination and tos alone") {
    network n;
    n.add("10.9.0.0/16"_prefix, {.tos = 0x10, .interface = 4, .gateway = "10.0.3.254"_ip});
    pool source;
    pipeline::route_hint hint;
    const auto by = [&](const datagram_fields& f) -> u16 {
        const auto packet = support::packet_of(source, support::datagram_of(f));
        return pipeline::accept_fast(n.tables(), packet, 2, hint) ? hint.hop.interface : u16{0};
    };
    CHECK(by({.destination = "10.9.0.1"_ip}) == 3);
    CHECK(by({.destination = "10.9.0.1"_ip, .tos = 0x10}) == 4);
    CHECK(by({.destination = "10.9.0.1"_ip, .tos = 0x03}) == 3);
    CHECK(by({.destination = "10.0.3.3"_ip, .tos = 0x03}) == 4);
    CHECK(by({.destination = "10.9.0.1"_ip}) == 3);
}

}  // namespace

}  // namespace pipeline_accept_fast
