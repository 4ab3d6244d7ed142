// Tunnels of a program without a stack.
#include <doctest/doctest.h>

#include "support/packet_checks.hpp"

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/tunnel.hpp>

namespace rewrite_tunnel {

namespace {

using namespace support;
using pipeline::tunnel_fault;
using rewrite::tunnel_state;

constexpr tunnel_settings here{.local = "192.0.2.1"_ip, .remote = "192.0.2.2"_ip};
constexpr tunnel_settings there{.local = "192.0.2.2"_ip, .remote = "192.0.2.1"_ip};

template <class F>
constexpr tunnel_settings with(tunnel_settings s, F&& f) {
    f(s);
    return s;
}
constexpr auto with_all = [](tunnel_settings& s) {
    s.protocol = tunnel_protocol::gre;
    s.receive_key = 3;
    s.send_key = 3;
    s.sums = true;
    s.sequences = true;
};

TEST_CASE("tunnel: a packet comes out as it went in, for every size and kind") {
    fixed_pool<2048, 8> pool;
    for (const bool gre : {false, true}) {
        const tunnel_settings a = gre ? with(here, with_all) : here;
        const tunnel_settings b = gre ? with(there, with_all) : there;
        tunnel_state sends;
        tunnel_state receives;
        for (std::size_t n = 0; n < 1400; n += 13) {
            const byte_vector d = datagram_of({.tos = 0xb9, .payload = pattern(n)});
            auto p = packet_of(pool, d);
            REQUIRE(rewrite::encapsulate(p, a, sends, 0x77));
            check(content_of(p), right_sums(), source(here.local), destination(here.remote),
                  protocol(gre ? 47 : 4), ttl(64), tos(0xb9), flags_and_offset(0x4000),
                  size(d.size() + 20 + (gre ? 16 : 0)));
            REQUIRE(rewrite::decapsulate(p, b, receives) == tunnel_fault::none);
            CHECK(content_of(p) == d);
        }
        CHECK(sends.sent == 108);
    }
    CHECK(pool.available() == 8);
}

TEST_CASE("tunnel: a packet of other ends stays as it is") {
    fixed_pool<512, 4> pool;
    tunnel_state state;
    auto p = packet_of(pool, datagram_of({}));
    REQUIRE(rewrite::encapsulate(p, here, state, 1));
    const byte_vector outer = content_of(p);
    for (const tunnel_settings& s :
         {here, with(there, [](auto& t) { t.local = "192.0.2.3"_ip; }),
          with(there, [](auto& t) { t.remote = "192.0.2.3"_ip; }),
          with(there, [](auto& t) { t.protocol = tunnel_protocol::gre; })}) {
        CHECK(rewrite::decapsulate(p, s, state) == tunnel_fault::malformed);
        CHECK(content_of(p) == outer);
    }
    // Unspecified ends take any.
    CHECK(rewrite::decapsulate(p, {}, state) == tunnel_fault::none);
}

TEST_CASE("tunnel: the inner ECN field changes as the network marked the outer one, sum included") {
    fixed_pool<512, 4> pool;
    for (const u8 inner : std::initializer_list<u8>{0, 1, 2, 3}) {
        for (const u8 outer : std::initializer_list<u8>{0, 1, 2, 3}) {
            tunnel_state state;
            auto p = packet_of(pool, datagram_of({.tos = static_cast<u8>(0xb8 | inner)}));
            REQUIRE(rewrite::encapsulate(p, here, state, 1));
            ipv4::view{p.writable()}.set(ipv4::ecn, outer);
            ipv4::set_checksum(ipv4::view{p.writable()});
            const auto expected = pipeline::ecn_behind(outer, inner);
            CHECK(rewrite::decapsulate(p, there, state) ==
                  (expected.drop ? tunnel_fault::ecn : tunnel_fault::none));
            if (!expected.drop)
                check(content_of(p), right_sums(), tos(static_cast<u8>(0xb8 | expected.codepoint)));
        }
    }
}

TEST_CASE("tunnel: no room in front, too long, or no buffer for a copy: refused, nothing lost") {
    fixed_pool<512, 2> pool;
    tunnel_state state;
    auto p = pool.take(4);
    REQUIRE(p.append(datagram_of({})));
    CHECK_FALSE(rewrite::encapsulate(p, here, state, 1));
    CHECK_FALSE(rewrite::encapsulate(p, with(here, with_all), state, 1));
    p.reset();
    // A pending checksum that lies nowhere cannot be finished for the sum of GRE.
    p = packet_of(pool, datagram_of({}));
    p.writable_metadata().checksum = checksum_state::pending;
    p.writable_metadata().checksum_start = 9000;
    const byte_vector before = content_of(p);
    CHECK_FALSE(rewrite::encapsulate(p, with(here, with_all), state, 1));
    CHECK(content_of(p) == before);
}

TEST_CASE("tunnel: a pending checksum goes with its transport header") {
    fixed_pool<512, 2> pool;
    tunnel_state state;
    auto p = packet_of(pool, datagram_of({.protocol = 17, .payload = udp_message(1, 2, {})}));
    p.writable_metadata().checksum = checksum_state::pending;
    p.writable_metadata().checksum_start = 20;
    p.writable_metadata().checksum_offset = 6;
    REQUIRE(rewrite::encapsulate(p, with(here, [](auto& s) { s.protocol = tunnel_protocol::gre; }),
                                 state, 1));
    CHECK(std::as_const(p).metadata().checksum_start == 44);
    REQUIRE(rewrite::decapsulate(p, with(there, [](auto& s) { s.protocol = tunnel_protocol::gre; }),
                                 state) == tunnel_fault::none);
    CHECK(std::as_const(p).metadata().checksum == checksum_state::pending);
    CHECK(std::as_const(p).metadata().checksum_start == 20);
}

}  // namespace

}  // namespace rewrite_tunnel
