// A tunnel as a VIF: a multicast crosses it between two routers, as DVMRP tunnels carry it.
#include <doctest/doctest.h>

#include <sluice/link/tunnels.hpp>
#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include "support/datagrams.hpp"
#include "support/packet_checks.hpp"
#include "support/sent.hpp"

namespace link_multicast_tunnels {

namespace {

using namespace support;
using namespace sluice;

struct routing
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64>>, reassembly<bounded_cache<8>>,
               output<with_tunnels<queue_output<16>>>, multicast_routes<forwarding_cache<8>>> {};

constexpr ipv4::address source_host = "10.0.1.2"_ip;
constexpr ipv4::address group = "239.1.1.1"_ip;

// A router with a network on interface 2, the other router on 3, and the tunnel to it on 9.
struct router {
    stack<routing> s;
    tunnels<stack<routing>, 2> ends;

    router(ipv4::interface_address inside, ipv4::interface_address outside, ipv4::address remote,
           u8 upstream)
        : s{{.seed = testing::fixed_seed}}, ends{s} {
        REQUIRE(s.add_interface({.index = 2, .address = inside}).has_value());
        REQUIRE(s.add_interface({.index = 3, .address = outside}).has_value());
        REQUIRE(ends.add({.index = 9, .mtu = 0},
                         {.local = outside.address, .remote = remote, .inherits_ttl = true})
                    .has_value());
        REQUIRE(s.open_multicast_routes().has_value());
        REQUIRE(s.add_vif(0, {.interface = 2}).has_value());
        REQUIRE(s.add_vif(1, {.kind = vif_kind::tunnel,
                              .interface = 9,
                              .local = outside.address,
                              .remote = remote})
                    .has_value());
        multicast_entry e{.source = source_host, .group = group, .upstream = upstream};
        e.thresholds[1 - upstream] = 1;
        REQUIRE(s.add_multicast_route(e, {}).has_value());
    }
    std::vector<sent_packet> receive(const byte_vector& d, u16 by) {
        auto came = packet_of(s.buffers(), d);
        came.set_interface(by);
        static_cast<void>(s.receive(std::move(came), {}));
        return take_sent(s.output().beneath());
    }
};

TEST_CASE("a multicast goes into a tunnel VIF and comes out of one") {
    router near{"10.0.1.1/24"_net, "192.0.2.1/24"_net, "192.0.2.2"_ip, 0};
    router far{"10.0.5.1/24"_net, "192.0.2.2/24"_net, "192.0.2.1"_ip, 1};
    const auto inner = [](u8 ttl, u16 flags, std::size_t size) {
        return datagram_of({.source = source_host,
                            .destination = group,
                            .ttl = ttl,
                            .flags_and_offset = flags,
                            .payload = pattern(size)});
    };
    const auto outer = near.receive(inner(9, 0, 40), 2);
    REQUIRE(outer.size() == 1);
    CHECK(outer[0].to.interface == 3);
    check(outer[0].datagram, right_sums(), source("192.0.2.1"_ip), destination("192.0.2.2"_ip),
          protocol(ipv4::protocols::ipip), ttl(8));
    const auto out = far.receive(outer[0].datagram, 3);
    REQUIRE(out.size() == 1);
    CHECK(out[0].to.interface == 2);
    CHECK(out[0].to.next_hop == group);
    CHECK(out[0].datagram == inner(7, 0, 40));
    CHECK(near.s.multicast_routes().vifs().traffic_of(1).out.bytes == 60);
    CHECK(far.s.multicast_routes().vifs().traffic_of(1).in.bytes == 60);

    // The tunnel's MTU counts: 1480 bytes.
    CHECK(near.receive(inner(9, 0x4000, 1460), 2).size() == 1);
    CHECK(near.receive(inner(9, 0x4000, 1461), 2).empty());
    CHECK(near.s.counters()[drop_reason::multicast_too_big] == 1);
    CHECK(near.receive(inner(9, 0, 1461), 2).size() == 2);
}

TEST_CASE("a tunnel VIF goes with its tunnel") {
    router r{"10.0.1.1/24"_net, "192.0.2.1/24"_net, "192.0.2.2"_ip, 0};
    REQUIRE(r.ends.remove(9).has_value());
    CHECK(r.s.multicast_routes().vifs().present() == 1);
    CHECK(
        r.receive(datagram_of({.source = source_host, .destination = group, .ttl = 9}), 2).empty());
}

}  // namespace

}  // namespace link_multicast_tunnels
