// forward: TTL, MTU, redirect and output of packets for other hosts.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/forward.hpp>

namespace acts_forward {

namespace {

using namespace acts_test;

fate forward(core<small>& c, const byte_vector& d) {
    auto made = sound(c, d);
    const interface& in = *c.tables.interfaces.find(2);
    const auto found =
        pipeline::classify(c.tables.look_up(), made.header(), made.header()[ipv4::destination], in);
    REQUIRE(found.decided.kind() == decision_kind::forward);
    return acts::forward(c, std::move(made), found, in);
}

TEST_CASE("forward: only the TTL and checksum change, and the packet is counted as forwarded") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(forward(c, datagram_of({})) == fate::forwarded);
    const auto left = sent(c);
    REQUIRE(left.size() == 1);
    CHECK(left[0].datagram == datagram_of({.ttl = 63}));
    CHECK(left[0].to == egress{3, link_destination::unicast, "10.0.2.2"_ip});
    const auto& n = c.books.counters;
    CHECK(n[mib::ip_forw_datagrams] == 1);
    CHECK(n[mib::ip_out_transmits] == 1);
    CHECK(n[mib::ip_out_requests] == 0);
    CHECK(n[balance::transmitted] == 1);
    CHECK(n[balance::originated] == 0);
    CHECK(n.drops() == 0);
}

TEST_CASE("forward: with TTL 1 the sender gets an error that quotes the received datagram") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector d = datagram_of({.ttl = 1});
    CHECK(forward(c, d) == fate::dropped);
    check(sent_one(c), support::source("10.0.1.1"_ip), support::icmp_is(11, 0),
          support::quotes(d, 36));
    CHECK(c.books.counters[drop_reason::ttl_expired] == 1);
    CHECK(c.books.counters[mib::ip_forw_datagrams] == 0);
}

TEST_CASE("forward: a packet above the MTU is fragmented, or its sender gets the MTU") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::set_link(c.tables, 3, {.mtu = 100}).has_value());
    CHECK(forward(c, datagram_of({.flags_and_offset = 0x4000, .payload = pattern(200)})) ==
          fate::dropped);
    check(sent_one(c), support::icmp_is(3, 4, 100));
    CHECK(c.books.counters[drop_reason::too_big] == 1);
    CHECK(forward(c, datagram_of({.payload = pattern(200)})) == fate::forwarded);
    const auto left = sent(c);
    REQUIRE(left.size() == 3);
    for (const auto& one : left)
        check(one.datagram, support::ttl(63), support::right_sums());
    CHECK(c.books.counters[mib::ip_frag_creates] == 3);
    CHECK(c.books.counters[mib::ip_forw_datagrams] == 2);
}

TEST_CASE("forward: a sender on the egress link gets a redirect") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::add_route(c.tables, {.prefix = {"20.0.0.0"_ip, 8}, .gateway = "10.0.1.254"_ip})
                .has_value());
    CHECK(forward(c, datagram_of({.destination = "20.0.0.1"_ip})) == fate::forwarded);
    const auto left = sent(c);
    REQUIRE(left.size() == 2);
    check(left[0].datagram, support::destination("10.0.1.2"_ip),
          support::icmp_is(5, 1, ipv4::address{"10.0.1.254"_ip}.value));
    CHECK(left[1].to.next_hop == "10.0.1.254"_ip);
    check(left[1].datagram, support::ttl(63));
}

TEST_CASE("forward: the packet is dropped if a hook removes its interface") {
    struct : hook<packet> {
        core<small>* c = nullptr;
        hook_verdict operator()(packet&, const hook_context& at) noexcept override {
            CHECK(at.in == 2);
            CHECK(at.out == 3);
            REQUIRE(acts::set_link(c->tables, 3, {.up = false}).has_value());
            return hook_verdict::accept;
        }
    } asked;
    struct : hook<packet> {
        u32 calls = 0;
        hook_verdict operator()(packet&, const hook_context&) noexcept override {
            ++calls;
            return hook_verdict::accept;
        }
    } after;
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const std::size_t all = c.device.buffers.available();
    asked.c = &c;
    REQUIRE(c.gates.hooks.add(hook_point::forward, 0, asked));
    REQUIRE(c.gates.hooks.add(hook_point::postrouting, 0, after));
    CHECK(forward(c, datagram_of({})) == fate::dropped);
    CHECK(c.books.counters[drop_reason::interface_down] == 1);
    CHECK(after.calls == 0);
    CHECK(c.device.output.size() == 0);
    CHECK(c.device.buffers.available() == all);
}

}  // namespace

}  // namespace acts_forward
