// A route policy without local routes: the stack delivers to local addresses all the same.
#include "support/world.hpp"

namespace stack_own_route_policy {
using namespace stack_test;

namespace {

// All that is not on interface 3 goes there, whatever the destination.
struct one_route {
    static constexpr bool has_local_routes = false;
    static constexpr std::size_t memory_limit = sizeof(route_entry);

    route_entry route{.interface = 3, .gateway = "10.0.2.254"_ip};

    constexpr next_hop lookup(ipv4::address) const noexcept { return next_hop{0}; }
    constexpr next_hop lookup(const route_query&) const noexcept { return next_hop{0}; }
    constexpr const route_entry& at(next_hop) const noexcept { return route; }
    constexpr u32 version() const noexcept { return 0; }
};
static_assert(route_policy<one_route> && !mutable_route_policy<one_route>);
static_assert(mutable_route_policy<with_local_routes<one_route>>);

// The same, to the gateway that the stack's constructor passes.
struct given_route : one_route {
    using parts = ipv4::address;
    constexpr explicit given_route(ipv4::address gateway) noexcept
        : one_route{{.interface = 3, .gateway = gateway}} {}
};

// A table like any other, but without local routes.
struct plain_table : linear_routes<16> {
    static constexpr bool has_local_routes = false;
};
static_assert(mutable_route_policy<plain_table>);

struct one_route_router
    : policies<based_on<linux_router>, routes<one_route>, buffers<fixed_pool<2048, 64>>> {};
struct table_router
    : policies<based_on<linux_router>, routes<plain_table>, buffers<fixed_pool<2048, 64>>> {};

template <class Policies>
fate ping(world<Policies>& b, ipv4::address to, u16 interface = 2) {
    return b.receive(datagram_of({.source = "10.0.1.2"_ip,
                                  .destination = to,
                                  .protocol = ipv4::protocols::icmp,
                                  .payload = support::echo_request()}),
                     interface);
}

}  // namespace

TEST_CASE_TEMPLATE("own route policy: a ping to each local address is answered", Policies,
                   one_route_router, table_router) {
    world<Policies> b;
    for (const ipv4::address own : {"10.0.1.1"_ip, "10.0.2.1"_ip}) {
        CAPTURE(own.value);
        CHECK(ping(b, own) == fate::delivered);
        CHECK(b->counters()[mib::ip_forw_datagrams] == 0);
    }
    CHECK(b->counters()[mib::icmp_out_echo_reps] == 2);
}

TEST_CASE("own route policy: the policy routes replies and all other packets") {
    world<one_route_router> b;
    CHECK(ping(b, "10.0.1.1"_ip) == fate::delivered);
    CHECK(ping(b, "192.0.2.7"_ip) == fate::forwarded);
    const auto sent = b.sent();
    REQUIRE(sent.size() == 2);
    for (const sent_packet& p : sent) {
        CHECK(p.to == egress{3, link_destination::unicast, "10.0.2.254"_ip});
    }
    // The policy routes to the networks of the interfaces.
    CHECK(b->routes().table().version() == 0);
    CHECK(b->add_route({.prefix = "192.0.2.0/24"_prefix, .interface = 2}).has_value() == false);
}

TEST_CASE_TEMPLATE("own route policy: the broadcast address of a local network is delivered",
                   Policies, one_route_router, table_router) {
    world<Policies> b;
    b->change([](settings& s) { s.icmp_echo_ignore_broadcasts = false; });
    CHECK(ping(b, "10.0.1.255"_ip) == fate::delivered);
    CHECK(b->counters()[mib::ipext_in_bcast_pkts] == 1);
    CHECK(b->counters()[mib::icmp_out_echo_reps] == 1);
    CHECK(b->counters()[mib::ip_forw_datagrams] == 0);
}

TEST_CASE_TEMPLATE("own route policy: a datagram from a local address is dropped", Policies,
                   one_route_router, table_router) {
    world<Policies> b;
    CHECK(b.receive(datagram_of({.source = "10.0.2.1"_ip, .destination = "10.0.1.1"_ip})) ==
          fate::dropped);
    CHECK(b->counters()[drop_reason::source_local] == 1);
}

TEST_CASE_TEMPLATE("own route policy: datagrams to local addresses are looped back by lo", Policies,
                   one_route_router, table_router) {
    world<Policies> b;
    const auto route = b->route({.destination = "10.0.2.1"_ip}, b.now);
    REQUIRE(route.has_value());
    CHECK(route->interface == routing::loopback_index);
    CHECK(route->source == "10.0.2.1"_ip);
}

TEST_CASE_TEMPLATE("own route policy: a removed address is not local any more", Policies,
                   one_route_router, table_router) {
    world<Policies> b;
    CHECK(b->remove_address(2, "10.0.1.1/24"_net).has_value());
    static_cast<void>(ping(b, "10.0.1.1"_ip, 3));
    CHECK(b->counters()[mib::ip_in_delivers] == 0);
    CHECK(b->add_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(ping(b, "10.0.1.1"_ip) == fate::delivered);
}

TEST_CASE("own route policy: local addresses precede the table of routes") {
    world<table_router> b;
    // No route is more specific than that of a local address; equal ones come second.
    CHECK(b->add_route({.prefix = "10.0.1.1/32"_prefix, .interface = 3}).has_value());
    CHECK(b->add_route({.prefix = "192.0.2.0/24"_prefix, .gateway = "10.0.2.254"_ip}).has_value());
    CHECK(ping(b, "10.0.1.1"_ip) == fate::delivered);
    CHECK(ping(b, "192.0.2.7"_ip) == fate::forwarded);
    CHECK(b->remove_route({.prefix = "192.0.2.0/24"_prefix}).has_value());
    static_cast<void>(ping(b, "192.0.2.7"_ip));
    CHECK(b->counters()[mib::ip_forw_datagrams] == 1);
}

TEST_CASE("own route policy: more addresses than the list holds are refused, none is lost") {
    with_local_routes<one_route, 2> table;
    const route_entry own{.prefix = "10.0.1.1/32"_prefix,
                          .type = route_type::local,
                          .scope = scopes::host,
                          .interface = 2};
    route_entry other = own;
    other.prefix = "10.0.1.2/32"_prefix;
    route_entry third = own;
    third.prefix = "10.0.1.3/32"_prefix;
    REQUIRE(table.append(own).has_value());
    CHECK(table.append(own).error() == route_error::exists);
    CHECK(table.add(own).error() == route_error::exists);
    REQUIRE(table.add(other).has_value());
    CHECK(table.append(third).error() == route_error::full);
    const u32 before = table.version();
    CHECK(table.at(table.lookup("10.0.1.1"_ip)) == own);
    CHECK(table.at(table.lookup("10.0.1.2"_ip)) == other);
    CHECK(table.at(table.lookup("10.0.1.3"_ip)).type == route_type::unicast);
    CHECK(table.remove(own).has_value());
    CHECK(table.remove(own).error() == route_error::not_found);
    CHECK(table.version() != before);
    CHECK(table.at(table.lookup("10.0.1.1"_ip)).type == route_type::unicast);
}

TEST_CASE("own route policy: the stack passes the constructor's argument to a table behind local "
          "routes") {
    struct given_router
        : policies<based_on<linux_router>, routes<given_route>, buffers<fixed_pool<2048, 64>>> {};
    const auto s = std::make_unique<stack<given_router>>(typename stack<given_router>::parts{
        .seed = sluice::testing::fixed_seed, .routes = "10.0.2.77"_ip});
    const auto& routes = s->routes();
    CHECK(routes.at(routes.lookup("192.0.2.7"_ip)).gateway == "10.0.2.77"_ip);
}

}  // namespace stack_own_route_policy
