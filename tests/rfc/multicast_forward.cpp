// Multicast routing: where copies go, what is not forwarded, what is silent; the router's own
// groups.
#include "rfc/record.hpp"
#include "support/igmp_model.hpp"
#include "support/world.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/igmp_host.hpp>
#include <sluice/multicast/igmp_proxy.hpp>
#include <sluice/multicast/static_rules.hpp>

#include <functional>
#include <set>

namespace rfc_multicast_forward {

namespace {

using namespace stack_test;

constexpr ipv4::address source = "10.0.1.2"_ip;
constexpr ipv4::address group = "239.1.1.1"_ip;

struct program {
    std::function<void(const multicast_event&)> heard;

    template <class Packet>
    bool upcall(const multicast_event& e, const Packet&) noexcept {
        if (heard && e.kind == multicast_event_kind::no_entry) heard(e);
        return true;
    }
};
struct router_policies
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64>>, output<queue_output<64>>,
               hooks<hook_chain<4>>, multicast<igmp_host<8, 8, 4>>,
               multicast_routes<forwarding_cache<300, program>>> {};

// VIFs 0, 1, 2 are interfaces 2, 3, 4.
struct router : world<router_policies> {
    router()
        : world{{.links = {{.index = 2, .address = "10.0.1.1/24"_net},
                           {.index = 3, .address = "10.0.2.1/24"_net},
                           {.index = 4, .address = "10.0.3.1/24"_net}}}} {
        stack_type& s = **this;
        REQUIRE(s.open_multicast_routes().has_value());
        for (u8 n = 0; n < 3; ++n)
            REQUIRE(s.add_vif(n, {.interface = static_cast<u16>(n + 2)}).has_value());
    }
    void route(ipv4::address g, u8 upstream, std::initializer_list<u8> to, u8 threshold = 1,
               ipv4::address from = source) {
        multicast_entry e{.source = from, .group = g, .upstream = upstream};
        for (const u8 n : to)
            e.thresholds.at(n) = threshold;
        REQUIRE((*this)->add_multicast_route(e, now).has_value());
    }
    // The interfaces by which copies leave.
    std::set<u16> forwards(const byte_vector& d, u16 by = 2) {
        static_cast<void>(receive(d, by, sluice::link_addressing::multicast));
        std::set<u16> found;
        last = sent();
        for (const sent_packet& p : last)
            found.insert(p.to.interface);
        return found;
    }
    std::vector<sent_packet> last;
};
byte_vector datagram(ipv4::address to = group, u8 ttl = 9, ipv4::address from = source) {
    return datagram_of({.source = from, .destination = to, .ttl = ttl});
}
using set = std::set<u16>;

TEST_CASE("multicast routing: by static and by dynamic routes") {
    router r;
    r.route(group, 0, {1, 2});
    CHECK_RFC("R1812-135", r.forwards(datagram()) == set{3, 4});
    for (const sent_packet& p : r.last)
        CHECK_RFC("R1812-135", p.to.next_hop == group && p.datagram == datagram(group, 8));
    // Rules.
    static_multicast_rules<1> rules;
    multicast_rule rule{.groups = "239.2.0.0/16"_prefix};
    rule.thresholds[2] = 1;
    REQUIRE(rules.add(rule));
    r->multicast_routes().router.heard = [&](const multicast_event& e) {
        add_entry_for(*r, rules, e);
    };
    CHECK_RFC("R1812-135", r.forwards(datagram("239.2.3.4"_ip)) == set{4});
    CHECK_RFC("R1812-135", r.forwards(datagram("239.3.3.4"_ip)).empty());
    // Members that report to a querier.
    igmp_proxy<4, igmp_querier<4, 8>> proxy{0};
    REQUIRE(proxy.add(1, "10.0.2.1"_ip, {}, r.now.now));
    r->multicast_routes().router.heard = [&](const multicast_event& e) {
        add_entry_for(*r, proxy, e);
    };
    CHECK_RFC("R1812-135", r.forwards(datagram("239.4.1.1"_ip)).empty());
    REQUIRE(proxy.receive(1, igmp_model::short_message(0x16, 0, ("239.4.1.1"_ip).value),
                          "10.0.2.9"_ip, r.now.now));
    renew_entries(*r, proxy, r.now);
    CHECK_RFC("R1812-135", r.forwards(datagram("239.4.1.1"_ip)) == set{3});
}

TEST_CASE("multicast routing: from the expected interface, above the threshold") {
    router r;
    r.route(group, 0, {1, 2});
    CHECK_RFC("R1812-087", r.forwards(datagram()) == set{3, 4});
    for (const u16 by : {u16{3}, u16{4}})
        CHECK_RFC("R1812-087", r.forwards(datagram(), by).empty());
    r.route(group, 0, {1}, 5);
    CHECK(r.forwards(datagram(group, 6)) == set{3});
    REQUIRE(r.last.size() == 1);
    CHECK(r.last[0].datagram == datagram(group, 5));
    // RFC: 5 is enough.
    CHECK_RFC_DEVIATES("R1812-088", r.forwards(datagram(group, 5)).empty());
}

TEST_CASE("multicast routing: groups of a link stay there") {
    router r;
    for (u32 last = 0; last < 256; ++last) {
        const ipv4::address g{("224.0.0.0"_ip).value + last};
        r.route(g, 0, {1, 2});
        for (const u8 ttl : {u8{1}, u8{2}, u8{64}, u8{255}}) {
            const bool stays = r.forwards(datagram(g, ttl)).empty();
            CHECK_RFC("R5771-001", stays);
            CHECK_RFC("R1812-096", stays);
            if (g == ipv4::all_systems) CHECK_RFC("R1112-014", stays);
        }
    }
    r.route("224.0.1.0"_ip, 0, {1, 2});
    CHECK_RFC("R5771-001", r.forwards(datagram("224.0.1.0"_ip)) == set{3, 4});
}

TEST_CASE("multicast routing: a boundary of scopes") {
    constexpr ipv4::address local = "239.255.1.1"_ip, organisation = "239.192.1.1"_ip;
    router r;
    for (const ipv4::address g : {local, organisation, group}) {
        r.route(g, 0, {1, 2});
        r.route(g, 1, {0, 2}, 1, "10.0.2.2"_ip);
    }
    // Nothing is scoped until an administrator says where the boundary is.
    CHECK_RFC_DEVIATES("R2365-001", r.forwards(datagram(local)) == set{3, 4});
    CHECK_RFC_DEVIATES("R2365-001", r.forwards(datagram(organisation)) == set{3, 4});
    struct boundary : hook<typename router::packet_type> {
        hook_verdict operator()(typename router::packet_type& p,
                                const hook_context& at) noexcept override {
            const ipv4::address to = ipv4::const_view{std::as_const(p).data()}[ipv4::destination];
            return ("239.255.0.0/16"_prefix).contains(to) && (at.in == 3 || at.out == 3)
                       ? hook_verdict::drop
                       : hook_verdict::accept;
        }
    } of_local;
    REQUIRE(r->hooks().add(hook_point::forward, 0, of_local));
    CHECK_RFC("R2365-002", r.forwards(datagram(local)) == set{4});
    CHECK_RFC("R2365-002", r.forwards(datagram(local, 9, "10.0.2.2"_ip), 3).empty());
    CHECK_RFC("R2365-002", r.forwards(datagram(organisation)) == set{3, 4});
    CHECK_RFC("R2365-002", r.forwards(datagram(group, 9, "10.0.2.2"_ip), 3) == set{2, 4});
}

TEST_CASE("multicast routing: no ICMP error") {
    router r;
    REQUIRE(r->set_mtu(3, 100).has_value());
    r.route(group, 0, {1});
    const byte_vector rows[] = {datagram(group, 1),
                                datagram(group, 0),
                                datagram("239.9.9.9"_ip),           // no entry
                                datagram(group, 9, "10.0.3.2"_ip),  // no entry, wrong interface
                                datagram_of({.source = source,      // too big
                                             .destination = group,
                                             .ttl = 9,
                                             .flags_and_offset = 0x4000,
                                             .payload = pattern(200)}),
                                datagram_of({.source = source,  // a wrong option
                                             .destination = group,
                                             .ttl = 9,
                                             .options = list({7, 2, 0, 0})})};
    for (const byte_vector& d : rows) {
        for (const u16 by : {u16{2}, u16{3}})
            CHECK_RFC("R1812-086", r.forwards(d, by).empty());
    }
    CHECK_RFC("R1812-086", r.forwards(datagram()) == set{3});
    r.now.now = r.now.now + 60_s;
    static_cast<void>(r->poll(r.now));
    for (const sent_packet& p : r.sent())
        CHECK_RFC("R1812-086", ipv4::const_view{p.datagram.data()}[ipv4::protocol] != 1);
}

TEST_CASE("multicast routing: the router is a member itself, on each network") {
    router r;
    for (const u16 by : {u16{2}, u16{3}, u16{4}}) {
        const ipv4::address from{("10.0.0.2"_ip).value + ((by - 1u) << 8)};
        const auto hears = [&] {
            return r.receive(datagram("224.0.0.9"_ip, 1, from), by,
                             sluice::link_addressing::multicast);
        };
        const auto speaks = [&] {
            std::set<u16> found;
            const instant end = r.now.now + 60_s;
            for (instant due = r->poll(r.now); due <= end; due = r->poll(r.now))
                r.now.now = due > r.now.now ? due : r.now.now;
            r.now.now = end;
            for (const sent_packet& p : r.sent()) {
                if (ipv4::const_view{p.datagram.data()}[ipv4::protocol] == 2)
                    found.insert(p.to.interface);
            }
            return found;
        };
        CHECK_RFC("R1812-044", hears() == fate::dropped);
        REQUIRE(r->groups().join(by, "224.0.0.9"_ip));
        CHECK_RFC("R1812-081", speaks() == set{by});
        struct : hook<typename router::packet_type> {
            int count = 0;
            hook_verdict operator()(typename router::packet_type&,
                                    const hook_context&) noexcept override {
                ++count;
                return hook_verdict::accept;
            }
        } local;
        REQUIRE(r->hooks().add(hook_point::local_in, 0, local));
        static_cast<void>(hears());
        CHECK_RFC("R1812-044", local.count == 1);
        r->hooks().remove(hook_point::local_in, local);
        CHECK(speaks().empty());
        REQUIRE(r.receive(datagram_of({.source = from,
                                       .destination = ipv4::all_systems,
                                       .ttl = 1,
                                       .protocol = 2,
                                       .payload = igmp_model::query(0, 10, 2, 125, {})}),
                          by, sluice::link_addressing::multicast) == fate::delivered);
        CHECK_RFC("R1812-081", speaks() == set{by});
        REQUIRE(r->send(r.packet(pattern(8)),
                        {.destination = "224.0.0.9"_ip, .interface = by, .protocol = 253}, r.now)
                    .has_value());
        const auto left = r.sent();
        CHECK_RFC("R1812-044", left.size() == 1 && left[0].to.interface == by);
    }
}

}  // namespace

}  // namespace rfc_multicast_forward
