// icmp_error: about what no error is sent, what it quotes, its type of service.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/icmp_error.hpp>

#include "support/datagrams.hpp"

namespace pipeline_icmp_error {

namespace {

using namespace support;

const icmp_request unreachable = icmp_request::host_unreachable();

struct row {
    const char* name;
    datagram_fields offender;
    packet_type seen_as;
    route_type type;
    bool sent;
};

const row rows[] = {
    {"forwarded", {}, packet_type::host, route_type::unicast, true},
    {"to us", {}, packet_type::host, route_type::local, true},
    {"to a broadcast", {}, packet_type::host, route_type::broadcast, false},
    {"to a group", {}, packet_type::host, route_type::multicast, false},
    {"link-layer broadcast", {}, packet_type::broadcast, route_type::unicast, false},
    {"link-layer multicast", {}, packet_type::multicast, route_type::unicast, false},
    {"our own, heard again", {}, packet_type::loopback, route_type::unicast, false},
    {"for another host", {}, packet_type::other_host, route_type::unicast, false},
    {"first fragment", {.flags_and_offset = 0x2000}, packet_type::host, route_type::unicast, true},
    {"second fragment",
     {.flags_and_offset = 0x2001},
     packet_type::host,
     route_type::unicast,
     false},
    {"last fragment", {.flags_and_offset = 0x0001}, packet_type::host, route_type::unicast, false},
    {"last possible offset",
     {.flags_and_offset = 0x1fff},
     packet_type::host,
     route_type::unicast,
     false},
    {"DF and the reserved flag",
     {.flags_and_offset = 0xc000},
     packet_type::host,
     route_type::unicast,
     true},
    {"ICMP without a type",
     {.protocol = 1, .payload = {}},
     packet_type::host,
     route_type::unicast,
     false},
    {"ICMP of one octet, echo",
     {.protocol = 1, .payload = list({8})},
     packet_type::host,
     route_type::unicast,
     true},
    {"ICMP of one octet behind options, echo",
     {.protocol = 1, .options = list({3, 3, 3, 1}), .payload = list({8})},
     packet_type::host,
     route_type::unicast,
     true},
    {"ICMP error behind options",
     {.protocol = 1, .options = list({8, 8, 8, 8}), .payload = list({3})},
     packet_type::host,
     route_type::unicast,
     false},
};

TEST_CASE("icmp error: the cases in which none is sent") {
    fixed_pool<256, 1> pool;
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        const auto packet = packet_of(pool, datagram_of(r.offender), 2, r.seen_as);
        CHECK(pipeline::may_send_error(packet, r.type, unreachable) == r.sent);
    }
}

TEST_CASE("icmp error: never about an error or what counts as one") {
    fixed_pool<256, 1> pool;
    for (int type = 0; type < 256; ++type) {
        CAPTURE(type);
        const bool answered = type == 0 || type == 8 || (type >= 13 && type <= 18);
        const auto packet = packet_of(
            pool,
            datagram_of({.protocol = 1, .payload = icmp_message(static_cast<u8>(type), 0, 0)}));
        CHECK(pipeline::may_send_error(packet, route_type::unicast, unreachable) == answered);
    }
}

TEST_CASE("icmp error: as much is quoted as fits 576 octets and the way back") {
    const struct {
        const char* name;
        u32 packet, mtu, options, quote;
    } sizes[] = {
        {"a short packet, whole", 48, 1500, 0, 48},
        {"548 octets, whole", 548, 1500, 0, 548},
        {"549 octets, cut", 549, 1500, 0, 548},
        {"65535 octets", 65535, 65535, 0, 548},
        {"options of the error count", 1500, 1500, 40, 508},
        {"a small MTU", 1500, 296, 0, 268},
        {"the smallest MTU", 1500, 68, 0, 40},
        {"no more than a header would fit", 1500, 48, 0, 0},
        {"one octet more fits", 1500, 49, 0, 21},
        {"MTU 68 with 40 octets of options", 1500, 68, 40, 0},
        {"MTU 0", 1500, 0, 0, 0},
    };
    for (const auto& s : sizes) {
        INFO(doctest::String{s.name});
        CHECK(pipeline::quote_size(s.packet, s.mtu, s.options) == s.quote);
    }
}

TEST_CASE("icmp error: precedence 6, the TOS bits of the offender, its low ECN bit not") {
    for (int tos = 0; tos < 256; ++tos) {
        CAPTURE(tos);
        const u8 got = pipeline::error_tos(unreachable, static_cast<u8>(tos));
        CHECK((got & 0xe0) == 0xc0);
        CHECK((got & 0x1e) == (tos & 0x1e));
        CHECK((got & 1) == 0);
    }
}

}  // namespace

}  // namespace pipeline_icmp_error
