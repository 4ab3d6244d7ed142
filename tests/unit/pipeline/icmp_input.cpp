// icmp_input: the action for each type of message, by unicast and by broadcast or multicast.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/icmp_input.hpp>
#include <sluice/pipeline/validate.hpp>

#include "support/datagrams.hpp"
#include "support/validated.hpp"

namespace pipeline_icmp_input {

namespace {

using namespace support;
using enum pipeline::icmp_action;
using pipeline::icmp_decision;

icmp_decision judge(const byte_vector& message, route_type to = route_type::local,
                    const settings& s = {}) {
    fixed_pool<2048, 1> pool;
    auto d = support::validated(packet_of(pool, datagram_of({.protocol = 1, .payload = message})));
    return d.has_value() ? pipeline::icmp_input(*d, to, s)
                         : icmp_decision{none, drop_reason::header_invalid, false, 0};
}

TEST_CASE("icmp input: every type") {
    for (int type = 0; type < 256; ++type) {
        CAPTURE(type);
        const u8 t = static_cast<u8>(type);
        const icmp_decision v = judge(icmp_message(t, 0, 0, pattern(40)));
        CHECK(v.has_type);
        CHECK(v.type == t);
        const bool unknown = type > 18 && type != 42 && type != 43;
        CHECK(v.reason == (unknown ? drop_reason::icmp_type_unknown : drop_reason::none));
        CHECK((v.action == none) == unknown);
        CHECK((v.action == echo) == (type == 8));
        CHECK((v.action == timestamp) == (type == 13));
        CHECK((v.action == endpoint) == (type == 0 || type == 43));
        CHECK((v.action == error) == icmp::is_error(t));
    }
}

TEST_CASE("icmp input: an echo request is answered whatever its code") {
    for (const u8 code : {u8{0}, u8{1}, u8{255}}) {
        CHECK(judge(icmp_message(8, code, 0)).action == echo);
    }
}

TEST_CASE("icmp input: errors of a message") {
    byte_vector good = icmp_message(8, 0, 0, pattern(5));
    CHECK(judge(good).action == echo);
    for (std::size_t i = 0; i < good.size(); ++i) {
        byte_vector bad = good;
        bad[i] ^= std::byte{0x10};
        const icmp_decision v = judge(bad);
        CHECK(v.reason == drop_reason::icmp_checksum);
        CHECK_FALSE(v.has_type);
    }
    for (std::size_t n = 0; n < 8; ++n) {
        CAPTURE(n);
        byte_vector shorter(n);
        if (n == 0) {
            CHECK(judge(shorter).reason == drop_reason::icmp_checksum);
            continue;
        }
        // a sum that is right, of fewer bytes than a header
        shorter = byte_vector(n, std::byte{0});
        if (n >= 2) shorter[0] = shorter[1] = std::byte{0xff};
        const auto expected = n >= 2 ? drop_reason::icmp_truncated : drop_reason::icmp_checksum;
        CHECK(judge(shorter).reason == expected);
    }
}

TEST_CASE("icmp input: a timestamp request needs its first timestamp") {
    for (std::size_t n : {0u, 1u, 3u, 4u, 11u, 12u, 13u}) {
        CAPTURE(n);
        const icmp_decision v = judge(icmp_message(13, 0, 0, pattern(n)));
        CHECK((v.action == timestamp) == (n >= 4));
        CHECK(v.has_type);
        if (n < 4) CHECK(v.reason == drop_reason::icmp_truncated);
    }
}

struct broadcast_row {
    const char* name;
    u8 type;
    bool ignore_broadcasts = false;
    pipeline::icmp_action action = none;
};
const broadcast_row broadcast_rows[] = {
    {.name = "echo request, ignored by default", .type = 8, .ignore_broadcasts = true},
    {.name = "echo request, if answered", .type = 8, .action = echo},
    {.name = "timestamp request, ignored by default", .type = 13, .ignore_broadcasts = true},
    {.name = "timestamp request, if answered", .type = 13, .action = timestamp},
    {.name = "address mask request", .type = 17, .ignore_broadcasts = true, .action = consumed},
    {.name = "address mask reply", .type = 18, .ignore_broadcasts = true, .action = consumed},
    {.name = "unreachable", .type = 3},
    {.name = "redirect", .type = 5},
    {.name = "time exceeded", .type = 11},
    {.name = "parameter problem", .type = 12},
    {.name = "source quench", .type = 4},
    {.name = "information request", .type = 15},
    {.name = "timestamp reply", .type = 14},
    {.name = "echo reply", .type = 0, .ignore_broadcasts = true},
    {.name = "extended echo reply", .type = 43},
    {.name = "unknown type", .type = 200},
};

TEST_CASE("icmp input: only a few types are accepted by broadcast or multicast") {
    for (const auto& r : broadcast_rows) {
        INFO(doctest::String{r.name});
        settings s;
        s.icmp_echo_ignore_broadcasts = r.ignore_broadcasts;
        for (const route_type to : {route_type::broadcast, route_type::multicast}) {
            const icmp_decision v = judge(icmp_message(r.type, 0, 0, pattern(40)), to, s);
            CHECK(v.action == r.action);
            CHECK(v.reason ==
                  (r.action == none ? drop_reason::icmp_to_broadcast : drop_reason::none));
        }
    }
}

TEST_CASE("icmp input: a probe is answered if enabled and about this host") {
    for (const bool on : {false, true}) {
        for (const bool ignore_all : {false, true}) {
            for (const u32 word : {0x00070900u, 0x00070901u, 0x0007ffffu}) {
                for (const route_type to : {route_type::local, route_type::broadcast}) {
                    settings s;
                    s.icmp_echo_enable_probe = on;
                    s.icmp_echo_ignore_all = ignore_all;
                    const icmp_decision v = judge(icmp_message(42, 0, word), to, s);
                    const bool answered = on && !ignore_all && (word & 1) != 0;
                    CHECK(v.action == (answered ? probe : consumed));
                    CHECK(v.has_type);
                }
            }
        }
    }
}

TEST_CASE("icmp input: echo_ignore_all is obeyed and counts the message") {
    settings s;
    s.icmp_echo_ignore_all = true;
    const icmp_decision v = judge(echo_request(), route_type::local, s);
    CHECK(v.action == consumed);
    CHECK(v.has_type);
}

TEST_CASE("icmp input: a verified checksum is trusted; a message in several blocks is read") {
    fixed_pool<256, 2> pool;
    byte_vector message = echo_request(30);
    const byte_vector whole = datagram_of({.protocol = 1, .payload = message});
    for (std::ptrdiff_t cut : {20, 21, 24, 27, 33}) {
        CAPTURE(cut);
        auto p = packet_of(pool, byte_vector(whole.begin(), whole.begin() + cut));
        p.append(packet_of(pool, byte_vector(whole.begin() + cut, whole.end())));
        auto d = pipeline::validate(p);
        REQUIRE(d.has_value());
        CHECK(pipeline::icmp_input(*d, route_type::local, {}).action == echo);
    }
    message[4] ^= std::byte{1};
    auto p = packet_of(pool, datagram_of({.protocol = 1, .payload = message}));
    p.metadata().checksum = checksum_state::verified;
    auto d = pipeline::validate(p);
    REQUIRE(d.has_value());
    CHECK(pipeline::icmp_input(*d, route_type::local, {}).action == echo);
}

}  // namespace

}  // namespace pipeline_icmp_input
