// classify: for us, to be forwarded or refused: kinds of source by kinds of destination, under each
// switch that has a say. Sources and destinations as Linux's ip_route_input judges them.
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
    outcome kind;
    route_type type = route_type::unicast;
    u16 interface = 0;
    drop_reason reason = none;
    int icmp_type = -1;
    int icmp_code = -1;
};
constexpr expectation to(u16 interface) {
    return {outcome::forward, route_type::unicast, interface};
}
constexpr expectation ours(route_type type = route_type::local) {
    return {outcome::deliver, type};
}
constexpr expectation refused(drop_reason why) {
    return {outcome::drop, route_type::unicast, 0, why};
}
constexpr expectation answered(drop_reason why, int type, int code) {
    return {outcome::reject, route_type::unicast, 0, why, type, code};
}

struct row {
    const char* name;
    ipv4::address source;
    ipv4::address destination;
    void (*change)(network&);
    expectation expected;
};

constexpr auto peer = "10.0.1.2"_ip;
constexpr auto far = "10.0.2.2"_ip;
constexpr auto own = "10.0.1.1"_ip;
constexpr auto many = "239.1.2.3"_ip;

const row rows[] = {
    // destinations, from a neighbour
    {"our address", peer, own, as_router, ours()},
    {"our address on another link", peer, "10.0.2.1"_ip, as_router, ours()},
    {"our address, not forwarding", peer, "10.0.2.1"_ip, as_host, ours()},
    {"directed broadcast here", peer, "10.0.1.255"_ip, as_router, ours(route_type::broadcast)},
    {"directed broadcast there is ours too", peer, "10.0.2.255"_ip, as_router,
     ours(route_type::broadcast)},
    {"directed broadcast, bc_forwarding", peer, "10.0.2.255"_ip, bc_forwarding, to(3)},
    {"limited broadcast", peer, ipv4::limited_broadcast, as_router, ours(route_type::broadcast)},
    {"a neighbour on another link", peer, far, as_router, to(3)},
    {"a neighbour, not forwarding", peer, far, as_host, refused(not_forwarding)},
    {"behind a gateway", peer, "10.9.1.1"_ip, as_router, to(3)},
    {"back where it came from", peer, "10.0.1.77"_ip, as_router, to(2)},
    {"all zeros of the subnet is no broadcast", peer, "10.0.1.0"_ip, as_router, to(2)},
    {"no route", peer, "192.0.2.1"_ip, as_router, answered(no_route, 3, 0)},
    {"no route, not forwarding: silent", peer, "192.0.2.1"_ip, as_host, refused(not_forwarding)},
    {"default route", peer, "192.0.2.1"_ip, default_route, to(3)},
    {"unreachable", peer, "10.20.0.1"_ip, as_router, answered(host_unreachable, 3, 1)},
    {"prohibit", peer, "10.21.0.1"_ip, as_router, answered(prohibited, 3, 13)},
    {"blackhole", peer, "10.22.0.1"_ip, as_router, refused(blackhole)},
    {"throw is no route", peer, "10.23.0.1"_ip, as_router, answered(no_route, 3, 0)},
    {"prohibit, not forwarding: silent", peer, "10.21.0.1"_ip, as_host, refused(not_forwarding)},
    {"class E is ordinary", peer, "240.0.0.1"_ip, as_router, answered(no_route, 3, 0)},
    {"class E by the default route", peer, "240.0.0.1"_ip, default_route, to(3)},
    {"0.0.0.1 is ordinary", peer, "0.0.0.1"_ip, default_route, to(3)},
    {"0.0.0.0", peer, {}, as_router, refused(destination_invalid)},
    {"0.0.0.0, not forwarding", peer, {}, as_host, refused(destination_invalid)},
    {"loopback from outside", peer, ipv4::loopback, as_router, refused(loopback_outside)},
    {"loopback, route_localnet", peer, ipv4::loopback, route_localnet, ours()},
    // multicast
    {"group without members", peer, many, as_router, refused(no_multicast_member)},
    {"our group", peer, many, member, ours(route_type::multicast)},
    {"all systems", peer, ipv4::all_systems, as_router, ours(route_type::multicast)},
    {"group, forwarding without a route", peer, many, mc_forwarding, refused(no_multicast_route)},
    {"link-local group is never forwarded", peer, "224.0.0.9"_ip, mc_forwarding,
     refused(no_multicast_member)},
    {"our group from nowhere", {}, many, member, refused(source_invalid)},
    {"all systems from nowhere", {}, ipv4::all_systems, as_router, ours(route_type::multicast)},
    {"our group from a group", "239.9.9.9"_ip, many, member, refused(source_invalid)},
    {"our group from loopback", ipv4::loopback, many, member, refused(loopback_outside)},
    {"our group from ourselves", own, many, member, refused(source_local)},
    // sources, to us
    {"from a group", "224.0.0.5"_ip, own, as_router, refused(source_invalid)},
    {"from the limited broadcast", ipv4::limited_broadcast, own, as_router,
     refused(source_invalid)},
    {"from nowhere", {}, own, as_router, refused(source_invalid)},
    {"from nowhere to the limited broadcast",
     {},
     ipv4::limited_broadcast,
     as_router,
     ours(route_type::broadcast)},
    {"from nowhere to nowhere", {}, {}, as_router, ours(route_type::broadcast)},
    {"from nowhere to the directed broadcast",
     {},
     "10.0.1.255"_ip,
     as_router,
     refused(source_invalid)},
    {"from loopback", ipv4::loopback, own, as_router, refused(loopback_outside)},
    {"from loopback, route_localnet: still our own", ipv4::loopback, own, route_localnet,
     refused(source_local)},
    {"from our own address", own, own, as_router, refused(source_local)},
    {"from our own address, accept_local", own, own, accept_local, ours()},
    {"from our directed broadcast", "10.0.1.255"_ip, own, as_router, ours()},
    {"from our directed broadcast, strict", "10.0.1.255"_ip, own, strict, refused(source_invalid)},
    {"from 0.0.0.1", "0.0.0.1"_ip, own, as_router, ours()},
    {"from class E", "240.0.0.1"_ip, far, as_router, to(3)},
    // reverse path
    {"from behind, filter off", "10.9.1.1"_ip, own, as_router, ours()},
    {"from behind another link, strict", "10.9.1.1"_ip, own, strict, refused(reverse_path)},
    {"from behind another link, loose", "10.9.1.1"_ip, own, loose, ours()},
    {"from where no route leads, loose", "192.0.2.1"_ip, own, loose, refused(reverse_path)},
    {"from where a route refuses, loose", "10.22.0.1"_ip, own, loose, refused(reverse_path)},
    {"from a neighbour, strict", peer, far, strict, to(3)},
    {"forwarded, from another link, strict", "10.0.3.3"_ip, far, strict, refused(reverse_path)},
    {"to the limited broadcast, strict", "10.0.3.3"_ip, ipv4::limited_broadcast, strict,
     refused(reverse_path)},
    // which fault of two is told
    {"from a group, to loopback", "224.0.0.5"_ip, ipv4::loopback, as_router,
     refused(source_invalid)},
    {"from nowhere, no route", {}, "192.0.2.1"_ip, as_router, refused(source_invalid)},
    {"martian source, no route", own, "192.0.2.1"_ip, as_router, answered(no_route, 3, 0)},
    {"martian source, refusing route", own, "10.21.0.1"_ip, as_router, answered(prohibited, 3, 13)},
};

TEST_CASE("classify: sources, destinations and switches") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        network n;
        r.change(n);
        n.refresh();
        const octets d = support::datagram_of({.source = r.source, .destination = r.destination});
        const auto c =
            pipeline::classify(n.tables(), ipv4::const_view{d.data()}, r.destination, n.link(2));
        CHECK(c.verdict.kind() == r.expected.kind);
        CHECK(c.verdict.reason() == r.expected.reason);
        if (r.expected.kind == outcome::forward) {
            CHECK(n.routes.at(c.verdict.hop()).interface == r.expected.interface);
        }
        if (r.expected.kind == outcome::deliver) CHECK(c.type == r.expected.type);
        if (r.expected.kind == outcome::reject) {
            CHECK(c.verdict.error().type() == r.expected.icmp_type);
            CHECK(c.verdict.error().code() == r.expected.icmp_code);
            CHECK(c.unroutable);
        }
    }
}

TEST_CASE("classify: IGMP may come from nowhere, as others may not") {
    network n;
    member(n);
    for (const u8 protocol : {ipv4::protocols::igmp, ipv4::protocols::udp}) {
        const octets d =
            support::datagram_of({.source = {}, .destination = many, .protocol = protocol});
        const auto c = pipeline::classify(n.tables(), ipv4::const_view{d.data()}, many, n.link(2));
        CHECK((c.verdict.kind() == outcome::deliver) == (protocol == ipv4::protocols::igmp));
    }
}

// The source of a group's datagram is looked up with no interface to leave by in mind, not with the
// first one. Linux ip_mc_validate_source.
TEST_CASE("classify: a group's datagram that comes by lo is judged as by any link") {
    for (const u16 link : {u16{1}, u16{2}}) {
        CAPTURE(link);
        network n;
        REQUIRE(n.groups.join(link, many));
        const auto by = [&](ipv4::address source) {
            const octets d = support::datagram_of({.source = source, .destination = many});
            return pipeline::classify(n.tables(), ipv4::const_view{d.data()}, many, n.link(link))
                .verdict;
        };
        REQUIRE(n.link(link).in_force.send_redirects);
        CHECK(by("10.0.1.255"_ip).kind() == outcome::deliver);
        CHECK(by(peer).kind() == outcome::deliver);
        CHECK(by(own).reason() == source_local);
    }
}

TEST_CASE("classify: the time to live has no say") {
    network n;
    for (const ipv4::address a : {own, far, many, "192.0.2.1"_ip}) {
        const octets zero = support::datagram_of({.destination = a, .ttl = 0});
        const octets full = support::datagram_of({.destination = a, .ttl = 255});
        const auto with = [&](const octets& d) {
            return pipeline::classify(n.tables(), ipv4::const_view{d.data()}, a, n.link(2)).verdict;
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
    } tos_rows[] = {{0, 3}, {0x10, 4}, {0x11, 4}, {0xf0, 4}, {0x14, 3}, {0x08, 3}};
    for (const auto& r : tos_rows) {
        CAPTURE(int{r.tos});
        const octets d = support::datagram_of({.tos = r.tos});
        const auto c = pipeline::classify(n.tables(), ipv4::const_view{d.data()}, far, n.link(2));
        CHECK(n.routes.at(c.verdict.hop()).interface == r.interface);
    }
}

TEST_CASE("classify: a redirect is due on the sender's own link, unless it is switched off") {
    const struct {
        const char* name;
        ipv4::address source, destination;
        void (*change)(network&);
        bool redirect;
    } redirect_rows[] = {
        {"neighbour to neighbour", peer, "10.0.1.77"_ip, as_router, true},
        {"to another link", peer, far, as_router, false},
        {"the sender is behind a gateway", "10.9.1.1"_ip, "10.0.1.77"_ip, as_router, false},
        {"send_redirects off", peer, "10.0.1.77"_ip,
         [](network& n) {
             n.switches.all.send_redirects = false;
             n.set_link(2, [](interface_settings& s) { s.send_redirects = false; });
         },
         false},
        {"no shared media, gateway on another subnet", peer, "10.30.0.1"_ip,
         [](network& n) {
             n.add("10.30.0.0/16"_prefix, {.interface = 2, .gateway = "10.7.7.7"_ip});
             n.switches.all.shared_media = false;
             n.set_link(2, [](interface_settings& s) { s.shared_media = false; });
         },
         false},
        {"shared media, gateway on another subnet", peer, "10.30.0.1"_ip,
         [](network& n) {
             n.add("10.30.0.0/16"_prefix, {.interface = 2, .gateway = "10.7.7.7"_ip});
         },
         true},
    };
    for (const auto& r : redirect_rows) {
        INFO(doctest::String{r.name});
        network n;
        r.change(n);
        n.refresh();
        const octets d = support::datagram_of({.source = r.source, .destination = r.destination});
        const auto c =
            pipeline::classify(n.tables(), ipv4::const_view{d.data()}, r.destination, n.link(2));
        CHECK(c.verdict.kind() == outcome::forward);
        CHECK(c.redirect == r.redirect);
    }
}

}  // namespace

}  // namespace pipeline_classify
