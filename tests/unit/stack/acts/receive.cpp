// receive: the checks in Linux's order: interface, link addressing, header, hook, route, options.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/receive.hpp>

namespace acts_receive {

namespace {

using namespace acts_test;

TEST_CASE("receive: no packet is accepted on a link that is down, or in a frame for another host") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    packet p = packet_of(c, datagram_of({}));
    p.set_addressing(sluice::link_addressing::other_host);
    CHECK(acts::receive(c, std::move(p)) == fate::dropped);
    CHECK(c.books.counters[drop_reason::other_host] == 1);
    REQUIRE(acts::set_link(c.tables, 2, {.up = false}).has_value());
    CHECK(acts::receive(c, packet_of(c, datagram_of({}))) == fate::dropped);
    CHECK(acts::receive(c, packet_of(c, datagram_of({}), 77)) == fate::dropped);
    CHECK(c.books.counters[drop_reason::interface_down] == 2);
    CHECK(c.books.counters[mib::ip_in_receives] == 0);
    CHECK(c.books.counters[mib::ipext_in_octets] == 0);
}

TEST_CASE("receive: a wrong header is counted with its bytes, before any hook") {
    struct : hook<packet> {
        u32 calls = 0;
        hook_verdict operator()(packet&, const hook_context&) noexcept override {
            ++calls;
            return hook_verdict::accept;
        }
    } asked;
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(c.gates.hooks.add(hook_point::prerouting, 0, asked));
    byte_vector bad = datagram_of({.tos = 3});
    bad[10] ^= std::byte{1};
    CHECK(acts::receive(c, packet_of(c, bad)) == fate::dropped);
    const auto& n = c.books.counters;
    CHECK(n[drop_reason::header_checksum] == 1);
    CHECK(n[mib::ip_in_receives] == 1);
    CHECK(n[mib::ipext_in_octets] == 36);
    CHECK(n[mib::ipext_in_ce_pkts] == 1);  // its header was long enough to be read
    CHECK(asked.calls == 0);
    CHECK(acts::receive(c, packet_of(c, datagram_of({}))) == fate::forwarded);
    CHECK(asked.calls == 1);
}

TEST_CASE("receive: a datagram is delivered, forwarded, or has no route") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(acts::receive(c, packet_of(c, datagram_of({.destination = "10.0.1.1"_ip,
                                                     .ttl = 1,
                                                     .protocol = 1,
                                                     .payload = support::echo_request()}))) ==
          fate::delivered);
    check(sent_one(c), support::icmp_is(0, 0, 0x00070001));
    CHECK(acts::receive(c, packet_of(c, datagram_of({}))) == fate::forwarded);
    CHECK(sent_one(c) == datagram_of({.ttl = 63}));
    CHECK(acts::receive(c, packet_of(c, datagram_of({.destination = "192.0.2.1"_ip}))) ==
          fate::dropped);
    check(sent_one(c), support::icmp_is(3, 0));
    CHECK(c.books.counters[drop_reason::no_route] == 1);
    CHECK(acts::receive(c, packet_of(c, datagram_of({.source = "127.0.0.1"_ip}))) == fate::dropped);
    CHECK(c.books.counters[drop_reason::loopback_outside] == 1);
    CHECK(c.device.output.size() == 0);
    CHECK(c.books.counters[balance::received] == 0);  // the caller counts it
}

TEST_CASE("receive: options are processed before an unroutable packet is refused") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector d =
        datagram_of({.destination = "192.0.2.1"_ip, .options = list({7, 7, 3, 0, 0, 0, 0, 0})});
    CHECK(acts::receive(c, packet_of(c, d)) == fate::dropped);
    check(sent_one(c), support::icmp_is(12, 0, 22u << 24));  // the pointer, 3
    CHECK(c.books.counters[drop_reason::option_invalid] == 1);
    CHECK(c.books.counters[drop_reason::no_route] == 0);
}

TEST_CASE("receive: a looped back packet keeps its route until the table changes") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const auto back = [&](const decision& what, u32 version) {
        packet p = packet_of(c, datagram_of({.source = "10.0.1.1"_ip}), 3);
        return acts::receive_own(c, {.packet = std::move(p),
                                     .route = {.type = route_type::unicast, .interface = 1},
                                     .back = what,
                                     .number = version,
                                     .kind = work_kind::receive_own});
    };
    const u32 now = c.tables.route_generation();
    CHECK(back(decision::drop(drop_reason::no_multicast_member), now) == fate::dropped);
    CHECK(c.books.counters[drop_reason::no_multicast_member] == 1);
    CHECK(back(decision::deliver(), now - 1) ==
          fate::dropped);  // to this host, of an unknown protocol
    CHECK(c.books.counters[drop_reason::protocol_unknown] == 1);
    const next_hop hop = c.tables.routes.lookup("10.0.2.2"_ip);
    CHECK(back(decision::forward(hop), now) == fate::forwarded);
    CHECK(back(decision::forward(hop), now - 1) == fate::dropped);  // routed anew: a martian
    CHECK(c.books.counters[drop_reason::source_local] == 1);
}

}  // namespace

}  // namespace acts_receive
