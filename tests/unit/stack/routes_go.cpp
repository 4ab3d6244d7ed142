// Which routes are added and removed with an interface and its addresses. Every table is the one
// that Linux 6.18 printed (`ip -4 route show table main` and `local`) after the same steps, without
// `proto kernel`. Linux fib_sync_down_dev, fib_sync_down_addr, fib_add_ifaddr, fib_del_ifaddr,
// fib_disable_ip.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/route/text.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace stack_routes_go {

namespace {

using namespace stack_test;
using lines = std::vector<std::string>;

constexpr const char* names[] = {"", "lo", "d1", "d2", "d3"};

struct machine {
    world<linux_router> ip{{.links = {}}};

    machine() {
        for (u16 i = 2; i <= 4; ++i)
            REQUIRE(ip->add_interface({.index = i, .name = names[i]}).has_value());
    }
    void route(const char* text) {
        CAPTURE(text);
        auto read = parse_route(text);
        REQUIRE(read.has_value());
        const std::string device{read->device.begin(), read->device.end()};
        for (u16 i = 1; i <= 4; ++i)
            read->route.interface = device == names[i] ? i : read->route.interface;
        REQUIRE(ip->add_route(read->route).has_value());
    }
    // Without the routes of lo.
    [[nodiscard]] lines table() const {
        lines all;
        ip->routes().for_each([&](const route_entry& r) {
            if (!r.prefix.base.is_loopback())
                all.push_back(to_text(r, std::string_view{names[r.interface]}).c_str());
        });
        std::sort(all.begin(), all.end());
        return all;
    }
};

lines sorted(lines all) {
    std::sort(all.begin(), all.end());
    return all;
}

// Every kind of route by three interfaces; MTUs below 68 left out, which Linux takes and we do not.
struct furnished : machine {
    furnished() {
        REQUIRE(ip->add_address(2, "10.0.0.1/24"_net).has_value());
        REQUIRE(ip->add_address(2, "10.0.0.2/24"_net).has_value());
        REQUIRE(ip->add_address(3, {"11.0.0.1/24"_net, "11.0.0.255"_ip}).has_value());
        REQUIRE(ip->add_address(4, "12.0.0.1/32"_net).has_value());
        for (const char* text :
             {"20.0.0.0/8 via 10.0.0.9", "21.0.0.0/8 via 10.0.0.9 dev d1 src 11.0.0.1",
              "22.0.0.0/8 via 99.0.0.1 dev d1 onlink", "23.0.0.0/8 dev d1",
              "24.0.0.0/8 dev d2 src 10.0.0.2", "local 77.0.0.0/24 dev d1",
              "local 78.0.0.0/24 dev d2 src 10.0.0.1", "broadcast 79.0.0.9/32 dev d1",
              "multicast 239.1.0.0/16 dev d1", "blackhole 25.0.0.0/8",
              "unreachable 26.0.0.0/8 src 10.0.0.2", "local 80.0.0.0/24 dev lo src 10.0.0.1",
              "28.0.0.0/8 via 10.0.0.9 mtu 65535"})
            route(text);
    }
};

const lines of_d1_when_up = {"10.0.0.0/24 dev d1 scope link src 10.0.0.1",
                             "broadcast 10.0.0.255 dev d1 scope link src 10.0.0.1"};
const lines of_d1_while_it_has_addresses = {"local 10.0.0.1 dev d1 scope host src 10.0.0.1",
                                            "local 10.0.0.2 dev d1 scope host src 10.0.0.1",
                                            "local 77.0.0.0/24 dev d1 scope host"};
const lines of_others = {"11.0.0.0/24 dev d2 scope link src 11.0.0.1",
                         "24.0.0.0/8 dev d2 scope link src 10.0.0.2",
                         "blackhole 25.0.0.0/8",
                         "unreachable 26.0.0.0/8 src 10.0.0.2",
                         "local 11.0.0.1 dev d2 scope host src 11.0.0.1",
                         "broadcast 11.0.0.255 dev d2 scope link src 11.0.0.1",
                         "local 12.0.0.1 dev d3 scope host src 12.0.0.1",
                         "local 78.0.0.0/24 dev d2 scope host src 10.0.0.1",
                         "local 80.0.0.0/24 dev lo scope host src 10.0.0.1"};
const lines by_the_administrator = {
    "20.0.0.0/8 via 10.0.0.9 dev d1",           "21.0.0.0/8 via 10.0.0.9 dev d1 src 11.0.0.1",
    "22.0.0.0/8 via 99.0.0.1 dev d1 onlink",    "23.0.0.0/8 dev d1 scope link",
    "28.0.0.0/8 via 10.0.0.9 dev d1 mtu 65520", "multicast 239.1.0.0/16 dev d1 scope link",
    "broadcast 79.0.0.9 dev d1 scope link"};

lines together(std::initializer_list<lines> parts) {
    lines all;
    for (const auto& p : parts)
        all.insert(all.end(), p.begin(), p.end());
    return sorted(all);
}
lines without(lines all, const lines& some) {
    std::erase_if(all, [&](const std::string& s) {
        return std::find(some.begin(), some.end(), s) != some.end();
    });
    return all;
}

TEST_CASE("routes go: an interface down and up") {
    furnished m;
    CHECK(m.table() ==
          together({of_d1_when_up, of_d1_while_it_has_addresses, of_others, by_the_administrator}));
    REQUIRE(m.ip->set_up(2, false).has_value());
    CHECK(m.table() == together({of_d1_while_it_has_addresses, of_others}));
    REQUIRE(m.ip->set_up(2, false).has_value());
    REQUIRE(m.ip->set_up(2, true).has_value());
    CHECK(m.table() == together({of_d1_when_up, of_d1_while_it_has_addresses, of_others}));
    REQUIRE(m.ip->set_up(2, true).has_value());
    CHECK(m.table() == together({of_d1_when_up, of_d1_while_it_has_addresses, of_others}));
}

TEST_CASE("routes removed: with their preferred source, in the main table alone") {
    furnished m;
    const lines before = m.table();
    REQUIRE(m.ip->remove_address(2, "10.0.0.2/24"_net).has_value());
    CHECK(m.table() == without(before, {"24.0.0.0/8 dev d2 scope link src 10.0.0.2",
                                        "unreachable 26.0.0.0/8 src 10.0.0.2",
                                        "local 10.0.0.2 dev d1 scope host src 10.0.0.1"}));
}

TEST_CASE("routes removed: not with an address while the interface has another") {
    furnished m;
    REQUIRE(m.ip->add_address(2, "13.0.0.1/24"_net).has_value());
    REQUIRE(m.ip->remove_address(2, "10.0.0.1/24"_net).has_value());
    const lines left = m.table();
    REQUIRE(by_the_administrator.size() == 7);
    for (const auto& route : by_the_administrator)
        CHECK(std::find(left.begin(), left.end(), route) != left.end());
    CHECK(std::find(left.begin(), left.end(), of_d1_when_up[0]) == left.end());
}

TEST_CASE("routes removed: all of an interface with its last address, local ones too") {
    furnished m;
    REQUIRE(m.ip->remove_address(2, "10.0.0.1/24"_net).has_value());  // 10.0.0.2 is secondary
    CHECK(m.table() == sorted(without(of_others, {"24.0.0.0/8 dev d2 scope link src 10.0.0.2",
                                                  "unreachable 26.0.0.0/8 src 10.0.0.2"})));
}

TEST_CASE("routes removed: with their interface") {
    furnished m;
    REQUIRE(m.ip->groups().join(2, "239.0.0.1"_ip));
    REQUIRE(m.ip->groups().join(3, "239.0.0.1"_ip));
    REQUIRE(m.ip->remove_interface(2).has_value());
    CHECK_FALSE(m.ip->groups().is_member(2, "239.0.0.1"_ip, "10.0.0.9"_ip));
    CHECK(m.ip->groups().is_member(3, "239.0.0.1"_ip, "10.0.0.9"_ip));
    CHECK(m.table() == sorted(without(of_others, {"24.0.0.0/8 dev d2 scope link src 10.0.0.2",
                                                  "unreachable 26.0.0.0/8 src 10.0.0.2"})));
    CHECK(m.ip->interfaces().find(2) == nullptr);
    CHECK_FALSE(m.ip->interfaces().is_own("10.0.0.1"_ip));
    CHECK(m.ip->remove_interface(2).error() == interface_error::not_found);
    CHECK(m.ip->remove_interface(1).error() == interface_error::invalid);
    REQUIRE(m.ip->add_interface({.index = 2, .address = "10.0.0.1/24"_net}).has_value());
}

TEST_CASE("routes added: an address on an interface that is down adds its local route alone") {
    machine m;
    REQUIRE(m.ip->set_up(2, false).has_value());
    REQUIRE(m.ip->add_address(2, {"10.0.0.1/24"_net, "10.0.0.255"_ip}).has_value());
    CHECK(m.table() == lines{"local 10.0.0.1 dev d1 scope host src 10.0.0.1"});
    REQUIRE(m.ip->set_up(2, true).has_value());
    CHECK(m.table() == together({of_d1_when_up, {of_d1_while_it_has_addresses[0]}}));
}

TEST_CASE("routes removed: an address that another interface has too is still a source") {
    machine m;
    REQUIRE(m.ip->add_address(2, "10.0.0.1/24"_net).has_value());
    REQUIRE(m.ip->add_address(3, "10.0.0.1/32"_net).has_value());
    REQUIRE(m.ip->add_address(4, "12.0.0.1/24"_net).has_value());
    m.route("30.0.0.0/8 via 12.0.0.9 src 10.0.0.1");
    REQUIRE(m.ip->remove_address(2, "10.0.0.1/24"_net).has_value());
    const std::string kept = "30.0.0.0/8 via 12.0.0.9 dev d3 src 10.0.0.1";
    lines left = m.table();
    CHECK(std::find(left.begin(), left.end(), kept) != left.end());
    REQUIRE(m.ip->remove_address(3, "10.0.0.1/32"_net).has_value());
    left = m.table();
    CHECK(std::find(left.begin(), left.end(), kept) == left.end());
}

// An address is removed and with it the connected route that it brought, not one like it that an
// administrator made.
TEST_CASE("routes removed: the route of an address, not its double through a gateway") {
    machine m;
    REQUIRE(m.ip->add_address(2, "10.0.0.1/24"_net).has_value());
    REQUIRE(m.ip->add_address(2, "10.5.0.1/32"_net).has_value());
    m.route("10.5.0.0/24 via 10.0.0.9 dev d1 src 10.5.0.1");
    REQUIRE(m.ip->add_address(2, "10.5.0.1/24"_net).has_value());
    REQUIRE(m.ip->remove_address(2, "10.5.0.1/24"_net).has_value());
    const lines left = m.table();
    CHECK(std::count(left.begin(), left.end(), "10.5.0.0/24 via 10.0.0.9 dev d1 src 10.5.0.1") ==
          1);
    CHECK(std::count(left.begin(), left.end(), "10.5.0.0/24 dev d1 scope link src 10.5.0.1") == 0);
}

}  // namespace

}  // namespace stack_routes_go
