// igmp_send: a report as a packet of this host: its header, its source, what stops it.
#include "subject.hpp"

#include <sluice/multicast/igmp_host.hpp>
#include <sluice/stack/enter.hpp>

namespace acts_igmp_send {

namespace {

using namespace acts_test;

struct member : policies<based_on<small_host>, multicast<igmp_host<8, 16, 4>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        settings s;
        s.igmp_qrv = 1;
        return s;
    }
};
constexpr ipv4::address group = "239.1.2.3"_ip;

struct node {
    node() : c{{.seed = testing::fixed_seed}} {
        furnish(c);
        c.tables.groups.set_time(c.calls.now.now);
    }
    // Lets time pass; returns what was sent.
    std::vector<support::sent_packet> pass(duration d) {
        const instant end = c.calls.now.now + d;
        for (instant due = acts::poll(c, c.calls.now); due <= end;
             due = acts::poll(c, {due, c.calls.now.midnight_ms})) {
        }
        static_cast<void>(acts::poll(c, {end, c.calls.now.midnight_ms}));
        return sent(c);
    }
    bool join(ipv4::address g = group, u16 interface = 2) {
        const acts::call here{c, c.calls.now};
        return acts::change_groups(c, [&](auto& all) { return all.join(interface, g); });
    }

    core<member> c;
};

TEST_CASE("igmp_send: TTL 1, router alert, DF, precedence of the network, to the routers") {
    node n;
    REQUIRE(n.join());
    const auto all = n.pass(1_s);
    REQUIRE(all.size() == 1);
    const ipv4::const_view ip{all[0].datagram.data()};
    CHECK(ip[ipv4::ttl] == 1);
    CHECK(ip[ipv4::tos] == 0xc0);
    CHECK(ip[ipv4::dont_fragment]);
    CHECK(ip[ipv4::identification] == 0);
    CHECK(ip[ipv4::source] == "10.0.1.1"_ip);
    CHECK(ip[ipv4::destination] == "224.0.0.22"_ip);
    CHECK(ipv4::header_length(ip) == 24);
    CHECK(load_be<u32>(all[0].datagram.data() + 20) == 0x94040000);
    CHECK(all[0].datagram.size() == 24 + 16);
    CHECK(all[0].to.interface == 2);
    CHECK(all[0].to.kind == link_destination::multicast);
    CHECK(n.c.books.counters[mib::ip_out_requests] == 1);
}

TEST_CASE("igmp_send: the source of a version 3 report is an address of the interface or 0.0.0.0") {
    node n;
    REQUIRE(acts::remove_address(n.c.tables, 2, "10.0.1.1/24"_net).has_value());
    REQUIRE(n.join());
    const auto all = n.pass(1_s);
    REQUIRE(all.size() == 1);
    CHECK(ipv4::const_view{all[0].datagram.data()}[ipv4::source] == ipv4::unspecified);
}

TEST_CASE(
    "igmp_send: a version 2 report goes to its group and is heard here; a leave goes at once") {
    node n;
    acts::change_switches(n.c.tables, [](settings& s) { s.all.force_igmp_version = 2; });
    REQUIRE(n.join());
    const auto report = n.pass(1_s);
    REQUIRE(report.size() == 1);
    CHECK(ipv4::const_view{report[0].datagram.data()}[ipv4::destination] == group);
    CHECK(n.c.books.counters[mib::ip_in_delivers] == 1);
    CHECK(n.c.books.counters[drop_reason::igmp_ignored] == 1);
    {
        const acts::entrance here{n.c, n.c.calls.now};
        CHECK(acts::change_groups(n.c, [](auto& g) { return g.leave(2, group); }));
    }
    const auto leave = sent(n.c);
    REQUIRE(leave.size() == 1);
    CHECK(ipv4::const_view{leave[0].datagram.data()}[ipv4::destination] == "224.0.0.2"_ip);
}

TEST_CASE("igmp_send: without a buffer or a link nothing is sent") {
    {
        node n;
        REQUIRE(n.join());
        std::vector<packet> taken;
        while (packet p = n.c.device.buffers.take())
            taken.push_back(std::move(p));
        CHECK(n.pass(10_s).empty());
        taken.clear();
        CHECK(n.c.tables.groups.is_member(2, group, "10.0.1.2"_ip));
    }
    {
        node n;
        REQUIRE(n.join());
        REQUIRE(acts::set_link(n.c.tables, 2, {.up = false}).has_value());
        CHECK(n.pass(10_s).empty());
        REQUIRE(acts::set_link(n.c.tables, 2, {.up = true}).has_value());
        CHECK(n.pass(10_s).size() == 1);
    }
}

TEST_CASE("igmp_send: a group table that speaks no IGMP has no timer") {
    core<small_host> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(c.tables.groups.join(2, group));
    CHECK(acts::poll(c, c.calls.now) == instant::never());
    CHECK(sent(c).empty());
}

}  // namespace

}  // namespace acts_igmp_send
