#include <doctest/doctest.h>

#include <sluice/wire/icmp_objects.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

#include <array>

namespace wire_icmp_objects {
using namespace sluice;
using namespace sluice::literals;

TEST_CASE("icmp objects: an MPLS label stack entry") {
    const auto entry = "000c8b40"_hex;
    const icmp::const_mpls_view view{entry.data()};
    CHECK(view[icmp::mpls_label] == 200);
    CHECK(view[icmp::mpls_class] == 5);
    CHECK(view[icmp::mpls_bottom]);
    CHECK(view[icmp::mpls_ttl] == 64);
}

TEST_CASE("icmp objects: interface information in golden bytes, both ways") {
    const auto name = "65746830"_hex;  // eth0
    const auto address = "0a000101"_hex;
    const icmp::interface_information info{.role = icmp::interface_roles::outgoing,
                                           .has_index = true,
                                           .has_address = true,
                                           .has_name = true,
                                           .has_mtu = true,
                                           .index = 3,
                                           .address = address,
                                           .name = name,
                                           .mtu = 1500};
    const auto expected = "001c 02 8f 00000003 00010000 0a000101 08 65746830 000000 000005dc"_hex;
    std::array<std::byte, 40> out{};
    out.fill(std::byte{0xa5});
    const auto written = info.emit(out);
    REQUIRE(written);
    CHECK(equal_bytes(const_bytes{out}.first(*written), expected));

    const auto parsed = icmp::interface_information::parse(0x8f, const_bytes{expected}.subspan(4));
    REQUIRE(parsed);
    CHECK(parsed->role == icmp::interface_roles::outgoing);
    CHECK(parsed->index == 3);
    CHECK(equal_bytes(parsed->address, address));
    CHECK(equal_bytes(parsed->name, name));
    CHECK(parsed->mtu == 1500);
    CHECK(info.emit(bytes{out}.first(27)).error() == wire_error::no_room);
}

TEST_CASE("icmp objects: interface information has only the fields of its type") {
    const auto index = icmp::interface_information::parse(0x08, "00000003"_hex);
    REQUIRE(index);
    CHECK(index->role == icmp::interface_roles::incoming);
    CHECK(index->has_index);
    CHECK_FALSE((index->has_address || index->has_name || index->has_mtu));
    CHECK(index->index == 3);
    const auto mtu = icmp::interface_information::parse(0x01, "000005dc"_hex);
    REQUIRE(mtu);
    CHECK(mtu->has_mtu);
    CHECK_FALSE((mtu->has_address || mtu->has_name || mtu->has_index));
    CHECK(mtu->mtu == 1500);
    CHECK(mtu->index == 0);
    const auto nothing = icmp::interface_information::parse(0x00, {});
    REQUIRE(nothing);
    CHECK_FALSE((nothing->has_address || nothing->has_name || nothing->has_index));
    CHECK_FALSE(nothing->has_mtu);
    CHECK(nothing->mtu == 0);
    using information = icmp::interface_information;
    CHECK(information{}.type_bits() == 0x00);
    CHECK(information{.has_index = true}.type_bits() == 0x08);
    CHECK(information{.has_address = true}.type_bits() == 0x04);
    CHECK(information{.has_name = true}.type_bits() == 0x02);
    CHECK(information{.has_mtu = true}.type_bits() == 0x01);
}

TEST_CASE("icmp objects: interface information cut anywhere is refused") {
    const auto payload = "00000003 00010000 0a000101 08 65746830 000000 000005dc"_hex;
    for (std::size_t size = 0; size < payload.size(); ++size) {
        const auto parsed =
            icmp::interface_information::parse(0x8f, const_bytes{payload}.first(size));
        CAPTURE(size);
        CHECK(parsed.error() == wire_error::truncated);
        CHECK_FALSE(parsed);
    }
}

TEST_CASE("icmp objects: interface information with values it cannot have") {
    CHECK(icmp::interface_information::parse(0x04, "00030000 0a000101"_hex).error() ==
          wire_error::bad_value);
    CHECK(icmp::interface_information::parse(0x02, "00000000"_hex).error() ==
          wire_error::bad_value);
    CHECK(icmp::interface_information::parse(0x02, "05616263 64"_hex).error() ==
          wire_error::bad_value);
    CHECK(icmp::interface_information::parse(0x02, "06616263 6465"_hex).error() ==
          wire_error::bad_value);
    CHECK(icmp::interface_information::parse(0x02, "44616263"_hex).error() ==
          wire_error::bad_value);
    const std::array<std::byte, 64> name{};
    CHECK(icmp::interface_information{.has_name = true, .name = name}.emit({}).error() ==
          wire_error::bad_value);
    CHECK(icmp::interface_information{.has_address = true, .address = name}.emit({}).error() ==
          wire_error::bad_value);
}

TEST_CASE("icmp objects: interface identification by name, index and address") {
    using icmp::interface_identification;
    std::array<std::byte, 16> out{};
    const auto name = "65746831 30"_hex;
    interface_identification id{.kind = icmp::interface_identification_type::name, .name = name};
    auto written = id.emit(out);
    REQUIRE(written);
    CHECK(equal_bytes(const_bytes{out}.first(*written), "000c0301 65746831 30000000"_hex));
    auto parsed = interface_identification::parse(1, const_bytes{out}.subspan(4, 8));
    REQUIRE(parsed);
    CHECK(equal_bytes(parsed->name, name));

    written = interface_identification{.index = 7}.emit(out);
    REQUIRE(written);
    CHECK(equal_bytes(const_bytes{out}.first(*written), "00080302 00000007"_hex));
    CHECK(interface_identification::parse(2, const_bytes{out}.subspan(4, 4))->index == 7);

    const auto address = "0a000101"_hex;
    written = interface_identification{.kind = icmp::interface_identification_type::address,
                                       .address = address}
                  .emit(out);
    REQUIRE(written);
    CHECK(equal_bytes(const_bytes{out}.first(*written), "000c0303 00010400 0a000101"_hex));
    parsed = interface_identification::parse(3, const_bytes{out}.subspan(4, 8));
    REQUIRE(parsed);
    CHECK(parsed->family == icmp::families::ipv4);
    CHECK(equal_bytes(parsed->address, address));
}

TEST_CASE("icmp objects: interface identification that is refused") {
    using icmp::interface_identification;
    CHECK(interface_identification::parse(0, "00000007"_hex).error() == wire_error::bad_value);
    CHECK(interface_identification::parse(4, "00000007"_hex).error() == wire_error::bad_value);
    CHECK(interface_identification::parse(2, "0000000700"_hex).error() == wire_error::bad_value);
    CHECK(interface_identification::parse(2, "000007"_hex).error() == wire_error::bad_value);
    CHECK(interface_identification::parse(3, "00010400 0a0001"_hex).error() ==
          wire_error::truncated);
    CHECK_FALSE(interface_identification::parse(3, "000104"_hex));
    std::array<std::byte, 64> name{};
    name.fill(std::byte{'x'});
    CHECK(interface_identification::parse(1, name).error() == wire_error::bad_value);
    CHECK(interface_identification::parse(1, const_bytes{name}.first(63)));
}

}  // namespace wire_icmp_objects
