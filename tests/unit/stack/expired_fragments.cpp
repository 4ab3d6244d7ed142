// A first fragment waits in vain while addresses and routes change: whether its sender gets an
// error, and from which source. As Linux 6.18 does, tests/kernel/vectors/asked/loopback.vec,
// expired-*.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_expired_fragments {

namespace {

using namespace stack_test;

constexpr auto local = "10.5.0.1"_ip;
constexpr auto spokesman = "10.0.1.1"_ip;

void stays(world<>&) {}
void goes(world<>& b) {
    REQUIRE(b->remove_address(2, "10.5.0.1/24"_net).has_value());
}
void moves(world<>& b) {
    goes(b);
    REQUIRE(b->add_address(3, "10.5.0.1/24"_net).has_value());
}
template <route_type Type, u16 Interface = 0>
void gets_route(world<>& b) {
    goes(b);
    const route_entry r{.prefix = "10.5.0.1/32"_prefix, .type = Type, .interface = Interface};
    REQUIRE(b->add_route(r).has_value());
}
void source_becomes_local(world<>& b) {
    REQUIRE(b->add_address(3, "10.0.1.2/24"_net).has_value());
}
void return_route_moves(world<>& b) {
    REQUIRE(b->add_route({.prefix = "10.0.1.2/32"_prefix, .interface = 3}).has_value());
    REQUIRE(b->change_interface(2, [](interface_settings& s) { s.rp_filter = 1; }));
}

TEST_CASE("expired fragments: the sender gets an error also if the address is no longer local") {
    const struct {
        const char* name;
        void (*change)(world<>&);
        ipv4::address error_source;  // of the error; unspecified: no error
    } rows[] = {
        {.name = "the address stays", .change = stays, .error_source = local},
        {.name = "it is removed, without a route there", .change = goes, .error_source = spokesman},
        {.name = "it moves to another interface", .change = moves, .error_source = local},
        {.name = "it is routed elsewhere",
         .change = gets_route<route_type::unicast, 3>,
         .error_source = spokesman},
        {.name = "it is routed by lo",
         .change = gets_route<route_type::unicast, 1>,
         .error_source = spokesman},
        {.name = "it is unreachable",
         .change = gets_route<route_type::unreachable>,
         .error_source = spokesman},
        {.name = "it is prohibited",
         .change = gets_route<route_type::prohibit>,
         .error_source = spokesman},
        {.name = "it is a black hole",
         .change = gets_route<route_type::blackhole>,
         .error_source = spokesman},
        {.name = "it is local by a route",
         .change = gets_route<route_type::local, 2>,
         .error_source = local},
        {.name = "it is a broadcast",
         .change = gets_route<route_type::broadcast, 2>,
         .error_source = {}},
        {.name = "the source becomes local", .change = source_becomes_local, .error_source = {}},
        {.name = "the route back changes", .change = return_route_moves, .error_source = {}},
    };
    for (const auto& row : rows) {
        for (const bool forwards : {true, false}) {
            CAPTURE(row.name);
            CAPTURE(forwards);
            world<> b;
            b->set_ip_forward(forwards);
            REQUIRE(b->add_address(2, "10.5.0.1/24"_net).has_value());
            const byte_vector first =
                datagram_of({.destination = local, .flags_and_offset = 0x2000});
            CHECK(b.receive(first) == fate::held);
            row.change(b);
            CHECK(b->poll({b.now.now + 30_s, 0}) == instant::never());
            CHECK(b->counters()[mib::ip_reasm_timeout] == 1);
            if (row.error_source.is_unspecified()) {
                CHECK(b.is_quiet());
            } else {
                check(b.sent_one(), support::icmp_is(11, 1), support::source(row.error_source),
                      support::quotes(first, first.size()));
            }
        }
    }
}

}  // namespace

}  // namespace stack_expired_fragments
