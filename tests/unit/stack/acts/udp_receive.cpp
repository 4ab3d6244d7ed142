// udp_receive: an endpoint gets the payload of its datagram; a datagram to a closed port causes an
// error.
#include "unit/stack/acts/subject.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/stack/udp_receive.hpp>

namespace acts_udp_receive {

namespace {

using namespace acts_test;

const byte_vector to_53 = datagram_of({.destination = "10.0.1.1"_ip,
                                       .protocol = 17,
                                       .payload = support::udp_message(4000, 53, pattern(12))});
const delivery_info one{.source = "10.0.1.2"_ip,
                        .destination = "10.0.1.1"_ip,
                        .local = "10.0.1.1"_ip,
                        .interface = 2,
                        .protocol = 17};

TEST_CASE("udp receive: the endpoint gets the payload and both ports") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    receive_queue<packet, 2> to;
    REQUIRE(c.local.delivery.add_udp({.protocol = 17, .local_port = 53}, to));
    byte_vector padded = support::udp_message(4000, 53, pattern(12));
    padded.resize(padded.size() + 5);  // behind its length
    CHECK(acts::receive_udp(
              c,
              sound(c,
                    datagram_of({.destination = "10.0.1.1"_ip, .protocol = 17, .payload = padded})),
              one, route_type::local) == fate::delivered);
    REQUIRE(to.size() == 1);
    const auto got = to.next();
    CHECK(content_of(got.packet) == pattern(12));
    CHECK(got.info.source_port == 4000);
    CHECK(got.info.destination_port == 53);
    CHECK(c.books.counters[mib::udp_in_datagrams] == 1);
    CHECK(c.books.counters[balance::delivered] == 1);
    CHECK(c.books.counters.drops() == 0);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("udp receive: a closed port causes an error that quotes the whole datagram") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(acts::receive_udp(c, sound(c, to_53), one, route_type::local) == fate::dropped);
    check(sent_one(c), support::right_sums(), support::source("10.0.1.1"_ip),
          support::icmp_is(3, 3), support::quotes(to_53, to_53.size()));
    CHECK(c.books.counters[drop_reason::port_unreachable] == 1);
    CHECK(c.books.counters[mib::udp_no_ports] == 1);
    CHECK(c.books.counters[balance::delivered] == 0);
}

TEST_CASE("udp receive: a full endpoint drops silently, and so does an unwanted broadcast") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    receive_queue<packet, 2> to;
    REQUIRE(c.local.delivery.add_udp({.protocol = 17, .local_port = 53}, to));
    for (int i = 0; i < 3; ++i)
        static_cast<void>(acts::receive_udp(c, sound(c, to_53), one, route_type::local));
    CHECK(to.size() == 2);
    CHECK(c.books.counters[drop_reason::endpoint_full] == 1);
    delivery_info broadcast = one;
    broadcast.destination = "10.0.1.255"_ip;
    broadcast.broadcast_or_multicast = true;
    const byte_vector to_all =
        datagram_of({.destination = "10.0.1.255"_ip,
                     .protocol = 17,
                     .payload = support::udp_message(4000, 99, pattern(12))});
    CHECK(acts::receive_udp(c, sound(c, to_all), broadcast, route_type::broadcast) ==
          fate::dropped);
    CHECK(c.books.counters[drop_reason::udp_broadcast_unwanted] == 1);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("udp receive: a datagram with a wrong length or checksum reaches no endpoint") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    receive_queue<packet, 2> to;
    REQUIRE(c.local.delivery.add_udp({.protocol = 17, .local_port = 53}, to));
    const auto receive = [&](u16 length, u16 sum) {
        byte_vector message = support::udp_message(4000, 53, pattern(12));
        const udp::view header{message.data()};
        header.set(udp::length, length);
        header.set(udp::checksum, sum);
        return acts::receive_udp(
            c,
            sound(c,
                  datagram_of({.destination = "10.0.1.1"_ip, .protocol = 17, .payload = message})),
            one, route_type::local);
    };
    CHECK(receive(21, 0) == fate::dropped);
    CHECK(receive(7, 0) == fate::dropped);
    CHECK(c.books.counters[drop_reason::udp_invalid] == 2);
    CHECK(receive(20, 0x1234) == fate::dropped);
    CHECK(c.books.counters[drop_reason::udp_checksum] == 1);
    CHECK(receive(8, 0) == fate::delivered);  // no payload is one, too
    CHECK(to.size() == 1);
    CHECK(c.device.output.size() == 0);
}

}  // namespace

}  // namespace acts_udp_receive
