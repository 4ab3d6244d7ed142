#include <doctest/doctest.h>

#include <sluice/wire/literals.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/udp.hpp>

#include "random_bytes.hpp"

#include <array>

namespace wire_transport {
using namespace sluice;
using namespace sluice::literals;

namespace {

constexpr auto a = "10.0.0.1"_ip;
constexpr auto b = "192.168.255.2"_ip;

}  // namespace

TEST_CASE("udp: golden bytes both ways") {
    const udp::header h{.source_port = 4660, .destination_port = 53, .length = 12, .checksum = 1};
    std::array<std::byte, 9> out{};
    out.fill(std::byte{0xa5});
    REQUIRE(emit_value(h, out));
    CHECK(out == "12340035000c0001 a5"_hex);
    CHECK(*parse_value<udp::header>(out) == h);
    CHECK(emit_value(h, bytes{out}.first(7)).error() == wire_error::no_room);
    CHECK(parse_value<udp::header>(const_bytes{out}.first(7)).error() == wire_error::truncated);
}

TEST_CASE("udp: the payload is bounded by the length field and the bytes") {
    auto datagram = "12340035000c0000 61626364 7878"_hex;
    CHECK(udp::payload(datagram)->size() == 4);
    CHECK(udp::payload(const_bytes{datagram}.first(12))->size() == 4);
    CHECK(udp::payload(const_bytes{datagram}.first(11)).error() == wire_error::bad_total_length);
    CHECK(udp::payload(const_bytes{datagram}.first(7)).error() == wire_error::truncated);
    datagram[5] = std::byte{7};
    CHECK(udp::payload(datagram).error() == wire_error::bad_total_length);
    datagram[5] = std::byte{8};
    CHECK(udp::payload(datagram)->empty());
}

TEST_CASE("udp: a checksum is never stored as zero, and zero means none") {
    unsigned all_ones = 0;
    unsigned wrong = 0;
    for (u32 word = 0; word < 0x10000; ++word) {
        auto datagram = "12340035000a0000 0000"_hex;
        store_be<u16>(datagram.data() + 8, static_cast<u16>(word));
        udp::set_checksum(a, b, datagram);
        const u16 stored = udp::const_view{datagram.data()}[udp::checksum];
        wrong += stored == 0 ? 1u : 0u;
        all_ones += stored == 0xffff ? 1u : 0u;
        wrong += udp::checksum_ok(a, b, datagram) ? 0u : 1u;
    }
    CHECK(wrong == 0);
    CHECK(all_ones == 1);
    const auto none = "12340035000a0000 6162"_hex;
    CHECK(udp::checksum_ok(a, b, none));
}

TEST_CASE("udp and tcp: a checksum covers data, ports, and both addresses") {
    wire_test::random_bytes random{92};
    for (int round = 0; round < 500; ++round) {
        auto data = random.make(20 + random.below(50));
        udp::set_checksum(a, b, data);
        CHECK(udp::checksum_ok(a, b, data));
        CHECK(udp::checksum_ok(b, a, data));
        CHECK_FALSE(udp::checksum_ok(a, ipv4::address{b.value + 1}, data));
        CHECK_FALSE(tcp::checksum_ok(a, b, data));
        tcp::set_checksum(a, b, data);
        CHECK(tcp::checksum_ok(a, b, data));
        data[random.below(data.size())] ^= static_cast<std::byte>(1u << random.below(8));
        CHECK_FALSE(tcp::checksum_ok(a, b, data));
    }
}

TEST_CASE("tcp: every flag has its place") {
    const char* const names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"};
    for (unsigned bit = 0; bit < 9; ++bit) {
        CAPTURE(names[bit]);
        std::array<std::byte, 20> data{};
        const tcp::view view{data.data()};
        view.set(tcp::flags, static_cast<u16>(1u << bit));
        const bool seen[] = {view[tcp::fin], view[tcp::syn], view[tcp::rst],
                             view[tcp::psh], view[tcp::ack], view[tcp::urg],
                             view[tcp::ece], view[tcp::cwr], view[tcp::ns]};
        for (unsigned other = 0; other < 9; ++other)
            CHECK(seen[other] == (other == bit));
        CHECK(view[tcp::data_offset] == 0);
        CHECK(view[tcp::reserved] == 0);
    }
}

TEST_CASE("tcp: header values keep every bit, options included") {
    wire_test::random_bytes random{93};
    for (int round = 0; round < 2000; ++round) {
        auto data = random.make(60);
        const u8 words = static_cast<u8>(5 + random.below(11));
        tcp::view{data.data()}.set(tcp::data_offset, words);
        const auto h = parse_value<tcp::header>(data);
        REQUIRE(h);
        std::array<std::byte, 60> out{};
        out.fill(std::byte{0xa5});
        const auto written = emit_value(*h, out);
        REQUIRE(written);
        CHECK(*written == std::size_t{words} * 4);
        CHECK(equal_bytes(const_bytes{out}.first(*written), const_bytes{data}.first(*written)));
        CHECK(parse_value<tcp::header>(const_bytes{data}.first(*written - 1)).error() ==
              wire_error::truncated);
    }
    std::array<std::byte, 20> short_header{};
    CHECK(parse_value<tcp::header>(short_header).error() == wire_error::bad_header_length);
}

TEST_CASE("tcp: options of a cut segment are those present") {
    const auto segment = "123400350000000000000000 7002 1000 0000 0000 020405b4 0101 0402"_hex;
    CHECK(tcp::options_of(segment).size() == 8);
    CHECK(tcp::options_of(const_bytes{segment}.first(22)).size() == 2);
    CHECK(tcp::options_of(const_bytes{segment}.first(20)).empty());
    CHECK(tcp::options_of(const_bytes{segment}.first(19)).empty());
    option_cursor at{tcp::options_of(segment)};
    REQUIRE(at.next());
    CHECK(at.kind() == tcp::option_kinds::maximum_segment_size);
    CHECK(load_be<u16>(at.data().data()) == 1460);
}

}  // namespace wire_transport
