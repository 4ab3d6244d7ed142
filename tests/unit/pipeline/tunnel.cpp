// The decisions about the two headers of a tunnel.
#include <doctest/doctest.h>

#include "support/datagrams.hpp"

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/tunnel.hpp>

namespace pipeline_tunnel {

namespace {

using namespace support;
using pipeline::tunnel_fault;

TEST_CASE("tunnel: the ECN field behind a tunnel is that of RFC 6040, figure 4") {
    // Rows: inner Not-ECT, ECT(0), ECT(1), CE; columns: outer, in the same order. 'D': dropped;
    // in capitals behind the codepoint: a combination that is unused.
    const char* const figure[4] = {"n nU nU D", "0 0 1 c", "1 1U 1 c", "c c cU c"};
    constexpr u8 order[4] = {0, 2, 1, 3};
    const auto codepoint = [](char c) -> u8 {
        return c == 'n' ? 0 : c == '0' ? 2 : c == '1' ? 1 : 3;
    };
    for (unsigned inner = 0; inner < 4; ++inner) {
        const char* at = figure[inner];
        for (unsigned outer = 0; outer < 4; ++outer) {
            CAPTURE(inner);
            CAPTURE(outer);
            const auto found = pipeline::ecn_behind(order[outer], order[inner]);
            const bool drops = *at == 'D';
            CHECK(found.drop == drops);
            if (!drops) CHECK(found.codepoint == codepoint(*at));
            ++at;
            CHECK(found.unused == (drops || *at == 'U'));
            at += *at == 'U' ? 2 : *at == ' ' ? 1 : 0;
        }
    }
}

TEST_CASE("tunnel: TOS, TTL and DF of the outer header come from the inner one or the settings") {
    const byte_vector d = datagram_of({.ttl = 9, .tos = 0xbb, .flags_and_offset = 0x4000});
    const ipv4::const_view inner{d.data()};
    const auto outer = [&](const tunnel_settings& s) { return pipeline::outer_of(s, inner); };
    CHECK(outer({}).tos == 0xbb);
    CHECK(outer({.copies_ecn = false}).tos == 0xb8);
    CHECK(outer({.tos = 0x21}).tos == 0x23);
    CHECK(outer({.tos = 0x21, .copies_ecn = false}).tos == 0x20);
    CHECK(outer({}).ttl == 0);
    CHECK(outer({.ttl = 77}).ttl == 77);
    CHECK(outer({.ttl = 77, .inherits_ttl = true}).ttl == 9);
    CHECK(outer({.path_mtu = false}).dont_fragment);
    const byte_vector plain = datagram_of({});
    CHECK_FALSE(pipeline::outer_of({}, ipv4::const_view{plain.data()}).dont_fragment);
    CHECK(pipeline::turns_back({.remote = "10.0.1.2"_ip}, inner));
    CHECK_FALSE(pipeline::turns_back({.remote = "10.0.2.2"_ip}, inner));
}

TEST_CASE("tunnel: sequence numbers only go forward, also around zero") {
    const tunnel_settings s{.sequences = true};
    std::optional<u32> next;
    const auto judged = [&](std::optional<u32> n) {
        return pipeline::judge_outer(s, {.sequence = n}, next);
    };
    CHECK(judged({}) == tunnel_fault::sequence);
    CHECK(judged(0xffff'fffe) == tunnel_fault::none);
    CHECK(judged(0xffff'fffe) == tunnel_fault::sequence);
    CHECK(judged(0xffff'ffff) == tunnel_fault::none);
    CHECK(judged(0xffff'ffff) == tunnel_fault::sequence);
    CHECK(judged(5) == tunnel_fault::none);
    CHECK(judged(4) == tunnel_fault::sequence);
    CHECK(next == 6);
    // Without sequences in the settings none is read.
    CHECK(pipeline::judge_outer({}, {.sequence = 1}, next) == tunnel_fault::none);
    CHECK(next == 6);
}

TEST_CASE("tunnel: key and checksum must be those of the settings") {
    std::optional<u32> next;
    CHECK(pipeline::judge_outer({}, {.key = 0}, next) == tunnel_fault::key);
    CHECK(pipeline::judge_outer({.receive_key = 0}, {}, next) == tunnel_fault::key);
    CHECK(pipeline::judge_outer({.receive_key = 9}, {.key = 9}, next) == tunnel_fault::none);
    CHECK(pipeline::judge_outer({.sums = true}, {}, next) == tunnel_fault::checksum);
    CHECK(pipeline::judge_outer({}, {.has_sum = true}, next) == tunnel_fault::none);
}

TEST_CASE("tunnel: each GRE header is read or refused as its bits say") {
    fixed_pool<512, 4> pool;
    const byte_vector inner = datagram_of({});
    const auto read = [&](const byte_vector& own) {
        byte_vector all = own;
        all.insert(all.end(), inner.begin(), inner.end());
        auto p = packet_of(pool, datagram_of({.protocol = 47, .payload = all}));
        return pipeline::read_outer(p);
    };
    CHECK(read(list({0, 0, 8, 0}))->length == 24);
    CHECK(read(list({0x30, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0, 2}))->length == 32);
    CHECK(read(list({0x30, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0, 2}))->key == 1);
    CHECK(read(list({0x30, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0, 2}))->sequence == 2);
    CHECK(read(list({0x80, 0, 8, 0, 1, 2, 0, 0})).error() == tunnel_fault::checksum);
    for (const auto& bad : {list({0, 0, 0x86, 0xdd}), list({0x40, 0, 8, 0}), list({0, 1, 8, 0}),
                            list({0x0c, 0, 8, 0}), list({0x20, 0, 8, 0})}) {
        // The last one's key is the inner header; what follows is none.
        CHECK(read(bad).error() == tunnel_fault::malformed);
    }
}

TEST_CASE("tunnel: what is relayed of an error from inside") {
    const auto code_of = [](u8 type, u8 code) {
        const auto what = pipeline::relayed(type, code);
        return !what.has_value() ? -1 : what->type() == 3 ? int{what->code()} : -2;
    };
    CHECK(code_of(3, 0) == 0);
    for (const u8 host : std::initializer_list<u8>{1, 2, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
        CHECK(code_of(3, host) == 1);
    for (const u8 none : std::initializer_list<u8>{3, 4, 5})
        CHECK(code_of(3, none) == -1);
    CHECK(code_of(11, 0) == 1);
    CHECK(code_of(11, 1) == -1);
    for (const u8 type : std::initializer_list<u8>{0, 4, 5, 8, 12})
        CHECK(code_of(type, 0) == -1);
}

}  // namespace

}  // namespace pipeline_tunnel
