// VXLAN and VXLAN-GPE: headers that Linux 6.18 sends, parsed and emitted.
#include <doctest/doctest.h>

#include <sluice/wire/literals.hpp>
#include <sluice/wire/vxlan.hpp>

#include <array>

namespace wire_vxlan {
using namespace sluice;
using namespace sluice::literals;

namespace {

template <class Header>
void there_and_back(const_bytes wire, const Header& value) {
    const auto parsed = parse_value<Header>(wire);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == value);
    std::array<std::byte, 8> out{};
    out.fill(std::byte{0xff});
    CHECK(emit_value(value, out).value() == 8);
    CHECK(equal_bytes(out, wire));
    for (std::size_t n = 0; n < wire.size(); ++n) {
        CHECK(parse_value<Header>(wire.first(n)).error() == wire_error::truncated);
    }
}

template <class Header>
wire_error error_of(u64 bits) {
    std::array<std::byte, 8> wire{};
    store_be<u64>(wire.data(), bits);
    return parse_value<Header>(wire).error();
}

}  // namespace

TEST_CASE("VXLAN: there and back, and nothing shorter") {
    there_and_back("0800 0000 00002a 00"_hex, vxlan::header{.vni = 42});
    there_and_back("0800 0000 ffffff 00"_hex, vxlan::header{.vni = 0xffffff});
}

TEST_CASE("VXLAN: without a VNI it is refused, and the reserved fields are ignored") {
    CHECK(error_of<vxlan::header>(0xf7ff'ffff'ffff'ffff) == wire_error::bad_value);
    CHECK(error_of<vxlan::header>(0xffff'ffff'0000'2aff) == wire_error::none);
}

TEST_CASE("VXLAN-GPE: there and back, and nothing shorter") {
    there_and_back(
        "0c00 0001 123456 00"_hex,
        vxlan_gpe::header{.vni = 0x123456, .next_protocol = vxlan_gpe::next_protocols::ipv4});
    there_and_back("0f00 0003 00002a 00"_hex,
                   vxlan_gpe::header{.vni = 42, .is_replicated = true, .is_oam = true});
    there_and_back("0800 0000 00002a 00"_hex,
                   vxlan_gpe::header{.vni = 42, .has_next_protocol = false, .next_protocol = 0});
}

TEST_CASE("VXLAN-GPE: another version and a header without a VNI are refused") {
    CHECK(error_of<vxlan_gpe::header>(0x1c00'0001'0000'2a00) == wire_error::bad_version);
    CHECK(error_of<vxlan_gpe::header>(0x2c00'0001'0000'2a00) == wire_error::bad_version);
    CHECK(error_of<vxlan_gpe::header>(0x0400'0001'0000'2a00) == wire_error::bad_value);
    CHECK(error_of<vxlan_gpe::header>(0xccff'ff01'0000'2aff) == wire_error::none);
}

TEST_CASE("VXLAN-GPE: the next protocol is there when its flag says so") {
    const auto next_protocol_in = [](const auto& wire) {
        return vxlan_gpe::next_protocol_of(vxlan_gpe::const_view{wire.data()});
    };
    CHECK(next_protocol_in("0c00 0002 00002a 00"_hex).value() == vxlan_gpe::next_protocols::ipv6);
    CHECK(next_protocol_in("0800 0002 00002a 00"_hex).error() == wire_error::absent);
}

TEST_CASE("VXLAN: a header by its fields, in place") {
    std::array<std::byte, 8> out{};
    vxlan_gpe::view{out.data()}
        .set(vxlan_gpe::has_vni, true)
        .set(vxlan_gpe::has_next_protocol, true)
        .set(vxlan_gpe::next_protocol, vxlan_gpe::next_protocols::ipv4)
        .set(vxlan_gpe::vni, 0x123456);
    CHECK(load_be<u64>(out.data()) == 0x0c00000112345600);
    CHECK(vxlan::const_view{out.data()}[vxlan::vni] == 0x123456);
}

}  // namespace wire_vxlan
