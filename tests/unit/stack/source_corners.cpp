// Source addresses when interfaces have few addresses, and the source rules for them; source routes
// that end at a broadcast or multicast. The expected values are those of Linux 6.18 with the same
// packets between two TUN devices.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_source_corners {

namespace {

using namespace stack_test;

// The world without its addresses; routes to both links, and to 192.0.2.0/24 by a gateway on the
// first.
struct bare : world<> {
    bare() {
        auto& s = **this;
        REQUIRE(s.remove_address(2, "10.0.1.1/24"_net).has_value());
        REQUIRE(s.remove_address(3, "10.0.2.1/24"_net).has_value());
    }
    void give(u16 interface, ipv4::interface_address net, u8 scope) {
        REQUIRE((**this)
                    .add_address(interface,
                                 assigned_address{.net = net, .broadcast = {}, .scope = scope})
                    .has_value());
    }
    void add_routes() {
        auto& s = **this;
        REQUIRE(s.add_route({.prefix = "10.0.1.0/24"_prefix, .interface = 2}).has_value());
        REQUIRE(s.add_route({.prefix = "10.0.2.0/24"_prefix, .interface = 3}).has_value());
        REQUIRE(
            s.add_route({.prefix = "192.0.2.0/24"_prefix, .interface = 2, .gateway = "10.0.1.9"_ip})
                .has_value());
    }
    // Who says that the TTL ended.
    ipv4::address speaker(ipv4::address source) {
        CHECK(receive(datagram_of({.source = source, .destination = "10.0.2.9"_ip, .ttl = 1})) ==
              fate::dropped);
        const byte_vector error = sent_one();
        check(error, support::icmp_is(11, 0), support::right_sums(), support::destination(source));
        return ipv4::const_view{error.data()}[ipv4::source];
    }
};

// RFC 7600 section 4.8: 192.0.0.8 where there is no address at all. Linux inet_select_addr: an
// address of another interface serves, unless it is meant for its own link or host.
TEST_CASE("source corners: the source address for an interface without addresses") {
    constexpr ipv4::address dummy = "192.0.0.8"_ip;
    constexpr ipv4::interface_address a = "10.0.8.1/24"_net;
    constexpr ipv4::interface_address b = "10.0.9.1/24"_net;
    struct given {
        u16 interface;
        ipv4::interface_address net;
        u8 scope;
    };
    const struct {
        const char* name;
        std::vector<given> addresses;
        ipv4::address to_neighbour;            // the route back has the scope of the link
        ipv4::address by_the_gateway = dummy;  // and this one none
    } rows[] = {
        {.name = "none", .addresses = {}, .to_neighbour = dummy},
        {.name = "of another interface",
         .addresses = {{3, b, scopes::universe}},
         .to_neighbour = b.address,
         .by_the_gateway = b.address},
        {.name = "of another link", .addresses = {{3, b, scopes::link}}, .to_neighbour = dummy},
        {.name = "of its own link", .addresses = {{2, a, scopes::link}}, .to_neighbour = a.address},
        {.name = "of its own link, and another",
         .addresses = {{2, a, scopes::link}, {3, b, scopes::universe}},
         .to_neighbour = a.address,
         .by_the_gateway = b.address},
        {.name = "of this host, and of another link",
         .addresses = {{2, a, scopes::host}, {3, b, scopes::link}},
         .to_neighbour = dummy},
        {.name = "of another site", .addresses = {{3, b, scopes::site}}, .to_neighbour = b.address},
        {.name = "of another link, with one for all behind it",
         .addresses = {{3, b, scopes::link}, {3, a, scopes::universe}},
         .to_neighbour = a.address,
         .by_the_gateway = a.address},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        bare t;
        for (const given& g : r.addresses)
            t.give(g.interface, g.net, g.scope);
        t.add_routes();
        CHECK(t.speaker("10.0.1.2"_ip) == r.to_neighbour);
        CHECK(t.speaker("192.0.2.7"_ip) == r.by_the_gateway);
    }
}

// Linux __fib_validate_source: without addresses a filter, loose or strict, asks for the way back
// by the same interface.
TEST_CASE("source corners: reverse path filters on an interface without addresses") {
    for (const u8 filter : {u8{0}, u8{1}, u8{2}}) {
        for (const u16 back : {u16{2}, u16{3}, u16{0}}) {
            for (const bool addressed : {false, true}) {
                CAPTURE(int{filter});
                CAPTURE(back);
                CAPTURE(addressed);
                bare t;
                t.give(3, "10.0.2.1/24"_net, scopes::universe);
                if (addressed) t.give(2, "10.0.1.1/24"_net, scopes::universe);
                if (back != 0)
                    REQUIRE(t->add_route({.prefix = "198.51.100.0/24"_prefix, .interface = back})
                                .has_value());
                t->change_interface(2, [&](interface_settings& s) { s.rp_filter = filter; });
                const bool loose = addressed && filter == 2 && back != 0;
                const bool passes = filter == 0 || back == 2 || loose;
                t.receive(datagram_of(
                    {.source = "198.51.100.7"_ip, .destination = "10.0.2.9"_ip, .ttl = 9}));
                CHECK(t.sent().size() == (passes ? 1u : 0u));
                CHECK(t->counters()[drop_reason::reverse_path] == (passes ? 0 : 1));
            }
        }
    }
}

// Linux ip_options_rcv_srr: the next hop is unicast or local, whatever bc_forwarding permits
// else; so is the destination that the route is followed from.
TEST_CASE("source corners: a source route leads to no broadcast, forwarded or not") {
    const struct {
        const char* name;
        ipv4::address to = "10.0.1.1"_ip;
        ipv4::address hop;  // unspecified: no source route
        bool passes = false;
        bool passes_with_bc_forwarding = false;
    } rows[] = {
        {.name = "a neighbour",
         .hop = "10.0.2.9"_ip,
         .passes = true,
         .passes_with_bc_forwarding = true},
        {.name = "a directed broadcast", .hop = "10.0.2.255"_ip},
        {.name = "that of the link it came by", .hop = "10.0.1.255"_ip},
        {.name = "the limited broadcast", .hop = "255.255.255.255"_ip},
        {.name = "from a directed broadcast on", .to = "10.0.2.255"_ip, .hop = "10.0.2.9"_ip},
        {.name = "no source route",
         .to = "10.0.2.255"_ip,
         .hop = {},
         .passes_with_bc_forwarding = true},
    };
    for (const auto& r : rows) {
        for (const bool forwarded : {false, true}) {
            INFO(doctest::String{r.name});
            CAPTURE(forwarded);
            world<> b;
            b->change([&](settings& s) {
                s.all.accept_source_route = true;
                s.all.bc_forwarding = forwarded;
            });
            for (const u16 i : {u16{2}, u16{3}})
                b->change_interface(i, [&](interface_settings& s) {
                    s.accept_source_route = true;
                    s.bc_forwarding = forwarded;
                });
            byte_vector options;
            if (!r.hop.is_unspecified()) {
                options = list({131, 7, 4, 0, 0, 0, 0, 0});
                store_be<u32>(options.data() + 3, r.hop.value);
            }
            b.receive(datagram_of({.destination = r.to, .ttl = 9, .options = options}));
            const bool passes = forwarded ? r.passes_with_bc_forwarding : r.passes;
            CHECK(b.sent().size() == (passes ? 1u : 0u));
            CHECK(b->counters()[drop_reason::source_route_refused] ==
                  (passes || r.hop.is_unspecified() ? 0 : 1));
        }
    }
}

}  // namespace

}  // namespace stack_source_corners
