// icmp_send: packets of this host, their looped back copies, and the errors to senders.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/icmp_send.hpp>

namespace acts_icmp_send {

namespace {

using namespace acts_test;

TEST_CASE("icmp send: a refused packet is dropped, and its sender gets an error with a quote") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const std::size_t all = c.device.buffers.available();
    const byte_vector offender = datagram_of({.destination = "10.0.2.9"_ip});
    CHECK(acts::refuse(
              c, packet_of(c, offender),
              decision::reject(drop_reason::host_unreachable, icmp_request::host_unreachable()),
              route_type::unicast) == fate::dropped);
    check(sent_one(c), support::right_sums(), support::source("10.0.1.1"_ip),
          support::destination("10.0.1.2"_ip), support::tos(0xc0), support::icmp_is(3, 1),
          support::quotes(offender, 36));
    const auto& n = c.books.counters;
    CHECK(n[drop_reason::host_unreachable] == 1);
    CHECK(n[balance::originated] == 1);
    CHECK(n[balance::transmitted] == 1);
    CHECK(n[mib::icmp_out_msgs] == 1);
    CHECK(n[mib::icmp_out_dest_unreachs] == 1);
    CHECK(n[mib::ip_out_requests] == 1);
    CHECK(c.device.buffers.available() == all);
}

TEST_CASE("icmp send: a plain drop sends no error, and no error answers an error") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(acts::refuse(c, packet_of(c, datagram_of({})), decision::drop(drop_reason::blackhole),
                       route_type::unicast) == fate::dropped);
    const byte_vector error =
        datagram_of({.protocol = 1, .payload = support::icmp_message(11, 0, 0, datagram_of({}))});
    const packet p = packet_of(c, error);
    standing before = standing_of(c);
    acts::send_error(c, p, icmp_request::host_unreachable(), route_type::unicast);
    const packet broad = packet_of(c, datagram_of({.destination = "10.0.1.255"_ip}));
    before.free -= 1;
    acts::send_error(c, broad, icmp_request::host_unreachable(), route_type::broadcast);
    CHECK(standing_of(c) == before);
    CHECK(content_of(p) == error);
    CHECK(c.books.counters[mib::icmp_out_msgs] == 0);
}

TEST_CASE("icmp send: a broadcast is sent and looped back; a unicast is not looped back") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector d = datagram_of({.source = "10.0.2.1"_ip, .destination = "10.0.2.255"_ip});
    CHECK(acts::local_out(
              c, packet_of(c, d),
              {.type = route_type::broadcast, .interface = 3, .destination = "10.0.2.255"_ip},
              {.request = true}) == fate::forwarded);
    const auto left = sent(c);
    REQUIRE(left.size() == 1);
    CHECK(left[0].to.kind == link_destination::broadcast);
    REQUIRE(c.later.size() == 1);
    const auto heard = c.later.pop();
    CHECK(content_of(heard.packet) == d);
    CHECK(heard.packet.addressing() == sluice::link_addressing::loopback);
    CHECK(heard.packet.interface() == 3);
    CHECK(c.books.counters[mib::ip_out_requests] == 1);

    CHECK(
        acts::local_out(c, packet_of(c, datagram_of({.source = "10.0.2.1"_ip})),
                        {.interface = 3, .destination = "10.0.2.2"_ip, .neighbour = "10.0.2.2"_ip},
                        {.request = false}) == fate::forwarded);
    CHECK(c.later.empty());
    CHECK(c.books.counters[mib::ip_out_requests] == 1);
}

// A received packet that is sent has no ingress any more: errors about it come from this host.
TEST_CASE("icmp send: a sent packet has ingress 0 and link addressing host") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    packet p = packet_of(c, datagram_of({.source = "10.0.2.1"_ip}));
    p.set_addressing(sluice::link_addressing::other_host);
    REQUIRE(p.interface() == 2);
    CHECK(
        acts::local_out(c, std::move(p),
                        {.interface = 3, .destination = "10.0.2.2"_ip, .neighbour = "10.0.2.2"_ip},
                        {}) == fate::forwarded);
    REQUIRE(c.device.output.size() == 1);
    const auto item = c.device.output.next();
    CHECK(item.packet.interface() == 0);
    CHECK(item.packet.addressing() == sluice::link_addressing::host);
}

TEST_CASE("icmp send: nothing leaves by an interface that is down") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::set_link(c.tables, 3, {.up = false}).has_value());
    CHECK(acts::local_out(c, packet_of(c, datagram_of({})),
                          {.interface = 3, .destination = "10.0.2.2"_ip},
                          {.request = true}) == fate::dropped);
    CHECK(c.books.last_drop == drop_reason::interface_down);
    CHECK(c.device.output.size() == 0);
}

}  // namespace

}  // namespace acts_icmp_send
