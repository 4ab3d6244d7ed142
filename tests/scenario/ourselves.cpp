// Datagrams to local addresses are looped back. Broadcasts, and multicasts to joined groups, are
// looped back and transmitted. RFC 1122 section 3.2.1.3, RFC 1112 section 6.1.
#include <doctest/doctest.h>

#include "support/busy_world.hpp"

namespace scenario_ourselves {

using namespace stack_test;

namespace {

using packet_type = stack<linux_host>::packet_type;

struct ear final : packet_sink<packet_type> {
    bool take(packet_type& p, const delivery_info& d) noexcept override {
        ++times;
        info = d;
        size = p.size();
        p.reset();
        return true;
    }
    u32 times = 0;
    u32 size = 0;
    delivery_info info{};
};

struct hearing_world : busy_world<linux_host> {
    hearing_world() {
        REQUIRE((**this).delivery().add_udp({.protocol = 17, .local_port = 5000}, heard));
    }
    ear heard;

    bool send(ipv4::address to, u16 port = 5000, std::size_t payload = 30) {
        return (**this)
            .send(packet(support::udp_message(0, port, byte_vector(payload))),
                  {.destination = to, .protocol = 17}, {})
            .has_value();
    }
};

constexpr struct {
    const char* name;
    ipv4::address to;
    u32 heard = 0;
    std::size_t leaves = 0;
    u16 interface = 0;
} rows[] = {
    {.name = "the loopback address", .to = "127.0.0.1"_ip, .heard = 1, .interface = 1},
    {.name = "any address of the loopback net", .to = "127.9.8.7"_ip, .heard = 1, .interface = 1},
    {.name = "a local address", .to = "10.0.1.1"_ip, .heard = 1, .interface = 2},
    {.name = "a local address on another interface",
     .to = "10.0.3.1"_ip,
     .heard = 1,
     .interface = 4},
    {.name = "a broadcast", .to = "10.0.1.255"_ip, .heard = 1, .leaves = 1, .interface = 2},
    {.name = "a group that we joined",
     .to = "239.1.1.1"_ip,
     .heard = 1,
     .leaves = 1,
     .interface = 2},
    {.name = "a neighbour", .to = "10.0.1.9"_ip, .leaves = 1},
};

}  // namespace

TEST_CASE("who receives the datagrams that this host sends") {
    for (const auto& r : rows) {
        CAPTURE(r.name);
        hearing_world w;
        if (r.to.is_multicast()) {
            REQUIRE(w->add_route({.prefix = "224.0.0.0/4"_prefix, .interface = 2}).has_value());
        }
        REQUIRE(w.send(r.to));
        CHECK(w.heard.times == r.heard);
        CHECK(w->output().size() == r.leaves);
        if (r.heard != 0) {
            CHECK(w.heard.size == 30);
            CHECK(w.heard.info.interface == r.interface);
            CHECK(w.heard.info.destination == r.to);
        }
    }
}

TEST_CASE("this host does not receive its own datagrams to a group that it did not join") {
    hearing_world w;
    REQUIRE(w->add_route({.prefix = "224.0.0.0/4"_prefix, .interface = 2}).has_value());
    REQUIRE(w.send("239.9.9.9"_ip));
    CHECK(w.heard.times == 0);
    CHECK(w->output().size() == 1);
}

TEST_CASE("a closed port of this host answers this host's own datagram") {
    hearing_world w;
    REQUIRE(w.send("10.0.1.1"_ip, 9, 0));
    CHECK(w->counters()[mib::icmp_out_dest_unreachs] == 1);
    CHECK(w->counters()[mib::icmp_in_dest_unreachs] == 1);
    CHECK(w->output().size() == 0);
}

}  // namespace scenario_ourselves
