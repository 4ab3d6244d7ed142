// icmp_extension: the structure behind the quote of an error, byte by byte, and its absence.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/icmp_error.hpp>
#include <sluice/rewrite/icmp_extension.hpp>

#include "support/datagrams.hpp"

namespace rewrite_icmp_extension {

namespace {

using namespace support;

interface link_named(const char* name) {
    interface i{};
    i.index = 2;
    i.mtu = 1400;
    i.name = name;
    return i;
}
settings switched_on() {
    settings s;
    s.icmp_errors_extension_mask = 1;
    return s;
}
byte_vector bytes_of(const rewrite::error_extension& e) {
    return {e.data, e.data + e.size};
}
void give(interface& i, ipv4::interface_address net, u8 scope, bool secondary) {
    REQUIRE(i.addresses.push_back({net, {}, scope, secondary}));
}

TEST_CASE("icmp extension: index, address, name and MTU, as Linux writes them") {
    interface in = link_named("eth0");
    give(in, "10.0.1.1/24"_net, scopes::universe, false);
    const byte_vector got = bytes_of(rewrite::extension_of_error(11, 2, &in, switched_on()));
    byte_vector expected =
        list({0x20, 0,   0,   0, 0, 40, 2, 0x0f, 0, 0, 0, 2, 0, 1, 0, 0, 10, 0, 1, 1, 20,   'e',
              't',  'h', '0', 0, 0, 0,  0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0x05, 0x78});
    store_be<u16>(expected.data() + 2, checksum::compute(expected));
    CHECK((got == expected));
    CHECK(got.size() == rewrite::max_error_extension);
}

TEST_CASE("icmp extension: missing properties of an interface are left out") {
    const struct {
        const char* name;
        const char* called = "";
        bool with_address = false;
        int bits;
        std::size_t size;
    } rows[] = {
        {.name = "all",
         .called = "fifteen-letters",
         .with_address = true,
         .bits = 0x0f,
         .size = 44},
        {.name = "no address", .called = "if0", .bits = 0x0b, .size = 36},
        {.name = "no name", .with_address = true, .bits = 0x0d, .size = 24},
        {.name = "neither", .bits = 0x09, .size = 16},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        interface in = link_named(r.called);
        if (r.with_address) give(in, "10.0.1.1/24"_net, scopes::universe, false);
        const byte_vector got = bytes_of(rewrite::extension_of_error(3, 2, &in, switched_on()));
        REQUIRE(got.size() == r.size);
        CHECK(got[7] == static_cast<std::byte>(r.bits));
        CHECK(got[5] == static_cast<std::byte>(r.size - 4));
        CHECK(icmp::check_extension(got).has_value());
        icmp::extension_cursor at{got};
        REQUIRE(at.next());
        const auto info =
            icmp::interface_information::parse(at.header()[icmp::object_type], at.payload());
        REQUIRE(info.has_value());
        CHECK(info->index == 2);
        CHECK(info->mtu == 1400);
        CHECK(equal_bytes(info->name, std::as_bytes(std::span{r.called, info->name.size()})));
        CHECK(r.called[info->name.size()] == 0);
        CHECK_FALSE(at.next());
    }
}

TEST_CASE("icmp extension: the address is the first primary one of global scope") {
    interface in = link_named("if0");
    give(in, "10.0.1.7/24"_net, scopes::universe, true);
    give(in, "169.254.0.1/16"_net, scopes::link, false);
    give(in, "239.1.1.1/8"_net, scopes::universe, false);
    CHECK(rewrite::reported_address(in).is_unspecified());
    give(in, "10.0.2.1/24"_net, scopes::universe, false);
    give(in, "10.0.3.1/24"_net, scopes::universe, false);
    CHECK(rewrite::reported_address(in) == "10.0.2.1"_ip);
}

TEST_CASE("icmp extension: a removed interface has its index alone; a local packet has none") {
    const byte_vector gone = bytes_of(rewrite::extension_of_error(12, 9, nullptr, switched_on()));
    byte_vector expected = list({0x20, 0, 0, 0, 0, 8, 2, 0x08, 0, 0, 0, 9});
    store_be<u16>(expected.data() + 2, checksum::compute(expected));
    CHECK((gone == expected));
    CHECK(rewrite::extension_of_error(3, 0, nullptr, switched_on()).size == 0);
}

TEST_CASE("icmp extension: in three types, and only if it is switched on") {
    const interface in = link_named("if0");
    for (int type = 0; type < 256; ++type) {
        CAPTURE(type);
        const u8 t = static_cast<u8>(type);
        CHECK((rewrite::extension_of_error(t, 2, &in, switched_on()).size != 0) ==
              (type == 3 || type == 11 || type == 12));
        CHECK(rewrite::extension_of_error(t, 2, &in, settings{}).size == 0);
    }
}

TEST_CASE("icmp extension: behind 128 bytes of quote, cut or filled up") {
    fixed_pool<1024, 2> pool;
    interface in = link_named("if0");
    const auto extension = rewrite::extension_of_error(12, 2, &in, switched_on());
    for (const u32 quoted : {20u, 28u, 127u, 128u}) {
        CAPTURE(quoted);
        const auto offending = packet_of(pool, datagram_of({.payload = pattern(200)}));
        auto message = pool.take();
        REQUIRE(
            rewrite::write_error(message, offending, icmp_request::parameter_problem(21), quoted));
        REQUIRE(rewrite::append_extension(message, extension));
        const byte_vector got = content_of(message);
        REQUIRE(got.size() == 8 + 128 + extension.size);
        CHECK(icmp::checksum_ok(got));
        CHECK((byte_vector(got.begin() + 4, got.begin() + 8) == list({21, 32, 0, 0})));
        const auto split = icmp::split_extended(got);
        REQUIRE(split.has_value());
        CHECK(equal_bytes(split->quote.first(quoted), offending.head().first(quoted)));
        for (const std::byte padding : split->quote.subspan(quoted))
            CHECK(padding == std::byte{0});
        CHECK(equal_bytes(split->extension, bytes_of(extension)));
    }
    fixed_pool<168, 3> small;
    const u32 room = small.take(0).tailroom();
    auto message = small.take(static_cast<u16>(room - 100));  // for the error, not for more
    const auto offending = packet_of(small, datagram_of({}));
    REQUIRE(rewrite::write_error(message, offending, icmp_request::host_unreachable(), 36));
    CHECK_FALSE(rewrite::append_extension(message, extension));
}

}  // namespace

}  // namespace rewrite_icmp_extension
