// icmp_answer: a request is turned into its reply to the sender, within the limits.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/icmp_answer.hpp>

namespace acts_icmp_answer {

namespace {

using namespace acts_test;
using pipeline::icmp_action;

byte_vector request(const byte_vector& message) {
    return datagram_of(
        {.destination = "10.0.1.1"_ip, .ttl = 3, .protocol = 1, .tos = 0x10, .payload = message});
}

TEST_CASE("icmp answer: an echo goes back with its data, a fresh TTL and its TOS") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(acts::answer(c, sound(c, request(support::echo_request(24))), route_type::local,
                       icmp_action::echo) == fate::delivered);
    const byte_vector reply = sent_one(c);
    check(reply, support::right_sums(), support::source("10.0.1.1"_ip),
          support::destination("10.0.1.2"_ip), support::ttl(64), support::tos(0x10),
          support::icmp_is(0, 0, 0x00070001), support::size(52));
    const byte_vector message = support::payload_of(reply);
    CHECK(byte_vector(message.begin() + 8, message.end()) == pattern(24));
    const auto& n = c.books.counters;
    CHECK(n[balance::delivered] == 1);
    CHECK(n[balance::originated] == 1);
    CHECK(n[mib::icmp_out_echo_reps] == 1);
    CHECK(n.drops() == 0);
}

TEST_CASE("icmp answer: a timestamp reply has the time of day") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector asked = support::icmp_message(13, 0, 0x00070001, byte_vector(12));
    CHECK(acts::answer(c, sound(c, request(asked)), route_type::local, icmp_action::timestamp) ==
          fate::delivered);
    const byte_vector reply = sent_one(c);
    check(reply, support::right_sums(), support::icmp_is(14, 0, 0x00070001));
    const byte_vector message = support::payload_of(reply);
    REQUIRE(message.size() == 20);
    CHECK(load_be<u32>(message.data() + 12) == 43'200'000);  // received
    CHECK(load_be<u32>(message.data() + 16) == 43'200'000);  // sent
}

TEST_CASE("icmp answer: without a route back the request counts as delivered, without a reply") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const std::size_t all = c.device.buffers.available();
    byte_vector from_far = datagram_of({.source = "192.0.2.1"_ip,
                                        .destination = "10.0.1.1"_ip,
                                        .protocol = 1,
                                        .payload = support::echo_request()});
    CHECK(acts::answer(c, sound(c, from_far), route_type::local, icmp_action::echo) ==
          fate::delivered);
    CHECK(c.device.output.size() == 0);
    CHECK(c.books.counters[balance::delivered] == 1);
    CHECK(c.books.counters[balance::originated] == 0);
    CHECK(c.device.buffers.available() == all);
}

TEST_CASE("icmp answer: one asked by broadcast is answered from an address of the interface") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector asked = datagram_of(
        {.destination = "10.0.1.255"_ip, .protocol = 1, .payload = support::echo_request()});
    CHECK(acts::answer(c, sound(c, asked), route_type::broadcast, icmp_action::echo) ==
          fate::delivered);
    check(sent_one(c), support::source("10.0.1.1"_ip), support::destination("10.0.1.2"_ip));
}

}  // namespace

}  // namespace acts_icmp_answer
