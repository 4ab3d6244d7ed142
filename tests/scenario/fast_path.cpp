// The accept branch equals the chain that it stands for: the same packets through a stack that may
// use it and through one that may not (something observes), alone and in batches: the same octets
// leave by the same interfaces, the same counters move, each packet has the same fate. So does a
// stack whose table tells hops, and is asked ahead.
#include "support/fixed_stack.hpp"
#include "support/world.hpp"
#include "support/zeros.hpp"

#include <sluice/route/direct_table.hpp>

#include <doctest/doctest.h>

#include <memory>

using namespace sluice;

namespace {

struct plain : policies<based_on<linux_router>, output<queue_output<1024>>> {
    static constexpr settings initial_settings() noexcept { return settings{true}; }
};
struct watched : policies<based_on<plain>, observed_by<recording_observer<4>>> {
    static constexpr settings initial_settings() noexcept { return settings{true}; }
};

struct by_hops : policies<based_on<plain>, routes<direct_table>> {
    static constexpr settings initial_settings() noexcept { return settings{true}; }
};

template <class Policies>
struct side {
    explicit side(std::unique_ptr<stack<Policies>> made = support::fixed_stack<stack<Policies>>())
        : at{std::move(made)} {
        world::configure(*at, ears);
    }
    std::unique_ptr<stack<Policies>> at;
    world::ears<stack<Policies>> ears;

    std::vector<fate> one_by_one(const std::vector<traffic::datagram_bytes>& all, moment now) {
        std::vector<fate> fates;
        for (const auto& d : all) {
            fates.push_back(at->receive(world::packet_of(*at, d), now));
        }
        return fates;
    }
    void at_once(const std::vector<traffic::datagram_bytes>& all, moment now) {
        std::vector<typename stack<Policies>::packet_type> batch;
        for (const auto& d : all) {
            batch.push_back(world::packet_of(*at, d));
        }
        at->receive(std::span{batch}, now);
    }
    template <class F>
    void change(F&& f) {
        at->change([&](settings& s) { f(s); });
    }
};

bool same_counters(const snmp_counters& a, const snmp_counters& b) {
    bool same = true;
    for (std::size_t i = 0; i < mib_count; ++i) {
        const auto which = static_cast<mib>(i);
        INFO("counter ", mib_names[i].field, ": ", a[which], " and ", b[which]);
        same = same && a[which] == b[which];
        CHECK(a[which] == b[which]);
    }
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        const auto which = static_cast<drop_reason>(i);
        INFO("drop ", describe(which).name, ": ", a[which], " and ", b[which]);
        same = same && a[which] == b[which];
        CHECK(a[which] == b[which]);
    }
    for (unsigned i = 0; i < balance_kinds; ++i) {
        const auto which = static_cast<balance>(i);
        same = same && a[which] == b[which];
        CHECK(a[which] == b[which]);
    }
    return same;
}

// The same change of a switch, address state or route for all.
struct change {
    u32 which;
    bool on;
    template <class Stack>
    void operator()(Stack& s) const {
        switch (which) {
        case 0:
            s.change([&](settings& x) { x.all.rp_filter = on ? 1 : 0; });
            break;
        case 1:
            s.set_ip_forward(on);
            break;
        case 2:
            static_cast<void>(s.set_up(3, on));
            world::add_routes(s);
            break;
        case 3:
            static_cast<void>(s.set_mtu(3, on ? 1500 : 100));
            break;
        case 4:
            s.change([&](settings& x) { x.all.accept_local = on; });
            break;
        case 5:
            s.change([&](settings& x) { x.all.route_localnet = on; });
            break;
        case 6:
            s.change([&](settings& x) { x.all.drop_unicast_in_l2_multicast = on; });
            break;
        case 7:
            s.change_interface(4, [&](interface_settings& x) { x.forwarding = on; });
            break;
        case 8:
            s.change([&](settings& x) { x.all.bc_forwarding = on; });
            s.change_interface(2, [&](interface_settings& x) { x.bc_forwarding = on; });
            break;
        default:
            s.change([&](settings& x) { x.all.send_redirects = on; });
            break;
        }
    }
};

struct quintet {
    static constexpr direct_limits limits{.routes = 512, .hops = 512, .groups = 512};

    support::zeros memory{direct_table::memory_for(limits)};
    side<plain> fast;
    side<watched> slow;
    side<plain> fast_batch;
    side<watched> slow_batch;
    side<by_hops> hops_batch{std::make_unique<stack<by_hops>>(
        stack<by_hops>::parts{.seed = testing::fixed_seed, .routes = {memory.all(), limits}})};

    template <class F>
    void each(F&& f) {
        f(*fast.at);
        f(*slow.at);
        f(*fast_batch.at);
        f(*slow_batch.at);
        f(*hops_batch.at);
    }
    bool run(const std::vector<traffic::datagram_bytes>& all, moment now) {
        const auto fates = fast.one_by_one(all, now);
        const auto expected = slow.one_by_one(all, now);
        fast_batch.at_once(all, now);
        slow_batch.at_once(all, now);
        hops_batch.at_once(all, now);
        const auto out = world::drain(*slow.at);
        forwarded += out.size();
        return fates == expected && world::drain(*fast.at) == out &&
               world::drain(*fast_batch.at) == out && world::drain(*slow_batch.at) == out &&
               world::drain(*hops_batch.at) == out;
    }
    u64 forwarded = 0;
};

bool stays_equal(u64 seed, u32 rounds, bool changing) {
    quintet five;
    traffic::generator random{seed};
    for (u32 round = 0; round < rounds; ++round) {
        if (changing && random.one_in(4)) {
            const change c{random.below(10), random.one_in(2)};
            five.each(c);
        }
        std::vector<traffic::datagram_bytes> all(1 + random.below(40));
        for (auto& d : all) {
            random.next(d);
        }
        const moment now{instant{} + duration::from_milliseconds(round * 20), 1000};
        if (!five.run(all, now)) {
            MESSAGE("the five differ in round " << round << " of seed " << seed);
            return false;
        }
        five.each([&](auto& s) { static_cast<void>(s.poll(now)); });
        five.each([&](auto& s) { world::drain(s); });
    }
    CHECK(five.forwarded > rounds);
    const auto& counters = five.slow.at->counters();
    return same_counters(five.fast.at->counters(), counters) &&
           same_counters(five.fast_batch.at->counters(), counters) &&
           same_counters(five.slow_batch.at->counters(), counters) &&
           same_counters(five.hops_batch.at->counters(), counters) &&
           five.fast.ears.udp.taken == five.slow.ears.udp.taken &&
           five.fast_batch.ears.udp.taken == five.slow.ears.udp.taken;
}

}  // namespace

TEST_CASE("the accept branch equals the chain") {
    CHECK(stays_equal(1, 1500, false));
}
TEST_CASE("the accept branch equals the chain while switches change") {
    for (u64 seed = 2; seed < 8; ++seed) {
        CHECK(stays_equal(seed, 300, true));
    }
}
