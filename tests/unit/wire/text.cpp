#include <doctest/doctest.h>

#include <sluice/wire/literals.hpp>
#include <sluice/wire/text_appender.hpp>

#include "random_bytes.hpp"

#include <array>
#include <cstdio>
#include <sstream>
#include <string>

namespace wire_text {
using namespace sluice;
using namespace sluice::literals;

TEST_CASE("text: addresses that are not dotted decimal are refused") {
    for (const char* text :
         {"",          ".",          "1",        "1.2",       "1.2.3",     "1.2.3.",
          "1.2.3.4.",  "1.2.3.4.5",  ".1.2.3",   "1..2.3",    "256.0.0.1", "1.2.3.256",
          "1.2.3.999", "1.2.3.1000", "01.2.3.4", "1.2.3.04",  "00.0.0.0",  "1.2.3.4 ",
          " 1.2.3.4",  "+1.2.3.4",   "-1.2.3.4", "0x1.2.3.4", "1.2.3.a",   "1,2,3,4"}) {
        CAPTURE(text);
        CHECK_FALSE(ipv4::parse_address(text));
    }
    CHECK_FALSE(ipv4::parse_address(text_view{"1.2.3.4", 8}));
}

TEST_CASE("text: an address is a range of characters, not a terminated string") {
    const auto parsed = ipv4::parse_address(text_view{"10.0.0.255", 8});
    REQUIRE(parsed);
    CHECK(*parsed == "10.0.0.2"_ip);
}

TEST_CASE("text: formatted text parses again, and agrees with printf") {
    wire_test::random_bytes random{7};
    for (int i = 0; i < 5000; ++i) {
        const ipv4::address a{static_cast<u32>(random.next() >> (random.below(4) * 8))};
        char expected[16];
        std::snprintf(expected, sizeof expected, "%u.%u.%u.%u", unsigned{a.byte(0)},
                      unsigned{a.byte(1)}, unsigned{a.byte(2)}, unsigned{a.byte(3)});
        const auto text = ipv4::to_text(a);
        CHECK(std::string{text.c_str()} == expected);
        const auto parsed = ipv4::parse_address(text);
        REQUIRE(parsed);
        CHECK(*parsed == a);
    }
}

TEST_CASE("text: prefixes must be canonical, interface addresses need not") {
    CHECK(ipv4::parse_prefix("10.0.0.0/8"));
    CHECK(ipv4::parse_prefix("0.0.0.0/0"));
    CHECK(ipv4::parse_prefix("1.2.3.4/32"));
    CHECK(ipv4::parse_interface_address("10.0.0.1/8"));
    for (const char* text : {"10.0.0.1/8", "0.0.0.1/0", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33",
                             "10.0.0.0/08", "10.0.0.0/8 ", "10.0.0.0/-1", "10.0.0.0/255", "/8"}) {
        CAPTURE(text);
        CHECK_FALSE(ipv4::parse_prefix(text));
    }
    CHECK(std::string{ipv4::to_text("10.0.0.0/8"_prefix).c_str()} == "10.0.0.0/8");
    CHECK(std::string{ipv4::to_text("255.255.255.255/32"_net).c_str()} == "255.255.255.255/32");
}

TEST_CASE("text: what does not fit is cut, and a zero ends what does") {
    short_text<3> text;
    detail::text_appender<3> to{text};
    to += "ab";
    to += u32{45};
    to += 'c';
    CHECK(text.size() == 3);
    CHECK(std::string{text.c_str()} == "ab4");
}

TEST_CASE("text: prints to a stream, and compares with strings") {
    std::ostringstream out;
    out << ipv4::to_text("10.0.0.2"_ip) << ' ' << ethernet::to_text("02:00:5e:10:ab:ff"_mac);
    CHECK(out.str() == "10.0.0.2 02:00:5e:10:ab:ff");
    char printed[16];
    std::snprintf(printed, sizeof printed, "%s", ipv4::to_text("10.0.0.2"_ip).c_str());
    CHECK(std::string{printed} == "10.0.0.2");
    const auto text = ipv4::to_text("10.0.0.2"_ip);
    CHECK(text == "10.0.0.2");
    for (const char* other : {"", "10.0.0.", "10.0.0.3", "10.0.0.22"}) {
        CHECK_FALSE(text == other);
    }
}

TEST_CASE("text: MAC addresses in both notations") {
    const auto expected = ethernet::address{{0x02, 0x00, 0x5e, 0x10, 0xab, 0xff}};
    CHECK(*ethernet::parse_address("02:00:5e:10:ab:ff") == expected);
    CHECK(*ethernet::parse_address("02-00-5E-10-AB-FF") == expected);
    CHECK("02:00:5e:10:ab:ff"_mac == expected);
    CHECK(std::string{ethernet::to_text(expected).c_str()} == "02:00:5e:10:ab:ff");
    for (const char* text :
         {"", "02:00:5e:10:ab", "02:00:5e:10:ab:f", "02:00:5e:10:ab:fg", "02:00-5e:10:ab:ff",
          "02:00:5e:10:ab:ff:", "0200.5e10.abff", "g2:00:5e:10:ab:ff", "0@:00:5e:10:ab:ff",
          "0`:00:5e:10:ab:ff", "0/:00:5e:10:ab:ff", "0::00:5e:10:ab:ff", "0G:00:5e:10:ab:ff"}) {
        CAPTURE(text);
        CHECK_FALSE(ethernet::parse_address(text));
    }
}

TEST_CASE("text: format writes only into a buffer that is large enough") {
    std::array<char, 24> buffer{};
    buffer.fill('#');
    CHECK(ipv4::format("10.20.30.40"_ip, std::span<char>{buffer}.first(10)) == 0);
    CHECK(buffer[0] == '#');
    CHECK(ipv4::format("10.20.30.40"_ip, std::span<char>{buffer}.first(11)) == 11);
    CHECK(std::string(buffer.data(), 12) == "10.20.30.40#");
    CHECK(ipv4::format("10.0.0.0/8"_prefix, buffer) == 10);
    CHECK(ipv4::format("10.0.0.1/8"_net, buffer) == 10);
    CHECK(ethernet::format(ethernet::broadcast, buffer) == 17);
}

TEST_CASE("text: hex literals ignore blanks and keep every byte") {
    constexpr auto packet = "45 00\n00ff 0aF0"_hex;
    static_assert(packet.size() == 6);
    CHECK(packet[0] == std::byte{0x45});
    CHECK(packet[3] == std::byte{0xff});
    CHECK(packet[5] == std::byte{0xf0});
    CHECK(""_hex.size() == 0);
}

}  // namespace wire_text
