// What we send to our own addresses comes back in; broadcasts and multicasts of groups that we
// joined are heard by ourselves and leave too. RFC 1122 section 3.2.1.3, RFC 1112 section 6.1.
#include "support/fixed_stack.hpp"
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace scenario_ourselves {
using namespace sluice;
using namespace sluice::literals;

namespace {

using host = stack<linux_host>;
using packet = host::packet_type;

struct ear final : packet_sink<packet> {
    bool take(packet& p, const delivery_info& d) noexcept override {
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

struct fixture {
    fixture() {
        world::configure(*at, ears);
        REQUIRE(at->delivery().add_udp({.protocol = 17, .local_port = 5000}, heard));
    }
    std::unique_ptr<host> at = support::fixed_stack<host>();
    world::ears<host> ears;
    ear heard;

    bool send(ipv4::address to, u32 payload = 30) {
        packet p = at->buffers().take();
        std::byte* udp = p.put(8 + payload);
        fill_bytes(udp, 8 + payload, std::byte{0});
        store_be<u16>(udp + 2, 5000);
        store_be<u16>(udp + 4, static_cast<u16>(8 + payload));
        return at->send(std::move(p), {.destination = to, .protocol = 17}, {}).has_value();
    }
};

struct row {
    const char* name;
    ipv4::address to;
    u32 heard;
    std::size_t leaves;
    u16 interface;
};
constexpr row rows[] = {
    {"the loopback address", "127.0.0.1"_ip, 1, 0, 1},
    {"any address of the loopback net", "127.9.8.7"_ip, 1, 0, 1},
    {"our own address", "10.0.1.1"_ip, 1, 0, 2},
    {"our address on another interface", "10.0.3.1"_ip, 1, 0, 4},
    {"a broadcast", "10.0.1.255"_ip, 1, 1, 2},
    {"a group that we joined", "239.1.1.1"_ip, 1, 1, 2},
    {"a neighbour", "10.0.1.9"_ip, 0, 1, 0},
};

}  // namespace

TEST_CASE("who hears what we send") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        fixture f;
        const auto all = f.at->buffers().available();
        if (r.to.is_multicast()) {
            REQUIRE(f.at->add_route({.prefix = "224.0.0.0/4"_prefix, .interface = 2}).has_value());
        }
        REQUIRE(f.send(r.to));
        CHECK(f.heard.times == r.heard);
        CHECK(f.at->output().size() == r.leaves);
        if (r.heard != 0) {
            CHECK(f.heard.size == 30);
            CHECK(f.heard.info.interface == r.interface);
            CHECK(f.heard.info.destination == r.to);
        }
        world::drain(*f.at);
        CHECK(world::balanced(*f.at));
        CHECK(f.at->buffers().available() == all);
    }
}

TEST_CASE("a group that we did not join is not heard by ourselves") {
    fixture f;
    REQUIRE(f.at->add_route({.prefix = "224.0.0.0/4"_prefix, .interface = 2}).has_value());
    REQUIRE(f.send("239.9.9.9"_ip));
    CHECK(f.heard.times == 0);
    CHECK(f.at->output().size() == 1);
}

TEST_CASE("an unreachable port of our own answers ourselves") {
    fixture f;
    packet p = f.at->buffers().take();
    std::byte* udp = p.put(8);
    fill_bytes(udp, 8, std::byte{0});
    store_be<u16>(udp + 2, 9);
    store_be<u16>(udp + 4, 8);
    REQUIRE(
        f.at->send(std::move(p), {.destination = "10.0.1.1"_ip, .protocol = 17}, {}).has_value());
    CHECK(f.at->counters()[mib::icmp_out_dest_unreachs] == 1);
    CHECK(f.at->counters()[mib::icmp_in_dest_unreachs] == 1);
    CHECK(f.at->output().size() == 0);
    CHECK(world::balanced(*f.at));
}

}  // namespace scenario_ourselves
