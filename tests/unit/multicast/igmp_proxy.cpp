// igmp_proxy: entries and subscriptions against a naive merge; a stack that forwards by it.
#include <doctest/doctest.h>

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/igmp_proxy.hpp>
#include <sluice/stack/stack.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/literals.hpp>

#include "support/datagrams.hpp"
#include "support/sent.hpp"

#include <random>
#include <set>
#include <vector>

namespace multicast_igmp_proxy {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
namespace rt = igmp::record_types;

constexpr ipv4::address group = "239.1.1.1"_ip;
constexpr ipv4::address host = "10.0.1.9"_ip;
constexpr instant start = instant{} + 1000_s;

byte_vector report(u8 type, const std::set<u32>& sources, ipv4::address about = group) {
    byte_vector m(16 + 4 * sources.size());
    m[0] = std::byte{igmp::types::v3_report};
    m[7] = std::byte{1};
    m[8] = std::byte{type};
    store_be<u16>(m.data() + 10, static_cast<u16>(sources.size()));
    store_be<u32>(m.data() + 12, about.value);
    std::size_t at = 16;
    for (const u32 a : sources) {
        store_be<u32>(m.data() + at, a);
        at += 4;
    }
    igmp::set_checksum(m);
    return m;
}

template <class Proxy>
void silent_poll(Proxy& p, instant now) {
    static_cast<void>(p.poll(now, [](u8, ipv4::address, const_bytes) {}));
}

byte_vector query_of_another() {
    byte_vector m(12);
    m[0] = std::byte{igmp::types::query};
    m[8] = std::byte{2};
    m[9] = std::byte{125};
    igmp::set_checksum(m);
    return m;
}

using small_proxy = igmp_proxy<4, igmp_querier<4, 8>>;

small_proxy three_networks(u8 upstream) {
    small_proxy p{upstream};
    for (u8 vif = 1; vif < 4; ++vif)
        REQUIRE(p.add(vif, {"10.0.0.1"_ip.value + (u32{vif} << 8)}, {}, start));
    return p;
}

TEST_CASE("a VIF is one network: not twice, not the upstream one, not beyond the room") {
    igmp_proxy<2> p{0};
    CHECK_FALSE(p.add(0, host, {}, start));
    CHECK(p.add(1, host, {}, start));
    CHECK_FALSE(p.add(1, host, {}, start));
    CHECK_FALSE(p.add(32, host, {}, start));
    CHECK(p.add(2, host, {}, start));
    CHECK_FALSE(p.add(3, host, {}, start));
    CHECK_FALSE(p.receive(3, report(rt::mode_is_exclude, {}), host, start));
    CHECK_FALSE(p.receive(0, report(rt::mode_is_exclude, {}), host, start));
}

TEST_CASE("queries go to each network; the deadline is the earliest") {
    auto p = three_networks(0);
    std::vector<u8> asked;
    const instant next = p.poll(start, [&](u8 vif, ipv4::address to, const_bytes) {
        CHECK(to == ipv4::all_systems);
        asked.push_back(vif);
    });
    CHECK(asked == std::vector<u8>{1, 2, 3});
    CHECK(next == start + 31'250_ms);
    REQUIRE(p.receive(2, report(rt::mode_is_exclude, {}), host, start));
    REQUIRE(p.receive(2, report(rt::change_to_include, {}), host, start));
    asked.clear();
    CHECK(p.poll(start, [&](u8 vif, ipv4::address, const_bytes) { asked.push_back(vif); }) ==
          start + 1_s);
    CHECK(asked == std::vector<u8>{2});
}

TEST_CASE("down to networks with members, up from each, never back, never where another asks") {
    auto p = three_networks(0);
    const auto to = [&](u8 ingress, ipv4::address source = host) {
        vif_mask m = 0;
        const multicast_entry e = p.entry(source, group, ingress, start);
        CHECK(e.source == source);
        CHECK(e.group == group);
        CHECK(e.upstream == ingress);
        for (u8 n = 0; n < max_vifs; ++n)
            m |= e.thresholds[n] != 0 ? vif_mask{1} << n : 0;
        return m;
    };
    CHECK(to(0) == 0);
    CHECK(to(1) == 0b0001);
    REQUIRE(p.receive(1, report(rt::mode_is_exclude, {}), host, start));
    REQUIRE(p.receive(2, report(rt::mode_is_include, {host.value}), host, start));
    CHECK(to(0) == 0b0110);
    CHECK(to(0, "10.9.9.9"_ip) == 0b0010);
    CHECK(to(1) == 0b0101);
    CHECK(to(3) == 0b0111);
    REQUIRE(p.receive(1, query_of_another(), "10.0.0.2"_ip, start));
    CHECK(to(0) == 0b0100);
}

TEST_CASE("without an upstream VIF nothing goes up") {
    for (const u8 none : {no_vif, max_vifs, u8{40}}) {
        auto p = three_networks(none);
        REQUIRE(p.receive(1, report(rt::mode_is_exclude, {}), host, start));
        const multicast_entry e = p.entry(host, group, 2, start);
        for (u8 n = 0; n < max_vifs; ++n)
            CHECK(e.thresholds[n] == (n == 1 ? 1 : 0));
    }
}

// Whether the subscription asks for packets of the source.
bool asks(const subscription& s, u32 source) {
    bool listed = false;
    for (const ipv4::address a : s.sources)
        listed |= a.value == source;
    return (s.mode == filter_mode::include) == listed;
}

TEST_CASE("upstream it asks for what some network wants, and for nothing else") {
    std::mt19937 draw{11};
    unsigned asked = 0, refused = 0, empty = 0;
    for (unsigned round = 0; round < 300; ++round) {
        auto p = three_networks(0);
        instant now = start;
        for (unsigned step = 0; step < 12; ++step) {
            std::set<u32> sources;
            for (u32 i = 0; i < 5; ++i)
                if (draw() % 3 == 0) sources.insert("10.9.0.1"_ip.value + i);
            const auto vif = static_cast<u8>(1 + draw() % 3);
            REQUIRE(p.receive(vif, report(static_cast<u8>(1 + draw() % 6), sources), host, now));
            now = now + duration::from_milliseconds(static_cast<i64>(draw()) % 90'000);
            silent_poll(p, now);
            const subscription s = p.subscribed(group, now);
            empty += s.is_empty();
            for (u32 i = 0; i < 6; ++i) {
                const ipv4::address a{"10.9.0.1"_ip.value + i};
                bool wanted = false;
                for (u8 n = 1; n < 4; ++n)
                    wanted |= p.querier(n)->wants(a, group, now);
                CHECK(asks(s, a.value) == wanted);
                (wanted ? asked : refused) += 1;
            }
        }
    }
    CHECK(asked > 2000);
    CHECK(refused > 2000);
    CHECK(empty > 20);
}

TEST_CASE("an include list that is too long asks for all") {
    igmp_proxy<1, igmp_querier<2, 80>> p{0};
    REQUIRE(p.add(1, "10.0.1.1"_ip, {}, start));
    std::set<u32> sources;
    for (u32 i = 0; i < subscription::max_sources; ++i)
        sources.insert("10.9.0.1"_ip.value + i);
    REQUIRE(p.receive(1, report(rt::mode_is_include, sources), host, start));
    CHECK(p.subscribed(group, start).sources.size() == subscription::max_sources);
    REQUIRE(p.receive(1, report(rt::allow_new_sources, {"10.8.0.1"_ip.value}), host, start));
    CHECK(p.subscribed(group, start).mode == filter_mode::exclude);
    CHECK(p.subscribed(group, start).sources.empty());
}

// -- with a stack --

struct listening {
    void* with = nullptr;
    void (*answer)(void*, const multicast_event&) = nullptr;

    template <class Packet>
    bool upcall(const multicast_event& e, const Packet&) noexcept {
        if (e.kind == multicast_event_kind::no_entry) answer(with, e);
        return true;
    }
};
struct routing
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 32>>, output<queue_output<16>>,
               reassembly<bounded_cache<8>>, multicast_routes<forwarding_cache<16, listening>>> {};
using router = stack<routing>;

TEST_CASE("a stack forwards by the memberships, without a daemon") {
    router s{{.seed = testing::fixed_seed}};
    moment now{start, 0};
    auto p = three_networks(0);
    REQUIRE(s.open_multicast_routes().has_value());
    for (u8 n = 0; n < 4; ++n) {
        const auto index = static_cast<u16>(n + 2);
        const ipv4::interface_address net{{"10.0.0.1"_ip.value + (u32{n} << 8)}, 24};
        REQUIRE(s.add_interface({.index = index, .address = net}).has_value());
        REQUIRE(s.add_vif(n, {.interface = index}).has_value());
    }
    struct both {
        router& s;
        small_proxy& p;
    } together{s, p};
    s.multicast_routes().router = {&together, [](void* with, const multicast_event& e) {
                                       auto& b = *static_cast<both*>(with);
                                       add_entry_for(b.s, b.p, e);
                                   }};
    const auto receive = [&] {
        auto came = support::packet_of(
            s.buffers(),
            support::datagram_of({.source = "10.0.0.9"_ip, .destination = group, .ttl = 9}));
        came.set_interface(2);
        static_cast<void>(s.receive(std::move(came), now));
        std::set<u16> by;
        for (const auto& one : support::take_sent(s.output()))
            by.insert(one.to.interface);
        return by;
    };
    CHECK(receive().empty());
    CHECK(s.multicast_routes().size() == 1);  // no further event while nobody wants it
    REQUIRE(p.receive(2, report(rt::mode_is_exclude, {}), host, start));
    renew_entries(s, p, now);
    CHECK(receive() == std::set<u16>{4});
    REQUIRE(p.receive(3, report(rt::mode_is_exclude, {}), host, start));
    renew_entries(s, p, now);
    CHECK(receive() == std::set<u16>{4, 5});
    now.now = start + 261_s;
    const u32 before = p.generation();
    silent_poll(p, now.now);
    CHECK(p.generation() != before);
    renew_entries(s, p, now);
    CHECK(receive().empty());
    CHECK(s.multicast_routes().entry("10.0.0.9"_ip, group)->seen.all.packets == 4);
}

}  // namespace

}  // namespace multicast_igmp_proxy
