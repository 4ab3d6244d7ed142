// print: the lines that a Linux 6.18 printed of the same tables.
#include <doctest/doctest.h>

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/print.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/literals.hpp>

#include "support/datagrams.hpp"

#include <string>

namespace multicast_print {

namespace {

using namespace sluice;
using namespace sluice::literals;

using pool = fixed_pool<512, 8>;
using cache = forwarding_cache<1>::model<pool::packet_type>;
using wide_cache = forwarding_cache<4>::model<pool::packet_type>;

const char* name_of(u16 index) {
    return index == 2 ? "if0" : index == 3 ? "if1" : "pimreg";
}

template <class Cache>
std::string entries_of(const Cache& c) {
    std::string printed;
    print_multicast_routes(c, [&](const char* piece) { printed += piece; });
    return printed;
}

TEST_CASE("ip_mr_vif") {
    wide_cache c{testing::fixed_seed};
    REQUIRE(c.add_vif(0, {.interface = 2, .local = "10.0.1.1"_ip}).has_value());
    REQUIRE(c.add_vif(12, {.kind = vif_kind::pim_register, .interface = 9}).has_value());
    multicast_entry e{.source = "10.0.1.2"_ip, .group = "239.1.1.1"_ip};
    e.thresholds[12] = 1;
    REQUIRE(c.add(e).has_value());
    c.count_entry(c.find(e.source, e.group, 2, 9), 1500, {});
    c.count_out(12, 123'456'789);
    std::string printed;
    print_vifs(c, name_of, [&](const char* piece) { printed += piece; });
    CHECK(printed == "Interface      BytesIn  PktsIn  BytesOut PktsOut Flags Local    Remote\n"
                     " 0 if0            1500       1         0       0 00000 0101000A 00000000\n"
                     "12 pimreg            0       0  123456789       1 00004 00000000 00000000\n");
}

TEST_CASE("ip_mr_cache") {
    pool buffers;  // outlives the packets in the cache
    cache c{testing::fixed_seed};
    for (u8 n = 0; n < 3; ++n)
        REQUIRE(c.add_vif(n, {.interface = static_cast<u16>(n + 2)}).has_value());
    CHECK(entries_of(c) == "Group    Origin   Iif     Pkts    Bytes    Wrong Oifs\n");
    multicast_entry e{.source = "10.0.1.2"_ip, .group = "239.1.1.1"_ip};
    e.thresholds[1] = 1;
    e.thresholds[2] = 16;
    REQUIRE(c.add(e).has_value());
    REQUIRE(
        c.hold(support::packet_of(buffers, support::datagram_of({.source = "10.0.1.1"_ip,
                                                                 .destination = "239.9.9.9"_ip})),
               {}));
    CHECK(entries_of(c) == "Group    Origin   Iif     Pkts    Bytes    Wrong Oifs\n"
                           "010101EF 0201000A 0          0        0        0  1:1    2:16 \n"
                           "090909EF 0101000A -1         0        0        0\n");
    // By the format of that file, an entry with a packet by the wrong interface.
    e.upstream = 11;
    e.thresholds = {};
    e.thresholds[0] = 128;
    REQUIRE(c.add(e).has_value());
    const auto wrong = c.find(e.source, e.group, 3, 9);
    c.count_entry(wrong, 40, {});
    CHECK(c.count_wrong_interface(wrong, {}) == multicast_report::none);
    CHECK(entries_of(c).find("010101EF 0201000A 11         1       40        1  0:128\n") !=
          std::string::npos);
}

}  // namespace

}  // namespace multicast_print
