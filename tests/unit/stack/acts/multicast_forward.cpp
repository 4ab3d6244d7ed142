// multicast_forward: copies to VIFs, local delivery besides, packets that wait, reports, own
// multicasts. tests/kernel/vectors/multicast.vec holds what Linux does.
#include "unit/stack/acts/subject.hpp"

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/stack/enter.hpp>
#include <sluice/stack/multicast_routes.hpp>

namespace acts_multicast_forward {

namespace {

using namespace acts_test;

constexpr ipv4::address source = "10.0.1.2"_ip;
constexpr ipv4::address group = "239.1.1.1"_ip;

// Hears events, and calls a function for each.
struct program {
    struct heard {
        multicast_event event;
        u32 size;
        u8 ttl;
    };
    std::vector<heard> events;
    bool takes = true;
    void (*answer)(void*, const multicast_event&) = nullptr;
    void* with = nullptr;

    template <class Packet>
    bool upcall(const multicast_event& e, const Packet& p) noexcept {
        events.push_back({e, p.size(), ipv4::const_view{p.data()}[ipv4::ttl]});
        if (answer != nullptr) answer(with, e);
        return takes;
    }
};

template <class Ownership>
struct routing : policies<based_on<small>, buffers<fixed_pool<2048, 32, Ownership>>,
                          multicast_routes<forwarding_cache<16, program>>> {};
using router = core<routing<unique>>;
// Lets nothing be forwarded by one interface.
struct closing {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        u16 closed = 0;

        drop_reason refusal(security_point p, const Packet&, const security_context& c) noexcept {
            return p == security_point::forward && c.out == closed ? drop_reason::security_policy
                                                                   : drop_reason::none;
        }
    };
};
struct guarded : policies<based_on<routing<unique>>, security<closing>> {};
// Room for one packet that waits.
struct short_of_room : policies<based_on<routing<unique>>,
                                multicast_routes<forwarding_cache<16, program, 32, 4, 2500>>> {};

template <class Core>
void furnish_router(Core& c) {
    furnish(c);
    REQUIRE(acts::add_interface(c.tables, {.index = 4, .address = "10.0.3.1/24"_net}).has_value());
    REQUIRE(acts::open_multicast_routes(c).has_value());
    for (u8 n = 0; n < 3; ++n)
        REQUIRE(acts::add_vif(c, n, {.interface = static_cast<u16>(n + 2)}).has_value());
}

multicast_entry to(std::initializer_list<u8> vifs, ipv4::address g = group, u8 threshold = 1) {
    multicast_entry e{.source = source, .group = g};
    for (const u8 n : vifs)
        e.thresholds.at(n) = threshold;
    return e;
}

byte_vector multicast(u8 ttl = 9, ipv4::address g = group, std::size_t size = 20) {
    return datagram_of({.source = source, .destination = g, .ttl = ttl, .payload = pattern(size)});
}

template <class Core>
fate receive(Core& c, const byte_vector& d, u16 interface = 2) {
    return acts::enter(c, packet_of(c, d, interface), c.calls.now);
}

// Each packet had one fate, and but for those that wait, each buffer returned.
template <class Core>
void check_balance(Core& c, std::size_t free, u64 waiting = 0) {
    const auto& n = c.books.counters;
    CHECK(n[balance::received] + n[balance::originated] + n[balance::copied] ==
          n[balance::delivered] + n[balance::transmitted] + n[balance::absorbed] + n.drops() +
              waiting);
    CHECK(c.device.buffers.available() + waiting == free);
}

TEST_CASE("multicast: a copy to each VIF, its TTL decremented, addressed to the group") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    CHECK(receive(c, multicast()) == fate::forwarded);
    const auto left = sent(c);
    REQUIRE(left.size() == 2);
    for (const auto& one : left) {
        CHECK(one.datagram == multicast(8));
        CHECK(one.to.next_hop == group);
        CHECK(one.to.kind == link_destination::multicast);
    }
    CHECK(left[0].to.interface + left[1].to.interface == 3 + 4);
    CHECK(c.books.counters[mib::ip_forw_datagrams] == 2);
    CHECK(c.books.counters[mib::ipext_out_mcast_pkts] == 2);
    CHECK(c.multicast.vifs().traffic_of(0).in.bytes == 40);
    CHECK(c.multicast.vifs().traffic_of(2).out.bytes == 40);
    CHECK(c.books.counters.drops() == 0);
    check_balance(c, free);
}

template <class Ownership>
struct by_reference : policies<based_on<routing<Ownership>>, output<queue_output<16>>> {};

// The buffers in use while each copy passes the forward hook.
template <class Ownership>
std::vector<std::size_t> used_by_copies(std::size_t size, bool is_kept) {
    using subject = core<by_reference<Ownership>>;
    subject c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    struct : hook<typename subject::packet_type> {
        subject* of = nullptr;
        std::size_t free = 0;
        std::vector<std::size_t> used;
        hook_verdict operator()(typename subject::packet_type&,
                                const hook_context&) noexcept override {
            used.push_back(free - of->device.buffers.available());
            return hook_verdict::accept;
        }
    } counting;
    counting.of = &c;
    counting.free = c.device.buffers.available();
    REQUIRE(c.gates.hooks.add(hook_point::forward, 0, counting));
    if (is_kept) REQUIRE(c.tables.groups.join(2, group));
    REQUIRE(acts::add_multicast_route(c, to({0, 1, 2}), {}).has_value());
    static_cast<void>(receive(c, multicast(9, group, size)));
    const auto left = sent(c);
    REQUIRE(left.size() == 3);
    for (const auto& one : left)
        CHECK(one.datagram == multicast(8, group, size));
    check_balance(c, counting.free);
    return counting.used;
}

TEST_CASE("multicast: copies share the bytes behind the header where blocks are counted") {
    using counts = std::vector<std::size_t>;
    // The received block, and a header for each copy.
    CHECK(used_by_copies<shared>(1000, false) == counts{2, 3, 4});
    CHECK(used_by_copies<shared>(1000, true) == counts{2, 3, 4});
}

TEST_CASE("multicast: where nothing is shared the last copy is the packet itself") {
    using counts = std::vector<std::size_t>;
    CHECK(used_by_copies<unique>(1000, false) == counts{2, 3, 3});
    CHECK(used_by_copies<shared>(236, false) == counts{2, 3, 3});  // copied whole
    CHECK(used_by_copies<shared>(237, false) == counts{2, 3, 4});
    CHECK(used_by_copies<unique>(1000, true) == counts{3, 4, 4});
    CHECK(used_by_copies<shared>(236, true) == counts{2, 3, 4});
}

TEST_CASE("multicast: thresholds, and no entry that leads anywhere") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1}, group, 4), {}).has_value());
    CHECK(receive(c, multicast(5)) == fate::forwarded);
    CHECK(sent_one(c) == multicast(4));
    CHECK(receive(c, multicast(4)) == fate::dropped);
    CHECK(sent(c).empty());
    CHECK(c.books.counters[drop_reason::no_multicast_route] == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: too big with DF is dropped on that VIF alone, in silence") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::set_link(c.tables, 4, {.mtu = 100}).has_value());
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    const byte_vector d = datagram_of({.source = source,
                                       .destination = group,
                                       .ttl = 9,
                                       .flags_and_offset = 0x4000,
                                       .payload = pattern(200)});
    CHECK(receive(c, d) == fate::forwarded);
    const auto left = sent(c);
    REQUIRE(left.size() == 1);
    CHECK(left[0].to.interface == 3);
    CHECK(c.books.counters[drop_reason::multicast_too_big] == 1);
    CHECK(c.books.counters[mib::ip_frag_fails] == 1);
    CHECK(receive(c, multicast(9, group, 200)) == fate::forwarded);
    CHECK(sent(c).size() == 1 + 3);
    check_balance(c, free);
}

TEST_CASE("multicast: a member hears it with its own TTL, besides forwarding") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(c.tables.groups.join(2, group));
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    struct : hook<typename router::packet_type> {
        std::vector<u8> ttls;
        hook_verdict operator()(typename router::packet_type& p,
                                const hook_context&) noexcept override {
            ttls.push_back(ipv4::const_view{std::as_const(p).data()}[ipv4::ttl]);
            return hook_verdict::accept;
        }
    } local;
    REQUIRE(c.gates.hooks.add(hook_point::local_in, 0, local));
    static_cast<void>(receive(c, multicast()));
    CHECK(local.ttls == std::vector<u8>{9});
    CHECK(sent(c).size() == 2);
    check_balance(c, free);
}

TEST_CASE("multicast: a listener hears a group on an outgoing interface that it joined") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(c.tables.groups.join(3, group));
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    struct : hook<typename router::packet_type> {
        std::vector<u16> by;
        hook_verdict operator()(typename router::packet_type&,
                                const hook_context& at) noexcept override {
            by.push_back(at.in);
            return hook_verdict::accept;
        }
    } local;
    REQUIRE(c.gates.hooks.add(hook_point::local_in, 0, local));
    static_cast<void>(receive(c, multicast()));
    CHECK(local.by == std::vector<u16>{3});
    CHECK(sent(c).size() == 2);  // the copy that was heard is not forwarded again
    CHECK(c.multicast.entry(source, group)->seen.all.packets == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: the forward hook sees each copy and may drop one") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    struct : hook<typename router::packet_type> {
        std::vector<u16> out;
        hook_verdict operator()(typename router::packet_type& p,
                                const hook_context& at) noexcept override {
            CHECK(at.in == 2);
            CHECK(ipv4::const_view{std::as_const(p).data()}[ipv4::ttl] == 8);
            out.push_back(at.out);
            return at.out == 4 ? hook_verdict::drop : hook_verdict::accept;
        }
    } asked;
    REQUIRE(c.gates.hooks.add(hook_point::forward, 0, asked));
    CHECK(receive(c, multicast()) == fate::forwarded);
    CHECK(asked.out == std::vector<u16>{4, 3});
    CHECK(sent(c).size() == 1);
    CHECK(c.books.counters[mib::ip_forw_datagrams] == 1);
    CHECK(c.books.counters[drop_reason::hook] == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: each copy passes the security policy on its way") {
    core<guarded> c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    c.gates.security.closed = 3;
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    CHECK(receive(c, multicast()) == fate::forwarded);
    const auto left = sent(c);
    REQUIRE(left.size() == 1);
    CHECK(left[0].to.interface == 4);
    CHECK(c.books.counters[drop_reason::security_policy] == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: a hook that removes a VIF or an interface leaves nothing to use") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    struct : hook<typename router::packet_type> {
        router* c = nullptr;
        hook_verdict operator()(typename router::packet_type&,
                                const hook_context&) noexcept override {
            acts::close_multicast_routes(*c);
            REQUIRE(acts::remove_interface(c->tables, 2).has_value());
            return hook_verdict::accept;
        }
    } asked;
    asked.c = &c;
    REQUIRE(c.gates.hooks.add(hook_point::forward, 0, asked));
    CHECK(receive(c, multicast()) == fate::dropped);
    CHECK(sent(c).empty());
    check_balance(c, free);
}

TEST_CASE("multicast: without an entry packets wait, and leave in order when it comes") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    for (std::size_t i = 0; i < 5; ++i)
        CHECK(receive(c, multicast(9, group, 20 + i)) == (i < 4 ? fate::held : fate::dropped));
    REQUIRE(c.multicast.router.events.size() == 1);
    CHECK(c.multicast.router.events[0].event.kind == multicast_event_kind::no_entry);
    CHECK(c.multicast.router.events[0].event.vif == 0);
    CHECK(c.multicast.router.events[0].event.source == source);
    CHECK(c.books.counters[drop_reason::multicast_queue_full] == 1);
    check_balance(c, free, 4);
    REQUIRE(acts::add_multicast_route(c, to({1}), {}).has_value());
    const auto left = sent(c);
    REQUIRE(left.size() == 4);
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(left[i].datagram == multicast(8, group, 20 + i));
    check_balance(c, free);
}

TEST_CASE("multicast: a flow without room for its packets is told of once") {
    core<short_of_room> c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    CHECK(receive(c, multicast(9, "239.1.1.9"_ip)) == fate::held);
    for (int i = 0; i < 20; ++i)
        CHECK(receive(c, multicast()) == fate::dropped);
    CHECK(c.multicast.router.events.size() == 2);
    check_balance(c, free, 1);
    c.calls.now.now = c.calls.now.now + 11_s;
    static_cast<void>(acts::poll(c, c.calls.now));
    check_balance(c, free);
}

TEST_CASE("multicast: without a buffer to wait in, a member still hears the packet") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(c.tables.groups.join(2, group));
    const std::size_t free = c.device.buffers.available();
    {
        std::vector<typename router::packet_type> taken;
        auto came = packet_of(c, multicast());
        while (c.device.buffers.available() != 0)
            taken.push_back(c.device.buffers.take(0));
        static_cast<void>(acts::enter(c, std::move(came), c.calls.now));
    }
    CHECK(c.books.counters[drop_reason::no_buffer] == 1);
    CHECK(c.multicast.router.events.empty());
    check_balance(c, free);
}

TEST_CASE("multicast: a flow that nobody routes is given up after ten seconds") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    const moment begin = c.calls.now;
    CHECK(receive(c, multicast()) == fate::held);
    CHECK(acts::poll(c, begin) == begin.now + 10_s);
    CHECK(acts::poll(c, {begin.now + 10_s, 0}) == instant::never());
    CHECK(c.books.counters[drop_reason::no_multicast_route] == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: a program that does not take the event drops the packet") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    c.multicast.router.takes = false;
    CHECK(receive(c, multicast()) == fate::dropped);
    CHECK(c.books.counters[drop_reason::no_multicast_route] == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: a program may add the entry at once") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    c.multicast.router.with = &c;
    c.multicast.router.answer = [](void* with, const multicast_event&) {
        REQUIRE(acts::add_multicast_route(*static_cast<router*>(with), to({1, 2}), {}).has_value());
    };
    CHECK(receive(c, multicast()) == fate::forwarded);
    CHECK(sent(c).size() == 2);
    check_balance(c, free);
}

TEST_CASE("multicast: an entry added within a call sends what waited when the call is done") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    CHECK(receive(c, multicast(9, "239.1.1.7"_ip)) == fate::held);
    c.multicast.router.with = &c;
    c.multicast.router.answer = [](void* with, const multicast_event&) {
        router& on = *static_cast<router*>(with);
        const acts::entrance<router> nested{on, on.calls.now};
        REQUIRE(acts::add_multicast_route(on, to({1}, "239.1.1.7"_ip), {}).has_value());
        CHECK(on.device.output.size() == 0);
    };
    CHECK(receive(c, multicast()) == fate::held);
    CHECK(sent_one(c) == multicast(8, "239.1.1.7"_ip));
    check_balance(c, free, 1);
}

TEST_CASE("multicast: the wrong interface") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    c.multicast.reports_any = true;
    REQUIRE(acts::add_multicast_route(c, to({2}), {}).has_value());
    multicast_entry elsewhere = to({2});
    elsewhere.upstream = 1;
    REQUIRE(acts::add_multicast_route(c, elsewhere, {}).has_value());
    CHECK(receive(c, multicast()) == fate::dropped);
    CHECK(receive(c, multicast()) == fate::dropped);
    REQUIRE(c.multicast.router.events.size() == 1);
    CHECK(c.multicast.router.events[0].event.kind == multicast_event_kind::wrong_interface);
    CHECK(c.multicast.router.events[0].event.vif == 0);
    CHECK(c.books.counters[drop_reason::wrong_multicast_interface] == 2);
    CHECK(sent(c).empty());
    check_balance(c, free);
}

TEST_CASE("multicast: the packet by the wrong interface too, for a program that asked for it") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    c.multicast.reports_any = true;
    c.multicast.reports_packets = true;
    multicast_entry elsewhere = to({2});
    elsewhere.upstream = 1;
    REQUIRE(acts::add_multicast_route(c, elsewhere, {}).has_value());
    CHECK(receive(c, multicast()) == fate::dropped);
    CHECK(receive(c, multicast()) == fate::dropped);
    const auto& events = c.multicast.router.events;
    REQUIRE(events.size() == 2);
    CHECK(events[0].event.kind == multicast_event_kind::wrong_interface);
    CHECK(events[1].event.kind == multicast_event_kind::wrong_interface_packet);
    CHECK(events[1].event.vif == 0);
    CHECK(events[1].size == 40);
    CHECK(events[1].ttl == 9);
}

TEST_CASE("multicast: a datagram with a chosen endpoint is forwarded like others") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1}), {}).has_value());
    struct : hook<router::packet_type> {
        hook_verdict operator()(router::packet_type& p, const hook_context&) noexcept override {
            p.writable_metadata().endpoint = {.number = 7};
            return hook_verdict::accept;
        }
    } chooses;
    REQUIRE(c.gates.hooks.add(hook_point::prerouting, 0, chooses));
    CHECK(receive(c, multicast()) == fate::forwarded);
    CHECK(sent_one(c) == multicast(8));
    CHECK(receive(c, datagram_of({.source = source, .destination = "10.0.2.9"_ip})) ==
          fate::dropped);
    CHECK(c.books.counters[drop_reason::belongs_to_endpoint] == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: a register VIF gets the packet as it was received") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(acts::add_interface(c.tables, {.index = 9}).has_value());
    REQUIRE(acts::add_vif(c, 7, {.kind = vif_kind::pim_register, .interface = 9}).has_value());
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1, 7}), {}).has_value());
    REQUIRE(acts::add_multicast_route(c, to({7}, "239.1.1.2"_ip), {}).has_value());
    CHECK(receive(c, multicast()) == fate::forwarded);
    CHECK(sent_one(c) == multicast(8));
    CHECK(receive(c, multicast(9, "239.1.1.2"_ip)) == fate::absorbed);
    CHECK(sent(c).empty());
    const auto& events = c.multicast.router.events;
    REQUIRE(events.size() == 2);
    CHECK(events[0].event.kind == multicast_event_kind::whole_packet);
    CHECK(events[0].event.vif == 7);
    CHECK(events[0].ttl == 9);
    CHECK(events[1].ttl == 9);
    CHECK(c.multicast.vifs().traffic_of(7).out.packets == 2);
    check_balance(c, free);
}

TEST_CASE("multicast: IGMP to a routed group ends at the program, unless it does not want it") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    REQUIRE(acts::add_multicast_route(c, to({1}), {}).has_value());
    const byte_vector report = datagram_of(
        {.source = source, .destination = group, .ttl = 5, .protocol = ipv4::protocols::igmp});
    CHECK(receive(c, report) == fate::absorbed);
    REQUIRE(c.multicast.router.events.size() == 1);
    CHECK(c.multicast.router.events[0].event.kind == multicast_event_kind::message);
    c.multicast.router.takes = false;
    CHECK(receive(c, report) == fate::forwarded);
    CHECK(sent(c).size() == 1);
    check_balance(c, free);
}

TEST_CASE("multicast: link-local groups are never forwarded") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(acts::add_multicast_route(c, to({1}, "224.0.0.5"_ip), {}).has_value());
    CHECK(receive(c, multicast(9, "224.0.0.5"_ip)) == fate::dropped);
    CHECK(c.books.counters[drop_reason::no_multicast_member] == 1);
    CHECK(sent(c).empty());
}

TEST_CASE("multicast: own packets pass the tables by the interface that they leave by") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    const std::size_t free = c.device.buffers.available();
    multicast_entry own = to({1});
    own.source = "10.0.1.1"_ip;
    REQUIRE(acts::add_multicast_route(c, own, {}).has_value());
    const auto send = [&](u16 by) {
        const acts::entrance<router> here{c, c.calls.now};
        auto p = c.device.buffers.take(default_headroom);
        REQUIRE(p.put(8) != nullptr);
        static_cast<void>(acts::originate(c, std::move(p),
                                          {.destination = group,
                                           .source = "10.0.1.1"_ip,
                                           .interface = by,
                                           .protocol = 253,
                                           .multicast_ttl = 5}));
    };
    send(2);
    auto left = sent(c);
    REQUIRE(left.size() == 2);
    CHECK(left[0].to.interface == 2);
    check(left[0].datagram, support::ttl(5));
    CHECK(left[1].to.interface == 3);
    check(left[1].datagram, support::ttl(4));
    send(4);  // its entry expects VIF 0: it leaves, and is not forwarded
    left = sent(c);
    REQUIRE(left.size() == 1);
    CHECK(left[0].to.interface == 4);
    CHECK(c.multicast.entry("10.0.1.1"_ip, group)->seen.wrong_interface == 0);
    check_balance(c, free);
}

TEST_CASE("multicast: without buffers for copies nothing is lost but copies") {
    router c{{.seed = testing::fixed_seed}};
    furnish_router(c);
    REQUIRE(acts::add_multicast_route(c, to({1, 2}), {}).has_value());
    const std::size_t free = c.device.buffers.available();
    {
        std::vector<typename router::packet_type> taken;
        auto came = packet_of(c, multicast());
        while (c.device.buffers.available() != 0)
            taken.push_back(c.device.buffers.take(0));
        CHECK(acts::enter(c, std::move(came), c.calls.now) == fate::forwarded);
    }
    CHECK(sent(c).size() == 1);  // the packet itself
    CHECK(c.books.counters[drop_reason::no_buffer] == 1);
    check_balance(c, free);
}

}  // namespace

}  // namespace acts_multicast_forward
