// gates: the answers of a hook and a security policy decide about a packet. Gates and books alone,
// without a stack.
#include "unit/stack/acts/subject.hpp"

#include <sluice/security/permit_all.hpp>
#include <sluice/stack/gates.hpp>
#include <sluice/stats/observers.hpp>
#include <sluice/stats/snmp_counters.hpp>

namespace acts_gates {

namespace {

using namespace acts_test;

struct no_odd_protocols {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        u32 asked = 0;
        drop_reason refusal(security_point, const Packet& p, const security_context&) noexcept {
            ++asked;
            return ipv4::const_view{p.data()}[ipv4::protocol] % 2 == 1
                       ? drop_reason::security_policy
                       : drop_reason::none;
        }
    };
};

struct telling_hook final : hook<packet> {
    hook_verdict answer = hook_verdict::accept;
    bool harms = false;
    bool takes = false;
    u32 calls = 0;
    u16 in = 0;
    u16 out = 0;
    packet taken;
    hook_verdict operator()(packet& p, const hook_context& c) noexcept override {
        ++calls;
        in = c.in;
        out = c.out;
        if (harms) ipv4::view{p.writable()}.set(ipv4::version, 6);
        if (takes) taken = std::move(p);
        return answer;
    }
};

struct gate {
    fixed_pool<2048, 32> pool;
    stack_gates<hook_chain<4>::model<packet>, no_odd_protocols::model<packet>> gates;
    stack_books<snmp_counters, null_observer> books;
    telling_hook asked;

    acts::passage pass(hook_point point, auto& p) {
        return acts::pass_hook(gates, books, point, p, 2, 3, [] { return acts::behind_hooks{}; });
    }
};

// A datagram whose version byte is damaged through another handle, so that a second validation
// shows.
unsummed_datagram<packet> broken_behind_its_back(gate& g) {
    packet p = support::packet_of(g.pool, datagram_of({}));
    std::byte* const first = p.writable();
    unsummed_datagram<packet> d = pipeline::validate(p).value();
    *first = std::byte{0x65};
    return d;
}

TEST_CASE("gates: a hook runs at its own point, and an accepted packet continues") {
    gate g;
    REQUIRE(g.gates.hooks.add(hook_point::forward, 0, g.asked));
    packet p = support::packet_of(g.pool, datagram_of({}));
    CHECK(g.pass(hook_point::prerouting, p));
    CHECK(g.asked.calls == 0);
    CHECK(g.pass(hook_point::forward, p));
    CHECK(g.asked.calls == 1);
    CHECK(g.asked.in == 2);
    CHECK(g.asked.out == 3);
    CHECK(content_of(p) == datagram_of({}));
    CHECK(g.books.counters.drops() == 0);
    CHECK(g.books.counters[balance::absorbed] == 0);
    CHECK(g.gates.security.asked == 0);
}

TEST_CASE("gates: a packet that a hook drops, damages or takes has one fate") {
    gate g;
    REQUIRE(g.gates.hooks.add(hook_point::forward, 0, g.asked));
    g.asked.answer = hook_verdict::drop;
    packet p = support::packet_of(g.pool, datagram_of({}));
    acts::passage on = g.pass(hook_point::forward, p);
    CHECK_FALSE(on);
    CHECK(on.ended_as == fate::dropped);
    g.asked.answer = hook_verdict::accept;
    g.asked.harms = true;
    p = support::packet_of(g.pool, datagram_of({}));
    on = g.pass(hook_point::forward, p);
    CHECK_FALSE(on);
    CHECK(on.ended_as == fate::dropped);
    CHECK(g.books.counters[drop_reason::hook] == 2);
    CHECK(g.pool.available() == 32);

    g.asked.harms = false;
    g.asked.takes = true;  // and says accept
    p = support::packet_of(g.pool, datagram_of({}));
    on = g.pass(hook_point::forward, p);
    CHECK_FALSE(on);
    CHECK(on.ended_as == fate::absorbed);
    CHECK(g.books.counters[balance::absorbed] == 1);
    CHECK(g.books.counters[drop_reason::hook] == 2);
    CHECK(g.pool.available() == 31);
    g.asked.taken.reset();
}

TEST_CASE("gates: a datagram is validated again only after a hook ran") {
    gate g;
    telling_hook elsewhere;
    REQUIRE(g.gates.hooks.add(hook_point::local_out, 0, elsewhere));
    auto d = broken_behind_its_back(g);
    for (const hook_point point :
         {hook_point::prerouting, hook_point::local_in, hook_point::forward})
        CHECK(g.pass(point, d));
    CHECK(elsewhere.calls == 0);
    CHECK(d.packet().size() == datagram_of({}).size());
    CHECK(g.books.counters.drops() == 0);

    const struct {
        hook_point point;
        drop_reason why;
    } rows[] = {{hook_point::prerouting, drop_reason::header_invalid},
                {hook_point::local_in, drop_reason::header_invalid},
                {hook_point::forward, drop_reason::hook}};
    for (const auto& r : rows) {
        CAPTURE(static_cast<int>(r.point));
        REQUIRE(g.gates.hooks.add(r.point, 0, g.asked));
        d = broken_behind_its_back(g);
        const acts::passage on = g.pass(r.point, d);
        CHECK_FALSE(on);
        CHECK(on.ended_as == fate::dropped);
        CHECK(g.books.last_drop == r.why);
        CHECK(g.pool.available() == 32);
    }
    CHECK(g.asked.calls == 3);
}

TEST_CASE("gates: after a hook the datagram has the hook's changes") {
    struct : hook<packet> {
        hook_verdict operator()(packet& p, const hook_context&) noexcept override {
            ipv4::view{p.writable()}.set(ipv4::ttl, 7);  // the checksum is not checked here
            return hook_verdict::accept;
        }
    } sets_ttl;
    gate g;
    REQUIRE(g.gates.hooks.add(hook_point::prerouting, 0, sets_ttl));
    packet p = support::packet_of(g.pool, datagram_of({}));
    unsummed_datagram<packet> d = pipeline::validate(p).value();
    CHECK(g.pass(hook_point::prerouting, d));
    CHECK(d.header()[ipv4::ttl] == 7);
    CHECK(d.packet().interface() == 2);

    REQUIRE(g.gates.hooks.add(hook_point::forward, 0, g.asked));
    g.asked.takes = true;
    CHECK(g.pass(hook_point::forward, d).ended_as == fate::absorbed);
    CHECK(g.books.counters[balance::absorbed] == 1);
    CHECK(content_of(g.asked.taken).size() == datagram_of({}).size());
    g.asked.taken.reset();
}

TEST_CASE("gates: a packet that a security policy refuses is dropped before any hook") {
    gate g;
    for (const hook_point point : {hook_point::local_out, hook_point::forward})
        REQUIRE(g.gates.hooks.add(point, 0, g.asked));
    packet p = support::packet_of(g.pool, datagram_of({.protocol = 254}));
    CHECK(acts::pass_security(g.gates, g.books, security_point::out, p, {}));
    CHECK(p);
    p = support::packet_of(g.pool, datagram_of({.protocol = 253}));
    const acts::passage on = acts::pass_security(g.gates, g.books, security_point::out, p, {});
    CHECK_FALSE(on);
    CHECK(on.ended_as == fate::dropped);
    CHECK(g.books.counters[drop_reason::security_policy] == 1);
    CHECK(g.books.last_drop == drop_reason::security_policy);
    CHECK(g.pool.available() == 32);
    CHECK(g.gates.security.asked == 2);
    CHECK(g.asked.calls == 0);
    p = support::packet_of(g.pool, datagram_of({.protocol = 253}));
    unsummed_datagram<packet> d = pipeline::validate(p).value();
    CHECK_FALSE(acts::pass_security(g.gates, g.books, security_point::forward, d, {}));
    CHECK(g.books.counters[drop_reason::security_policy] == 2);
    CHECK(g.pool.available() == 32);
    p = support::packet_of(g.pool, datagram_of({.protocol = 254}));
    d = pipeline::validate(p).value();
    CHECK(acts::pass_security(g.gates, g.books, security_point::forward, d, {}));
    CHECK(d.packet().size() != 0);
}

}  // namespace

}  // namespace acts_gates
