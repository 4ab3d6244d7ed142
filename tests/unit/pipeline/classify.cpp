// classify: deliver, forward or refuse: kinds of source by kinds of destination, under each
// relevant switch. As Linux ip_route_input.
#include <doctest/doctest.h>

#include <sluice/pipeline/classify.hpp>

#include "support/network.hpp"

namespace pipeline_classify {

namespace {

using namespace support;
using enum drop_reason;

void as_router(network&) {}
void as_host(network& n) {
    n.switches.set_ip_forward(false);
    for (u16 i = 1; i < 5; ++i)
        n.set_link(i, [](interface_settings& s) { s.forwarding = false; });
}
void strict(network& n) {
    n.set_link(2, [](interface_settings& s) { s.rp_filter = 1; });
}
void loose(network& n) {
    n.set_link(2, [](interface_settings& s) { s.rp_filter = 2; });
}
void accept_local(network& n) {
    n.set_link(2, [](interface_settings& s) { s.accept_local = true; });
}
void route_localnet(network& n) {
    n.set_link(2, [](interface_settings& s) { s.route_localnet = true; });
}
void bc_forwarding(network& n) {
    n.switches.all.bc_forwarding = true;
    n.set_link(2, [](interface_settings& s) { s.bc_forwarding = true; });
}
void default_route(network& n) {
    n.add({{}, 0}, {.interface = 3, .gateway = "10.0.2.254"_ip});
}
void member(network& n) {
    static_cast<void>(n.groups.join(2, "239.1.2.3"_ip));
}
void mc_forwarding(network& n) {
    n.switches.all.mc_forwarding = true;
    n.set_link(2, [](interface_settings& s) { s.mc_forwarding = true; });
}

// What a row expects: the interface that it is forwarded to, the type that it is delivered as, or
// the refusal with its reason and ICMP error.
struct expectation {
    decision_kind kind;
    route_type type = route_type::unicast;
    u16 interface = 0;
    drop_reason reason = none;
    int icmp_type = -1;
    int icmp_code = -1;
};
constexpr expectation to(u16 interface) {
    return {decision_kind::forward, route_type::unicast, interface};
}
constexpr expectation delivered(route_type type = route_type::local) {
    return {decision_kind::deliver, type};
}
constexpr expectation refused(drop_reason why) {
    return {decision_kind::drop, route_type::unicast, 0, why};
}
constexpr expectation answered(drop_reason why, int type, int code) {
    return {decision_kind::reject, route_type::unicast, 0, why, type, code};
}

constexpr auto peer = "10.0.1.2"_ip;
constexpr auto far = "10.0.2.2"_ip;
constexpr auto own = "10.0.1.1"_ip;
constexpr auto group = "239.1.2.3"_ip;

struct row {
    const char* name;
    ipv4::address source = peer;
    ipv4::address destination = own;
    void (*change)(network&) = as_router;
    expectation expected;
};

const row rows[] = {
    // destinations, from a neighbour
    {.name = "a local address", .expected = delivered()},
    {.name = "a local address on another link",
     .destination = "10.0.2.1"_ip,
     .expected = delivered()},
    {.name = "a local address, not forwarding",
     .destination = "10.0.2.1"_ip,
     .change = as_host,
     .expected = delivered()},
    {.name = "directed broadcast here",
     .destination = "10.0.1.255"_ip,
     .expected = delivered(route_type::broadcast)},
    {.name = "directed broadcast of another link is delivered too",
     .destination = "10.0.2.255"_ip,
     .expected = delivered(route_type::broadcast)},
    {.name = "directed broadcast, bc_forwarding",
     .destination = "10.0.2.255"_ip,
     .change = bc_forwarding,
     .expected = to(3)},
    {.name = "limited broadcast",
     .destination = ipv4::limited_broadcast,
     .expected = delivered(route_type::broadcast)},
    {.name = "a neighbour on another link", .destination = far, .expected = to(3)},
    {.name = "a neighbour, not forwarding",
     .destination = far,
     .change = as_host,
     .expected = refused(not_forwarding)},
    {.name = "behind a gateway", .destination = "10.9.1.1"_ip, .expected = to(3)},
    {.name = "back where it came from", .destination = "10.0.1.77"_ip, .expected = to(2)},
    {.name = "all zeros of the subnet is no broadcast",
     .destination = "10.0.1.0"_ip,
     .expected = to(2)},
    {.name = "no route", .destination = "192.0.2.1"_ip, .expected = answered(no_route, 3, 0)},
    {.name = "no route, not forwarding: silent",
     .destination = "192.0.2.1"_ip,
     .change = as_host,
     .expected = refused(not_forwarding)},
    {.name = "default route",
     .destination = "192.0.2.1"_ip,
     .change = default_route,
     .expected = to(3)},
    {.name = "unreachable",
     .destination = "10.20.0.1"_ip,
     .expected = answered(host_unreachable, 3, 1)},
    {.name = "prohibit", .destination = "10.21.0.1"_ip, .expected = answered(prohibited, 3, 13)},
    {.name = "blackhole", .destination = "10.22.0.1"_ip, .expected = refused(blackhole)},
    {.name = "throw is no route",
     .destination = "10.23.0.1"_ip,
     .expected = answered(no_route, 3, 0)},
    {.name = "prohibit, not forwarding: silent",
     .destination = "10.21.0.1"_ip,
     .change = as_host,
     .expected = refused(not_forwarding)},
    {.name = "class E is ordinary",
     .destination = "240.0.0.1"_ip,
     .expected = answered(no_route, 3, 0)},
    {.name = "class E by the default route",
     .destination = "240.0.0.1"_ip,
     .change = default_route,
     .expected = to(3)},
    {.name = "0.0.0.1 is ordinary",
     .destination = "0.0.0.1"_ip,
     .change = default_route,
     .expected = to(3)},
    {.name = "0.0.0.0", .destination = {}, .expected = refused(destination_invalid)},
    {.name = "0.0.0.0, not forwarding",
     .destination = {},
     .change = as_host,
     .expected = refused(destination_invalid)},
    {.name = "loopback from outside",
     .destination = ipv4::loopback,
     .expected = refused(loopback_outside)},
    {.name = "loopback, route_localnet",
     .destination = ipv4::loopback,
     .change = route_localnet,
     .expected = delivered()},
    // multicast
    {.name = "group without members",
     .destination = group,
     .expected = refused(no_multicast_member)},
    {.name = "a joined group",
     .destination = group,
     .change = member,
     .expected = delivered(route_type::multicast)},
    {.name = "all systems",
     .destination = ipv4::all_systems,
     .expected = delivered(route_type::multicast)},
    {.name = "group, forwarding without a route",
     .destination = group,
     .change = mc_forwarding,
     .expected = refused(no_multicast_route)},
    {.name = "link-local group is never forwarded",
     .destination = "224.0.0.9"_ip,
     .change = mc_forwarding,
     .expected = refused(no_multicast_member)},
    {.name = "a joined group from 0.0.0.0",
     .source = {},
     .destination = group,
     .change = member,
     .expected = refused(source_invalid)},
    {.name = "all systems from 0.0.0.0",
     .source = {},
     .destination = ipv4::all_systems,
     .expected = delivered(route_type::multicast)},
    {.name = "a joined group from a group",
     .source = "239.9.9.9"_ip,
     .destination = group,
     .change = member,
     .expected = refused(source_invalid)},
    {.name = "a joined group from loopback",
     .source = ipv4::loopback,
     .destination = group,
     .change = member,
     .expected = refused(loopback_outside)},
    {.name = "a joined group from a local address",
     .source = own,
     .destination = group,
     .change = member,
     .expected = refused(source_local)},
    // sources, to this host
    {.name = "from a group", .source = "224.0.0.5"_ip, .expected = refused(source_invalid)},
    {.name = "from the limited broadcast",
     .source = ipv4::limited_broadcast,
     .expected = refused(source_invalid)},
    {.name = "from 0.0.0.0", .source = {}, .expected = refused(source_invalid)},
    {.name = "from 0.0.0.0 to the limited broadcast",
     .source = {},
     .destination = ipv4::limited_broadcast,
     .expected = delivered(route_type::broadcast)},
    {.name = "from 0.0.0.0 to nowhere",
     .source = {},
     .destination = {},
     .expected = delivered(route_type::broadcast)},
    {.name = "from 0.0.0.0 to the directed broadcast",
     .source = {},
     .destination = "10.0.1.255"_ip,
     .expected = refused(source_invalid)},
    {.name = "from loopback", .source = ipv4::loopback, .expected = refused(loopback_outside)},
    {.name = "from loopback, route_localnet: still local",
     .source = ipv4::loopback,
     .change = route_localnet,
     .expected = refused(source_local)},
    {.name = "from a local address", .source = own, .expected = refused(source_local)},
    {.name = "from a local address, accept_local",
     .source = own,
     .change = accept_local,
     .expected = delivered()},
    {.name = "from a local directed broadcast", .source = "10.0.1.255"_ip, .expected = delivered()},
    {.name = "from a local directed broadcast, strict",
     .source = "10.0.1.255"_ip,
     .change = strict,
     .expected = refused(source_invalid)},
    {.name = "from 0.0.0.1", .source = "0.0.0.1"_ip, .expected = delivered()},
    {.name = "from class E", .source = "240.0.0.1"_ip, .destination = far, .expected = to(3)},
    // reverse path
    {.name = "from behind, filter off", .source = "10.9.1.1"_ip, .expected = delivered()},
    {.name = "from behind another link, strict",
     .source = "10.9.1.1"_ip,
     .change = strict,
     .expected = refused(reverse_path)},
    {.name = "from behind another link, loose",
     .source = "10.9.1.1"_ip,
     .change = loose,
     .expected = delivered()},
    {.name = "from where no route leads, loose",
     .source = "192.0.2.1"_ip,
     .change = loose,
     .expected = refused(reverse_path)},
    {.name = "from where a route refuses, loose",
     .source = "10.22.0.1"_ip,
     .change = loose,
     .expected = refused(reverse_path)},
    {.name = "from a neighbour, strict", .destination = far, .change = strict, .expected = to(3)},
    {.name = "forwarded, from another link, strict",
     .source = "10.0.3.3"_ip,
     .destination = far,
     .change = strict,
     .expected = refused(reverse_path)},
    {.name = "to the limited broadcast, strict",
     .source = "10.0.3.3"_ip,
     .destination = ipv4::limited_broadcast,
     .change = strict,
     .expected = refused(reverse_path)},
    // which of two faults is reported
    {.name = "from a group, to loopback",
     .source = "224.0.0.5"_ip,
     .destination = ipv4::loopback,
     .expected = refused(source_invalid)},
    {.name = "from 0.0.0.0, no route",
     .source = {},
     .destination = "192.0.2.1"_ip,
     .expected = refused(source_invalid)},
    {.name = "martian source, no route",
     .source = own,
     .destination = "192.0.2.1"_ip,
     .expected = answered(no_route, 3, 0)},
    {.name = "martian source, refusing route",
     .source = own,
     .destination = "10.21.0.1"_ip,
     .expected = answered(prohibited, 3, 13)},
};

// A datagram of that source and destination, by interface 2, after the change.
template <class Row>
auto classified(network& n, const Row& r) {
    r.change(n);
    n.refresh();
    const byte_vector d = support::datagram_of({.source = r.source, .destination = r.destination});
    return pipeline::classify(n.tables(), ipv4::const_view{d.data()}, r.destination, n.link(2));
}

TEST_CASE("classify: sources, destinations and switches") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        network n;
        const auto c = classified(n, r);
        CHECK(c.decided.kind() == r.expected.kind);
        CHECK(c.decided.reason() == r.expected.reason);
        if (r.expected.kind == decision_kind::forward) {
            CHECK(n.routes.at(c.decided.hop()).interface == r.expected.interface);
        }
        if (r.expected.kind == decision_kind::deliver) CHECK(c.type == r.expected.type);
        if (r.expected.kind == decision_kind::reject) {
            CHECK(c.decided.error().type() == r.expected.icmp_type);
            CHECK(c.decided.error().code() == r.expected.icmp_code);
            CHECK(c.unroutable);
        }
    }
}

TEST_CASE("classify: only IGMP may have the source 0.0.0.0 to a group") {
    network n;
    member(n);
    for (const u8 protocol : {ipv4::protocols::igmp, ipv4::protocols::udp}) {
        const byte_vector d =
            support::datagram_of({.source = {}, .destination = group, .protocol = protocol});
        const auto c = pipeline::classify(n.tables(), ipv4::const_view{d.data()}, group, n.link(2));
        CHECK((c.decided.kind() == decision_kind::deliver) == (protocol == ipv4::protocols::igmp));
    }
}

// The source of a group's datagram is looked up with no interface to leave by in mind, not with the
// first one. Linux ip_mc_validate_source.
TEST_CASE("classify: a multicast received on lo is checked as on any link") {
    for (const u16 link : {u16{1}, u16{2}}) {
        CAPTURE(link);
        network n;
        REQUIRE(n.groups.join(link, group));
        const auto classify_from = [&](ipv4::address source) {
            const byte_vector d = support::datagram_of({.source = source, .destination = group});
            return pipeline::classify(n.tables(), ipv4::const_view{d.data()}, group, n.link(link))
                .decided;
        };
        REQUIRE(n.link(link).in_force.send_redirects);
        CHECK(classify_from("10.0.1.255"_ip).kind() == decision_kind::deliver);
        CHECK(classify_from(peer).kind() == decision_kind::deliver);
        CHECK(classify_from(own).reason() == source_local);
    }
}

TEST_CASE("classify: the TTL does not matter") {
    network n;
    for (const ipv4::address a : {own, far, group, "192.0.2.1"_ip}) {
        const byte_vector zero = support::datagram_of({.destination = a, .ttl = 0});
        const byte_vector full = support::datagram_of({.destination = a, .ttl = 255});
        const auto with = [&](const byte_vector& d) {
            return pipeline::classify(n.tables(), ipv4::const_view{d.data()}, a, n.link(2)).decided;
        };
        CHECK(with(zero) == with(full));
    }
}

TEST_CASE("classify: a route with a tos takes packets of that tos alone") {
    network n;
    n.add("10.0.2.2/32"_prefix, {.tos = 0x10, .interface = 4});
    const struct {
        u8 tos;
        u16 interface;
    } tos_rows[] = {{.tos = 0, .interface = 3},    {.tos = 0x10, .interface = 4},
                    {.tos = 0x11, .interface = 4}, {.tos = 0xf0, .interface = 4},
                    {.tos = 0x14, .interface = 3}, {.tos = 0x08, .interface = 3}};
    for (const auto& r : tos_rows) {
        CAPTURE(int{r.tos});
        const byte_vector d = support::datagram_of({.tos = r.tos});
        const auto c = pipeline::classify(n.tables(), ipv4::const_view{d.data()}, far, n.link(2));
        CHECK(n.routes.at(c.decided.hop()).interface == r.interface);
    }
}

TEST_CASE("classify: a redirect is due on the sender's own link, unless it is switched off") {
    const struct {
        const char* name;
        ipv4::address source = peer;
        ipv4::address destination = own;
        void (*change)(network&) = as_router;
        bool redirect = false;
    } redirect_rows[] = {
        {.name = "neighbour to neighbour", .destination = "10.0.1.77"_ip, .redirect = true},
        {.name = "to another link", .destination = far, .change = as_router},
        {.name = "the sender is behind a gateway",
         .source = "10.9.1.1"_ip,
         .destination = "10.0.1.77"_ip,
         .change = as_router},
        {.name = "send_redirects off",
         .destination = "10.0.1.77"_ip,
         .change =
             [](network& n) {
                 n.switches.all.send_redirects = false;
                 n.set_link(2, [](interface_settings& s) { s.send_redirects = false; });
             }},
        {.name = "no shared media, gateway on another subnet",
         .destination = "10.30.0.1"_ip,
         .change =
             [](network& n) {
                 n.add("10.30.0.0/16"_prefix, {.interface = 2, .gateway = "10.7.7.7"_ip});
                 n.switches.all.shared_media = false;
                 n.set_link(2, [](interface_settings& s) { s.shared_media = false; });
             }},
        {.name = "shared media, gateway on another subnet",
         .destination = "10.30.0.1"_ip,
         .change =
             [](network& n) {
                 n.add("10.30.0.0/16"_prefix, {.interface = 2, .gateway = "10.7.7.7"_ip});
             },
         .redirect = true},
    };
    for (const auto& r : redirect_rows) {
        INFO(doctest::String{r.name});
        network n;
        const auto c = classified(n, r);
        CHECK(c.decided.kind() == decision_kind::forward);
        CHECK(c.redirect == r.redirect);
    }
}

}  // namespace

}  // namespace pipeline_classify
