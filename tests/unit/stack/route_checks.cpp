// Routes that add_route refuses, and how remove_route matches. Every row has the answer of Linux
// 6.18 to the same `ip route add` and `del`, unless it states otherwise. Linux fib_create_info,
// fib_check_nh, fib_valid_prefsrc, fib_table_delete.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/route/text.hpp>

#include <string>

namespace stack_route_checks {

namespace {

using namespace stack_test;
using enum route_error;

// 10.0.0.1/24 on 2, 11.0.0.1/24 on 3; 12.0.0.1/24 on 4, which is down.
struct machine {
    world<linux_router> ip{{.links = {{.index = 2, .address = "10.0.0.1/24"_net},
                                      {.index = 3, .address = "11.0.0.1/24"_net},
                                      {.index = 4, .address = "12.0.0.1/24"_net}}}};

    machine() { REQUIRE(ip->set_up(4, false).has_value()); }
    // `dev 2` is interface 2.
    static route_entry entry(const char* text) {
        CAPTURE(text);
        auto read = parse_route(text);
        REQUIRE(read.has_value());
        if (!read->device.empty())
            read->route.interface =
                static_cast<u16>(std::stoi(std::string{read->device.data(), read->device.size()}));
        return read->route;
    }
    route_error add(const char* text) {
        const auto added = ip->add_route(entry(text));
        return added.has_value() ? none : added.error();
    }
    route_error remove(const char* text) {
        const auto removed = ip->remove_route(entry(text));
        return removed.has_value() ? none : removed.error();
    }
    std::string leads(ipv4::address to) const {
        const next_hop id = ip->routes().lookup(to);
        if (id == next_hop::none) return "nowhere";
        const route_entry& r = ip->routes().at(id);
        return to_text(r, std::to_string(r.interface)).c_str();
    }
};

TEST_CASE("route checks: gateway, interface and source, one by one") {
    const struct {
        const char* text;
        route_error right;
    } rows[] = {
        // The gateway of an interface that was given.
        {"30.0.0.0/16 via 11.0.0.9 dev 2", gateway_unreachable},
        {"30.0.0.0/16 via 55.0.0.1 dev 2", gateway_unreachable},
        {"30.0.0.0/16 via 10.0.0.255 dev 2", invalid_gateway},
        {"30.0.0.0/16 via 10.0.0.1 dev 3", gateway_unreachable},
        {"30.0.0.0/16 via 10.0.0.9 dev 2", none},
        {"30.0.0.0/16 via 10.0.0.9 dev 99", gateway_unreachable},
        {"30.0.0.0/16 via 10.0.0.0 dev 2", none},
        {"30.0.0.0/16 via 0.0.0.0 dev 2", none},
        // And of one that follows from it.
        {"30.0.0.0/16 via 10.0.0.9", none},
        {"30.0.0.0/16 via 55.0.0.1", gateway_unreachable},
        {"30.0.0.0/16 via 12.0.0.9 dev 4", gateway_unreachable},
        {"30.0.0.0/16 via 10.0.0.255", invalid_gateway},
        // Taken for a neighbour.
        {"30.0.0.0/16 via 99.0.0.1 dev 2 onlink", none},
        {"30.0.0.0/16 via 11.0.0.9 dev 2 onlink", none},
        {"30.0.0.0/16 via 240.0.0.1 dev 2 onlink", none},
        {"30.0.0.0/16 via 0.0.0.5 dev 2 onlink", none},
        {"30.0.0.0/16 via 224.0.0.5 dev 2 onlink", invalid_gateway},
        {"30.0.0.0/16 via 255.255.255.255 dev 2 onlink", invalid_gateway},
        {"30.0.0.0/16 via 10.0.0.255 dev 2 onlink", invalid_gateway},
        {"30.0.0.0/16 via 11.0.0.255 dev 2 onlink", invalid_gateway},
        {"30.0.0.0/16 via 10.0.0.1 dev 2 onlink", invalid_gateway},
        {"30.0.0.0/16 via 11.0.0.1 dev 2 onlink", invalid_gateway},
        {"30.0.0.0/16 via 127.0.0.9 dev 2 onlink", invalid_gateway},
        {"30.0.0.0/16 via 99.0.0.9 onlink", no_interface},
        {"30.0.0.0/16 via 12.0.0.9 dev 4 onlink", interface_down},
        {"30.0.0.0/16 dev 2 onlink", invalid},
        // Without a gateway.
        {"30.0.0.0/16 dev 2", none},
        {"30.0.0.0/16 dev 4", interface_down},
        {"30.0.0.0/16 dev 99", no_interface},
        {"30.0.0.0/16", no_interface},
        {"30.0.0.0/16 src 10.0.0.1", no_interface},
        // Other types.
        {"local 30.0.0.0/16 dev 4", none},
        {"local 30.0.0.0/16", no_interface},
        {"local 30.0.0.0/16 via 10.0.0.9 dev 2", invalid_gateway},
        {"broadcast 30.0.0.9 dev 2", none},
        {"broadcast 30.0.0.9 dev 4", interface_down},
        {"broadcast 30.0.0.9 via 10.0.0.9 dev 2", gateway_unreachable},
        {"multicast 239.0.0.0/8 dev 2", none},
        {"multicast 239.0.0.0/8 dev 4", interface_down},
        {"multicast 30.0.0.0/16 via 10.0.0.9 dev 2", gateway_unreachable},
        {"blackhole 30.0.0.0/16 dev 2", invalid},
        {"unreachable 30.0.0.0/16 via 10.0.0.9", invalid},
        {"throw 30.0.0.0/16 dev 2", invalid},
        {"prohibit 30.0.0.0/16 src 99.0.0.1 metric 5 mtu 500", none},
        // The preferred source.
        {"30.0.0.0/16 via 10.0.0.9 src 99.0.0.1", invalid_source},
        {"30.0.0.0/16 via 10.0.0.9 src 10.0.0.255", invalid_source},
        {"30.0.0.0/16 via 10.0.0.9 src 224.0.0.1", invalid_source},
        {"30.0.0.0/16 via 10.0.0.9 src 11.0.0.1", none},
        {"30.0.0.0/16 via 10.0.0.9 src 12.0.0.1", none},
        {"30.0.0.0/16 via 10.0.0.9 src 127.0.0.7", none},
        {"local 30.0.0.1 dev 2 src 30.0.0.1", none},
        {"local 30.0.0.0/16 dev 2 src 30.0.0.5", invalid_source},
        // ECN bits, and a wide prefix of the classes that hosts do not use.
        {"30.0.0.0/16 dev 2 tos 1", invalid},
        {"127.0.0.0/8 dev 2", none},
        {"255.255.255.255 dev 2", none},
        {"240.0.0.0/4 dev 2", none},
        // Deviation: Linux leads to the link of that address, and takes MTUs that nothing fits.
        {"30.0.0.0/16 via 10.0.0.1", invalid_gateway},
        {"30.0.0.0/16 via 10.0.0.1 dev 2", invalid_gateway},
        {"30.0.0.0/16 dev 2 mtu 10", invalid_mtu},
        {"30.0.0.0/16 dev 2 mtu lock 67", invalid_mtu},
        {"30.0.0.0/16 dev 2 mtu 68", none},
    };
    for (const auto& r : rows) {
        CAPTURE(r.text);
        machine m;
        const u32 version = m.ip->route_generation();
        CHECK(m.add(r.text) == r.right);
        CHECK((m.ip->route_generation() != version) == (r.right == none));
    }
}

TEST_CASE("route checks: a gateway must be on a link, not behind another gateway") {
    machine m;
    REQUIRE(m.add("30.0.0.0/16 via 10.0.0.9") == none);
    CHECK(m.add("31.0.0.0/16 via 30.0.0.1") == gateway_unreachable);
    REQUIRE(m.add("32.0.0.0/16 dev 3") == none);
    CHECK(m.add("33.0.0.0/16 via 32.0.0.1") == none);
    CHECK(m.leads("33.0.0.1"_ip) == "33.0.0.0/16 via 32.0.0.1 dev 3");
    // A host route by another link counts unless the interface is given.
    REQUIRE(m.add("10.0.0.9 dev 3") == none);
    CHECK(m.add("34.0.0.0/16 via 10.0.0.9") == none);
    CHECK(m.leads("34.0.0.1"_ip) == "34.0.0.0/16 via 10.0.0.9 dev 3");
    CHECK(m.add("35.0.0.0/16 via 10.0.0.9 dev 2") == none);
    CHECK(m.leads("35.0.0.1"_ip) == "35.0.0.0/16 via 10.0.0.9 dev 2");
    // A refusal answers for no link: the default route below it does.
    REQUIRE(m.add("default dev 2") == none);
    REQUIRE(m.add("prohibit 36.0.0.0/8") == none);
    CHECK(m.add("37.0.0.0/16 via 36.0.0.1") == none);
    CHECK(m.leads("37.0.0.1"_ip) == "37.0.0.0/16 via 36.0.0.1 dev 2");
}

TEST_CASE("route checks: the same prefix again, by tos and metric") {
    machine m;
    CHECK(m.add("30.0.0.0/16 dev 2 tos 4") == none);
    CHECK(m.add("30.0.0.0/16 dev 2 tos 8") == none);
    CHECK(m.add("30.0.0.0/16 dev 3 tos 8") == exists);
    CHECK(m.add("30.0.0.0/16 dev 2 tos 8 metric 1") == none);
    CHECK(m.add("30.0.0.0/16 via 55.0.0.1 tos 8") == gateway_unreachable);
    CHECK(m.add("blackhole 30.0.0.0/16 tos 8") == exists);
    CHECK(m.add("local 30.0.0.0/16 dev 2 tos 8") == none);  // another table
}

TEST_CASE("route checks: an MTU is cut to what a link leaves beside its header") {
    machine m;
    REQUIRE(m.add("30.0.0.0/16 dev 2 mtu 65535") == none);
    CHECK(m.leads("30.0.0.1"_ip) == "30.0.0.0/16 dev 2 scope link mtu 65520");
    CHECK(m.remove("30.0.0.0/16 mtu 65535") == not_found);
    CHECK(m.remove("30.0.0.0/16 mtu 65520") == none);
}

TEST_CASE("route checks: a removal matches every named attribute") {
    const struct {
        const char* text;
        route_error right;
    } rows[] = {
        {"30.0.0.0/16", none},
        {"30.0.0.0/16 mtu 1000", none},
        {"30.0.0.0/16 mtu 1001", not_found},
        {"30.0.0.0/16 mtu lock 1000", not_found},
        {"30.0.0.0/16 metric 7", none},
        {"30.0.0.0/16 metric 8", not_found},
        {"30.0.0.0/16 src 11.0.0.1", none},
        {"30.0.0.0/16 src 10.0.0.1", not_found},
        {"30.0.0.0/16 via 10.0.0.9", none},
        {"30.0.0.0/16 via 10.0.0.8", not_found},
        {"30.0.0.0/16 dev 2", none},
        {"30.0.0.0/16 dev 3", not_found},
        {"30.0.0.0/16 tos 8", not_found},
        {"30.0.0.0/17", not_found},
        {"blackhole 30.0.0.0/16", not_found},
    };
    for (const auto& r : rows) {
        CAPTURE(r.text);
        machine m;
        REQUIRE(m.add("30.0.0.0/16 via 10.0.0.9 dev 2 src 11.0.0.1 metric 7 mtu 1000") == none);
        CHECK(m.remove(r.text) == r.right);
    }
    machine m;
    REQUIRE(m.add("30.0.0.0/16 dev 2 mtu lock 1000") == none);
    CHECK(m.remove("30.0.0.0/16 mtu 1000") == none);
    REQUIRE(m.add("30.0.0.0/16 dev 2") == none);
    route_entry wanted = machine::entry("30.0.0.0/16");
    wanted.scope = scopes::host;
    CHECK(m.ip->remove_route(wanted).error() == not_found);
    wanted.scope = scopes::link;
    CHECK(m.ip->remove_route(wanted).has_value());
}

}  // namespace

}  // namespace stack_route_checks
