#include <doctest/doctest.h>

#include <sluice/wire/icmp_messages.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

#include <array>

namespace wire_icmp {
using namespace sluice;
using namespace sluice::literals;

TEST_CASE("icmp: the last four bytes under each of their names") {
    const auto data = "0304abcd 1122 f3e5"_hex;
    const icmp::const_view m{data.data()};
    CHECK(m[icmp::type] == icmp::types::destination_unreachable);
    CHECK(m[icmp::code] == icmp::unreachable::fragmentation_needed);
    CHECK(m[icmp::checksum] == 0xabcd);
    CHECK(m[icmp::rest_of_header] == 0x1122f3e5);
    CHECK(m[icmp::identifier] == 0x1122);
    CHECK(m[icmp::sequence] == 0xf3e5);
    CHECK(m[icmp::gateway] == "17.34.243.229"_ip);
    CHECK(m[icmp::next_hop_mtu] == 0xf3e5);
    CHECK(m[icmp::pointer] == 0x11);
    CHECK(m[icmp::quote_words] == 0x22);
    CHECK(m[icmp::extended_sequence] == 0xf3);
    CHECK(m[icmp::local_bit]);
    CHECK(m[icmp::neighbor_state] == 7);
    CHECK(m[icmp::active_bit]);
    CHECK_FALSE(m[icmp::ipv4_bit]);
    CHECK(m[icmp::ipv6_bit]);
}

TEST_CASE("icmp: factories make the golden bytes") {
    struct row {
        const char* name;
        icmp::header made;
        std::array<std::byte, 8> expected;
    };
    const row rows[] = {
        {.name = "echo",
         .made = icmp::header::echo(icmp::types::echo_request, 0x1234, 7),
         .expected = "0800000012340007"_hex},
        {.name = "unreachable",
         .made = icmp::header::destination_unreachable(icmp::unreachable::port),
         .expected = "0303000000000000"_hex},
        {.name = "too big",
         .made = icmp::header::fragmentation_needed(1400),
         .expected = "0304000000000578"_hex},
        {.name = "redirect",
         .made = icmp::header::redirect(icmp::redirects::host, "10.0.1.254"_ip),
         .expected = "050100000a0001fe"_hex},
        {.name = "exceeded",
         .made = icmp::header::time_exceeded(icmp::exceeded::reassembly),
         .expected = "0b01000000000000"_hex},
        {.name = "problem",
         .made = icmp::header::parameter_problem(20),
         .expected = "0c00000014000000"_hex},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        std::array<std::byte, 8> out{};
        out.fill(std::byte{0xa5});
        CHECK(emit_value(r.made, out));
        CHECK(out == r.expected);
        CHECK(*parse_value<icmp::header>(out) == r.made);
    }
}

TEST_CASE("icmp: timestamp, mask and advertisement layouts") {
    const auto data = "0d000000 12340007 00000001 00000002 80000003"_hex;
    const icmp::const_timestamp_view t{data.data()};
    CHECK(t[icmp::identifier] == 0x1234);
    CHECK(t[icmp::originate_time] == 1);
    CHECK(t[icmp::receive_time] == 2);
    CHECK(t[icmp::transmit_time] == 0x80000003);
    const auto mask = "12000000 12340007 ffffff00"_hex;
    CHECK(icmp::const_address_mask_view{mask.data()}[icmp::address_mask] == "255.255.255.0"_ip);
    const auto routers = "0900 0000 0302 0708"_hex;
    const icmp::const_router_advertisement_view a{routers.data()};
    CHECK(a[icmp::address_count] == 3);
    CHECK(a[icmp::entry_words] == 2);
    CHECK(a[icmp::lifetime] == 0x708);
}

TEST_CASE("icmp: default values are zero except the type") {
    std::array<std::byte, 20> out{};
    out.fill(std::byte{0xa5});
    const icmp::timestamp_message asking;
    REQUIRE(emit_value(asking, out));
    CHECK(out == "0d000000 00000000 00000000 00000000 00000000"_hex);
    const icmp::header answering;
    REQUIRE(emit_value(answering, out));
    CHECK(equal_bytes(const_bytes{out}.first(8), "0000000000000000"_hex));
}

TEST_CASE("icmp: values lose nothing") {
    wire_test::random_bytes random{61};
    for (int round = 0; round < 1000; ++round) {
        const auto data = random.make(20);
        std::array<std::byte, 20> out{};
        const auto message = parse_value<icmp::timestamp_message>(data);
        REQUIRE(message);
        REQUIRE(emit_value(*message, out));
        CHECK(equal_bytes(out, data));
        REQUIRE(emit_value(*parse_value<icmp::header>(data), out));
        CHECK(equal_bytes(const_bytes{out}.first(8), const_bytes{data}.first(8)));
    }
    const std::array<std::byte, 19> cut{};
    CHECK(parse_value<icmp::timestamp_message>(cut).error() == wire_error::truncated);
    CHECK(parse_value<icmp::header>(const_bytes{cut}.first(7)).error() == wire_error::truncated);
}

TEST_CASE("icmp: checksum over the whole message, of odd length too") {
    auto data = "0800ffff12340007 616263"_hex;
    icmp::set_checksum(data);
    CHECK(icmp::checksum_ok(data));
    CHECK(load_be<u16>(data.data() + 2) == 0x2162);
    data[10] ^= std::byte{1};
    CHECK_FALSE(icmp::checksum_ok(data));
}

TEST_CASE("icmp: errors, queries and extendable types among all 256") {
    unsigned errors = 0;
    unsigned queries = 0;
    unsigned extended = 0;
    for (unsigned type = 0; type < 256; ++type) {
        const u8 t = static_cast<u8>(type);
        CHECK_FALSE((icmp::is_error(t) && icmp::is_query(t)));
        errors += icmp::is_error(t) ? 1u : 0u;
        queries += icmp::is_query(t) ? 1u : 0u;
        extended += icmp::may_be_extended(t) ? 1u : 0u;
        if (icmp::may_be_extended(t)) CHECK(icmp::is_error(t));
    }
    CHECK(errors == 5);
    CHECK(queries == 6);
    CHECK(extended == 3);
    CHECK(icmp::is_error(icmp::types::redirect));
    CHECK(icmp::is_query(icmp::types::extended_echo_request));
    CHECK_FALSE(icmp::may_be_extended(icmp::types::redirect));
}

}  // namespace wire_icmp
