#include <doctest/doctest.h>

#include <sluice/wire/ipv4_options.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

#include <string>

namespace wire_ipv4_options {
using namespace sluice;
using namespace sluice::literals;

namespace {

// "kind@offset+size ..." and at the end "end@offset" or "bad@offset".
std::string walk(const_bytes list) {
    std::string seen;
    option_cursor at{list};
    while (at.next()) {
        seen += std::to_string(at.kind()) + '@' + std::to_string(at.offset()) + '+' +
                std::to_string(at.option().size()) + ' ';
    }
    const bool again = at.next();
    return seen +
           (again            ? "again"
            : at.malformed() ? "bad"
                             : "end") +
           '@' + std::to_string(at.offset());
}

}  // namespace

TEST_CASE("options: walks") {
    struct row {
        const char* name;
        std::string seen;
        std::string expected;
    };
    const row rows[] = {
        {.name = "nothing", .seen = walk({}), .expected = "end@0"},
        {.name = "end of list", .seen = walk("00"_hex), .expected = "end@0"},
        {.name = "bytes behind the end are not options",
         .seen = walk("01009404"_hex),
         .expected = "1@0+1 end@1"},
        {.name = "paddings", .seen = walk("010101"_hex), .expected = "1@0+1 1@1+1 1@2+1 end@3"},
        {.name = "router alert", .seen = walk("94040000"_hex), .expected = "148@0+4 end@4"},
        {.name = "two",
         .seen = walk("07070400000000 44080500 00000000"_hex),
         .expected = "7@0+7 68@7+8 end@15"},
        {.name = "no length byte", .seen = walk("0107"_hex), .expected = "1@0+1 bad@1"},
        {.name = "length 0", .seen = walk("07000400"_hex), .expected = "bad@0"},
        {.name = "length 1", .seen = walk("07010400"_hex), .expected = "bad@0"},
        {.name = "length 2", .seen = walk("070201"_hex), .expected = "7@0+2 1@2+1 end@3"},
        {.name = "one byte beyond the end",
         .seen = walk("010705040000"_hex),
         .expected = "1@0+1 7@1+5 end@6"},
        {.name = "length beyond the end",
         .seen = walk("010706040000"_hex),
         .expected = "1@0+1 bad@1"},
        {.name = "length 255", .seen = walk("83ff0400"_hex), .expected = "bad@0"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(r.seen == r.expected);
    }
}

TEST_CASE("options: any bytes are walked within their bounds and without overlap") {
    wire_test::random_bytes random{51};
    std::size_t steps = 0;
    for (int round = 0; round < 20000; ++round) {
        auto list = random.make(random.below(41));
        for (auto& one : list) {
            if (random.below(3) != 0) one = static_cast<std::byte>(random.below(12));
        }
        std::size_t expected = 0;
        option_cursor at{list};
        while (at.next()) {
            ++steps;
            CHECK(at.offset() == expected);
            CHECK(at.option().data() == list.data() + at.offset());
            CHECK(at.data().size() == (at.option().size() < 2 ? 0 : at.option().size() - 2));
            expected += at.option().size();
        }
        CHECK(at.offset() == expected);
        CHECK(expected <= list.size());
    }
    CHECK(steps > 15'000);
}

TEST_CASE("options: a mutable cursor rewrites in place") {
    auto list = "01 94040000 00"_hex;
    for (mutable_option_cursor at{list}; at.next();) {
        if (at.kind() == ipv4::option_kinds::router_alert) {
            ipv4::router_alert_view{at.option().data()}.set(ipv4::router_alert_value, 0x1234);
        }
    }
    CHECK(list == "01 94041234 00"_hex);
}

TEST_CASE("options: the three parts of all 256 kinds") {
    for (unsigned kind = 0; kind < 256; ++kind) {
        const u8 k = static_cast<u8>(kind);
        CHECK(ipv4::is_copied(k) == (kind / 128 == 1));
        CHECK(ipv4::option_class(k) == kind / 32 % 4);
        CHECK(ipv4::option_number(k) == kind % 32);
        CHECK(ipv4::is_single_byte(k) == (kind < 2));
        CHECK(ipv4::is_source_route(k) == (kind == 131 || kind == 137));
    }
}

TEST_CASE("options: which of the known kinds go into every fragment") {
    namespace kinds = ipv4::option_kinds;
    for (const u8 copied : {kinds::security, kinds::loose_source_route, kinds::extended_security,
                            kinds::cipso, kinds::stream_id, kinds::strict_source_route,
                            kinds::router_alert, kinds::selective_directed_broadcast}) {
        CHECK(ipv4::is_copied(copied));
    }
    for (const u8 once : {kinds::record_route, kinds::timestamp, kinds::traceroute,
                          kinds::mtu_probe, kinds::quick_start}) {
        CHECK_FALSE(ipv4::is_copied(once));
    }
}

TEST_CASE("options: addresses of a route option, within its room only") {
    auto route = "070b04 0a000001 0a000002"_hex;
    CHECK(ipv4::const_route_option_view{route.data()}[ipv4::option_pointer] == 4);
    CHECK(ipv4::route_slots(route) == 2);
    CHECK(ipv4::route_address(route, 1) == "10.0.0.2"_ip);
    CHECK(ipv4::route_address(route, 2) == ipv4::unspecified);
    CHECK(ipv4::set_route_address(route, 0, "1.2.3.4"_ip));
    CHECK_FALSE(ipv4::set_route_address(route, 2, "1.2.3.4"_ip));
    CHECK(route == "070b04 01020304 0a000002"_hex);
    CHECK(ipv4::route_slots(const_bytes{route}.first(10)) == 1);
    CHECK(ipv4::route_slots(const_bytes{route}.first(2)) == 0);
}

TEST_CASE("options: overflow and flag of a timestamp option are its nibbles") {
    const auto option = "4408 05 f3 00000000"_hex;
    const ipv4::const_timestamp_option_view view{option.data()};
    CHECK(view[ipv4::timestamp_overflow] == 15);
    CHECK(view[ipv4::timestamp_flag] == ipv4::timestamp_flags::prespecified);
    CHECK(view[ipv4::option_pointer] == ipv4::first_timestamp_pointer);
}

}  // namespace wire_ipv4_options
