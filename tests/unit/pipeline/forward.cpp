// forward: each check of Linux's ip_forward, and their order.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/forward.hpp>
#include <sluice/pipeline/validate.hpp>

#include "support/datagrams.hpp"
#include "support/validated.hpp"

namespace pipeline_forward {

namespace {

using namespace support;
using enum drop_reason;

constexpr u16 df = ipv4::words::dont_fragment;

struct row {
    const char* name;
    datagram_fields datagram = {};
    metadata known = {};
    route_entry route;
    link_addressing seen_as = link_addressing::host;
    drop_reason reason = none;
    int type = -1, code = 0;
    u32 info = 0;
};

metadata metadata_with(void (*f)(metadata&)) {
    metadata m;
    f(m);
    return m;
}

const route_entry direct{.interface = 3};
const route_entry gateway{.interface = 3, .gateway = "10.0.2.254"_ip};

const row rows[] = {
    {.name = "plain", .route = direct},
    {.name = "TTL 2", .datagram = {.ttl = 2}, .route = direct},
    {.name = "TTL 1 does not go on as 0",
     .datagram = {.ttl = 1},
     .route = direct,
     .reason = ttl_expired,
     .type = 11},
    {.name = "TTL 0", .datagram = {.ttl = 0}, .route = direct, .reason = ttl_expired, .type = 11},
    {.name = "TTL 255", .datagram = {.ttl = 255}, .route = direct},
    {.name = "link-layer broadcast",
     .route = direct,
     .seen_as = link_addressing::broadcast,
     .reason = not_addressed_to_host},
    {.name = "link-layer multicast",
     .route = direct,
     .seen_as = link_addressing::multicast,
     .reason = not_addressed_to_host},
    {.name = "merged by receive offload",
     .known = metadata_with([](metadata& m) { m.merged_receive = true; }),
     .route = direct,
     .reason = merged_by_receive_offload},
    {.name = "as long as the MTU",
     .datagram = {.flags_and_offset = df, .payload = pattern(1480)},
     .route = direct},
    {.name = "too big without DF", .datagram = {.payload = pattern(1481)}, .route = direct},
    {.name = "too big with DF",
     .datagram = {.flags_and_offset = df, .payload = pattern(1481)},
     .route = direct,
     .reason = too_big,
     .type = 3,
     .code = 4,
     .info = 1500},
    {.name = "too big for the route",
     .datagram = {.flags_and_offset = df, .payload = pattern(981)},
     .route = {.interface = 3, .mtu = 1000},
     .reason = too_big,
     .type = 3,
     .code = 4,
     .info = 1000},
    {.name = "the route's MTU may be larger",
     .datagram = {.flags_and_offset = df, .payload = pattern(1600)},
     .route = {.interface = 3, .mtu = 1700}},
    {.name = "reassembled from DF fragments that fit, may be cut again",
     .datagram = {.flags_and_offset = df, .payload = pattern(1600)},
     .known = metadata_with([](metadata& m) { m.ignore_df = true, m.largest_fragment = 1400; }),
     .route = direct},
    {.name = "a fragment of it was too big",
     .datagram = {.flags_and_offset = df, .payload = pattern(1600)},
     .known = metadata_with([](metadata& m) { m.ignore_df = true, m.largest_fragment = 1501; }),
     .route = direct,
     .reason = too_big,
     .type = 3,
     .code = 4,
     .info = 1500},
    {.name = "strict source route over a gateway",
     .known = metadata_with([](metadata& m) { m.options.strict_route = true; }),
     .route = gateway,
     .reason = source_route_failed,
     .type = 3,
     .code = 5},
    {.name = "strict source route to a neighbour",
     .known = metadata_with([](metadata& m) { m.options.strict_route = true; }),
     .route = direct},
    // the order: link type, offload, TTL, strict route, size
    {.name = "broadcast, TTL 1",
     .datagram = {.ttl = 1},
     .route = direct,
     .seen_as = link_addressing::broadcast,
     .reason = not_addressed_to_host},
    {.name = "TTL 1, strict, too big",
     .datagram = {.ttl = 1, .flags_and_offset = df, .payload = pattern(1600)},
     .known = metadata_with([](metadata& m) { m.options.strict_route = true; }),
     .route = gateway,
     .reason = ttl_expired,
     .type = 11},
    {.name = "strict, too big",
     .datagram = {.flags_and_offset = df, .payload = pattern(1600)},
     .known = metadata_with([](metadata& m) { m.options.strict_route = true; }),
     .route = gateway,
     .reason = source_route_failed,
     .type = 3,
     .code = 5},
};

TEST_CASE("forward: each drop reason with its ICMP error, in Linux's order") {
    fixed_pool<2048, 2> pool;
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        auto packet = packet_of(pool, datagram_of(r.datagram), 2, r.seen_as);
        packet.metadata() = r.known;
        const byte_vector before = content_of(packet);
        auto d = pipeline::validate(packet);
        REQUIRE(d.has_value());
        const decision got = pipeline::forward(*d, r.route, next_hop{7}, 1500);
        CHECK(got.reason() == r.reason);
        if (r.reason == none) {
            CHECK(got == decision::forward(next_hop{7}));
        } else if (r.type < 0) {
            CHECK(got == decision::drop(r.reason));
        } else {
            REQUIRE(got.kind() == decision_kind::reject);
            CHECK(got.error().type() == r.type);
            CHECK(got.error().code() == r.code);
            CHECK(got.error().info() == r.info);
        }
        CHECK_MESSAGE(content_of(d->packet()) == before, "forward changes nothing");
    }
}

// 4000 bytes of TCP or UDP that are still to be cut into segments, DF set.
decision forward_segmented(segmentation_kind kind, u16 segment_size, u8 tcp_words, u32 mtu) {
    fixed_pool<8192, 1> pool;
    byte_vector transport = pattern(4000);
    transport[12] = static_cast<std::byte>(tcp_words << 4);
    const u8 protocol =
        kind == segmentation_kind::udp ? ipv4::protocols::udp : ipv4::protocols::tcp;
    auto packet = packet_of(
        pool, datagram_of({.protocol = protocol, .flags_and_offset = df, .payload = transport}));
    metadata& m = packet.metadata();
    m.segmentation = kind;
    m.segment_size = segment_size;
    m.checksum_start = 20;
    auto d = pipeline::validate(packet);
    return d.has_value() ? pipeline::forward(*d, direct, next_hop{7}, mtu)
                         : decision::drop(header_invalid);
}

TEST_CASE("forward: a packet with segmentation metadata is checked by its segment size") {
    using enum segmentation_kind;
    CHECK(forward_segmented(tcp_ipv4, 1460, 5, 1500).kind() == decision_kind::forward);
    CHECK(forward_segmented(tcp_ipv4, 1461, 5, 1500).reason() == too_big);
    CHECK(forward_segmented(udp, 1472, 5, 1500).kind() == decision_kind::forward);
    CHECK(forward_segmented(udp, 1473, 5, 1500).reason() == too_big);
    CHECK(forward_segmented(segmentation_kind::none, 100, 5, 1500).reason() == too_big);
    CHECK(forward_segmented(tcp_ipv4, 1448, 8, 1500).kind() == decision_kind::forward);
}

TEST_CASE("forward: the options of a TCP header count for its segments") {
    CHECK(forward_segmented(segmentation_kind::tcp_ipv4, 1460, 8, 1500).reason() == too_big);
}

TEST_CASE("forward: the MTU is never above what a datagram can have, and never 0 in an error") {
    CHECK(routing::forwarding_mtu(direct, 65536) == 65535);
    CHECK(routing::forwarding_mtu(route_entry{.mtu = 1400}, 1500) == 1400);
    CHECK(routing::forwarding_mtu(route_entry{.mtu = 0}, 68) == 68);
    fixed_pool<2048, 1> pool;
    for (const u32 mtu : {68u, 576u, 1400u}) {
        auto d = support::validated(
            packet_of(pool, datagram_of({.flags_and_offset = df, .payload = pattern(1500)})));
        REQUIRE(d.has_value());
        CHECK(pipeline::forward(*d, direct, next_hop{7}, mtu).error().info() == mtu);
    }
}

}  // namespace

}  // namespace pipeline_forward
