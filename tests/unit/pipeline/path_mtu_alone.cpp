// A program that discovers path MTUs without a stack: it checks the quote, applies the rule and
// keeps the result. Of the library it includes what is included here.
#include <doctest/doctest.h>

#include <sluice/pipeline/path_mtu.hpp>
#include <sluice/route/bounded_exceptions.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/literals.hpp>

#include "support/datagrams.hpp"

#include <algorithm>

namespace pipeline_path_mtu_alone {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;

constexpr ipv4::address us = "192.0.2.1"_ip;
constexpr ipv4::address peer = "198.51.100.1"_ip;
constexpr u32 link_mtu = 1500;
constexpr duration life = 600_s;

// One TCP connection of a program, and what it learned about paths.
struct connection {
    bounded_exceptions<1> paths{hash_key{3, 4}};
    u32 unacknowledged = 1000;
    u32 next = 9000;

    [[nodiscard]] u32 mtu(instant now) const {
        const route_exception* e = paths.find({peer}, now);
        return e != nullptr ? std::min<u32>(e->mtu, link_mtu) : link_mtu;
    }
    [[nodiscard]] bool may_set_df(instant now) const {
        const route_exception* e = paths.find({peer}, now);
        return e == nullptr || !e->mtu_locked;
    }
    // `message`: of ICMP.
    void error(const_bytes message, instant now) {
        const icmp::const_view error{message.data()};
        const const_bytes quoted = message.subspan(icmp::header_length);
        const ipv4::const_view ip{quoted.data()};
        if (error[icmp::type] != icmp::types::destination_unreachable || error[icmp::code] != 4 ||
            ip[ipv4::source] != us || ip[ipv4::destination] != peer ||
            !pipeline::quotes_sent_segment(quoted, {unacknowledged, next})) {
            return;
        }
        const auto lesson = pipeline::learn_path_mtu(
            error[icmp::rest_of_header] & 0xffff,
            {.current = mtu(now), .locked = !may_set_df(now), .least = 552});
        if (lesson.mtu != 0) {
            paths.learn({peer},
                        {.mtu = lesson.mtu, .mtu_locked = lesson.locked, .expires = now + life},
                        now);
        }
    }
};

byte_vector too_big(u16 mtu, u32 sequence) {
    byte_vector tcp(8);
    store_be<u32>(tcp.data() + 4, sequence);
    return support::icmp_message(
        3, 4, mtu,
        support::datagram_of(
            {.source = us, .destination = peer, .protocol = ipv4::protocols::tcp, .payload = tcp}));
}

TEST_CASE("path MTU alone: learned from a quote of a sent segment, and forgotten in time") {
    connection c;
    const instant now = instant{} + 10_s;
    c.error(too_big(1280, 999), now);  // a guess
    CHECK(c.mtu(now) == 1500);
    CHECK_FALSE(c.paths.any());
    c.error(too_big(1280, 1000), now);
    CHECK(c.mtu(now) == 1280);
    CHECK(c.may_set_df(now));
    c.error(too_big(1400, 1000), now);  // never wider
    CHECK(c.mtu(now) == 1280);
    CHECK(c.mtu(instant{} + 609_s) == 1280);
    CHECK(c.mtu(now + life) == 1500);
    CHECK(c.paths.expire(now + life) == instant::never());
    CHECK_FALSE(c.paths.any());
}

TEST_CASE("path MTU alone: below the floor of 552, or without a value, the path is locked") {
    for (const u16 reported : {u16{0}, u16{68}, u16{551}}) {
        CAPTURE(reported);
        connection c;
        c.error(too_big(reported, 5000), instant{});
        CHECK(c.mtu(instant{}) == 552);
        CHECK_FALSE(c.may_set_df(instant{}));
        c.error(too_big(552, 5000), instant{});
        CHECK_FALSE(c.may_set_df(instant{}));
    }
    connection c;
    c.error(too_big(552, 5000), instant{});
    CHECK(c.mtu(instant{}) == 552);
    CHECK(c.may_set_df(instant{}));
}

}  // namespace

}  // namespace pipeline_path_mtu_alone
