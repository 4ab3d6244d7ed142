// Packets sent by lo are received with the route by which they were sent, and every looped back
// packet passes prerouting; the copy of a broadcast passed postrouting before. The values are those
// of Linux 6.18: counters of nftables rules at each hook, tests/kernel/vectors/asked/loopback.vec.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>

namespace stack_loopback {

namespace {

using namespace stack_test;
using enum hook_point;

struct hooked : policies<based_on<small_router>, hooks<hook_chain<8>>> {};
using packet = stack<hooked>::packet_type;

struct meeting {
    hook_point point;
    u16 in;
    u16 out;

    friend bool operator==(const meeting&, const meeting&) = default;
};

struct watch final : hook<packet> {
    hook_point point{};
    std::vector<meeting>* seen = nullptr;
    hook_verdict verdict = hook_verdict::accept;  // of the first packet

    hook_verdict operator()(packet&, const hook_context& c) noexcept override {
        seen->push_back({point, c.in, c.out});
        return std::exchange(verdict, hook_verdict::accept);
    }
};

struct lo_world : world<hooked> {
    lo_world() {
        for (unsigned i = 0; i < hook_points; ++i) {
            at[i].point = static_cast<hook_point>(i);
            at[i].seen = &seen;
            REQUIRE((**this).hooks().add(at[i].point, 0, at[i]));
        }
        udp.options().may_broadcast = udp.options().reuse = true;
        other.options().reuse = true;
        REQUIRE(udp.bind({{}, 9}).has_value());
        REQUIRE(other.bind({{}, 9}).has_value());
    }
    ~lo_world() {
        for (watch& w : at)
            (**this).hooks().remove(w.point, w);
    }
    void by_lo(ipv4::prefix to) {
        REQUIRE((**this).add_route({.prefix = to, .interface = 1}).has_value());
    }
    bool send(ipv4::address to, u16 interface = 0) {
        return udp.send(pattern(4), {to, 9}, now, {.interface = interface}).has_value();
    }
    u64 operator[](mib c) { return (**this).counters()[c]; }

    std::vector<meeting> seen;
    watch at[hook_points];
    udp_endpoint<stack_type> udp{**this};
    udp_endpoint<stack_type> other{**this};
};

TEST_CASE("loopback: looped back packets pass prerouting, copies of broadcasts postrouting") {
    const struct {
        const char* name;
        ipv4::address to;
        u16 interface = 0;
        std::vector<meeting> met;
        std::size_t heard;
    } rows[] = {
        {.name = "a local address",
         .to = "10.0.1.1"_ip,
         .met = {{local_out, 0, 1}, {postrouting, 0, 1}, {prerouting, 1, 0}, {local_in, 1, 0}},
         .heard = 1},
        {.name = "the loopback address",
         .to = "127.0.0.1"_ip,
         .met = {{local_out, 0, 1}, {postrouting, 0, 1}, {prerouting, 1, 0}, {local_in, 1, 0}},
         .heard = 1},
        {.name = "a route by lo",
         .to = "30.0.0.1"_ip,
         .met = {{local_out, 0, 1}, {postrouting, 0, 1}, {prerouting, 1, 0}, {local_in, 1, 0}},
         .heard = 1},
        {.name = "a broadcast",
         .to = "10.0.1.255"_ip,
         .met = {{local_out, 0, 2},
                 {postrouting, 0, 2},
                 {postrouting, 0, 2},
                 {prerouting, 2, 0},
                 {local_in, 2, 0}},
         .heard = 2},
        {.name = "a group that we joined",
         .to = "224.0.0.1"_ip,
         .interface = 2,
         .met = {{local_out, 0, 2},
                 {postrouting, 0, 2},
                 {postrouting, 0, 2},
                 {prerouting, 2, 0},
                 {local_in, 2, 0}},
         .heard = 2},
        {.name = "a group without members",
         .to = "239.1.1.1"_ip,
         .interface = 2,
         .met = {{local_out, 0, 2}, {postrouting, 0, 2}},
         .heard = 0},
        {.name = "a group that we joined, by lo",
         .to = "224.0.0.1"_ip,
         .interface = 1,
         .met = {{local_out, 0, 1}, {postrouting, 0, 1}, {prerouting, 1, 0}, {local_in, 1, 0}},
         .heard = 2},
        {.name = "a group without members, by lo",
         .to = "239.1.1.1"_ip,
         .interface = 1,
         .met = {{local_out, 0, 1}, {postrouting, 0, 1}, {prerouting, 1, 0}},
         .heard = 0},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        lo_world b;
        b.by_lo("30.0.0.0/8"_prefix);
        REQUIRE(b.send(row.to, row.interface));
        CHECK(b.seen == row.met);
        CHECK(b.udp.waiting_packets() + b.other.waiting_packets() == row.heard);
    }
}

TEST_CASE("loopback: a hook may drop the copy of a broadcast alone, or packets by lo") {
    lo_world b;
    b.at[static_cast<unsigned>(postrouting)].verdict = hook_verdict::drop;
    CHECK(b.send("10.0.1.255"_ip));
    CHECK(b.sent().size() == 1);
    CHECK(b.udp.waiting_packets() == 0);
    b.at[static_cast<unsigned>(prerouting)].verdict = hook_verdict::drop;
    CHECK(b.send("10.0.1.1"_ip));
    CHECK(b.udp.waiting_packets() + b.other.waiting_packets() == 0);
    CHECK(b->counters()[drop_reason::hook] == 2);
    CHECK(b[mib::ip_in_delivers] == 0);
}

TEST_CASE("loopback: a packet forwarded by lo loops until its TTL expires") {
    lo_world b;
    b.by_lo("30.0.0.0/8"_prefix);
    const auto message = support::udp_message(5000, 9, pattern(4));
    for (const u8 ttl : {u8{1}, u8{2}, u8{64}, u8{255}}) {
        CAPTURE(ttl);
        const u64 before = b[mib::ip_forw_datagrams];
        const byte_vector whole = datagram_of({.destination = "30.0.0.1"_ip,
                                               .ttl = ttl,
                                               .protocol = ipv4::protocols::udp,
                                               .payload = message});
        CHECK(b.receive(whole) == (ttl == 1 ? fate::dropped : fate::forwarded));
        check(b.sent_one(), support::icmp_is(11, 0), support::right_sums());
        CHECK(b[mib::ip_forw_datagrams] - before == ttl - 1u);
    }
    CHECK(b[mib::ip_in_receives] == 1 + 2 + 64 + 255);
    CHECK(b[mib::ip_in_hdr_errors] == 4);
    CHECK(b[mib::ip_in_delivers] == 0);
    CHECK(b.udp.waiting_packets() + b.other.waiting_packets() == 0);
    // Nor is a ping of it answered.
    CHECK(b.receive(datagram_of({.destination = "30.0.0.1"_ip,
                                 .ttl = 9,
                                 .protocol = ipv4::protocols::icmp,
                                 .payload = support::echo_request()})) == fate::forwarded);
    check(b.sent_one(), support::icmp_is(11, 0));
}

// A hook removes the route on the third round, and adds another.
struct rerouter final : hook<packet> {
    lo_world* on = nullptr;
    route_entry instead{};
    int rounds = 0;

    hook_verdict operator()(packet&, const hook_context& c) noexcept override {
        if (c.in == 1 && ++rounds == 3) {
            static_cast<void>((**on).remove_route({.prefix = "30.0.0.0/8"_prefix, .interface = 1}));
            static_cast<void>((**on).add_route(instead));
        }
        return hook_verdict::accept;
    }
};

TEST_CASE("loopback: a looping packet takes a new route at once") {
    lo_world b;
    b.by_lo("30.0.0.0/8"_prefix);
    rerouter r;
    r.on = &b;
    r.instead = {.prefix = "30.0.0.0/8"_prefix, .interface = 3, .gateway = "10.0.2.254"_ip};
    REQUIRE(b->hooks().add(postrouting, 1, r));
    REQUIRE(b->hooks().add(prerouting, 1, r));
    static_cast<void>(b.receive(datagram_of({.destination = "30.0.0.1"_ip, .ttl = 64})));
    const auto out = b.sent();
    b->hooks().remove(postrouting, r);
    b->hooks().remove(prerouting, r);
    REQUIRE(out.size() == 1);
    CHECK(out[0].to.interface == 3);
    CHECK(out[0].to.next_hop == "10.0.2.254"_ip);
    check(out[0].datagram, support::destination("30.0.0.1"_ip), support::right_sums());
}

TEST_CASE("loopback: a broadcast by lo stays a broadcast, and is counted") {
    for (const ipv4::address to : {"127.255.255.255"_ip, "255.255.255.255"_ip}) {
        CAPTURE(to.value);
        lo_world b;
        REQUIRE(b.send(to, 1));
        CHECK(b.udp.waiting_packets() == 1);
        CHECK(b.other.waiting_packets() == 1);
        CHECK(b[mib::ipext_in_bcast_pkts] == 1);
        CHECK(b[mib::ipext_in_bcast_octets] == 32);
        CHECK(b[mib::ipext_out_bcast_pkts] == 1);
        CHECK(b.is_quiet());
    }
}

TEST_CASE("loopback: a multicast by lo is received if lo joined the group, and always counted") {
    const struct {
        const char* name;
        u16 joined;
        std::size_t heard;
    } rows[] = {{.name = "nowhere", .joined = 0, .heard = 0},
                {.name = "on another interface", .joined = 2, .heard = 0},
                {.name = "on lo", .joined = 1, .heard = 2}};
    for (const auto& row : rows) {
        CAPTURE(row.name);
        lo_world b;
        b.by_lo("224.0.0.0/4"_prefix);
        if (row.joined != 0) REQUIRE(b->groups().join(row.joined, "239.1.1.1"_ip));
        REQUIRE(b.send("239.1.1.1"_ip));
        CHECK(b.udp.waiting_packets() + b.other.waiting_packets() == row.heard);
        CHECK(b[mib::ipext_in_mcast_pkts] == 1);
        CHECK(b[mib::ipext_out_mcast_pkts] == 1);
        CHECK(b[mib::ip_in_receives] == 1);
        CHECK(b->counters()[drop_reason::no_multicast_member] == (row.heard == 0 ? 1 : 0));
    }
}

TEST_CASE("loopback: a source route over local addresses counts as received on lo") {
    const struct {
        const char* name;
        bool source_route;
        u16 interface;
    } rows[] = {{.name = "plain", .source_route = false, .interface = 2},
                {.name = "over another local address", .source_route = true, .interface = 1}};
    for (const auto& row : rows) {
        CAPTURE(row.name);
        lo_world b;
        b->change([](settings& s) {
            s.all.accept_source_route = true;
            s.all.accept_local = true;
        });
        raw_endpoint<world<hooked>::stack_type> raw{*b, 253};
        REQUIRE(raw.bind().has_value());
        if (row.source_route) {
            // Loose, by 10.0.2.1 to the destination.
            REQUIRE(raw.set_ip_options(list({0x83, 7, 4, 10, 0, 2, 1, 0}), b.now));
        }
        REQUIRE(raw.send(pattern(4), "10.0.1.1"_ip, b.now).has_value());
        byte_vector room(100);
        const auto got = raw.receive(room);
        REQUIRE(got.has_value());
        CHECK(got->interface == row.interface);
    }
}

}  // namespace

}  // namespace stack_loopback
