// conformance::multicast_routes: tests the properties of every multicast_route_policy on yours.
//
//     const auto found = testing::conformance::multicast_routes<my_tables>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// The tables begin empty. They may refuse to hold any packet. Of several tables the one that the
// policy begins with is tested, and that the others are apart from it.
//
// Source: Linux ipmr_cache_unresolved.
#pragma once

#include <sluice/multicast/route_concept.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <memory>
#include <utility>

namespace sluice::testing::conformance {

namespace detail {

template <class Tag>
class multicast_routes_suite {
    using pool = fixed_pool<512, 256>;
    using packet = pool::packet_type;
    using model = typename Tag::template model<packet>;

public:
    explicit multicast_routes_suite(checker& check) : check_{check} {}

    void run() {
        using self = multicast_routes_suite;
        for (const auto each : {&self::empty, &self::holding, &self::giving_up, &self::bounds,
                                &self::choosing, &self::apart}) {
            const auto buffers = std::make_unique<pool>();
            const std::size_t all = buffers->available();
            {
                const auto tables = std::make_unique<model>(testing::fixed_seed);
                (this->*each)(*tables, *buffers);
                check_.clear_given();
            }
            check_.begin("the tables return every packet");
            check_.equal(buffers->available(), all, "no buffer is lost");
        }
    }

private:
    static constexpr ipv4::address source = "10.0.1.2"_ip;
    static constexpr ipv4::address group = "239.1.2.3"_ip;
    static constexpr instant start = instant{} + duration::from_seconds(1000);

    static packet to_group(pool& from, ipv4::address g, u8 ttl) {
        return packet_of(from, datagram_of({.source = source, .destination = g, .ttl = ttl}));
    }

    // The table that the policy begins with.
    static auto& first_of(model& m) { return *multicast_table(m, default_multicast_table); }

    void choosing(model& m, pool&) {
        check_.begin("at first every packet is of the default table");
        const auto* const first = multicast_table(m, default_multicast_table);
        if (!check_.holds(first != nullptr, "the default table is there")) {
            return;
        }
        for (const u16 incoming : {u16{1}, u16{2}, u16{0xffff}}) {
            check_.given("interface", incoming);
            const auto* const chosen = multicast_table_for(m, [&]() noexcept {
                return rule_key{.source = source, .destination = group, .incoming = incoming};
            });
            check_.holds(chosen == first, "table_for() returns the default table");
        }
        u32 visited = 0;
        for_each_multicast_table(m, [&](u32 number, const auto&) {
            visited += number == default_multicast_table ? 1 : 0;
        });
        check_.equal(visited, 1u, "for_each_table() visits the default table once");
        check_.holds(multicast_table(m, 77) == nullptr, "table() makes no table");
    }

    void apart(model& m, pool& buffers) {
        if constexpr (has_multicast_tables<model>) {
            check_.begin("tables are apart");
            auto* const other = m.make_table(77);
            if (other == nullptr) {
                return;  // room for one table
            }
            auto& first = first_of(m);
            check_.holds(other != &first, "make_table() makes another table");
            check_.holds(m.make_table(77) == other, "make_table() returns a table that is there");
            check_.holds(m.table(77) == other, "table() finds what make_table() made");
            check_.holds(m.table(default_multicast_table) == &first, "a table stays where it is");
            if (!other->hold(to_group(buffers, group, 9), start)) {
                return;
            }
            check_.holds(first.await(source, group) != waiting::yes,
                         "no flow of another table waits");
            check_.holds(m.next_deadline() == other->next_deadline(),
                         "the deadline is that of the first table with one");
            check_.equal(m.expire(m.next_deadline()), 1u, "expire() is for all tables");
        }
    }

    void empty(model& all, pool&) {
        auto& m = first_of(all);
        check_.begin("empty tables know nothing");
        for (const u16 interface : {u16{1}, u16{2}, u16{0xffff}}) {
            check_.given("interface", interface);
            const multicast_route r = m.find(source, group, interface, 64);
            check_.holds(!r.is_known(), "find() returns no entry");
            check_.holds(r.egress == 0 && !r.is_accepted, "without an entry nothing is forwarded");
            check_.equal(m.find_vif(interface), no_vif, "no interface has a VIF");
        }
        for (u8 n = 0; n < max_vifs; ++n) {
            check_.given("VIF", n);
            check_.holds(m.vif(n) == nullptr, "vif() is nullptr for a VIF that was not added");
        }
        check_.holds(m.vif(no_vif) == nullptr, "vif(no_vif) is nullptr");
        check_.holds(m.await(source, group) != waiting::yes, "no flow waits");
        check_.holds(!m.take_held(source, group), "no packet is held");
        check_.equal(m.expire(start), 0u, "nothing expires");
        check_.holds(m.next_deadline() == instant::never(), "there is no deadline");
    }

    void holding(model& all, pool& buffers) {
        auto& m = first_of(all);
        check_.begin("packets that wait come back in order");
        u8 held = 0;
        for (u8 ttl = 1; ttl <= 3; ++ttl) {
            held = static_cast<u8>(held + (m.hold(to_group(buffers, group, ttl), start) ? 1 : 0));
        }
        check_.holds((m.await(source, group) == waiting::yes) == (held != 0),
                     "a flow waits exactly if a packet of it is held");
        check_.equal(all.held(), std::size_t{held}, "held() counts the packets that wait");
        check_.holds(held <= model::held_limit, "no more wait than held_limit");
        check_.holds(m.await(source, "239.1.2.4"_ip) != waiting::yes, "no other flow waits");
        check_.holds(!m.take_held(source, "239.1.2.4"_ip), "another flow has no packets");
        for (u8 ttl = 1; ttl <= held; ++ttl) {
            const packet p = m.take_held(source, group);
            check_.holds(static_cast<bool>(p), "every held packet comes back");
            if (p) {
                check_.equal(ipv4::const_view{p.data()}[ipv4::ttl], ttl,
                             "the oldest packet comes first");
            }
        }
        check_.holds(!m.take_held(source, group), "no packet comes back twice");
        check_.holds(m.await(source, group) != waiting::yes, "an emptied flow waits no more");
        check_.equal(all.held(), std::size_t{0}, "nothing that came back is held");
    }

    void giving_up(model& all, pool& buffers) {
        auto& m = first_of(all);
        check_.begin("a flow waits until its deadline");
        const bool held = m.hold(to_group(buffers, group, 9), start);
        const instant deadline = m.next_deadline();
        check_.holds((deadline != instant::never()) == held,
                     "there is a deadline exactly if a flow waits");
        if (!held) {
            return;
        }
        check_.holds(deadline > start, "the deadline lies ahead");
        check_.equal(m.expire({deadline.nanoseconds - 1}), 0u, "nothing is given up before it");
        check_.equal(m.expire(deadline), 1u, "expire() returns the number of packets dropped");
        check_.holds(m.await(source, group) != waiting::yes, "the flow waits no more");
        check_.holds(m.next_deadline() == instant::never(), "there is no further deadline");
    }

    void bounds(model& all, pool& buffers) {
        auto& m = first_of(all);
        check_.begin("what waits is bounded, and buffers stay for reception");
        for (u32 i = 0; i < 400; ++i) {
            packet p = to_group(buffers, {group.value + i}, 9);
            if (!check_.holds(static_cast<bool>(p), "a buffer is free for the next packet")) {
                return;
            }
            if (m.await(source, {group.value + i}) == waiting::table_full) {
                check_.holds(!m.hold(std::move(p), start), "a full table holds no new flow");
                return;
            }
            static_cast<void>(m.hold(std::move(p), start));
        }
    }

    checker& check_;
};

}  // namespace detail

template <class Tag>
suite_result multicast_routes(const reporter& report = print_broken) {
    checker check{"multicast_routes", report};
    detail::multicast_routes_suite<Tag>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
