#include <doctest/doctest.h>

#include <sluice/wire/arp.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/literals.hpp>

#include <array>

namespace wire_link_headers {
using namespace sluice;
using namespace sluice::literals;

TEST_CASE("ethernet: addresses by their bits") {
    CHECK(ethernet::broadcast.is_broadcast());
    CHECK(ethernet::broadcast.is_multicast());
    CHECK("01:00:5e:00:00:01"_mac.is_multicast());
    CHECK_FALSE("01:00:5e:00:00:01"_mac.is_broadcast());
    CHECK("02:00:00:00:00:01"_mac.is_locally_administered());
    CHECK_FALSE("fd:ff:ff:ff:ff:ff"_mac.is_locally_administered());
    CHECK("02:00:00:00:00:01"_mac.is_valid_unicast());
    CHECK_FALSE(ethernet::address{}.is_valid_unicast());
    CHECK_FALSE("03:00:00:00:00:01"_mac.is_valid_unicast());
    CHECK(ethernet::address::from_bits(0x020304050607) == "02:03:04:05:06:07"_mac);
    CHECK("02:03:04:05:06:07"_mac.bits() == 0x020304050607);
}

TEST_CASE("ethernet: groups map by their low 23 bits") {
    CHECK(ethernet::multicast_mac("224.0.0.1"_ip) == "01:00:5e:00:00:01"_mac);
    CHECK(ethernet::multicast_mac("239.255.255.255"_ip) == "01:00:5e:7f:ff:ff"_mac);
    CHECK(ethernet::multicast_mac("224.128.0.1"_ip) == ethernet::multicast_mac("225.0.0.1"_ip));
}

TEST_CASE("ethernet: golden header and tag") {
    const ethernet::header h{.destination = ethernet::broadcast,
                             .source = "02:00:00:00:00:01"_mac,
                             .type = ethernet::types::arp};
    std::array<std::byte, 15> out{};
    out.fill(std::byte{0xa5});
    REQUIRE(emit_value(h, out));
    CHECK(out == "ffffffffffff 020000000001 0806 a5"_hex);
    CHECK(*parse_value<ethernet::header>(out) == h);
    CHECK(parse_value<ethernet::header>(const_bytes{out}.first(13)).error() ==
          wire_error::truncated);

    const auto tag = "b064 0800"_hex;
    const ethernet::const_tag_view view{tag.data()};
    CHECK(view[ethernet::tag_priority] == 5);
    CHECK(view[ethernet::tag_drop_eligible]);
    CHECK(view[ethernet::tag_vlan] == 100);
    CHECK(view[ethernet::tag_control] == 0xb064);
    CHECK(view[ethernet::tag_type] == ethernet::types::ipv4);
}

TEST_CASE("ethernet: the contents begin behind the last whole tag") {
    std::array<std::byte, 30> frame{};
    const auto length_of = [&](std::initializer_list<u16> types, std::size_t size = 30) {
        std::byte* to = frame.data() + 12;
        for (const u16 type : types) {
            store_be<u16>(to, type);
            to += 4;
        }
        return ethernet::header_length(const_bytes{frame}.first(size));
    };
    CHECK(length_of({0x0800}) == 14);
    CHECK(length_of({0x8100, 0x0800}) == 18);
    CHECK(length_of({0x88a8, 0x8100, 0x0800}) == 22);
    CHECK(length_of({0x8100, 0x8100, 0x88a8, 0x0806}) == 26);
    CHECK(length_of({0x8100, 0x8100, 0x8100, 0x8100}) == 30);
    CHECK(length_of({0x9100, 0x0800}) == 14);  // no tag, to Linux
    CHECK(length_of({0x8100, 0x0800}, 17) == 14);
    CHECK(length_of({0x8100, 0x8100, 0x0800}, 18) == 18);
    CHECK(ethernet::header_length({}) == 14);
}

TEST_CASE("arp: golden request both ways") {
    const arp::packet p{.operation = arp::operations::request,
                        .sender_hardware = "02:00:00:00:00:01"_mac,
                        .sender_protocol = "10.0.0.1"_ip,
                        .target_protocol = "10.0.0.2"_ip};
    std::array<std::byte, 28> out{};
    out.fill(std::byte{0xa5});
    REQUIRE(emit_value(p, out));
    CHECK(out == "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"_hex);
    CHECK(*parse_value<arp::packet>(out) == p);
    CHECK(emit_value(p, bytes{out}.first(27)).error() == wire_error::no_room);
    CHECK(parse_value<arp::packet>(const_bytes{out}.first(27)).error() == wire_error::truncated);
}

TEST_CASE("arp: any other hardware, protocol or length is refused") {
    const auto good = "0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002"_hex;
    REQUIRE(parse_value<arp::packet>(good));
    for (std::size_t i = 0; i < 6; ++i) {
        auto bad = good;
        bad[i] ^= std::byte{0x10};
        CAPTURE(i);
        CHECK(parse_value<arp::packet>(bad).error() == wire_error::bad_value);
    }
}

}  // namespace wire_link_headers
