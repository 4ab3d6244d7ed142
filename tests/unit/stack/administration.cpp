// Interfaces, addresses, routes and switches, as an administrator sets them while packets are
// handled.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_administration {

namespace {

using namespace stack_test;

// The type of the route to an address, and by which interface; "none" without one.
template <class World>
std::string route_to(World& b, ipv4::address a) {
    const next_hop hop = b->routes().lookup(a);
    if (hop == next_hop::none) return "none";
    const route_entry& r = b->routes().at(hop);
    constexpr const char* names[] = {"unicast",   "local",       "broadcast", "multicast",
                                     "blackhole", "unreachable", "prohibit",  "throw"};
    return std::string{names[static_cast<int>(r.type)]} + " by " + std::to_string(r.interface);
}

TEST_CASE("administration: an address adds its routes, and removes them") {
    world<> b;
    CHECK(route_to(b, "10.0.1.1"_ip) == "local by 2");
    CHECK(route_to(b, "10.0.1.2"_ip) == "unicast by 2");
    CHECK(route_to(b, "10.0.1.255"_ip) == "broadcast by 2");
    CHECK(route_to(b, "10.0.1.0"_ip) == "unicast by 2");
    CHECK(route_to(b, "127.0.0.1"_ip) == "local by 1");
    CHECK(route_to(b, "127.9.9.9"_ip) == "local by 1");
    REQUIRE(b->remove_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(route_to(b, "10.0.1.1"_ip) == "none");
    CHECK(route_to(b, "10.0.1.2"_ip) == "none");
    CHECK(route_to(b, "10.0.1.255"_ip) == "none");
    CHECK(b->remove_address(2, "10.0.1.1/24"_net).error() == interface_error::not_found);
    REQUIRE(b->add_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(route_to(b, "10.0.1.2"_ip) == "unicast by 2");
}

TEST_CASE("administration: networks of one and two addresses have no broadcast, larger ones do") {
    world<> b;
    REQUIRE(b->add_address(3, "192.0.2.8/31"_net).has_value());
    REQUIRE(b->add_address(3, "192.0.2.20/32"_net).has_value());
    CHECK(route_to(b, "192.0.2.9"_ip) == "unicast by 3");
    CHECK(route_to(b, "192.0.2.20"_ip) == "local by 3");
    CHECK(route_to(b, "192.0.2.21"_ip) == "none");
    REQUIRE(b->add_interface({.index = 5, .address = "10.5.0.1/24"_net}).has_value());
    CHECK(route_to(b, "10.5.0.255"_ip) == "broadcast by 5");
}

TEST_CASE("administration: a second address of a subnet, and the end of the first") {
    world<> b;
    REQUIRE(b->add_address(2, "10.0.1.9/24"_net).has_value());
    CHECK(route_to(b, "10.0.1.9"_ip) == "local by 2");
    REQUIRE(b->remove_address(2, "10.0.1.9/24"_net).has_value());
    CHECK(route_to(b, "10.0.1.9"_ip) == "unicast by 2");
    CHECK(route_to(b, "10.0.1.1"_ip) == "local by 2");
}

TEST_CASE("administration: a primary address takes its secondaries with it") {
    world<> b;
    REQUIRE(b->add_address(2, "10.0.1.9/24"_net).has_value());
    REQUIRE(b->remove_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(b->interfaces().find(2)->addresses.empty());
    CHECK(route_to(b, "10.0.1.9"_ip) == "none");
    CHECK(route_to(b, "10.0.1.2"_ip) == "none");
    CHECK(b->send(b.packet(byte_vector(8)), {.destination = "10.0.1.2"_ip, .protocol = 253}, b.now)
              .error() == routing::send_error::network_unreachable);
}

TEST_CASE("administration: a failed addition reports the reason") {
    world<> b;
    CHECK(b->add_interface({.index = 2}).error() == interface_error::exists);
    CHECK(b->add_interface({.index = 0}).error() == interface_error::invalid);
    CHECK(b->add_interface({.index = 1000}).error() == interface_error::invalid);
    CHECK(b->add_address(9, "10.7.0.1/24"_net).error() == interface_error::not_found);
    CHECK(b->add_address(2, "10.0.1.1/24"_net).error() == interface_error::exists);
    CHECK(b->add_route({.prefix = "10.9.0.0/16"_prefix, .gateway = "192.0.2.1"_ip}).error() ==
          route_error::gateway_unreachable);
    CHECK(b->add_route({.prefix = "10.9.0.0/16"_prefix, .gateway = "10.0.1.1"_ip}).error() ==
          route_error::invalid_gateway);
    CHECK(b->add_route({.prefix = "10.9.0.0/16"_prefix, .interface = 9}).error() ==
          route_error::no_interface);
    CHECK(b->add_route({.prefix = "10.9.0.0/16"_prefix}).error() == route_error::no_interface);
    CHECK(b->remove_route({.prefix = "10.9.0.0/16"_prefix}).error() == route_error::not_found);
}

TEST_CASE("administration: the device of a route follows from its gateway") {
    world<> b;
    REQUIRE(b->add_route({.prefix = "10.9.0.0/16"_prefix, .gateway = "10.0.2.254"_ip}).has_value());
    CHECK(route_to(b, "10.9.1.1"_ip) == "unicast by 3");
    CHECK(b.receive(datagram_of({.destination = "10.9.1.1"_ip})) == fate::forwarded);
    const auto all = b.sent();
    REQUIRE(all.size() == 1);
    CHECK(all[0].to == egress{3, link_destination::unicast, "10.0.2.254"_ip});
    REQUIRE(b->remove_route({.prefix = "10.9.0.0/16"_prefix}).has_value());
    CHECK(b.receive(datagram_of({.destination = "10.9.1.1"_ip})) == fate::dropped);
    CHECK(b->counters()[drop_reason::no_route] == 1);
}

TEST_CASE("administration: a custom local route makes its addresses local and valid sources") {
    world<> b;
    REQUIRE(
        b->add_route({.prefix = "10.50.0.0/16"_prefix, .type = route_type::local, .interface = 2})
            .has_value());
    CHECK(b.receive(datagram_of({.destination = "10.50.1.1"_ip,
                                 .protocol = 1,
                                 .payload = support::echo_request()})) == fate::delivered);
    check(b.sent_one(), support::source("10.50.1.1"_ip), support::icmp_is(0, 0, 0x00070001));
    b.receive(datagram_of({.source = "10.50.1.1"_ip}));
    CHECK(b->counters()[drop_reason::source_local] == 1);
}

TEST_CASE("administration: an interface that is down") {
    world<> b;
    const byte_vector from_behind =
        datagram_of({.source = "10.0.2.2"_ip, .destination = "10.0.1.2"_ip});
    REQUIRE(b->set_up(3, false).has_value());
    CHECK(b.receive(datagram_of({})) == fate::dropped);  // no route leads there any more
    check(b.sent_one(), support::icmp_is(3, 0, 0));
    CHECK(b->counters()[drop_reason::no_route] == 1);
    CHECK(b.receive(from_behind, 3) == fate::dropped);
    CHECK(b->counters()[drop_reason::interface_down] == 1);
    REQUIRE(b->set_up(3, true).has_value());
    CHECK(b.receive(datagram_of({})) == fate::forwarded);
    CHECK(b.receive(from_behind, 3) == fate::forwarded);
    CHECK(b.receive(datagram_of({}), 17) == fate::dropped);
    CHECK(b->counters()[drop_reason::interface_down] == 2);
    CHECK(b->set_up(17, true).error() == interface_error::not_found);
    CHECK(b->set_mtu(17, 1500).error() == interface_error::not_found);
}

TEST_CASE("administration: a smaller MTU counts from now on, in pieces and in errors") {
    world<> b;
    const byte_vector plain = datagram_of({.payload = pattern(1000)});
    const byte_vector df = datagram_of({.flags_and_offset = 0x4000, .payload = pattern(1000)});
    CHECK(b.receive(plain) == fate::forwarded);
    CHECK(b.sent().size() == 1);
    REQUIRE(b->set_mtu(3, 576).has_value());
    CHECK(b.receive(plain) == fate::forwarded);
    CHECK(b.sent().size() == 2);
    CHECK(b.receive(df) == fate::dropped);
    check(b.sent_one(), support::icmp_is(3, 4, 576), support::right_sums());
    REQUIRE(b->set_mtu(3, 1020).has_value());
    CHECK(b.receive(df) == fate::forwarded);
    CHECK(b.sent().size() == 1);
}

TEST_CASE("administration: an MTU that IPv4 cannot use takes the interface down") {
    world<> b;
    CHECK(b->add_interface({.index = 9, .mtu = 67}).error() == interface_error::invalid);
    REQUIRE(b->set_mtu(3, 67).has_value());
    CHECK(b->set_up(3, true).error() == interface_error::invalid);
    CHECK(b.receive(datagram_of({})) == fate::dropped);
    REQUIRE(b->set_mtu(3, 68).has_value());
    CHECK(b.receive(datagram_of({})) == fate::dropped);
    REQUIRE(b->set_up(3, true).has_value());
    CHECK(b.receive(datagram_of({})) == fate::forwarded);
}

TEST_CASE("administration: switches change while running, with the accept branch") {
    world<> b;
    const byte_vector d = datagram_of({});
    CHECK(b.receive(d) == fate::forwarded);
    b->set_ip_forward(false);
    CHECK(b.receive(d) == fate::dropped);
    CHECK(b->counters()[drop_reason::not_forwarding] == 1);
    b->set_ip_forward(true);
    CHECK(b.receive(d) == fate::forwarded);
    CHECK(b->change_interface(2, [](interface_settings& s) { s.forwarding = false; }));
    CHECK(b.receive(d) == fate::dropped);
    CHECK(b->change_interface(2, [](interface_settings& s) {
        s.forwarding = true;
        s.rp_filter = 1;
    }));
    CHECK(b.receive(d) == fate::forwarded);
    CHECK(b.receive(datagram_of({.source = "10.0.2.9"_ip, .destination = "10.0.1.2"_ip})) ==
          fate::dropped);
    CHECK(b->counters()[drop_reason::reverse_path] == 1);
    CHECK_FALSE(b->change_interface(17, [](interface_settings&) {}));
    b->change([](settings& s) { s.ip_default_ttl = 33; });
    CHECK(b.sent().size() == 3);
    REQUIRE(b->send(b.packet(pattern(8)), {.destination = "10.0.2.2"_ip, .protocol = 253}, b.now)
                .has_value());
    check(b.sent_one(), support::ttl(33));
}

}  // namespace

}  // namespace stack_administration
