// accept_fast: which packets the accept branch forwards or delivers, and at which packet it stops.
// scenario/fast_path.cpp tests with whole stacks that both paths do the same.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/accept_fast.hpp>

#include "support/network.hpp"

namespace pipeline_accept_fast {

namespace {

using namespace support;
using pipeline::accepted;
using support::datagram_fields;

using pool = fixed_pool<2048, 1>;

void nothing(network&) {}

accepted judge(const network& n, const byte_vector& content,
               link_addressing seen_as = link_addressing::host) {
    pool source;
    pipeline::route_hint hint;
    const auto packet = support::packet_of(source, content, 2, seen_as);
    const accepted as = pipeline::judge_fast(n.tables(), packet, 2, hint);
    pipeline::route_hint other;
    CHECK(pipeline::accept_fast(n.tables(), packet, 2, other) == (as == accepted::forward));
    return as;
}

struct row {
    const char* name;
    accepted as = accepted::no;
    datagram_fields datagram = {};
    void (*change)(network&) = nothing;
};

const row rows[] = {
    {.name = "to a neighbour", .as = accepted::forward},
    {.name = "over a gateway", .as = accepted::forward, .datagram = {.destination = "10.9.0.1"_ip}},
    {.name = "TTL 2", .as = accepted::forward, .datagram = {.ttl = 2}},
    {.name = "TTL 255", .as = accepted::forward, .datagram = {.ttl = 255}},
    {.name = "TTL 1", .datagram = {.ttl = 1}},
    {.name = "TTL 0", .datagram = {.ttl = 0}},
    {.name = "as large as the MTU",
     .as = accepted::forward,
     .datagram = {.payload = support::pattern(1480)}},
    {.name = "a byte larger than the MTU", .datagram = {.payload = support::pattern(1481)}},
    {.name = "a byte larger than the route's MTU",
     .datagram = {.destination = "10.31.0.1"_ip, .payload = support::pattern(581)},
     .change = [](network& n) { n.add("10.31.0.0/16"_prefix, {.interface = 3, .mtu = 600}); }},
    {.name = "as large as the route's MTU, which counts alone",
     .as = accepted::forward,
     .datagram = {.destination = "10.31.0.1"_ip, .payload = support::pattern(1580)},
     .change = [](network& n) { n.add("10.31.0.0/16"_prefix, {.interface = 3, .mtu = 1600}); }},
    {.name = "options", .datagram = {.options = support::list({1, 1, 1, 1})}},
    {.name = "from 1.0.0.1", .as = accepted::forward, .datagram = {.source = "1.0.0.1"_ip}},
    {.name = "from 0.0.0.1", .datagram = {.source = "0.0.0.1"_ip}},
    {.name = "from 126.0.0.1", .as = accepted::forward, .datagram = {.source = "126.0.0.1"_ip}},
    {.name = "from 127.0.0.1", .datagram = {.source = "127.0.0.1"_ip}},
    {.name = "from 128.0.0.1", .as = accepted::forward, .datagram = {.source = "128.0.0.1"_ip}},
    {.name = "from 223.0.0.1", .as = accepted::forward, .datagram = {.source = "223.0.0.1"_ip}},
    {.name = "from a group", .datagram = {.source = "224.0.0.1"_ip}},
    {.name = "from class E", .datagram = {.source = "240.0.0.1"_ip}},
    {.name = "from a local address", .datagram = {.source = "10.0.3.1"_ip}},
    {.name = "to a group", .datagram = {.destination = "224.0.0.9"_ip}},
    {.name = "to 255.255.255.255", .datagram = {.destination = "255.255.255.255"_ip}},
    {.name = "to the loopback net", .datagram = {.destination = "127.0.0.1"_ip}},
    {.name = "to this host", .as = accepted::local, .datagram = {.destination = "10.0.2.1"_ip}},
    {.name = "to this host by its own ingress",
     .as = accepted::local,
     .datagram = {.destination = "10.0.1.1"_ip}},
    {.name = "to this host, larger than any MTU",
     .as = accepted::local,
     .datagram = {.destination = "10.0.2.1"_ip, .payload = support::pattern(1700)}},
    {.name = "to this host with TTL 1", .datagram = {.destination = "10.0.2.1"_ip, .ttl = 1}},
    {.name = "to this host from a local address, which is checked later",
     .as = accepted::local,
     .datagram = {.source = "10.0.3.1"_ip, .destination = "10.0.2.1"_ip}},
    {.name = "to this host in fragments",
     .as = accepted::local,
     .datagram = {.destination = "10.0.2.1"_ip, .flags_and_offset = 0x2000}},
    {.name = "to a broadcast", .datagram = {.destination = "10.0.2.255"_ip}},
    {.name = "back to the link it came from", .datagram = {.destination = "10.0.1.3"_ip}},
    {.name = "to nowhere", .datagram = {.destination = "192.0.2.1"_ip}},
    {.name = "to an unreachable destination", .datagram = {.destination = "10.20.0.1"_ip}},
    {.name = "to an interface that is down",
     .change =
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
        CHECK(judge(n, support::datagram_of(r.datagram)) == r.as);
    }
}

TEST_CASE("to or from the edges of the unicast addresses") {
    network n;
    n.add("0.0.0.0/0"_prefix, {.interface = 3, .gateway = "10.0.2.254"_ip});
    for (const u8 top : {u8{1}, u8{9}, u8{126}, u8{128}, u8{223}})
        CHECK(judge(n, support::datagram_of({.destination = ipv4::address::from_bytes(
                                                 top, 0, 0, 1)})) == accepted::forward);
    for (const u8 top : {u8{0}, u8{127}, u8{224}, u8{239}, u8{240}, u8{255}})
        CHECK(judge(n, support::datagram_of({.destination = ipv4::address::from_bytes(
                                                 top, 0, 0, 1)})) == accepted::no);
}

TEST_CASE("accept fast: a wrong header is left to the full path") {
    const network n;
    const byte_vector good = support::datagram_of({});
    for (std::size_t at = 0; at < 20; ++at) {
        CAPTURE(at);
        byte_vector bad = good;
        bad[at] ^= std::byte{0x10};
        CHECK(judge(n, bad) == accepted::no);
    }
    byte_vector padded = good;
    padded.push_back(std::byte{});
    CHECK(judge(n, padded) == accepted::no);
    CHECK(judge(n, byte_vector(good.begin(), good.begin() + 19)) == accepted::no);
    CHECK(judge(n, good, link_addressing::broadcast) == accepted::no);
}

TEST_CASE("the previous packet's route is reused only for the same destination and tos") {
    network n;
    n.add("10.9.0.0/16"_prefix, {.tos = 0x10, .interface = 4, .gateway = "10.0.3.254"_ip});
    pool source;
    pipeline::route_hint hint;
    const auto egress_of = [&](const datagram_fields& f) -> u16 {
        const auto packet = support::packet_of(source, support::datagram_of(f));
        return pipeline::accept_fast(n.tables(), packet, 2, hint) ? hint.hop.interface : u16{0};
    };
    CHECK(egress_of({.destination = "10.9.0.1"_ip}) == 3);
    CHECK(egress_of({.destination = "10.9.0.1"_ip, .tos = 0x10}) == 4);
    CHECK(egress_of({.destination = "10.9.0.1"_ip, .tos = 0x03}) == 3);
    CHECK(egress_of({.destination = "10.0.3.3"_ip, .tos = 0x03}) == 4);
    CHECK(egress_of({.destination = "10.9.0.1"_ip}) == 3);
}

}  // namespace

}  // namespace pipeline_accept_fast
