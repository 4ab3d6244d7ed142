#include <doctest/doctest.h>

#include <sluice/wire/address.hpp>
#include <sluice/wire/literals.hpp>

namespace wire_address {
using namespace sluice;
using namespace sluice::literals;

TEST_CASE("address: bytes and comparison") {
    const auto a = ipv4::address::from_bytes(10, 0, 1, 255);
    CHECK(a.value == 0x0a0001ff);
    CHECK(a.byte(0) == 10);
    CHECK(a.byte(3) == 255);
    CHECK("10.0.0.1"_ip < "10.0.1.0"_ip);
    CHECK("127.255.255.255"_ip < "128.0.0.0"_ip);
    CHECK(ipv4::address{} == "0.0.0.0"_ip);
}

TEST_CASE("address: each special block from its first to its last address, and not beyond") {
    struct row {
        const char* name;
        bool (ipv4::address::*is)() const noexcept;
        ipv4::address first;
        ipv4::address last;
    };
    const row rows[] = {
        {.name = "loopback",
         .is = &ipv4::address::is_loopback,
         .first = "127.0.0.0"_ip,
         .last = "127.255.255.255"_ip},
        {.name = "zero network",
         .is = &ipv4::address::is_zero_network,
         .first = "0.0.0.0"_ip,
         .last = "0.255.255.255"_ip},
        {.name = "multicast",
         .is = &ipv4::address::is_multicast,
         .first = "224.0.0.0"_ip,
         .last = "239.255.255.255"_ip},
        {.name = "local multicast",
         .is = &ipv4::address::is_link_local_multicast,
         .first = "224.0.0.0"_ip,
         .last = "224.0.0.255"_ip},
        {.name = "link local",
         .is = &ipv4::address::is_link_local,
         .first = "169.254.0.0"_ip,
         .last = "169.254.255.255"_ip},
        {.name = "class e",
         .is = &ipv4::address::is_class_e,
         .first = "240.0.0.0"_ip,
         .last = "255.255.255.255"_ip},
        {.name = "limited broadcast",
         .is = &ipv4::address::is_limited_broadcast,
         .first = "255.255.255.255"_ip,
         .last = "255.255.255.255"_ip},
        {.name = "unspecified",
         .is = &ipv4::address::is_unspecified,
         .first = "0.0.0.0"_ip,
         .last = "0.0.0.0"_ip},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK((r.first.*r.is)());
        CHECK((r.last.*r.is)());
        if (r.first.value != 0) CHECK_FALSE((ipv4::address{r.first.value - 1}.*r.is)());
        if (r.last.value != ~u32{0}) CHECK_FALSE((ipv4::address{r.last.value + 1}.*r.is)());
    }
}

TEST_CASE("prefix: always canonical") {
    CHECK(ipv4::prefix{"10.1.2.3"_ip, 8} == "10.0.0.0/8"_prefix);
    CHECK(ipv4::prefix{"10.1.2.3"_ip, 0} == ipv4::prefix{});
    CHECK(ipv4::prefix{"10.1.2.3"_ip, 77}.length == 32);
}

TEST_CASE("prefix: mask, first and last address for every length") {
    for (unsigned length = 0; length <= 32; ++length) {
        u64 expected = 0;
        for (unsigned i = 0; i < length; ++i)
            expected |= u64{1} << (31 - i);
        CAPTURE(length);
        CHECK(ipv4::mask_bits(length) == expected);
        const ipv4::prefix p{"203.0.113.77"_ip, length};
        CHECK(p.contains(p.base));
        CHECK(p.contains(p.broadcast()));
        CHECK(p.contains("203.0.113.77"_ip));
        if (length > 0) {
            CHECK_FALSE(p.contains(ipv4::address{p.base.value - 1}));
            CHECK_FALSE(p.contains(ipv4::address{p.broadcast().value + 1}));
        }
    }
}

TEST_CASE("prefix: contains a longer prefix within it only") {
    CHECK("10.0.0.0/8"_prefix.contains("10.3.0.0/16"_prefix));
    CHECK("10.0.0.0/8"_prefix.contains("10.0.0.0/8"_prefix));
    CHECK_FALSE("10.0.0.0/16"_prefix.contains("10.0.0.0/8"_prefix));
    CHECK_FALSE("10.0.0.0/8"_prefix.contains("11.0.0.0/16"_prefix));
    CHECK(ipv4::prefix{}.contains("255.255.255.255/32"_prefix));
}

TEST_CASE("interface address: network and directed broadcast") {
    const auto local = "10.0.1.1/24"_net;
    CHECK(local.network() == "10.0.1.0/24"_prefix);
    CHECK(local.mask() == "255.255.255.0"_ip);
    CHECK(local.broadcast() == "10.0.1.255"_ip);
    CHECK(local.on_link("10.0.1.200"_ip));
    CHECK_FALSE(local.on_link("10.0.2.1"_ip));
    CHECK(local.has_broadcast());
    CHECK("10.0.1.1/30"_net.has_broadcast());
    CHECK_FALSE("10.0.1.1/31"_net.has_broadcast());
    CHECK_FALSE("10.0.1.1/32"_net.has_broadcast());
}

}  // namespace wire_address
