// What goes to many and to ourselves is heard here once, by whatever interface it goes: a broadcast
// over lo comes back by itself, and is not copied as well. Linux ip_mc_output, loopback_xmit.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_heard_once {

namespace {

using namespace endpoint_test;

constexpr ipv4::address group = "239.1.2.3"_ip;

TEST_CASE("heard once: broadcasts and multicasts, over lo and over a link") {
    const struct {
        const char* name;
        ipv4::address to;
        u16 interface;  // of the multicast
        u16 joined;     // 0: nowhere
        bool loops;
        std::size_t heard;
        std::size_t sent;
    } rows[] = {
        {"a broadcast of lo", "127.255.255.255"_ip, 0, 0, true, 1, 0},
        {"a directed broadcast", "10.0.2.255"_ip, 0, 0, true, 1, 1},
        {"the limited broadcast", "255.255.255.255"_ip, 3, 0, true, 1, 1},
        {"ourselves", "10.0.2.1"_ip, 0, 0, true, 1, 0},
        {"ourselves, by lo", "127.0.0.1"_ip, 0, 0, true, 1, 0},
        {"a group over a link", group, 3, 3, true, 1, 1},
        {"a group of another link", group, 3, 2, true, 0, 1},
        {"a group over a link, not looped", group, 3, 3, false, 0, 1},
        {"a group over lo", group, 1, 1, true, 1, 0},
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
