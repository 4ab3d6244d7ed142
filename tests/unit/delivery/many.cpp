// Many endpoints: each lookup takes a few comparisons and finds the endpoint that a scan of all
// would find, while endpoints are added and removed.
#include "registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace delivery_many {

namespace {

using namespace delivery_test;

// What the index asks its places for, counted.
template <std::size_t N>
struct counted_places : endpoint_places<packet, N> {
    using base = endpoint_places<packet, N>;
    using typename base::link;
    using typename base::place_type;

    place_type& place(link number) noexcept {
        ++looks;
        return base::place(number);
    }
    const place_type& place(link number) const noexcept {
        ++looks;
        return base::place(number);
    }
    static inline std::size_t looks = 0;
};

constexpr std::size_t thousand = 1000;
constexpr std::size_t few = 16;  // some at each of the few that share a bucket
constexpr endpoint_filter datagram = endpoint_filter::of(heard);

struct arrangement {
    const char* name;
    endpoint_filter (*of)(u32 number);  // number 0 is for `datagram`
};
constexpr arrangement arrangements[] = {
    {"a port each",
     [](u32 n) { return endpoint_filter{.local_port = static_cast<u16>(7000 + n)}; }},
    {"an address each at one port",
     [](u32 n) { return endpoint_filter{.local = {0x0a000101u + n}, .local_port = 7000}; }},
    {"a peer each at one port",
     [](u32 n) {
         return endpoint_filter{.local = "10.0.1.1"_ip,
                                .peer = {0x0a000102u + n},
                                .local_port = 7000,
                                .peer_port = 1234};
     }},
    {"an interface each at one port",
     [](u32 n) {
         return endpoint_filter{.local_port = 7000, .interface = static_cast<u16>(2 + n)};
     }},
    {"a peer's port each, any address",
     [](u32 n) {
         return endpoint_filter{.local_port = 7000, .peer_port = static_cast<u16>(1234 + n)};
     }},
    {"all the same, shared",
     [](u32) { return endpoint_filter{.local_port = 7000, .reuse = true}; }},
};

TEST_CASE("one of 1,000 endpoints is found with a few comparisons") {
    using places = counted_places<thousand>;
    for (const auto& row : arrangements) {
        CAPTURE(row.name);
        static sink s;
        const auto all = std::make_unique<endpoint_index<places>>(testing::fixed_seed);
        for (u32 i = 0; i < thousand; ++i)
            REQUIRE(all->add(row.of(i).of_udp(), s));
        std::size_t most = 0;
        for (u32 i = 0; i < thousand; ++i) {
            const endpoint_filter f = row.of(i);
            endpoint_filter d = datagram;
            if (!f.local.is_unspecified()) d.local = f.local;
            if (!f.peer.is_unspecified()) d.peer = f.peer;
            if (f.peer_port != 0) d.peer_port = f.peer_port;
            if (f.interface != 0) d.interface = f.interface;
            d.local_port = f.local_port;
            places::looks = 0;
            REQUIRE(all->best(d.of_udp()) != nullptr);
            most = std::max(most, places::looks);
        }
        CHECK(most <= few);
        places::looks = 0;
        endpoint_filter unmatched = datagram;
        unmatched.local_port = 6999;
        CHECK(all->best(unmatched.of_udp()) == nullptr);
        CHECK(places::looks <= few);
    }
}

TEST_CASE("only endpoints with the port are asked whether it is in use") {
    using places = counted_places<thousand>;
    static sink s;
    const auto all = std::make_unique<endpoint_index<places>>(testing::fixed_seed);
    for (u32 i = 0; i < thousand; ++i)
        REQUIRE(all->add(arrangements[0].of(i), s));
    places::looks = 0;
    int asked = 0;
    const auto ask = [&](const endpoint_filter& f) {
        ++asked;
        return f.local_port == 7500;
    };
    CHECK(all->any_with_port_of({.local_port = 7500}, ask));
    CHECK_FALSE(all->any_with_port_of({.local_port = 6999}, ask));
    CHECK(asked <= 4);
    CHECK(places::looks <= 4);
}

// The naive model: a list of all, the latest first, and one sentence about each question.
struct scan {
    struct entry {
        endpoint_filter f;
        std::size_t who;
    };
    static bool fits(const endpoint_filter& f, const delivery_info& i) {
        return (f.local.is_unspecified() || f.local == i.destination) &&
               (f.peer.is_unspecified() || f.peer == i.source) &&
               (f.local_port == 0 || f.local_port == i.destination_port) &&
               (f.peer_port == 0 || f.peer_port == i.source_port) &&
               (f.interface == 0 || f.interface == i.interface);
    }
    static int score(const endpoint_filter& f) {
        return (f.local_port != 0 ? 8 : 0) + (f.local.is_unspecified() ? 0 : 4) +
               (f.peer.is_unspecified() ? 0 : 1) + (f.peer_port != 0 ? 1 : 0) +
               (f.interface != 0 ? 1 : 0);
    }
    std::string all_of(const delivery_info& i) const {
        std::string page;
        for (const entry& e : entries)
            if (fits(e.f, i)) page += name(e.who);
        return page;
    }
    std::string best_of(const delivery_info& i) const {
        const entry* best = nullptr;
        for (const entry& e : entries)
            if (fits(e.f, i) && (best == nullptr || score(e.f) > score(best->f))) best = &e;
        return best != nullptr ? std::string(1, name(best->who)) : "";
    }
    std::string latest_of(const delivery_info& i) const { return all_of(i).substr(0, 1); }
    bool in_use(const endpoint_filter& f, bool anywhere) const {
        return std::any_of(entries.begin(), entries.end(), [&](const entry& e) {
            const bool meet =
                (f.local.is_unspecified() || e.f.local.is_unspecified() || f.local == e.f.local) &&
                (f.interface == 0 || e.f.interface == 0 || f.interface == e.f.interface);
            return e.f.local_port == f.local_port && (anywhere || meet) && !(f.reuse && e.f.reuse);
        });
    }
    static char name(std::size_t who) { return static_cast<char>('a' + who); }

    std::deque<entry> entries;
};

struct writing_sink final : packet_sink<packet> {
    bool take(packet& p, const delivery_info&) noexcept override {
        p.reset();
        *page += letter;
        return true;
    }
    std::string* page = nullptr;
    char letter = 0;
};

struct random_choice {
    template <class T>
    T of(std::initializer_list<T> values) {
        return values.begin()[random() % values.size()];
    }
    endpoint_filter filter() {
        return {.protocol = of<u8>({17, 253}),
                .local = of({ipv4::address{}, "10.0.1.1"_ip, "10.0.1.9"_ip}),
                .peer = of({ipv4::address{}, ipv4::address{}, "10.0.1.2"_ip, "10.0.1.3"_ip}),
                .local_port = of<u16>({0, 7000, 7000, 7001, 7008}),
                .peer_port = of<u16>({0, 0, 1234, 1235}),
                .interface = of<u16>({0, 0, 2, 3}),
                .reuse = of({true, false})};
    }
    // Values that a filter cannot ask for are among them: 0.0.0.0, port 0, interface 0.
    delivery_info datagram() {
        return {.source = of({ipv4::address{}, "10.0.1.2"_ip, "10.0.1.3"_ip}),
                .destination = of({ipv4::address{}, "10.0.1.1"_ip, "10.0.1.9"_ip}),
                .interface = of<u16>({0, 2, 3}),
                .source_port = of<u16>({0, 1234, 1235}),
                .destination_port = of<u16>({0, 7000, 7001, 7008}),
                .protocol = of<u8>({17, 253})};
    }
    std::mt19937 random{19};
};

struct world {
    static constexpr std::size_t places = 16;

    world() {
        for (std::size_t i = 0; i < std::size(sinks); ++i) {
            sinks[i].page = &page;
            sinks[i].letter = scan::name(i);
        }
    }
    void change(random_choice& any) {
        const std::size_t who = any.random() % std::size(sinks);
        const endpoint_filter f = any.filter();
        switch (any.random() % 8) {
        case 0:
        case 1:
            all.remove(sinks[who]);
            for (scan* s : {&raw, &udp, &ping})
                std::erase_if(s->entries, [&](const auto& e) { return e.who == who; });
            break;
        case 2: {
            // With several registrations it is unspecified which one changes.
            const auto mine = [&](const auto& e) { return e.who == who; };
            if (std::count_if(ping.entries.begin(), ping.entries.end(), mine) > 1) break;
            const auto it = std::find_if(ping.entries.begin(), ping.entries.end(), mine);
            CHECK(all.change_ping(f, sinks[who]) == (it != ping.entries.end()));
            if (it != ping.entries.end()) it->f = f.of_ping();
            break;
        }
        case 3:
        case 4:
            add(raw, all.add_raw(f, sinks[who]), f, who);
            break;
        case 5:
            add(ping, all.add_ping(f, sinks[who]), f.of_ping(), who);
            break;
        default:
            add(udp, all.add_udp(f, sinks[who]), f, who);
        }
    }
    static void add(scan& to, bool added, const endpoint_filter& f, std::size_t who) {
        CHECK(added == (to.entries.size() < places));
        if (added) to.entries.push_front({f, who});
    }
    void compare(random_choice& any) {
        delivery_info i = any.datagram();
        page.clear();
        delivery_count n = all.udp(pool.take(), i);
        CHECK(n.taken == page.size());
        CHECK(page == udp.best_of(i));
        page.clear();
        n = all.ping(pool.take(), i);
        CHECK(n.taken == page.size());
        CHECK(page == ping.latest_of(i));
        i.broadcast_or_multicast = true;
        page.clear();
        n = all.udp(pool.take(), i);
        CHECK(n.taken == page.size());
        CHECK(page == udp.all_of(i));
        page.clear();
        scan of_protocol;  // raw endpoints have a protocol and no ports
        for (auto e : raw.entries) {
            e.f.local_port = e.f.peer_port = 0;
            if (e.f.protocol == i.protocol) of_protocol.entries.push_back(e);
        }
        n = all.tap(datagram_from(pool), i);
        CHECK(n.taken == page.size());
        CHECK(page == of_protocol.all_of(i));
        const endpoint_filter f = any.filter();
        CHECK(all.udp_in_use(f) == udp.in_use(f, false));
        CHECK(all.ping_in_use(f) == ping.in_use(f, true));
        const auto is_flow = [](const auto& e) {
            return !e.f.local.is_unspecified() && !e.f.peer.is_unspecified() &&
                   e.f.local_port != 0 && e.f.peer_port != 0;
        };
        CHECK(all.has_flows() == std::any_of(udp.entries.begin(), udp.entries.end(), is_flow));
        CHECK((all.flow_of(i) != nullptr) ==
              std::any_of(udp.entries.begin(), udp.entries.end(),
                          [&](const auto& e) { return is_flow(e) && scan::fits(e.f, i); }));
    }

    pool_type pool;
    registered_endpoints<4, places>::model<packet> all{testing::fixed_seed};
    std::string page;
    writing_sink sinks[8];
    scan raw, udp, ping;
};

TEST_CASE("random endpoints and datagrams: as a scan of all would find") {
    world w;
    random_choice any;
    for (int step = 0; step < 20'000; ++step) {
        w.change(any);
        w.compare(any);
    }
}

TEST_CASE("a flow keeps its route until its endpoint is removed; the next one starts without") {
    constexpr endpoint_filter flow{
        .local = "10.0.1.1"_ip, .peer = "10.0.1.2"_ip, .local_port = 7000, .peer_port = 1234};
    endpoints all;
    sink a;
    REQUIRE(all.add_udp(flow, a));
    REQUIRE(all.flow_of(heard) != nullptr);
    *all.flow_of(heard) = {.version = 3, .interface = 2};
    CHECK(*all.flow_of(heard) == early_route{3, 2});
    all.remove(a);
    CHECK(all.flow_of(heard) == nullptr);
    CHECK_FALSE(all.has_flows());
    REQUIRE(all.add_udp(flow, a));
    CHECK(*all.flow_of(heard) == early_route{});
}

}  // namespace

}  // namespace delivery_many
