#include <doctest/doctest.h>

#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

#include <array>

namespace wire_ipv4 {
using namespace sluice;
using namespace sluice::literals;

namespace {

// DSCP 46 (expedited forwarding), ECN 1: readers with bit-field structs swap them.
constexpr auto golden = "45b9 0054 e1f2 6d3a 4011 8e5f 0a00 0102 c0a8 ff03"_hex;

}  // namespace

TEST_CASE("ipv4: every field of a golden header") {
    const ipv4::const_view ip{golden.data()};
    CHECK(ip[ipv4::version] == 4);
    CHECK(ip[ipv4::ihl] == 5);
    CHECK(ip[ipv4::dscp] == 46);
    CHECK(ip[ipv4::ecn] == 1);
    CHECK(ip[ipv4::tos] == 0xb9);
    CHECK(ip[ipv4::precedence] == 5);
    CHECK(ip[ipv4::tos_bits] == 0xc);
    CHECK(ip[ipv4::total_length] == 84);
    CHECK(ip[ipv4::identification] == 0xe1f2);
    CHECK_FALSE(ip[ipv4::reserved_flag]);
    CHECK(ip[ipv4::dont_fragment]);
    CHECK(ip[ipv4::more_fragments]);
    CHECK(ip[ipv4::flags_and_offset] == 0x6d3a);
    CHECK(ip[ipv4::fragment_offset] == 0x0d3a);
    CHECK(ip[ipv4::ttl] == 64);
    CHECK(ip[ipv4::protocol] == ipv4::protocols::udp);
    CHECK(ip[ipv4::header_checksum] == 0x8e5f);
    CHECK(ip[ipv4::source] == "10.0.1.2"_ip);
    CHECK(ip[ipv4::destination] == "192.168.255.3"_ip);
    CHECK(ipv4::header_length(ip) == 20);
    CHECK(ipv4::offset_in_bytes(ip) == 0x0d3a * 8);
}

TEST_CASE("ipv4: fragments by flags and offset") {
    struct row {
        const char* name;
        u16 word;
        bool fragment = false;
        bool first = false;
    };
    const row rows[] = {
        {.name = "whole", .word = 0x0000, .first = true},
        {.name = "whole, DF", .word = 0x4000, .first = true},
        {.name = "whole, reserved", .word = 0x8000, .first = true},
        {.name = "first", .word = 0x2000, .fragment = true, .first = true},
        {.name = "middle", .word = 0x2001, .fragment = true},
        {.name = "last", .word = 0x0001, .fragment = true},
        {.name = "last possible", .word = 0x1fff, .fragment = true},
        {.name = "DF and offset", .word = 0x4001, .fragment = true},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto data = golden;
        const ipv4::view ip{data.data()};
        ip.set(ipv4::flags_and_offset, r.word);
        CHECK(ipv4::is_fragment(ip) == r.fragment);
        CHECK(ipv4::is_first_fragment(ip) == r.first);
    }
}

TEST_CASE("ipv4: the options begin behind twenty bytes, for every IHL") {
    std::array<std::byte, 60> data{};
    const ipv4::view ip{data.data()};
    for (u8 words = 0; words < 16; ++words) {
        ip.set(ipv4::ihl, words);
        const std::size_t expected = words < 5 ? 0 : std::size_t{words} * 4 - 20;
        CHECK(ipv4::options_of(ip).size() == expected);
        CHECK(ipv4::options_of(ipv4::const_view{ip}).size() == expected);
    }
    CHECK(ipv4::options_of(ip).data() == data.data() + 20);
}

TEST_CASE("ipv4: a TTL decrement writes the bytes that Linux writes") {
    // Headers recorded on the way into and out of a forwarding kernel, with old checksums near both
    // zeros.
    const std::pair<std::array<std::byte, 20>, std::array<std::byte, 20>> rows[] = {
        {"45aa002f75670000070200010a0b161c0a0c1389"_hex,
         "45aa002f75670000060201010a0b161c0a0c1389"_hex},
        {"45410026aebd0000f784fffe0a0b30920a0ccfad"_hex,
         "45410026aebd0000f68400ff0a0b30920a0ccfad"_hex},
        {"455f0032ecfb40008706ff000a0b8c510a0c6702"_hex,
         "455f0032ecfb4000860600010a0b8c510a0c6702"_hex},
        {"45fc0023affd0000e0fd00000a0b58e40a0cbbe9"_hex,
         "45fc0023affd0000dffd01000a0b58e40a0cbbe9"_hex},
        {"456100396991400041fdfeff0a0b77670a0c4458"_hex,
         "456100396991400040fd00000a0b77670a0c4458"_hex},
        {"453d003400dd40004884ffff0a0bbee60a0c5e2f"_hex,
         "453d003400dd4000478401000a0bbee60a0c5e2f"_hex},
        {"45ce002128590000940600ff0a0bda790a0c0e21"_hex,
         "45ce002128590000930601ff0a0bda790a0c0e21"_hex},
        {"45aa002b54fa0000ce84fefe0a0b1eb50a0c64e0"_hex,
         "45aa002b54fa0000cd84fffe0a0b1eb50a0c64e0"_hex},
    };
    for (const auto& [before, after] : rows) {
        auto data = before;
        REQUIRE(ipv4::checksum_ok(ipv4::const_view{data.data()}));
        CHECK(ipv4::decrement_ttl(ipv4::view{data.data()}) == std::to_integer<u8>(after[8]));
        CHECK(data == after);
    }
}

TEST_CASE("ipv4: changes keep a right checksum right") {
    wire_test::random_bytes random{31};
    for (int round = 0; round < 5000; ++round) {
        auto data = random.make(60);
        const ipv4::view ip{data.data()};
        ip.set(ipv4::version, 4).set(ipv4::ihl, static_cast<u8>(5 + random.below(11)));
        ip.set(ipv4::ttl, static_cast<u8>(1 + random.below(255)));
        ipv4::set_checksum(ip);
        CHECK(ip[ipv4::header_checksum] != 0xffff);
        CHECK(ipv4::checksum_ok(ip));
        const u8 before = ip[ipv4::ttl];
        CHECK(ipv4::decrement_ttl(ip) == before - 1);
        CHECK(ip[ipv4::ttl] == before - 1);
        CHECK(ipv4::checksum_ok(ip));
        ipv4::change_tos(ip, static_cast<u8>(random.next()));
        CHECK(ipv4::checksum_ok(ip));
    }
}

}  // namespace wire_ipv4
