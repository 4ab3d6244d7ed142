// icmp_receive: a message is answered, delivered, learned from, or dropped; each is counted.
#include "unit/stack/acts/subject.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/stack/icmp_receive.hpp>

namespace acts_icmp_receive {

namespace {

using namespace acts_test;

byte_vector to_us(const byte_vector& message) {
    return datagram_of({.destination = "10.0.1.1"_ip, .protocol = 1, .payload = message});
}
fate receive(core<small>& c, const byte_vector& message) {
    delivery_info info{.source = "10.0.1.2"_ip,
                       .destination = "10.0.1.1"_ip,
                       .local = "10.0.1.1"_ip,
                       .interface = 2,
                       .protocol = 1};
    return acts::receive_icmp(c, sound(c, to_us(message)), info, route_type::local);
}

TEST_CASE("icmp receive: an echo is answered, unless the switch says to ignore it") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(receive(c, support::echo_request()) == fate::delivered);
    check(sent_one(c), support::icmp_is(0, 0, 0x00070001));
    CHECK(c.books.counters[mib::icmp_in_msgs] == 1);
    CHECK(c.books.counters[mib::icmp_in_echos] == 1);
    c.tables.switches.icmp_echo_ignore_all = true;
    CHECK(receive(c, support::echo_request()) == fate::delivered);  // Linux calls it no drop
    CHECK(c.books.counters[mib::icmp_in_echos] == 2);
    CHECK(c.books.counters.drops() == 0);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("icmp receive: a wrong sum is dropped before its type counts") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    byte_vector bad = support::echo_request();
    bad[2] ^= std::byte{1};
    CHECK(receive(c, bad) == fate::dropped);
    CHECK(c.books.counters[drop_reason::icmp_checksum] == 1);
    CHECK(c.books.counters[mib::icmp_in_msgs] == 1);
    CHECK(c.books.counters[mib::icmp_in_csum_errors] == 1);
    CHECK(c.books.counters[mib::icmp_in_echos] == 0);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("icmp receive: an echo reply goes to the endpoint with its identifier, from ICMP on") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector reply = support::icmp_message(0, 0, 0x00070001, pattern(8));
    CHECK(receive(c, reply) == fate::dropped);
    CHECK(c.books.counters[drop_reason::no_endpoint] == 1);
    receive_queue<packet, 2> to;
    REQUIRE(c.local.delivery.add_ping({.local_port = 7}, to));
    CHECK(receive(c, reply) == fate::delivered);
    REQUIRE(to.size() == 1);
    const auto got = to.next();
    CHECK(content_of(got.packet) == reply);
    CHECK(got.info.destination_port == 7);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("icmp receive: an error is learned from if the quoted protocol accepts it") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const ipv4::address there = "10.0.2.9"_ip;
    const auto needed = [&](u8 protocol, const byte_vector& payload) {
        return support::icmp_message(3, 4, 1200,
                                     datagram_of({.source = "10.0.2.1"_ip,
                                                  .destination = there,
                                                  .protocol = protocol,
                                                  .payload = payload}));
    };
    CHECK(receive(c, needed(17, support::udp_message(53, 4000, {}))) == fate::delivered);
    CHECK_FALSE(c.tables.exceptions.any());  // no such endpoint
    CHECK(c.books.counters[mib::icmp_in_errors] == 1);
    CHECK(receive(c, needed(1, support::icmp_message(0, 0, 0x00070001))) == fate::delivered);
    const route_exception* e = c.tables.exceptions.find({there, {}, 3}, c.calls.now.now);
    REQUIRE(e != nullptr);
    CHECK(e->mtu == 1200);
    CHECK(c.books.counters[mib::icmp_in_dest_unreachs] == 2);
    CHECK(c.books.counters[balance::delivered] == 2);
    CHECK(c.device.output.size() == 0);
}

}  // namespace

}  // namespace acts_icmp_receive
