// forwarding_cache: entries and wildcards against a naive model; VIFs, counters, reports, packets
// that wait.
#include <doctest/doctest.h>

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/no_multicast_routes.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/literals.hpp>

#include "support/datagrams.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace multicast_forwarding_cache {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::datagram_of;
using support::packet_of;
using support::pattern;

using pool = fixed_pool<512, 64>;
using packet = pool::packet_type;
template <std::size_t Flows = 4, std::size_t Held = 4, u32 Bytes = 1u << 20>
using cache =
    typename forwarding_cache<16, no_multicast_router, Flows, Held, Bytes>::template model<packet>;

static_assert(multicast_route_policy<forwarding_cache<>, packet>);
static_assert(multicast_route_policy<no_multicast_routes, packet>);
static_assert(std::is_empty_v<no_multicast_routes::model<packet>>);

constexpr ipv4::address source = "10.0.1.2"_ip;
constexpr ipv4::address group = "239.1.1.1"_ip;
constexpr instant start = instant{} + 1000_s;

multicast_entry entry_of(ipv4::address s, ipv4::address g, u8 upstream,
                         const std::map<int, int>& outgoing) {
    multicast_entry e{.source = s, .group = g, .upstream = upstream};
    for (const auto& [vif, threshold] : outgoing)
        e.thresholds.at(static_cast<std::size_t>(vif)) = static_cast<u8>(threshold);
    return e;
}

template <class Cache>
void add_vifs(Cache& c, u8 count) {
    for (u8 n = 0; n < count; ++n)
        REQUIRE(c.add_vif(n, {.interface = static_cast<u16>(n + 2)}).has_value());
}

// The rules of the wildcards as the recorded vectors state them, without tables.
struct naive {
    struct item {
        multicast_entry e;
        std::vector<int> out;  // VIFs that existed when it was stated
    };
    std::map<int, u16> vifs;
    std::vector<item> items;  // the newest first

    [[nodiscard]] static bool lists(const item& i, int vif) {
        return std::find(i.out.begin(), i.out.end(), vif) != i.out.end();
    }
    [[nodiscard]] const item* any(int vif) const {
        for (const item& i : items)
            if (i.e.source.is_unspecified() && i.e.group.is_unspecified() && lists(i, vif))
                return &i;
        return nullptr;
    }
    [[nodiscard]] bool tree(int upstream, int vif) const {
        const item* i = any(upstream);
        return i != nullptr && lists(*i, vif);
    }
    [[nodiscard]] int vif_of(u16 interface) const {
        int found = -1;
        for (const auto& [vif, on] : vifs)
            found = on == interface ? vif : found;
        return found;
    }
    [[nodiscard]] const item* find(ipv4::address s, ipv4::address g, int vif) const {
        for (const item& i : items)
            if (i.e.source == s && i.e.group == g) return &i;
        if (vif < 0) return nullptr;
        for (const item& i : items)
            if (i.e.source.is_unspecified() && i.e.group == g &&
                (lists(i, vif) || tree(i.e.upstream, vif)))
                return &i;
        return any(vif);
    }
    // Empty: no entry. Else whether it is accepted, and where it goes.
    [[nodiscard]] std::optional<std::pair<bool, u32>> answer(ipv4::address s, ipv4::address g,
                                                             u16 interface, int ttl) const {
        const int vif = vif_of(interface);
        const item* i = find(s, g, vif);
        if (i == nullptr) return std::nullopt;
        const bool star = i->e.source.is_unspecified();
        const auto up = vifs.find(i->e.upstream);
        const bool accepted = (up != vifs.end() && up->second == interface) ||
                              (star && vif >= 0 && tree(i->e.upstream, vif));
        u32 to = 0;
        for (const int out : i->out) {
            if (!accepted || ttl <= i->e.thresholds.at(static_cast<std::size_t>(out))) continue;
            if (star && out == vif) continue;
            if (star && i->e.group.is_unspecified() &&
                (vif < 0 || out != i->e.upstream || vif == i->e.upstream))
                continue;
            to |= 1u << out;
        }
        return std::pair{accepted, to};
    }
};

TEST_CASE("entries and wildcards agree with a naive model") {
    std::mt19937 draw{41};
    const auto below = [&draw](unsigned n) { return static_cast<unsigned>(draw() % n); };
    const ipv4::address sources[] = {{}, source, "10.0.2.9"_ip};
    const ipv4::address groups[] = {{}, group, "239.1.1.2"_ip};
    unsigned known = 0, accepted = 0, sent = 0;
    for (unsigned round = 0; round < 60; ++round) {
        cache<> c{testing::fixed_seed};
        naive n;
        for (unsigned step = 0; step < 60; ++step) {
            const auto vif = static_cast<u8>(below(5));
            switch (below(5)) {
            case 0: {
                // Two VIFs may share an interface.
                const auto on = static_cast<u16>(2 + below(4));
                CHECK(c.add_vif(vif, {.interface = on}).has_value() == !n.vifs.contains(vif));
                n.vifs.emplace(vif, on);
                break;
            }
            case 1:
                if (below(3) != 0) break;
                CHECK(c.remove_vif(vif).has_value() == n.vifs.contains(vif));
                n.vifs.erase(vif);
                break;
            default: {
                const ipv4::address s = sources[below(3)];
                const ipv4::address g = groups[s.is_unspecified() ? below(3) : 1 + below(2)];
                multicast_entry e = entry_of(s, g, vif, {});
                for (unsigned i = 0; i < 3; ++i)
                    e.thresholds.at(below(5)) = below(4) == 0 ? u8{255} : static_cast<u8>(below(4));
                const auto match =
                    below(2) == 0 ? entry_match::same_upstream : entry_match::any_upstream;
                const auto same = std::find_if(n.items.begin(), n.items.end(), [&](const auto& i) {
                    return i.e.source == s && i.e.group == g &&
                           (match == entry_match::any_upstream || i.e.upstream == vif);
                });
                if (below(4) == 0) {
                    CHECK(c.remove(e, match).has_value() == (same != n.items.end()));
                    if (same != n.items.end()) n.items.erase(same);
                    break;
                }
                if (same == n.items.end() && n.items.size() == 16) {
                    CHECK(c.add(e, match).error() == multicast_error::full);
                    break;
                }
                REQUIRE(c.add(e, match).has_value());
                naive::item made{e, {}};
                for (const auto& [v, on] : n.vifs) {
                    const u8 least = e.thresholds.at(static_cast<std::size_t>(v));
                    if (least != 0 && least != 255) made.out.push_back(v);
                }
                if (same != n.items.end())
                    *same = made;
                else
                    n.items.insert(n.items.begin(), made);
            }
            }
            CHECK(c.size() == n.items.size());
            for (u16 on = 2; on < 7; ++on) {
                const ipv4::address s = sources[1 + below(2)];
                const ipv4::address g = groups[1 + below(2)];
                const auto ttl = static_cast<u8>(below(5));
                const auto expected = n.answer(s, g, on, ttl);
                const multicast_route r = c.find(s, g, on, ttl);
                REQUIRE(r.is_known() == expected.has_value());
                if (!expected) continue;
                CHECK(r.is_accepted == expected->first);
                CHECK(r.egress == expected->second);
                ++known;
                accepted += expected->first;
                sent += expected->second != 0;
            }
        }
    }
    CHECK(known > 3000);
    CHECK(accepted > 800);
    CHECK(sent > 300);
}

TEST_CASE("VIFs: each number once, one register, the highest number of an interface counts") {
    cache<> c{testing::fixed_seed};
    CHECK(c.find_vif(2) == no_vif);
    CHECK(c.add_vif(32, {.interface = 2}).error() == multicast_error::out_of_range);
    REQUIRE(c.add_vif(1, {.interface = 2}).has_value());
    CHECK(c.add_vif(1, {.interface = 3}).error() == multicast_error::in_use);
    REQUIRE(c.add_vif(5, {.interface = 2}).has_value());
    CHECK(c.find_vif(2) == 5);
    REQUIRE(c.add_vif(31, {.kind = vif_kind::pim_register, .interface = 9}).has_value());
    CHECK(c.add_vif(30, {.kind = vif_kind::pim_register, .interface = 9}).error() ==
          multicast_error::in_use);
    CHECK(c.vifs().register_vif() == 31);
    CHECK(c.remove_vif(32).error() == multicast_error::out_of_range);
    CHECK(c.remove_vif(7).error() == multicast_error::not_found);
    REQUIRE(c.remove_vif(5).has_value());
    CHECK(c.find_vif(2) == 1);
    CHECK(c.vif(5) == nullptr);
    CHECK(c.vif(no_vif) == nullptr);
}

TEST_CASE("an entry counts every packet, the VIFs only accepted ones") {
    cache<> c{testing::fixed_seed};
    add_vifs(c, 3);
    REQUIRE(c.add(entry_of(source, group, 0, {{1, 1}})).has_value());
    const auto right = c.find(source, group, 2, 9);
    const auto wrong = c.find(source, group, 4, 9);
    CHECK(right.is_accepted);
    CHECK_FALSE(wrong.is_accepted);
    c.count_entry(right, 100, start);
    c.count_entry(wrong, 50, start + 1_s);
    c.count_out(1, 100);
    CHECK(c.count_wrong_interface(wrong, start + 1_s) == multicast_report::none);
    const auto& seen = c.entry(source, group)->seen;
    CHECK(seen.all.packets == 2);
    CHECK(seen.all.bytes == 150);
    CHECK(seen.wrong_interface == 1);
    CHECK(seen.last == start);
    CHECK(c.vifs().traffic_of(0).in.bytes == 100);
    CHECK(c.vifs().traffic_of(2).in.packets == 0);
    CHECK(c.vifs().traffic_of(1).out.packets == 1);
    // A VIF of the same number begins anew.
    REQUIRE(c.remove_vif(1).has_value());
    REQUIRE(c.add_vif(1, {.interface = 3}).has_value());
    CHECK(c.vifs().traffic_of(1).out.packets == 0);
}

TEST_CASE("the wrong interface is reported as MRT_ASSERT and MRT_PIM say, once in three seconds") {
    cache<> c{testing::fixed_seed};
    add_vifs(c, 3);
    REQUIRE(c.add(entry_of(source, group, 0, {{1, 1}})).has_value());
    const auto outgoing = c.find(source, group, 3, 9);  // by VIF 1
    const auto other = c.find(source, group, 4, 9);     // by VIF 2
    const auto no_vif_at_all = c.find(source, group, 9, 9);
    const auto told = [&](const multicast_route& r, instant now) {
        return c.count_wrong_interface(r, now);
    };
    CHECK(told(outgoing, start) == multicast_report::none);
    c.reports_outgoing = true;
    CHECK(told(other, start) == multicast_report::none);
    CHECK(told(outgoing, start) == multicast_report::event);
    CHECK(told(outgoing, start + 3_s) == multicast_report::none);
    CHECK(told(outgoing, start + 3_s + 1_ms) == multicast_report::event);
    c.reports_any = true;
    CHECK(told(other, start + 9_s) == multicast_report::event);
    CHECK(told(no_vif_at_all, start + 20_s) == multicast_report::none);
    c.reports_packets = true;
    CHECK(told(other, start + 11_s) == multicast_report::none);
    CHECK(told(other, start + 13_s) == multicast_report::event_and_packet);
    CHECK(c.entry(source, group)->seen.wrong_interface == 9);
}

TEST_CASE("what is refused changes nothing") {
    cache<> c{testing::fixed_seed};
    add_vifs(c, 2);
    CHECK(c.add(entry_of(source, group, 32, {})).error() == multicast_error::out_of_range);
    CHECK(c.add(entry_of(source, source, 0, {})).error() == multicast_error::invalid);
    CHECK(c.remove(entry_of(source, group, 0, {})).error() == multicast_error::not_found);
    CHECK(c.size() == 0);
}

TEST_CASE("flushing and idleness spare static entries") {
    cache<> c{testing::fixed_seed};
    add_vifs(c, 2);
    multicast_entry fixed = entry_of(source, group, 0, {{1, 1}});
    fixed.is_static = true;
    REQUIRE(c.add(fixed).has_value());
    REQUIRE(c.add(entry_of(source, "239.1.1.2"_ip, 0, {{1, 1}})).has_value());
    REQUIRE(c.add(entry_of(source, "239.1.1.3"_ip, 0, {{1, 1}})).has_value());
    c.count_entry(c.find(source, "239.1.1.3"_ip, 2, 9), 40, start);
    // Packets by the wrong interface keep no entry.
    c.count_entry(c.find(source, "239.1.1.2"_ip, 3, 9), 40, start);
    CHECK(c.forget_idle(start) == 1);
    CHECK(c.entry(source, "239.1.1.2"_ip) == nullptr);
    CHECK(c.flush({.entries = true}) == 0);
    CHECK(c.size() == 1);
    CHECK(c.entry(source, group) != nullptr);
    CHECK(c.flush({.static_entries = true}) == 0);
    CHECK(c.size() == 0);
}

packet from(pool& source_of, ipv4::address s, ipv4::address g, std::size_t size = 20) {
    return packet_of(source_of,
                     datagram_of({.source = s, .destination = g, .payload = pattern(size)}));
}

TEST_CASE("packets without an entry wait: so many of a flow, so many flows, for ten seconds") {
    pool buffers;
    const std::size_t all = buffers.available();
    cache<2, 2> c{testing::fixed_seed};
    CHECK(c.next_deadline() == instant::never());
    CHECK(c.await(source, group) == waiting::no);
    REQUIRE(c.hold(from(buffers, source, group, 21), start));
    CHECK(c.await(source, group) == waiting::yes);
    REQUIRE(c.hold(from(buffers, source, group, 22), start + 1_s));
    CHECK_FALSE(c.hold(from(buffers, source, group), start));
    REQUIRE(c.hold(from(buffers, source, "239.1.1.2"_ip), start + 5_s));
    CHECK(c.await(source, "239.1.1.3"_ip) == waiting::table_full);
    CHECK_FALSE(c.hold(from(buffers, source, "239.1.1.3"_ip), start));
    CHECK(buffers.available() == all - 3);
    CHECK(c.next_deadline() == start + 10_s);
    CHECK(c.expire(start + 9'999_ms) == 0);
    CHECK(c.take_held(source, group).size() == 41);
    CHECK(c.expire(start + 10_s) == 1);
    CHECK(c.await(source, group) == waiting::no);
    CHECK(c.next_deadline() == start + 15_s);
    CHECK(c.take_held(source, "239.1.1.2"_ip).size() == 40);
    CHECK_FALSE(c.take_held(source, "239.1.1.2"_ip));
    CHECK(c.await(source, "239.1.1.2"_ip) == waiting::no);
    CHECK(buffers.available() == all);
}

TEST_CASE("the bytes of all waiting packets are bounded, and a flush drops them") {
    pool buffers;
    const std::size_t all = buffers.available();
    cache<4, 4, 3 * 512> c{testing::fixed_seed};
    unsigned held = 0;
    for (u32 i = 0; i < 8; ++i)
        held += c.hold(from(buffers, {source.value + i}, group), start);
    CHECK(held >= 1);
    CHECK(held <= 3);
    CHECK(buffers.available() == all - held);
    CHECK(c.held() == held);
    // A flow without room for its packet waits too: its program was told.
    CHECK(c.await({source.value + 3}, group) == waiting::yes);
    CHECK_FALSE(c.take_held({source.value + 3}, group));
    CHECK(c.flush({.static_entries = true}) == 0);
    CHECK(c.flush({.entries = true}) == held);
    CHECK(buffers.available() == all);
}

TEST_CASE("packets that wait leave buffers for reception") {
    fixed_pool<512, 8> few;
    forwarding_cache<4, no_multicast_router, 16, 4>::model<fixed_pool<512, 8>::packet_type> c{
        testing::fixed_seed};
    unsigned held = 0;
    for (u32 i = 0; i < 8; ++i)
        held += c.hold(
            packet_of(few, datagram_of({.source = {source.value + i}, .destination = group})),
            start);
    CHECK(held < 8);
    CHECK(few.available() >= 1);
}

}  // namespace

}  // namespace multicast_forwarding_cache
