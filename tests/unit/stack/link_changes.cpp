// Changes of interfaces and addresses are made whole or not at all, and the caller gets an error.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/route/linear_routes.hpp>

namespace stack_link_changes {

namespace {

using namespace stack_test;

TEST_CASE("link changes: state and MTU change in one call, in any order") {
    world<> b;
    const byte_vector d = datagram_of({});
    // A device that vanished and came back: 0 bytes, then 1500.
    REQUIRE(b->set_link(3, {.up = false, .mtu = 0}).has_value());
    CHECK(b.receive(d) == fate::dropped);
    REQUIRE(b->set_link(3, {.up = true, .mtu = 1500}).has_value());
    CHECK(b.sent().size() == 1);
    CHECK(b.receive(d) == fate::forwarded);
    CHECK(b->interfaces().path_of(3).output_mtu == 1500);
    CHECK(b->set_link(17, {}).error() == interface_error::not_found);
}

TEST_CASE("link changes: a refused change has no effect") {
    world<> b;
    for (const bool up : {true, false}) {
        REQUIRE(b->set_link(3, {.up = up, .mtu = 1400}).has_value());
        const u32 version = b->route_generation();
        CHECK(b->set_link(3, {.up = true, .mtu = 67}).error() == interface_error::invalid);
        CHECK(b->route_generation() == version);
        CHECK(b->interfaces().find(3)->up == up);
        CHECK(b->interfaces().find(3)->mtu == 1400);
    }
}

TEST_CASE("link changes: an interface taken down by its MTU is reported") {
    world<> b;
    REQUIRE(b->set_mtu(3, 67).has_value());
    CHECK_FALSE(b->interfaces().find(3)->up);
    CHECK(b->set_up(3, true).error() == interface_error::invalid);
    REQUIRE(b->set_mtu(3, 1500).has_value());
    CHECK_FALSE(b->interfaces().find(3)->up);
    REQUIRE(b->set_up(3, true).has_value());
    CHECK(b.receive(datagram_of({})) == fate::forwarded);
}

// 3 routes of lo and one for each later route, so that `Room` of them are free.
template <std::size_t Room>
struct narrow : policies<based_on<linux_router>, buffers<fixed_pool<2048, 8>>,
                         output<queue_output<8>>, routes<linear_routes<3 + Room>>> {};

template <class Stack>
std::size_t count(const Stack& s) {
    std::size_t n = 0;
    s.routes().for_each([&](const route_entry&) { ++n; });
    return n;
}

template <std::size_t Room>
void all_or_nothing() {
    CAPTURE(Room);
    world<narrow<Room>> s({.links = {}});
    REQUIRE(count(*s) == 3);
    const interface_request wanted{.index = 2, .address = "10.0.0.1/24"_net};
    CHECK(s->add_interface(wanted).error() == interface_error::full);
    CHECK(s->interfaces().find(2) == nullptr);
    CHECK_FALSE(s->interfaces().is_own("10.0.0.1"_ip));
    CHECK(s->interfaces().path_of(2).output_mtu == 0);
    CHECK(count(*s) == 3);

    REQUIRE(s->add_interface({.index = 2}).has_value());
    CHECK(s->add_address(2, "10.0.0.1/24"_net).error() == interface_error::full);
    CHECK(s->interfaces().find(2)->addresses.empty());
    CHECK_FALSE(s->interfaces().is_own("10.0.0.1"_ip));
    CHECK(count(*s) == 3);
    // Room for the local route alone: an interface that is down has no other.
    REQUIRE(s->set_up(2, false).has_value());
    CHECK(s->add_address(2, "10.0.0.1/24"_net).has_value() == (Room >= 1));
    CHECK(s->set_up(2, true).has_value() == (Room == 0));
    CHECK(s->interfaces().find(2)->up == (Room == 0));
    CHECK(count(*s) == 3 + (Room > 0 ? 1 : 0));
}

TEST_CASE("link changes: all or nothing, whichever route of an address does not fit") {
    all_or_nothing<0>();
    all_or_nothing<1>();
    all_or_nothing<2>();
    world<narrow<3>> s({.links = {}});
    CHECK(s->add_interface({.index = 2, .address = "10.0.0.1/24"_net}).has_value());
    CHECK(count(*s) == 6);
}

TEST_CASE("link changes: a refused address leaves existing addresses unchanged") {
    world<narrow<4>> s({.links = {}});
    REQUIRE(s->add_interface({.index = 2, .address = "10.0.0.1/24"_net}).has_value());
    // Its local route is there already, its network and broadcast find one place.
    CHECK(s->add_address(2, "10.0.0.1/16"_net).error() == interface_error::full);
    CHECK(count(*s) == 6);
    CHECK(s->routes().at(s->routes().lookup("10.0.0.1"_ip)).type == route_type::local);
    CHECK(s->interfaces().is_own("10.0.0.1"_ip));
    CHECK(s->add_interface({.index = 3, .address = "0.0.0.0/0"_net}).has_value());
    CHECK(s->add_interface({.index = 4, .address = {"10.1.0.1"_ip, 33}}).error() ==
          interface_error::invalid);
    CHECK(s->interfaces().find(4) == nullptr);
}

TEST_CASE("link changes: a send by an interface that is down fails") {
    world<> b;
    const auto route = b->route({.destination = "10.0.2.2"_ip}, b.now);
    REQUIRE(route.has_value());
    const send_request r{.destination = "10.0.2.2"_ip, .protocol = 253};
    REQUIRE(b->set_up(3, false).has_value());
    CHECK(b->send(b.packet(byte_vector(8)), r, b.now).error() ==
          routing::send_error::network_unreachable);
    // By a route from before.
    CHECK(b->send(b.packet(byte_vector(8)), r, *route, b.now).error() ==
          routing::send_error::network_unreachable);
    REQUIRE(b->remove_interface(3).has_value());
    CHECK(b->send(b.packet(byte_vector(8)), r, *route, b.now).error() ==
          routing::send_error::network_unreachable);
    CHECK(b.is_quiet());
}

TEST_CASE("link changes: a complete packet with DF that does not fit is refused") {
    world<> b;
    REQUIRE(b->set_mtu(3, 600).has_value());
    const byte_vector large = datagram_of({.source = "10.0.2.1"_ip,
                                           .destination = "10.0.2.2"_ip,
                                           .flags_and_offset = 0x4000,
                                           .payload = pattern(1000)});
    CHECK(b->send(b.packet(large), b.now).error() == routing::send_error::too_big);
    CHECK(b.is_quiet());
}

}  // namespace

}  // namespace stack_link_changes
