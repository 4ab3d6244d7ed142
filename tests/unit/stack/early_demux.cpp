// The route of an established flow: cached from its first datagram until the tables change.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/stats/observers.hpp>

namespace stack_early_demux {

namespace {

using namespace stack_test;

using packet_handle = world<>::packet_type;

byte_vector of_flow(ipv4::address source = "10.0.1.2"_ip, u16 from = 9, u16 offset_word = 0) {
    return datagram_of({.source = source,
                        .destination = "10.0.1.1"_ip,
                        .protocol = ipv4::protocols::udp,
                        .flags_and_offset = offset_word,
                        .payload = support::udp_message(from, 7000, pattern(8))});
}

// rp_filter becomes strict after the route of the flow was kept: by the kept route a source is not
// looked at any more, as in Linux.
struct flow_world : world<> {
    receive_queue<packet_handle, 16> queue;
    endpoint_filter flow{.protocol = ipv4::protocols::udp,
                         .local = "10.0.1.1"_ip,
                         .peer = "10.0.1.2"_ip,
                         .local_port = 7000,
                         .peer_port = 9};

    void open() { REQUIRE((**this).delivery().add_udp(flow, queue)); }
    ~flow_world() {
        while (queue.next().packet) {
        }
    }
    [[nodiscard]] early_route kept() {
        early_route* r = (**this).delivery().flow_of({.source = "10.0.1.2"_ip,
                                                      .destination = "10.0.1.1"_ip,
                                                      .interface = 2,
                                                      .source_port = 9,
                                                      .destination_port = 7000});
        return r != nullptr ? *r : early_route{};
    }
};

TEST_CASE("early demux: the first datagram of a flow caches its route") {
    flow_world b;
    b.open();
    CHECK(b.kept().interface == 0);
    CHECK(b.receive(of_flow("10.0.1.2"_ip, 10)) == fate::dropped);  // of no flow
    static_cast<void>(b.sent());
    CHECK(b.kept().interface == 0);
    CHECK(b.receive(of_flow()) == fate::delivered);
    CHECK((b.kept() == early_route{b->route_generation(), 2}));
    CHECK(b.receive(of_flow()) == fate::delivered);
    CHECK(b.queue.size() == 2);
    CHECK(b->counters()[mib::ip_in_delivers] == 3);
}

TEST_CASE("early demux: which endpoints keep a route") {
    const struct {
        const char* name;
        bool ip, udp;
        ipv4::address peer = "10.0.1.2"_ip;
        bool keeps = false;
    } rows[] = {
        {.name = "connected", .ip = true, .udp = true, .keeps = true},
        {.name = "ip_early_demux off", .ip = false, .udp = true},
        {.name = "udp_early_demux off", .ip = true, .udp = false},
        {.name = "not connected", .ip = true, .udp = true, .peer = {}},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        flow_world b;
        b.flow.peer = r.peer;
        b.open();
        CHECK(b->delivery().has_flows() == !r.peer.is_unspecified());
        b->change([&](settings& s) {
            s.ip_early_demux = r.ip;
            s.udp_early_demux = r.udp;
        });
        CHECK(b.receive(of_flow()) == fate::delivered);
        CHECK((b.kept().interface != 0) == r.keeps);
    }
}

// A route table that counts lookups.
struct counting_routes : lpm_trie<64> {
    static inline u32 asked = 0;
    template <class Query>
    next_hop lookup(const Query& q) const noexcept {
        ++asked;
        return lpm_trie<64>::lookup(q);
    }
};
struct counting_host : policies<buffers<fixed_pool<2048, 16>>, routes<counting_routes>> {};

TEST_CASE("early demux: the table is looked up only for the first datagram of a flow") {
    world<counting_host> b;
    receive_queue<world<counting_host>::packet_type, 4> queue;
    endpoint_filter f{.protocol = ipv4::protocols::udp, .local_port = 7000};
    for (const bool connected : {false, true}) {
        if (connected) f = flow_world().flow;
        REQUIRE(b->delivery().add_udp(f, queue));
        u32 lookups[2]{};
        for (u32& n : lookups) {
            counting_routes::asked = 0;
            CHECK(b.receive(of_flow()) == fate::delivered);
            n = counting_routes::asked;
            CHECK(queue.next().packet);
        }
        CHECK(lookups[0] != 0);
        CHECK(lookups[1] == (connected ? 0 : lookups[0]));
        b->delivery().remove(queue);
    }
}

TEST_CASE("early demux: the cached route holds until the table changes") {
    flow_world b;
    b.open();
    CHECK(b.receive(of_flow()) == fate::delivered);
    // A cached route would still deliver after its address was removed; the change makes it
    // invalid.
    REQUIRE(b->remove_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(b.receive(of_flow()) != fate::delivered);
    static_cast<void>(b.sent());
    REQUIRE(b->add_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(b.receive(of_flow()) == fate::delivered);
    const early_route now = b.kept();
    REQUIRE(b->add_route({.prefix = "192.0.2.0/24"_prefix, .gateway = "10.0.2.9"_ip}).has_value());
    CHECK(b->route_generation() != now.version);
    CHECK(b.receive(of_flow()) == fate::delivered);
    CHECK((b.kept() == early_route{b->route_generation(), 2}));
}

TEST_CASE("early demux: the cached route serves one interface, and no fragments") {
    flow_world b;
    b->change([](settings& s) { s.all.rp_filter = 1; });
    b.open();
    CHECK(b.receive(of_flow()) == fate::delivered);
    CHECK(b.receive(of_flow(), 3) == fate::dropped);
    CHECK(b->counters()[drop_reason::reverse_path] == 1);
    CHECK(b.receive(of_flow("10.0.1.2"_ip, 9, 0x2000)) == fate::held);
}

TEST_CASE("early demux: a removed endpoint loses its route") {
    flow_world b;
    b.open();
    CHECK(b.receive(of_flow()) == fate::delivered);
    b->delivery().remove(b.queue);
    CHECK_FALSE(b->delivery().has_flows());
    CHECK(b.receive(of_flow()) == fate::dropped);
    CHECK(b.sent().size() == 1);
}

}  // namespace

}  // namespace stack_early_demux
