// icmp_error: datagrams about which no error is sent, the quote, the type of service.
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
    datagram_fields offender = {};
    link_addressing seen_as = link_addressing::host;
    route_type type = route_type::unicast;
    bool sent = false;
};

const row rows[] = {
    {.name = "forwarded", .sent = true},
    {.name = "to this host", .type = route_type::local, .sent = true},
    {.name = "to a broadcast", .type = route_type::broadcast},
    {.name = "to a group", .type = route_type::multicast},
    {.name = "link-layer broadcast", .seen_as = link_addressing::broadcast},
    {.name = "link-layer multicast", .seen_as = link_addressing::multicast},
    {.name = "a packet of this host, looped back", .seen_as = link_addressing::loopback},
    {.name = "for another host", .seen_as = link_addressing::other_host},
    {.name = "first fragment", .offender = {.flags_and_offset = 0x2000}, .sent = true},
    {.name = "second fragment", .offender = {.flags_and_offset = 0x2001}},
    {.name = "last fragment", .offender = {.flags_and_offset = 0x0001}},
    {.name = "last possible offset", .offender = {.flags_and_offset = 0x1fff}},
    {.name = "DF and the reserved flag", .offender = {.flags_and_offset = 0xc000}, .sent = true},
    {.name = "ICMP without a type", .offender = {.protocol = 1, .payload = {}}},
    {.name = "ICMP of one byte, echo",
     .offender = {.protocol = 1, .payload = list({8})},
     .sent = true},
    {.name = "ICMP of one byte behind options, echo",
     .offender = {.protocol = 1, .options = list({3, 3, 3, 1}), .payload = list({8})},
     .sent = true},
    {.name = "ICMP error behind options",
     .offender = {.protocol = 1, .options = list({8, 8, 8, 8}), .payload = list({3})}},
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

TEST_CASE("icmp error: the quote fits 576 bytes and the MTU back to the sender") {
    const struct {
        const char* name;
        u32 packet = 1500;
        u32 mtu;
        u32 options = 0;
        u32 quote;
    } sizes[] = {
        {.name = "a short packet, whole", .packet = 48, .mtu = 1500, .quote = 48},
        {.name = "548 bytes, whole", .packet = 548, .mtu = 1500, .quote = 548},
        {.name = "549 bytes, cut", .packet = 549, .mtu = 1500, .quote = 548},
        {.name = "65535 bytes", .packet = 65535, .mtu = 65535, .quote = 548},
        {.name = "options of the error count", .mtu = 1500, .options = 40, .quote = 508},
        {.name = "a small MTU", .mtu = 296, .quote = 268},
        {.name = "the smallest MTU", .mtu = 68, .quote = 40},
        {.name = "no more than a header would fit", .mtu = 48, .quote = 0},
        {.name = "one byte more fits", .mtu = 49, .quote = 21},
        {.name = "MTU 68 with 40 bytes of options", .mtu = 68, .options = 40, .quote = 0},
        {.name = "MTU 0", .mtu = 0, .quote = 0},
    };
    for (const auto& s : sizes) {
        INFO(doctest::String{s.name});
        CHECK(pipeline::quote_size(s.packet, s.mtu, s.options) == s.quote);
    }
}

TEST_CASE("icmp error: precedence 6 and the offender's TOS bits without its low ECN bit") {
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
