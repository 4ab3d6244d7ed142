// Raw sockets with the kernel as the peer, over the loopback of a namespace. Needs root; else
// skipped.
#include <sluice/output/concept.hpp>
#include <sluice/port/raw_socket.hpp>

#include "own_namespace.hpp"

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <string>

namespace port_raw_socket {
using namespace support;
using namespace port_test;
namespace raw = sluice::port::raw_socket;
using sluice::port::read_status;

namespace {

using pool = fixed_pool<4096, 128, shared>;
using packet = pool::packet_type;
using sender = raw::sender::model<packet>;
static_assert(output_policy<raw::sender, packet>);

packet next(raw::device& from, pool& buffers) {
    if (!wait_readable(from.fd())) return {};
    auto got = from.receive(buffers);
    return got ? std::move(*got) : packet{};
}

byte_vector message(u8 protocol, byte_vector payload, u8 ttl = 9, u8 tos = 0x10,
                    byte_vector options = {}) {
    return datagram_of({.source = "127.0.0.3"_ip,
                        .destination = "127.0.0.2"_ip,
                        .ttl = ttl,
                        .protocol = protocol,
                        .tos = tos,
                        .identification = 77,
                        .options = std::move(options),
                        .payload = std::move(payload)});
}

}  // namespace

TEST_CASE("packets through raw sockets") {
    const own_namespace ns{"raw"};
    if (!ns.made || !ns.ip("link set lo up")) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    constexpr u8 test = ipv4::protocols::experiment1;
    const auto open = [&](const raw::options& how) {
        auto made = raw::open_in_namespace(ns.path(), how);
        REQUIRE(made.has_value());
        return std::move(*made);
    };
    static pool buffers;

    SUBCASE("the header as it is") {
        raw::device in = open({.protocol = test, .interface = 5});
        raw::device from = open({.protocol = ipv4::protocols::raw});
        CHECK(in.receive(buffers).error() == read_status::would_block);
        sender out = from.sender();
        const byte_vector whole = message(test, pattern(100), 9, 0x10, list({1, 1, 1, 1}));
        auto p = packet_of(buffers, whole);
        REQUIRE(out.transmit(p, {}, {}));
        const packet got = next(in, buffers);
        REQUIRE(got);
        CHECK(content_of(got) == whole);
        CHECK(got.interface() == 5);
        CHECK(got.addressing() == link_addressing::host);
        CHECK(got.headroom() == default_headroom);
        CHECK(in.counters().received == 1);
        // In a large number of blocks.
        auto head = packet_of(buffers, {whole.begin(), whole.begin() + 30});
        for (std::size_t i = 30; i < whole.size(); ++i)
            head.append(packet_of(buffers, {whole[i]}));
        REQUIRE(out.transmit(head, {}, {}));
        CHECK(content_of(next(in, buffers)) == whole);
    }
    SUBCASE("the kernel makes the header") {
        raw::device in = open({.protocol = test});
        raw::device from = open({.protocol = test, .include_header = false});
        sender out = from.sender();
        auto p = packet_of(buffers, message(test, pattern(2500)));
        REQUIRE(out.transmit(p, {}, {}));
        const packet got = next(in, buffers);
        REQUIRE(got);
        const ipv4::const_view ip{got.data()};
        CHECK(ip[ipv4::ttl] == 9);
        CHECK(ip[ipv4::tos] == 0x10);
        CHECK(ip[ipv4::source] == "127.0.0.3"_ip);
        CHECK(ip[ipv4::destination] == "127.0.0.2"_ip);
        CHECK(payload_of(content_of(got)) == pattern(2500));
        auto with_options = packet_of(buffers, message(test, pattern(8), 9, 0, list({1, 1, 1, 1})));
        CHECK_FALSE(out.transmit(with_options, {}, {}));
        CHECK(out.counters().last_error == EINVAL);
        CHECK(with_options.size() == 32);
    }
    SUBCASE("the kernel answers a ping, unfinished checksums are finished") {
        raw::device icmp = open({.protocol = ipv4::protocols::icmp});
        sender out = icmp.sender();
        byte_vector request = message(ipv4::protocols::icmp, echo_request(56));
        auto p = packet_of(buffers, request);
        store_be<u16>(p.writable() + 22, 0);
        p.writable_metadata().checksum = checksum_state::pending;
        p.writable_metadata().checksum_start = 20;
        p.writable_metadata().checksum_offset = 2;
        REQUIRE(out.transmit(p, {}, {}));
        bool answered = false;
        for (int i = 0; i < 4 && !answered; ++i) {
            const packet got = next(icmp, buffers);
            REQUIRE(got);
            answered = got.data()[20] == std::byte{icmp::types::echo_reply} &&
                       icmp::checksum_ok(payload_of(content_of(got)));
        }
        CHECK(answered);
    }
    SUBCASE("what does not fit") {
        raw::device in = open({.protocol = test});
        raw::device from = open({.protocol = test, .include_header = false, .device = "lo"});
        sender out = from.sender();
        auto p = packet_of(buffers, message(test, pattern(3900)));
        auto tail = packet_of(buffers, pattern(1000));
        p.append(std::move(tail));
        REQUIRE(out.transmit(p, {}, {}));
        REQUIRE(wait_readable(in.fd()));
        CHECK(in.receive(buffers).error() == read_status::thrown_away);
        CHECK(in.counters().too_long == 1);
        auto cut = packet_of(buffers, pattern(19));
        CHECK_FALSE(out.transmit(cut, {}, {}));
        CHECK(out.counters().refused == 1);
        CHECK_FALSE(raw::open_in_namespace(ns.path(), {.device = "no-such"}));
    }
    CHECK(buffers.available() == 128);
}

}  // namespace port_raw_socket
