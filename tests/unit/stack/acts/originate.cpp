// originate: a payload, a complete packet, a packet whose header is completed; and the errors of a
// failed send.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/originate.hpp>

namespace acts_originate {

namespace {

using namespace acts_test;
using routing::send_error;

constexpr ipv4::address there = "10.0.2.9"_ip;

TEST_CASE("originate: a payload becomes a datagram, with the route's source") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(acts::originate(c, packet_of(c, pattern(16)), {.destination = there, .protocol = 253})
              .has_value());
    check(sent_one(c), support::right_sums(), support::source("10.0.2.1"_ip),
          support::destination(there), support::ttl(64), support::protocol(253),
          support::payload(pattern(16)), support::flags_and_offset(0));
    CHECK(c.books.counters[balance::originated] == 1);
    CHECK(c.books.counters[mib::ip_out_requests] == 1);
    CHECK(c.later.empty());
}

TEST_CASE("originate: a packet that cannot be sent is reported, dropped and counted") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const std::size_t all = c.device.buffers.available();
    const auto error_of = [&](std::size_t size, const send_request& r) {
        return acts::originate(c, packet_of(c, pattern(size)), r).error();
    };
    CHECK(error_of(16, {.destination = "192.0.2.1"_ip}) == send_error::network_unreachable);
    CHECK(c.books.last_drop == drop_reason::send_unroutable);
    CHECK(error_of(1481, {.destination = there, .dont_fragment = true}) == send_error::too_big);
    CHECK(c.books.last_drop == drop_reason::send_refused);
    CHECK(c.books.counters[balance::originated] == 2);
    CHECK(c.books.counters.drops() == 2);
    CHECK(c.books.counters[mib::ip_out_no_routes] == 1);
    CHECK(c.books.counters[mib::ip_out_requests] == 0);
    CHECK(c.device.output.size() == 0);
    CHECK(c.device.buffers.available() == all);
}

TEST_CASE("originate: within a call the complete packet waits") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const acts::call outer{c, c.calls.now};
    const acts::call inner{c, c.calls.now};
    CHECK(acts::originate(c, packet_of(c, pattern(16)), {.destination = there, .protocol = 253})
              .has_value());
    CHECK(c.device.output.size() == 0);
    CHECK(c.books.counters[mib::ip_out_requests] == 0);
    REQUIRE(c.later.size() == 1);
    const auto item = c.later.pop();
    CHECK(item.kind == work_kind::send);
    CHECK(item.route.interface == 3);
    check(content_of(item.packet), support::right_sums(), support::destination(there));
}

TEST_CASE("originate: a complete packet is sent to its destination, or is invalid") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector d = datagram_of({.source = "10.0.2.1"_ip, .destination = there, .ttl = 9});
    CHECK(acts::send_complete(c, packet_of(c, d)).has_value());
    CHECK(sent_one(c) == d);
    byte_vector bad = d;
    bad[10] ^= std::byte{1};  // its checksum
    CHECK(acts::send_complete(c, packet_of(c, bad)).error() == send_error::invalid);
    CHECK(c.books.counters[drop_reason::send_invalid] == 1);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("originate: zero fields of a program's own header are completed") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    byte_vector d = datagram_of({.source = {}, .destination = "10.0.2.77"_ip, .identification = 7});
    ipv4::view{d.data()}.set(ipv4::total_length, 3);
    CHECK(acts::send_with_header(c, packet_of(c, d), {.destination = there}).has_value());
    const auto left = sent(c);
    REQUIRE(left.size() == 1);
    CHECK(left[0].to.next_hop == there);
    check(left[0].datagram, support::right_sums(), support::source("10.0.2.1"_ip),
          support::destination("10.0.2.77"_ip), support::size(36));
    CHECK(ipv4::const_view{left[0].datagram.data()}[ipv4::identification] == 7);
    CHECK(c.books.counters[mib::ip_out_requests] == 0);
    CHECK(
        acts::send_with_header(c, packet_of(c, byte_vector(19)), {.destination = there}).error() ==
        send_error::invalid);
}

// Linux ip_select_ident reads the header that the program wrote.
TEST_CASE("originate: an own header is identified by its own addresses, whatever the route") {
    const auto identified = [](ipv4::address source, ipv4::address destination, ipv4::address to) {
        core<small> c{{.seed = testing::fixed_seed}};
        furnish(c);
        const byte_vector d =
            datagram_of({.source = source, .destination = destination, .identification = 0});
        CHECK(acts::send_with_header(c, packet_of(c, d), {.destination = to}).has_value());
        const auto left = sent(c);
        REQUIRE(left.size() == 1);
        return ipv4::const_view{left[0].datagram.data()}[ipv4::identification];
    };
    constexpr auto foreign = "1.2.3.4"_ip;
    constexpr auto far = "192.0.2.1"_ip;
    const u16 id = identified(foreign, far, there);
    CHECK(id == identified(foreign, far, "10.0.1.9"_ip));
    CHECK(id != identified({}, far, there));
    CHECK(id != identified(foreign, "192.0.2.2"_ip, there));
    CHECK(identified({}, far, there) == identified("10.0.2.1"_ip, far, there));
}

}  // namespace

}  // namespace acts_originate
