// Packets, upcalls, waiting packets and switches with more than one table
// of multicast routing. tests/kernel/vectors/multicast2.vec holds what Linux does.
#include "unit/stack/acts/subject.hpp"

#include <sluice/multicast/multicast_tables.hpp>
#include <sluice/stack/enter.hpp>
#include <sluice/stack/multicast_routes.hpp>

namespace acts_several_multicast_tables {

namespace {

using namespace acts_test;

constexpr ipv4::address source = "10.0.1.2"_ip;
constexpr ipv4::address group = "239.1.1.1"_ip;

struct program {
    u32 missing = 0;
    u32 messages = 0;
    void (*answer)(void*) = nullptr;
    void* with = nullptr;

    template <class Packet>
    bool upcall(const multicast_event& e, const Packet&) noexcept {
        missing += e.kind == multicast_event_kind::no_entry ? 1 : 0;
        messages += e.kind == multicast_event_kind::message ? 1 : 0;
        if (answer != nullptr) answer(with);
        return true;
    }
};

struct routing : policies<based_on<small>,
                          multicast_routes<multicast_tables<3, forwarding_cache<8, program>>>> {};
using router = core<routing>;

constexpr u32 other = 100;

// Interfaces 2 to 4 are VIFs 0 to 2 of both tables; 4 is a member of the domain of interface 9.
void furnish_router(router& c) {
    furnish(c);
    REQUIRE(acts::add_interface(c.tables, {.index = 9}).has_value());
    REQUIRE(acts::add_interface(c.tables, {.index = 4, .address = "10.0.3.1/24"_net, .master = 9})
                .has_value());
    for (const u32 table : {default_multicast_table, other}) {
        REQUIRE(acts::open_multicast_routes(c, table).has_value());
        for (u8 n = 0; n < 3; ++n)
            REQUIRE(acts::add_vif(c, n, {.interface = static_cast<u16>(n + 2)}, table).has_value());
    }
}
multicast_entry entry(u8 upstream, u8 to, ipv4::address from = source) {
    multicast_entry e{.source = from, .group = group, .upstream = upstream};
    e.thresholds.at(to) = 1;
    return e;
}
byte_vector multicast(ipv4::address from = source, u8 protocol = 253) {
    return datagram_of({.source = from, .destination = group, .ttl = 9, .protocol = protocol});
}
fate receive(router& c, const byte_vector& d, u16 interface = 2) {
    return acts::enter(c, packet_of(c, d, interface), c.calls.now);
}
auto& table(router& c, u32 number) {
    return *c.multicast.table(number);
}

TEST_CASE("each table forwards by its own entries, and counts for itself") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(acts::add_multicast_route(c, entry(0, 1), {}).has_value());
    REQUIRE(acts::add_multicast_route(c, entry(0, 2), {}, other).has_value());
    CHECK(receive(c, multicast()) == fate::forwarded);
    CHECK(sent(c).at(0).to.interface == 3);
    REQUIRE(c.multicast.add_rule({.priority = 1, .incoming = 2, .target = other}).has_value());
    CHECK(receive(c, multicast()) == fate::forwarded);
    CHECK(sent(c).at(0).to.interface == 4);
    CHECK(receive(c, multicast()) == fate::forwarded);
    CHECK(table(c, default_multicast_table).entry(source, group)->seen.all.packets == 1);
    CHECK(table(c, other).entry(source, group)->seen.all.packets == 2);
    CHECK(table(c, other).vifs().traffic_of(2).out.packets == 2);
    CHECK(table(c, default_multicast_table).vifs().traffic_of(2).out.packets == 0);
    REQUIRE(acts::remove_multicast_route(c, entry(0, 2), {}, other).has_value());
    CHECK(table(c, default_multicast_table).size() == 1);
    CHECK(table(c, other).size() == 0);
}

TEST_CASE("events reach the program of the packet's table; what waits is released by its table") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(c.multicast.add_rule({.priority = 1, .incoming = 2, .target = other}).has_value());
    CHECK(receive(c, multicast()) == fate::held);
    CHECK(table(c, other).router.missing == 1);
    CHECK(table(c, default_multicast_table).router.missing == 0);
    CHECK(receive(c, multicast("10.0.1.3"_ip, ipv4::protocols::igmp)) == fate::absorbed);
    CHECK(table(c, other).router.messages == 1);
    REQUIRE(acts::add_multicast_route(c, entry(0, 1), {}).has_value());
    CHECK(sent(c).empty());
    REQUIRE(acts::add_multicast_route(c, entry(0, 2), {}, other).has_value());
    CHECK(sent(c).at(0).to.interface == 4);
    CHECK(c.device.buffers.available() == 32);
}

TEST_CASE("an entry made within a call releases packets behind it, by the same table") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(c.multicast.add_rule({.priority = 1, .incoming = 2, .target = other}).has_value());
    CHECK(receive(c, multicast()) == fate::held);
    // The default table has an entry of the flow, which must not count.
    REQUIRE(acts::add_multicast_route(c, entry(0, 1), {}).has_value());
    table(c, other).router.with = &c;
    table(c, other).router.answer = [](void* with) {
        router& on = *static_cast<router*>(with);
        const acts::entrance<router> nested{on, on.calls.now};
        REQUIRE(acts::add_multicast_route(on, entry(0, 2), {}, other).has_value());
    };
    CHECK(receive(c, multicast("10.0.1.9"_ip)) == fate::held);
    const auto left = sent(c);
    REQUIRE(left.size() == 1);
    CHECK(left[0].to.interface == 4);
}

TEST_CASE("a packet that the rules refuse is dropped, also for a member") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(acts::add_multicast_route(c, entry(0, 1), {}).has_value());
    REQUIRE(c.tables.groups.join(2, group));
    REQUIRE(c.multicast.add_rule({.priority = 1, .incoming = 2, .action = rule_action::prohibit})
                .has_value());
    CHECK(receive(c, multicast()) == fate::dropped);
    CHECK(c.books.counters[drop_reason::no_multicast_route] == 1);
    CHECK(c.books.counters[balance::delivered] == 0);
    CHECK(sent(c).empty());
}

TEST_CASE("rules know an interface with a master by its master; its VIF is its own") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(acts::add_multicast_route(c, entry(2, 0), {}).has_value());
    REQUIRE(acts::add_multicast_route(c, entry(2, 1), {}, other).has_value());
    REQUIRE(c.multicast.add_rule({.priority = 1, .incoming = 4, .target = other}).has_value());
    CHECK(receive(c, multicast(), 4) == fate::forwarded);
    CHECK(sent(c).at(0).to.interface == 2);
    REQUIRE(c.multicast.add_rule({.priority = 2, .incoming = 9, .target = other}).has_value());
    CHECK(receive(c, multicast(), 4) == fate::forwarded);
    CHECK(sent(c).at(0).to.interface == 3);
    // A VIF of the master is none of its members.
    REQUIRE(acts::remove_vif(c, 2, other).has_value());
    REQUIRE(acts::add_vif(c, 2, {.interface = 9}, other).has_value());
    CHECK(receive(c, multicast(), 4) == fate::dropped);
}

TEST_CASE("own packets come by lo for the rules, and leave by their interface") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(acts::add_multicast_route(c, entry(0, 2, "10.0.1.1"_ip), {}, other).has_value());
    const auto send = [&] {
        const acts::entrance<router> here{c, c.calls.now};
        auto p = c.device.buffers.take(default_headroom);
        REQUIRE(p.put(8) != nullptr);
        static_cast<void>(acts::originate(c, std::move(p),
                                          {.destination = group,
                                           .source = "10.0.1.1"_ip,
                                           .interface = 2,
                                           .protocol = 253,
                                           .multicast_ttl = 5}));
    };
    REQUIRE(c.multicast.add_rule({.priority = 1, .incoming = 2, .target = other}).has_value());
    send();
    CHECK(sent(c).size() == 1);  // the default table has no entry
    REQUIRE(c.multicast.add_rule({.priority = 2, .incoming = 1, .outgoing = 3, .target = other})
                .has_value());
    send();
    CHECK(sent(c).size() == 1);
    REQUIRE(c.multicast.add_rule({.priority = 3, .incoming = 1, .outgoing = 2, .target = other})
                .has_value());
    send();
    CHECK(sent(c).size() == 2);
}

TEST_CASE(
    "an interface forwards multicast while it has a VIF in a table, a host while one is open") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const auto forwards = [&](u16 index) {
        return c.tables.interfaces.find(index)->in_force.mc_forwarding;
    };
    acts::close_multicast_routes(c, other);
    CHECK(c.tables.switches.all.mc_forwarding);
    CHECK(forwards(3));
    REQUIRE(acts::open_multicast_routes(c, other).has_value());
    for (u8 n = 0; n < 3; ++n)
        REQUIRE(acts::add_vif(c, n, {.interface = static_cast<u16>(n + 2)}, other).has_value());
    REQUIRE(acts::remove_vif(c, 0, other).has_value());
    CHECK(forwards(2));
    REQUIRE(acts::remove_vif(c, 0).has_value());
    CHECK_FALSE(forwards(2));
    acts::close_multicast_routes(c);
    CHECK(forwards(3));
    CHECK(table(c, other).vifs().present() == 6);
    acts::forget_vifs_of(c, 3);
    CHECK(table(c, other).vifs().present() == 4);
    acts::close_multicast_routes(c, other);
    CHECK_FALSE(forwards(4));
    CHECK_FALSE(c.tables.switches.all.mc_forwarding);
    CHECK(acts::add_vif(c, 0, {.interface = 2}, other).error() == multicast_error::not_open);
}

TEST_CASE("a table that is not there") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    CHECK(acts::open_multicast_routes(c, other).error() == multicast_error::in_use);
    CHECK(acts::add_vif(c, 0, {.interface = 2}, 7).error() == multicast_error::not_open);
    CHECK(acts::remove_vif(c, 0, 7).error() == multicast_error::not_found);
    CHECK(acts::add_multicast_route(c, entry(0, 1), {}, 7).error() == multicast_error::not_found);
    CHECK(acts::remove_multicast_route(c, entry(0, 1), {}, 7).error() ==
          multicast_error::not_found);
    acts::flush_vifs(c, 7);
    acts::flush_multicast_routes(c, {.entries = true}, 7);
    acts::close_multicast_routes(c, 7);
    REQUIRE(acts::open_multicast_routes(c, 7).has_value());
    CHECK(acts::open_multicast_routes(c, 8).error() == multicast_error::full);
    CHECK(table(c, other).vifs().present() == 7);
}

TEST_CASE("flows of every table are given up in time") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(c.multicast.add_rule({.priority = 1, .incoming = 2, .target = other}).has_value());
    CHECK(receive(c, multicast()) == fate::held);
    CHECK(receive(c, multicast("10.0.2.2"_ip), 3) == fate::held);
    const instant due = acts::poll(c, c.calls.now);
    CHECK(due == c.calls.now.now + multicast_patience);
    c.calls.now.now = due;
    CHECK(acts::poll(c, c.calls.now) == instant::never());
    CHECK(c.books.counters[drop_reason::no_multicast_route] == 2);
    CHECK(c.device.buffers.available() == 32);
}

}  // namespace

}  // namespace acts_several_multicast_tables
