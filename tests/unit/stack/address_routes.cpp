// The routes that an address adds and removes: stack::add_address and remove_address. Linux
// fib_add_ifaddr, fib_del_ifaddr.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <random>
#include <vector>

namespace stack_address_routes {

namespace {

using namespace stack_test;

struct host {
    world<linux_host> ip{{.links = {{.index = 2}, {.index = 3}}}};

    void add(u16 index, ipv4::interface_address net) {
        REQUIRE(ip->add_address(index, net).has_value());
    }
    void remove(u16 index, ipv4::interface_address net) {
        REQUIRE(ip->remove_address(index, net).has_value());
    }
    // l: local, b: broadcast, u: unicast, -: no route.
    char leads(ipv4::address to, u16 interface = 0) const {
        const next_hop id = ip->routes().lookup({.destination = to, .interface = interface});
        if (id == next_hop::none) return '-';
        const route_type type = ip->routes().at(id).type;
        return type == route_type::local ? 'l' : type == route_type::broadcast ? 'b' : 'u';
    }
};

TEST_CASE("an address adds its local, connected and broadcast routes") {
    host h;
    h.add(2, "10.0.0.1/24"_net);
    CHECK(h.leads("10.0.0.1"_ip) == 'l');
    CHECK(h.leads("10.0.0.9"_ip) == 'u');
    CHECK(h.leads("10.0.0.255"_ip) == 'b');
    CHECK(h.leads("10.0.0.0"_ip) == 'u');
    h.remove(2, "10.0.0.1/24"_net);
    for (const auto a : {"10.0.0.1"_ip, "10.0.0.9"_ip, "10.0.0.255"_ip, "10.0.0.0"_ip})
        CHECK(h.leads(a) == '-');
}

TEST_CASE("removing a primary removes its secondaries and their routes") {
    host h;
    h.add(2, "10.0.0.1/24"_net);
    h.add(2, "10.0.0.2/24"_net);
    h.add(2, "10.0.0.3/24"_net);
    h.remove(2, "10.0.0.2/24"_net);
    CHECK(h.leads("10.0.0.2"_ip) == 'u');
    CHECK(h.leads("10.0.0.3"_ip) == 'l');
    h.remove(2, "10.0.0.1/24"_net);
    for (const auto a : {"10.0.0.1"_ip, "10.0.0.3"_ip, "10.0.0.9"_ip, "10.0.0.255"_ip})
        CHECK(h.leads(a) == '-');
    CHECK_FALSE(h.ip->interfaces().is_own("10.0.0.3"_ip));
}

TEST_CASE("a secondary's routes have the primary as source") {
    host h;
    h.add(2, "10.0.0.1/24"_net);
    h.add(2, "10.0.0.2/24"_net);
    const auto& routes = h.ip->routes();
    CHECK(routes.at(routes.lookup("10.0.0.2"_ip)).preferred_source == "10.0.0.1"_ip);
}

TEST_CASE("a route that another address needs stays") {
    host h;
    h.add(2, "10.0.0.1/24"_net);
    h.add(2, "10.0.0.1/16"_net);
    h.remove(2, "10.0.0.1/24"_net);
    CHECK(h.leads("10.0.0.1"_ip) == 'l');
    CHECK(h.leads("10.0.0.255"_ip) == 'u');
    CHECK(h.leads("10.0.255.255"_ip) == 'b');
}

TEST_CASE("two interfaces may share a network") {
    host h;
    h.add(2, "10.0.0.1/24"_net);
    h.add(3, "10.0.0.2/24"_net);
    CHECK(h.leads("10.0.0.9"_ip, 3) == 'u');
    h.remove(2, "10.0.0.1/24"_net);
    CHECK(h.leads("10.0.0.9"_ip) == 'u');
    CHECK(h.leads("10.0.0.255"_ip) == 'b');
    CHECK(h.leads("10.0.0.2"_ip) == 'l');
}

TEST_CASE("a failed removal changes nothing") {
    host h;
    h.add(2, "10.0.0.1/24"_net);
    CHECK(h.ip->remove_address(2, "10.0.0.1/25"_net).error() == interface_error::not_found);
    CHECK(h.ip->remove_address(9, "10.0.0.1/24"_net).error() == interface_error::not_found);
    CHECK(h.leads("10.0.0.1"_ip) == 'l');
}

// In any order of changes: an address is local exactly while an interface has it, and no route is
// left behind.
TEST_CASE("local routes and own addresses agree under random changes") {
    constexpr u32 base = 0x0a000000;
    std::mt19937 random{1};
    host h;
    for (int step = 0; step < 1500; ++step) {
        const auto index = static_cast<u16>(2 + random() % 2);
        // No address is the broadcast address of another.
        constexpr u8 lengths[] = {24, 25, 26, 32};
        const ipv4::interface_address net{ipv4::address{base + 1 + static_cast<u32>(random() % 14)},
                                          lengths[random() % 4]};
        if (random() % 2 == 0) {
            static_cast<void>(h.ip->add_address(index, net));
        } else {
            static_cast<void>(h.ip->remove_address(index, net));
        }
        for (u32 a = base; a < base + 16; ++a) {
            const ipv4::address address{a};
            CHECK((h.leads(address) == 'l') == h.ip->interfaces().is_own(address));
        }
    }
    std::vector<std::pair<u16, ipv4::interface_address>> left;
    h.ip->interfaces().for_each([&](const interface& i) {
        for (const auto& a : i.addresses) {
            if (!i.loopback) left.emplace_back(i.index, a.net);
        }
    });
    for (const auto& [index, net] : left)
        static_cast<void>(h.ip->remove_address(index, net));
    for (u32 a = base; a < base + 64; ++a)
        CHECK(h.leads(ipv4::address{a}) == '-');
}

}  // namespace

}  // namespace stack_address_routes
