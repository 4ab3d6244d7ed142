// administration: interfaces, addresses and the routes that belong to them are added and removed
// together; a refused change leaves no trace. The acts are called on the tables alone.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/administration.hpp>

namespace acts_administration {

namespace {

using namespace acts_test;

struct of_few_routes : policies<based_on<small>, routes<linear_routes<8>>> {};

template <class Core>
route_type type_to(const Core& c, ipv4::address a) {
    const next_hop id = c.tables.routes.lookup(a);
    return id == next_hop::none ? route_type::throw_away : c.tables.routes.at(id).type;
}

TEST_CASE("administration: an address adds routes to itself, its network and its broadcast") {
    core<small> c{{.seed = testing::fixed_seed}};
    acts::add_loopback(c.tables);
    CHECK(type_to(c, "127.0.0.1"_ip) == route_type::local);
    CHECK(acts::add_interface(c.tables, {.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    CHECK(type_to(c, "10.0.1.1"_ip) == route_type::local);
    CHECK(type_to(c, "10.0.1.7"_ip) == route_type::unicast);
    CHECK(type_to(c, "10.0.1.255"_ip) == route_type::broadcast);
    CHECK(acts::remove_address(c.tables, 2, "10.0.1.1/24"_net).has_value());
    for (const ipv4::address a : {"10.0.1.1"_ip, "10.0.1.7"_ip, "10.0.1.255"_ip})
        CHECK(type_to(c, a) == route_type::throw_away);
    CHECK(c.tables.interfaces.find(2) != nullptr);
    CHECK(c.books.counters.drops() == 0);
}

TEST_CASE("administration: a refused change leaves no trace") {
    core<of_few_routes> c{{.seed = testing::fixed_seed}};
    acts::add_loopback(c.tables);  // three of eight routes
    CHECK(acts::add_interface(c.tables, {.index = 2, .mtu = 67}).error() ==
          interface_error::invalid);
    CHECK(c.tables.interfaces.find(2) == nullptr);
    REQUIRE(acts::add_interface(c.tables, {.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    CHECK(acts::add_interface(c.tables, {.index = 2}).error() == interface_error::exists);
    CHECK(acts::add_interface(c.tables, {.index = 3, .address = "10.0.2.1/24"_net}).error() ==
          interface_error::full);
    CHECK(c.tables.interfaces.find(3) == nullptr);
    CHECK(type_to(c, "10.0.2.1"_ip) == route_type::throw_away);
    CHECK(acts::add_address(c.tables, 2, {.net = "10.0.2.1/24"_net}).error() ==
          interface_error::full);
    CHECK(c.tables.interfaces.find(2)->addresses.size() == 1);
    CHECK(acts::remove_interface(c.tables, 1).error() == interface_error::invalid);
    CHECK(acts::remove_interface(c.tables, 9).error() == interface_error::not_found);
}

TEST_CASE("administration: a link that goes down loses its routes, and regains them") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const u32 generation = c.tables.route_generation();
    CHECK(acts::set_link(c.tables, 3, {.up = false}).has_value());
    CHECK(c.tables.route_generation() != generation);
    CHECK(type_to(c, "10.0.2.7"_ip) == route_type::throw_away);
    CHECK(type_to(c, "10.0.2.1"_ip) == route_type::local);  // still local
    CHECK(type_to(c, "10.0.1.7"_ip) == route_type::unicast);
    CHECK(acts::set_link(c.tables, 3, {.up = true, .mtu = 67}).error() == interface_error::invalid);
    CHECK_FALSE(c.tables.interfaces.find(3)->up);
    CHECK(acts::set_link(c.tables, 3, {.up = true, .mtu = 1400}).has_value());
    CHECK(type_to(c, "10.0.2.7"_ip) == route_type::unicast);
    CHECK(c.tables.interfaces.find(3)->mtu == 1400);
}

TEST_CASE("administration: a removed interface loses its routes; one of type local is remembered") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::add_route(c.tables, {.prefix = {"20.0.0.0"_ip, 8}, .gateway = "10.0.2.254"_ip})
                .has_value());
    CHECK(acts::add_route(c.tables, {.prefix = {"30.0.0.0"_ip, 8}, .gateway = "192.0.2.1"_ip})
              .error() == route_error::gateway_unreachable);
    CHECK_FALSE(c.tables.custom_local_routes);
    CHECK(acts::remove_interface(c.tables, 3).has_value());
    CHECK(c.tables.interfaces.find(3) == nullptr);
    for (const ipv4::address a : {"10.0.2.1"_ip, "10.0.2.7"_ip, "20.0.0.1"_ip, "30.0.0.1"_ip})
        CHECK(type_to(c, a) == route_type::throw_away);
    CHECK(type_to(c, "10.0.1.1"_ip) == route_type::local);
    REQUIRE(acts::add_route(c.tables, {.prefix = {"40.0.0.0"_ip, 8},
                                       .type = route_type::local,
                                       .scope = scopes::host,
                                       .interface = 2})
                .has_value());
    CHECK(c.tables.custom_local_routes);
}

}  // namespace

}  // namespace acts_administration
