// rewrite::source and rewrite::destination: address and port in one call, every covering checksum
// right afterwards: computed, pending, absent, and in a first fragment.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/address.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/rewrite/fragment.hpp>
#include <sluice/wire/tcp.hpp>

#include "support/datagrams.hpp"

namespace rewrite_address {

namespace {

using namespace support;

using pool_type = fixed_pool<2048, 16>;
using packet = pool_type::packet_type;

constexpr auto other = "192.0.2.77"_ip;
constexpr auto client = "10.0.1.2"_ip;
constexpr auto server = "10.0.2.2"_ip;

// TCP or UDP, with both ports and the right checksum.
byte_vector segment(u8 protocol, ipv4::address from, u16 from_port, ipv4::address to, u16 to_port,
                    std::size_t size = 33) {
    const bool is_tcp = protocol == ipv4::protocols::tcp;
    byte_vector made((is_tcp ? 20 : 8) + size);
    const byte_vector data = pattern(size);
    copy_bytes(made.data() + made.size() - size, data.data(), size);
    store_be<u16>(made.data(), from_port);
    store_be<u16>(made.data() + 2, to_port);
    if (!is_tcp) {
        store_be<u16>(made.data() + 4, static_cast<u16>(made.size()));
    }
    const u16 sum = checksum::finish(checksum::transport_sum(from, to, protocol, made));
    store_be<u16>(made.data() + (is_tcp ? 16 : 6), sum);
    return made;
}
byte_vector datagram(u8 protocol, ipv4::address from, u16 from_port, ipv4::address to,
                     u16 to_port) {
    return datagram_of({.source = from,
                        .destination = to,
                        .protocol = protocol,
                        .payload = segment(protocol, from, from_port, to, to_port)});
}

}  // namespace

TEST_CASE("rewrite: address and port, there and back, TCP and UDP") {
    pool_type pool;
    for (const u8 protocol : {ipv4::protocols::tcp, ipv4::protocols::udp}) {
        CAPTURE(int{protocol});
        const byte_vector sent = datagram(protocol, client, 1000, server, 53);
        auto p = packet_of(pool, sent);
        REQUIRE(rewrite::source(p, other, 40'000));
        CHECK(content_of(p) == datagram(protocol, other, 40'000, server, 53));
        REQUIRE(rewrite::destination(p, client, 8053));
        CHECK(content_of(p) == datagram(protocol, other, 40'000, client, 8053));
        REQUIRE(rewrite::destination(p, server, 53));
        REQUIRE(rewrite::source(p, client, 1000));
        CHECK(content_of(p) == sent);
        REQUIRE(rewrite::source(p, other));
        REQUIRE(rewrite::destination(p, client));
        CHECK(content_of(p) == datagram(protocol, other, 1000, client, 53));
    }
}

TEST_CASE("rewrite: every port leaves a valid checksum") {
    pool_type pool;
    for (u32 port = 0; port <= 0xffff; port += 7) {
        auto p = packet_of(pool, datagram(ipv4::protocols::udp, client, 1000, server, 53));
        REQUIRE(rewrite::source(p, other, static_cast<u16>(port)));
        const byte_vector all = content_of(p);
        REQUIRE(udp::checksum_ok(other, server, payload_of(all)));
        REQUIRE(load_be<u16>(all.data() + 26) != 0);  // that would say that there is none
    }
}

TEST_CASE("rewrite: UDP without a checksum stays without") {
    pool_type pool;
    const auto datagram_from = [](ipv4::address from, u16 port) {
        return datagram_of({.source = from,
                            .protocol = ipv4::protocols::udp,
                            .payload = udp_message(port, 53, pattern(9))});
    };
    auto p = packet_of(pool, datagram_from(client, 1000));
    REQUIRE(rewrite::source(p, other, 40'000));
    CHECK(content_of(p) == datagram_from(other, 40'000));
}

TEST_CASE("rewrite: a checksum that is left to the device is right when the device made it") {
    pool_type pool;
    for (const u8 protocol : {ipv4::protocols::tcp, ipv4::protocols::udp}) {
        CAPTURE(int{protocol});
        const u16 offset = protocol == ipv4::protocols::tcp ? 16 : 6;
        byte_vector unfinished = datagram(protocol, client, 1000, server, 53);
        const byte_vector behind = payload_of(unfinished);
        store_be<u16>(unfinished.data() + 20 + offset,
                      static_cast<u16>(~checksum::finish(checksum::pseudo_header(
                          client, server, protocol, static_cast<u32>(behind.size())))));
        auto p = packet_of(pool, unfinished);
        p.metadata().checksum = checksum_state::pending;
        p.metadata().checksum_start = 20;
        p.metadata().checksum_offset = offset;
        REQUIRE(rewrite::source(p, other, 40'000));
        REQUIRE(rewrite::destination(p, client, 8053));
        CHECK(p.metadata().checksum == checksum_state::pending);
        REQUIRE(rewrite::finish_checksum(p));
        CHECK(content_of(p) == datagram(protocol, other, 40'000, client, 8053));
    }
}

TEST_CASE("rewrite: all fragments of a datagram, the checksum changes in the first") {
    pool_type pool;
    const auto fragments_of = [&pool](const byte_vector& whole) {
        std::vector<byte_vector> all;
        rewrite::fragment(packet_of(pool, whole), 44, pool, [&all](packet&& piece) {
            all.push_back(content_of(piece));
            return true;
        });
        return all;
    };
    const auto before = fragments_of(datagram(ipv4::protocols::tcp, client, 1000, server, 53));
    const auto after = fragments_of(datagram(ipv4::protocols::tcp, other, 40'000, server, 53));
    REQUIRE(before.size() == 3);
    for (std::size_t i = 0; i < before.size(); ++i) {
        auto p = packet_of(pool, before[i]);
        REQUIRE(rewrite::source(p, other, 40'000));
        CHECK(content_of(p) == after[i]);
    }
}

TEST_CASE("rewrite: without ports only the address changes") {
    pool_type pool;
    for (const u8 protocol : {ipv4::protocols::icmp, ipv4::protocols::sctp, ipv4::protocols::gre}) {
        CAPTURE(int{protocol});
        auto p = packet_of(pool, datagram_of({.protocol = protocol, .payload = pattern(24)}));
        REQUIRE(rewrite::source(p, other, 40'000));
        CHECK(content_of(p) ==
              datagram_of({.source = other, .protocol = protocol, .payload = pattern(24)}));
    }
    auto ping = packet_of(pool, datagram_of({.protocol = 1, .payload = echo_request()}));
    REQUIRE(rewrite::destination(ping, other));
    CHECK(checksum::verify(payload_of(content_of(ping))));
}

TEST_CASE("rewrite: a failed rewrite changes nothing") {
    pool_type pool;
    const auto is_refused = [&pool](const byte_vector& content) {
        auto p = packet_of(pool, content);
        const bool done = rewrite::source(p, other, 40'000) || rewrite::destination(p, other);
        return !done && content_of(p) == content;
    };
    byte_vector six = datagram_of({});
    six[0] = std::byte{0x65};
    byte_vector longer = datagram_of({});
    store_be<u16>(longer.data() + 2, 4000);
    CHECK(is_refused(six));
    CHECK(is_refused(longer));
    CHECK(is_refused(pattern(19)));
    CHECK(is_refused({}));
    // A tiny first fragment: the checksum of TCP is in the next one. RFC 1858 section 3.
    const auto tiny = [](u16 word, std::size_t size) {
        return datagram_of(
            {.protocol = ipv4::protocols::tcp, .flags_and_offset = word, .payload = pattern(size)});
    };
    CHECK(is_refused(tiny(0x2000, 16)));
    CHECK_FALSE(is_refused(tiny(0x2000, 24)));
    CHECK_FALSE(is_refused(tiny(0x2002, 16)));
    packet none;
    CHECK_FALSE(rewrite::source(none, other));
}

TEST_CASE("rewrite: bytes that others hold are copied first, or nothing is done") {
    fixed_pool<256, 2, shared> pool;
    const byte_vector sent = datagram(ipv4::protocols::udp, client, 1000, server, 53);
    auto p = packet_of(pool, sent);
    auto held = p.clone();
    REQUIRE(rewrite::source(p, other, 40'000));
    CHECK(content_of(held) == sent);
    CHECK(content_of(p) == datagram(ipv4::protocols::udp, other, 40'000, server, 53));
    auto again = held.clone();
    CHECK_FALSE(rewrite::source(again, other));
    CHECK(content_of(again) == sent);
}

}  // namespace rewrite_address
