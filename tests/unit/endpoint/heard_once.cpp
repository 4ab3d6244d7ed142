// A broadcast or multicast of this host is received here once, by any interface: a broadcast over
// lo is looped back, and not copied as well. Linux ip_mc_output, loopback_xmit.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_heard_once {

namespace {

using namespace endpoint_test;

constexpr ipv4::address group = "239.1.2.3"_ip;

TEST_CASE("heard once: broadcasts and multicasts, over lo and over a link") {
    const struct {
        const char* name;
        ipv4::address to = group;
        u16 interface = 0;  // of the multicast
        u16 joined = 0;     // 0: nowhere
        bool loops;
        std::size_t heard;
        std::size_t sent = 1;
    } rows[] = {
        {.name = "a broadcast of lo",
         .to = "127.255.255.255"_ip,
         .loops = true,
         .heard = 1,
         .sent = 0},
        {.name = "a directed broadcast", .to = "10.0.2.255"_ip, .loops = true, .heard = 1},
        {.name = "the limited broadcast",
         .to = "255.255.255.255"_ip,
         .interface = 3,
         .loops = true,
         .heard = 1},
        {.name = "ourselves", .to = "10.0.2.1"_ip, .loops = true, .heard = 1, .sent = 0},
        {.name = "ourselves, by lo", .to = "127.0.0.1"_ip, .loops = true, .heard = 1, .sent = 0},
        {.name = "a group over a link", .interface = 3, .joined = 3, .loops = true, .heard = 1},
        {.name = "a group of another link", .interface = 3, .joined = 2, .loops = true, .heard = 0},
        {.name = "a group over a link, not looped",
         .interface = 3,
         .joined = 3,
         .loops = false,
         .heard = 0},
        {.name = "a group over lo",
         .interface = 1,
         .joined = 1,
         .loops = true,
         .heard = 1,
         .sent = 0},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket s{*b};
        udp_socket to{*b};
        s.options().may_broadcast = true;
        s.options().multicast_interface = r.interface;
        s.options().multicast_loop = r.loops;
        if (r.to.is_limited_broadcast()) s.options().interface = r.interface;
        if (r.joined != 0) REQUIRE(b->groups().join(r.joined, group));
        REQUIRE(to.bind({{}, 7001}).has_value());
        REQUIRE(s.bind({{}, 7000}).has_value());
        REQUIRE(s.send(pattern(3), {r.to, 7001}, b.now).has_value());
        CHECK(to.waiting_packets() == r.heard);
        CHECK(b.sent().size() == r.sent);
        CHECK(b->counters()[mib::udp_in_datagrams] == r.heard);
        CHECK(b->counters()[mib::ip_in_receives] == r.heard);
        CHECK(b->counters()[mib::udp_out_datagrams] == 1);
    }
}

}  // namespace

}  // namespace endpoint_heard_once
