#include <doctest/doctest.h>

#include <sluice/wire/ipv4_header.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

#include <array>

namespace wire_ipv4_header {
using namespace sluice;
using namespace sluice::literals;

TEST_CASE("ipv4 header: emitting writes every byte of the golden form") {
    ipv4::header h{.dscp = 46,
                   .ecn = 1,
                   .total_length = 84,
                   .identification = 0xe1f2,
                   .dont_fragment = true,
                   .fragment_offset = 0x0d3a,
                   .ttl = 64,
                   .protocol = ipv4::protocols::udp,
                   .header_checksum = 0x8e5f,
                   .source = "10.0.1.2"_ip,
                   .destination = "192.168.255.3"_ip};
    REQUIRE(h.options.assign("94040000 01"_hex));
    std::array<std::byte, 30> out{};
    out.fill(std::byte{0xa5});
    const auto written = emit_value(h, out);
    REQUIRE(written);
    CHECK(*written == 28);
    CHECK(equal_bytes(const_bytes{out}.first(28),
                      "47b90054e1f24d3a40118e5f0a000102c0a8ff03 94040000 01000000"_hex));
    CHECK(out[28] == std::byte{0xa5});
}

TEST_CASE("ipv4 header: parse and emit lose nothing, whatever the bits are") {
    wire_test::random_bytes random{41};
    for (int round = 0; round < 5000; ++round) {
        auto data = random.make(60);
        const u8 words = static_cast<u8>(5 + random.below(11));
        ipv4::view{data.data()}.set(ipv4::version, 4).set(ipv4::ihl, words);
        const auto h = parse_value<ipv4::header>(data);
        REQUIRE(h);
        CHECK(length_of(*h) == std::size_t{words} * 4);
        std::array<std::byte, 60> out{};
        out.fill(std::byte{0xa5});
        const auto written = emit_value(*h, out);
        REQUIRE(written);
        CHECK(equal_bytes(const_bytes{out}.first(*written), const_bytes{data}.first(*written)));
        CHECK(*parse_value<ipv4::header>(out) == *h);
    }
}

TEST_CASE("ipv4 header: invalid headers are refused with a reason") {
    auto data = "46b90054e1f26d3a40118e5f0a000102c0a8ff0394040000"_hex;
    CHECK(parse_value<ipv4::header>(data));
    CHECK(parse_value<ipv4::header>(const_bytes{data}.first(23)).error() == wire_error::truncated);
    CHECK(parse_value<ipv4::header>(const_bytes{data}.first(19)).error() == wire_error::truncated);
    CHECK(parse_value<ipv4::header>({}).error() == wire_error::truncated);
    for (u8 version = 0; version < 16; ++version) {
        ipv4::view{data.data()}.set(ipv4::version, version);
        CHECK(parse_value<ipv4::header>(data).has_value() == (version == 4));
    }
    CHECK(parse_value<ipv4::header>(data).error() == wire_error::bad_version);
    ipv4::view{data.data()}.set(ipv4::version, 4);
    for (u8 ihl = 0; ihl < 5; ++ihl) {
        ipv4::view{data.data()}.set(ipv4::ihl, ihl);
        CHECK(parse_value<ipv4::header>(data).error() == wire_error::bad_header_length);
    }
}

TEST_CASE("ipv4 header: emit refuses a buffer that is too small and does not touch it") {
    ipv4::header h{};
    REQUIRE(h.options.assign("01010100"_hex));
    std::array<std::byte, 23> out{};
    out.fill(std::byte{0xa5});
    CHECK(emit_value(h, out).error() == wire_error::no_room);
    CHECK(out[0] == std::byte{0xa5});
}

TEST_CASE("ipv4 header: options are padded to words and limited to forty bytes") {
    option_block block;
    std::array<std::byte, 41> list{};
    list.fill(std::byte{1});
    for (std::size_t size = 0; size <= 40; ++size) {
        REQUIRE(block.assign(const_bytes{list}.first(size)));
        CHECK(block.size() == (size + 3) / 4 * 4);
        for (std::size_t i = size; i < block.size(); ++i)
            CHECK(block.view()[i] == std::byte{0});
    }
    CHECK_FALSE(block.assign(list));
    CHECK(block.size() == 40);
    option_block shorter;
    REQUIRE(block.assign(const_bytes{list}.first(4)));
    REQUIRE(shorter.assign(const_bytes{list}.first(4)));
    CHECK(block == shorter);
}

TEST_CASE("lax parse: a quote cut at every length uses its own header length") {
    const auto data = "47 00 00 3c 0001 0000 40 11 0000 0a000001 0a000002 94040000 01010101 "
                      "1234 0035 0008 0000"_hex;
    for (std::size_t size = 0; size <= data.size(); ++size) {
        const auto q = ipv4::lax_parse(const_bytes{data}.first(size));
        CAPTURE(size);
        CHECK(q.has_value() == (size >= 20));
        if (!q) continue;
        CHECK(q->header_length == 28);
        CHECK(q->options.size() == (size < 28 ? size - 20 : 8));
        CHECK(q->payload.size() == (size < 28 ? 0 : size - 28));
        CHECK(q->header_complete() == (size >= 28));
    }
}

TEST_CASE("lax parse: the version is not looked at, an impossible header length is refused") {
    auto data = "6500003c000100004011 0000 0a000001 0a000002 1234"_hex;
    const auto q = ipv4::lax_parse(data);
    REQUIRE(q);
    CHECK(q->ip[ipv4::destination] == "10.0.0.2"_ip);
    CHECK(q->payload.size() == 2);
    data[0] = std::byte{0x44};
    CHECK(ipv4::lax_parse(data).error() == wire_error::bad_header_length);
}

}  // namespace wire_ipv4_header
