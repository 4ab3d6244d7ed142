// Rules of policy routing in a stack: received and sent packets, source rules, refusals, the accept
// branch. tests/kernel/vectors/multicast2.vec (rp-filter) holds what Linux does.
#include "unit/stack/acts/subject.hpp"

#include <sluice/route/lpm_trie.hpp>
#include <sluice/route/with_rules.hpp>
#include <sluice/stack/stack.hpp>

#include <algorithm>
#include <optional>
#include <span>

namespace acts_policy_routing {

namespace {

using namespace acts_test;
using testing::echo_datagram_of;

struct ruled : policies<based_on<small>, routes<with_rules<lpm_trie<64>>>> {};
using ruled_stack = stack<ruled>;
using packet_type = ruled_stack::packet_type;

constexpr ipv4::address near = "10.0.1.2"_ip;
constexpr ipv4::address far = "192.0.2.1"_ip;
constexpr moment now{instant{} + 1000_s, 43'200'000};

// Interfaces 2 to 4 have 10.0.1.1 to 10.0.3.1; main leads to 192.0.2.0/24 by 3, table 100 by 4.
struct router {
    ruled_stack s;

    explicit router(u16 master = 0) : s{{.seed = testing::fixed_seed}} {
        if (master != 0) REQUIRE(s.add_interface({.index = master}).has_value());
        REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net, .master = master})
                    .has_value());
        REQUIRE(s.add_interface({.index = 3, .address = "10.0.2.1/24"_net}).has_value());
        REQUIRE(s.add_interface({.index = 4, .address = "10.0.3.1/24"_net}).has_value());
        const ipv4::prefix net{far, 24};
        REQUIRE(s.add_route({.prefix = net, .gateway = "10.0.2.9"_ip}).has_value());
        REQUIRE(s.add_route({.prefix = net, .gateway = "10.0.3.9"_ip}, 100).has_value());
        s.change([](settings& all) { all.icmp_ratelimit = 0; });
    }
    packet_type packet(ipv4::address source, ipv4::address destination, u16 in = 2, u8 tos = 0) {
        return support::packet_of(
            s.buffers(), datagram_of({.source = source, .destination = destination, .tos = tos}),
            in);
    }
    // The interface by which a received packet leaves; 0: it does not.
    u16 way_of(ipv4::address source, ipv4::address destination, u16 in = 2, u8 tos = 0) {
        const fate what = s.receive(packet(source, destination, in, tos), now);
        const auto left = support::take_sent(s.output());
        return what == fate::forwarded && left.size() == 1 ? left[0].to.interface : u16{0};
    }
    u16 way_of_own(const routing::flow& f) {
        const auto r = s.route(f, now);
        return r.has_value() ? r->interface : u16{0};
    }
    void rule(const routing_rule& r) { REQUIRE(s.add_rule(r).has_value()); }
};

TEST_CASE("rules: received packets by source, destination, TOS and interface") {
    router r;
    CHECK(r.way_of(near, far) == 3);
    r.rule({.priority = 10, .source = "10.0.1.2/32"_prefix, .target = 100});
    CHECK(r.way_of(near, far) == 4);
    CHECK(r.way_of("10.0.1.3"_ip, far) == 3);
    REQUIRE(r.s.remove_rule(10).has_value());
    CHECK(r.way_of(near, far) == 3);
    r.rule({.priority = 10, .tos = 0x10, .target = 100});
    CHECK(r.way_of(near, far, 2, 0x13) == 4);
    CHECK(r.way_of(near, far, 2, 0x08) == 3);
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10, .incoming = 3, .target = 100});
    CHECK(r.way_of("10.0.2.2"_ip, far, 3) == 4);
    CHECK(r.way_of(near, far) == 3);
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10, .destination = "192.0.2.1/32"_prefix, .target = 100});
    CHECK(r.way_of(near, far) == 4);
    CHECK(r.way_of(near, "192.0.2.2"_ip) == 3);
}

TEST_CASE("rules: a batch of plain packets, each by its own source") {
    router r;
    r.rule({.priority = 10, .source = "10.0.1.2/32"_prefix, .target = 100});
    std::vector<packet_type> batch;
    for (int i = 0; i < 6; ++i)
        batch.push_back(r.packet(i % 2 == 0 ? near : "10.0.1.3"_ip, far));
    r.s.receive(std::span{batch}, now);
    const auto left = support::take_sent(r.s.output());
    REQUIRE(left.size() == 6);
    for (std::size_t i = 0; i < 6; ++i)
        CHECK(left[i].to.interface == (i % 2 == 0 ? 4 : 3));
}

TEST_CASE("rules: a master stands for its members, and each member for itself") {
    router r{9};
    r.rule({.priority = 10, .incoming = 9, .target = 100});
    CHECK(r.way_of(near, far) == 4);
    CHECK(r.way_of("10.0.2.2"_ip, "10.0.3.9"_ip, 3) == 4);
    CHECK(r.way_of("10.0.2.2"_ip, far, 3) == 0);  // back by the link that it came by
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10, .incoming = 2, .target = 100});
    CHECK(r.way_of(near, far) == 4);
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10, .outgoing = 9, .action = rule_action::prohibit});
    CHECK(r.way_of(near, far) == 3);
    CHECK(r.s.route({.destination = far, .interface = 3}, now)->neighbour == "10.0.2.9"_ip);
    REQUIRE(r.s.remove_rule(10).has_value());
    const route_entry by_member{.prefix = {far, 24}, .gateway = "10.0.1.9"_ip, .metric = 5};
    REQUIRE(r.s.add_route(by_member, 100).has_value());
    const routing::flow bound{.destination = far, .interface = 2};
    CHECK(r.s.route(bound, now)->neighbour == far);
    r.rule({.priority = 10, .outgoing = 9, .target = 100});
    CHECK(r.s.route(bound, now)->neighbour == "10.0.1.9"_ip);
}

TEST_CASE("rules: a mark that a hook gave") {
    router r;
    struct : hook<packet_type> {
        hook_verdict operator()(packet_type& p, const hook_context&) noexcept override {
            p.writable_metadata().mark = 5;
            return hook_verdict::accept;
        }
    } marks;
    r.rule({.priority = 10, .mark = 5, .mark_mask = 0xff, .target = 100});
    CHECK(r.way_of(near, far) == 3);
    REQUIRE(r.s.hooks().add(hook_point::prerouting, 0, marks));
    CHECK(r.way_of(near, far) == 4);
}

TEST_CASE("rules: refusals of forwarded packets") {
    struct row {
        rule_action action;
        std::optional<u8> code;  // of the unreachable message
        drop_reason why;
    };
    for (const row& each :
         {row{.action = rule_action::unreachable, .code = u8{0}, .why = drop_reason::no_route},
          row{.action = rule_action::prohibit, .code = u8{13}, .why = drop_reason::prohibited},
          row{.action = rule_action::blackhole,
              .code = std::nullopt,
              .why = drop_reason::blackhole}}) {
        router r;
        r.rule({.priority = 10, .destination = {far, 24}, .action = each.action});
        CHECK(r.s.receive(r.packet(near, far), now) == fate::dropped);
        CHECK(r.s.counters()[each.why] == 1);
        const auto left = support::take_sent(r.s.output());
        REQUIRE(left.size() == (each.code ? 1 : 0));
        if (each.code) {
            CHECK(left[0].datagram[20] == std::byte{3});
            CHECK(left[0].datagram[21] == std::byte{*each.code});
        }
    }
}

TEST_CASE("rules: packets of this host come by lo, and leave by the interface that they name") {
    router r;
    CHECK(r.way_of_own({.destination = far}) == 3);
    r.rule({.priority = 10, .incoming = 1, .target = 100});
    CHECK(r.way_of_own({.destination = far}) == 4);
    CHECK(r.way_of(near, far) == 3);
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10, .outgoing = 4, .target = 100});
    CHECK(r.way_of_own({.destination = far}) == 3);
    CHECK(r.s.route({.destination = far, .interface = 4}, now)->neighbour == "10.0.3.9"_ip);
    CHECK(r.s.route({.destination = far, .interface = 3}, now)->neighbour == "10.0.2.9"_ip);
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10, .mark = 7, .mark_mask = 0xffffffff, .target = 100});
    CHECK(r.way_of_own({.destination = far, .mark = 7}) == 4);
    CHECK(r.way_of_own({.destination = far}) == 3);
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10, .source = "10.0.1.1/32"_prefix, .target = 100});
    CHECK(r.way_of_own({.destination = far, .source = "10.0.1.1"_ip}) == 4);
    CHECK(r.way_of_own({.destination = far}) == 3);
}

TEST_CASE("rules: answers go back by the mark that they reflect") {
    router r;
    const ipv4::prefix asker{"198.51.100.0/24"_prefix};
    REQUIRE(r.s.add_route({.prefix = asker, .gateway = "10.0.2.9"_ip}).has_value());
    REQUIRE(r.s.add_route({.prefix = asker, .gateway = "10.0.3.9"_ip}, 100).has_value());
    r.rule({.priority = 10, .mark = 6, .mark_mask = 0xff, .target = 100});
    const auto answered_by = [&](ipv4::address destination, u8 ttl) {
        auto came = support::packet_of(
            r.s.buffers(),
            echo_datagram_of({.source = asker.base, .destination = destination, .ttl = ttl}), 2);
        came.metadata().mark = 6;
        static_cast<void>(r.s.receive(std::move(came), now));
        const auto left = support::take_sent(r.s.output());
        return left.size() == 1 ? left[0].to.interface : u16{0};
    };
    CHECK(answered_by("10.0.1.1"_ip, 64) == 3);
    CHECK(answered_by(far, 1) == 3);
    r.s.change([](settings& all) { all.fwmark_reflect = true; });
    CHECK(answered_by("10.0.1.1"_ip, 64) == 4);
    CHECK(answered_by(far, 1) == 4);
}

TEST_CASE("rules: refusals of own packets; with a named interface nothing is refused") {
    const std::pair<rule_action, routing::send_error> rows[] = {
        {rule_action::unreachable, routing::send_error::network_unreachable},
        {rule_action::prohibit, routing::send_error::prohibited},
        {rule_action::blackhole, routing::send_error::invalid}};
    for (const auto& [action, error] : rows) {
        router r;
        r.rule({.priority = 10, .destination = {far, 24}, .action = action});
        CHECK(r.s.route({.destination = far}, now).error() == error);
        const auto bound = r.s.route({.destination = far, .interface = 4}, now);
        REQUIRE(bound.has_value());
        CHECK(bound->neighbour == far);
    }
}

TEST_CASE("rules: the way back of a source has its addresses exchanged and no mark") {
    router r;
    r.s.change([](settings& all) { all.all.rp_filter = 1; });
    CHECK(r.way_of(near, far) == 3);
    // For the way back the source of the packet is the destination.
    r.rule({.priority = 10,
            .source = {far, 24},
            .destination = {near, 32},
            .action = rule_action::unreachable});
    CHECK(r.way_of(near, far) == 0);
    CHECK(r.s.counters()[drop_reason::reverse_path] == 1);
    CHECK(r.way_of("10.0.1.3"_ip, far) == 3);
    CHECK(r.way_of(near, "10.0.3.9"_ip) == 4);
    REQUIRE(r.s.remove_rule(10).has_value());
    // It comes by the interface that a forwarded packet leaves by, or by lo.
    r.rule({.priority = 10,
            .destination = {near, 32},
            .incoming = 3,
            .action = rule_action::blackhole});
    CHECK(r.way_of(near, far) == 0);
    CHECK(r.way_of(near, "10.0.3.9"_ip) == 4);
    REQUIRE(r.s.remove_rule(10).has_value());
    r.rule({.priority = 10,
            .destination = {near, 32},
            .incoming = 1,
            .action = rule_action::blackhole});
    CHECK(r.way_of(near, far) == 3);
    CHECK(r.s.receive(r.packet(near, "10.0.1.1"_ip), now) == fate::dropped);
    CHECK(r.s.counters()[drop_reason::reverse_path] == 3);
}

TEST_CASE("rules: own addresses are no sources, unless no rule asks the table local") {
    router r;
    CHECK(r.way_of("10.0.3.1"_ip, far) == 0);
    CHECK(r.s.counters()[drop_reason::source_local] == 1);
    r.rule({.priority = 10, .incoming = 7, .target = 100});
    CHECK(r.way_of("10.0.3.1"_ip, far) == 0);
    CHECK(r.s.counters()[drop_reason::source_local] == 2);
    REQUIRE(r.s.remove_rule(0).has_value());
    CHECK(r.way_of("10.0.3.1"_ip, far) == 3);
    CHECK(r.way_of(near, "10.0.3.1"_ip) == 4);  // nothing is ours
}

TEST_CASE("rules: each change moves the route generation, also that of a cached flow") {
    router r;
    u32 before = r.s.route_generation();
    r.rule({.priority = 10, .target = 100});
    CHECK(r.s.route_generation() != before);
    before = r.s.route_generation();
    REQUIRE(r.s.remove_rule(10).has_value());
    CHECK(r.s.route_generation() != before);
    before = r.s.route_generation();
    REQUIRE(r.s.remove_route({.prefix = {far, 24}}, 100).has_value());
    CHECK(r.s.route_generation() != before);
}

TEST_CASE("rules: the gateway of a new route is on a link as the rules say") {
    router r;
    const route_entry wanted{.prefix = "198.51.100.0/24"_prefix, .gateway = "10.0.3.77"_ip};
    r.rule(
        {.priority = 10, .destination = "10.0.3.64/26"_prefix, .action = rule_action::unreachable});
    CHECK(r.s.add_route(wanted).error() == route_error::gateway_unreachable);
    CHECK(r.s.add_route(wanted, 100).error() == route_error::gateway_unreachable);
    REQUIRE(r.s.remove_rule(10).has_value());
    CHECK(r.s.add_route(wanted, 100).has_value());
}

TEST_CASE("rules: an exception stays while a table has its next hop") {
    core<ruled> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const route_entry by_gateway{.prefix = {far, 24}, .gateway = "10.0.2.9"_ip};
    REQUIRE(acts::add_route(c.tables, by_gateway, 100).has_value());
    const exception_key k{.destination = far, .gateway = "10.0.2.9"_ip, .interface = 3};
    const instant at = c.calls.now.now;
    c.tables.exceptions.learn(k, {.mtu = 1200, .expires = at + 600_s}, at);
    acts::routes_removed(c.tables);
    CHECK(c.tables.exceptions.find(k, at) != nullptr);
    REQUIRE(c.tables.routes.remove(by_gateway, 100).has_value());
    acts::routes_removed(c.tables);
    CHECK(c.tables.exceptions.find(k, at) == nullptr);
}

}  // namespace

}  // namespace acts_policy_routing
