// The accept branch behaves like the stages that it replaces.
//
// The same packets pass through a stack that may use the branch and through one that may not (it
// has an observer), one by one and in batches. Both must send the same bytes by the same
// interfaces, count the same, and decide the same fates. Also tested: a table whose hops are looked
// up ahead, and hooks that change, damage and take forwarded packets.
#include "support/busy_world.hpp"
#include "support/zeros.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/route/direct_table.hpp>

#include <doctest/doctest.h>

namespace scenario_fast_path {
using namespace sluice;

namespace {

struct plain : policies<based_on<linux_router>, output<queue_output<1024>>> {
    static constexpr settings initial_settings() noexcept { return settings::of_router(); }
};
struct watched : policies<based_on<plain>, observers<recording_observer<4>>> {
    static constexpr settings initial_settings() noexcept { return settings::of_router(); }
};

struct plain_hooked : policies<based_on<plain>, hooks<hook_chain<4>>> {
    static constexpr settings initial_settings() noexcept { return settings::of_router(); }
};
struct watched_hooked : policies<based_on<watched>, hooks<hook_chain<4>>> {
    static constexpr settings initial_settings() noexcept { return settings::of_router(); }
};

struct by_hops : policies<based_on<plain>, routes<direct_table>> {
    static constexpr settings initial_settings() noexcept { return settings::of_router(); }
};

template <class Policies>
struct side {
    stack_test::busy_world<Policies> at;

    std::vector<fate> one_by_one(const std::vector<traffic::datagram_bytes>& all, moment now) {
        std::vector<fate> fates;
        for (const auto& d : all) {
            fates.push_back(at->receive(at.packet(d), now));
        }
        return fates;
    }
    void at_once(const std::vector<traffic::datagram_bytes>& all, moment now) {
        std::vector<typename stack<Policies>::packet_type> batch;
        for (const auto& d : all) {
            batch.push_back(at.packet(d));
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
            traffic::add_routes(s);
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

// Chooses an action by the packet's checksum; half of the packets stay unchanged.
template <class Packet>
struct meddler final : hook<Packet> {
    u32 calls = 0;

    hook_verdict operator()(Packet& packet, const hook_context&) noexcept override {
        ++calls;
        const ipv4::view ip{packet.writable()};
        switch (ip[ipv4::header_checksum] % 16) {
        case 0:
            return hook_verdict::drop;
        case 1:
            packet.reset();
            return hook_verdict::stolen;
        case 2:
            ip.set(ipv4::version, 5);
            break;
        case 3:
            packet.trim(ipv4::min_header_length - 1);
            break;
        case 4:
            packet.writable_metadata().mark = 7;
            break;
        case 5:
            packet.writable_metadata().forwarded_in_hardware = true;
            break;
        case 6:
            ip.set(ipv4::destination, ipv4::address{ip[ipv4::destination].value ^ 0x10000});
            break;
        case 7:  // more than any link takes, with DF or without
            if (std::byte* more = packet.put(1600); more != nullptr) {
                fill_bytes(more, 1600, std::byte{0x5a});
                ip.set(ipv4::total_length, static_cast<u16>(packet.size()));
                ip.set(ipv4::dont_fragment, ip[ipv4::protocol] == ipv4::protocols::udp);
                ipv4::set_checksum(ip);
            }
            break;
        default:
            break;
        }
        return hook_verdict::accept;
    }
};

template <class Policies>
struct hooked_side : side<Policies> {
    meddler<typename stack<Policies>::packet_type> meddles;

    explicit hooked_side(hook_point point) { REQUIRE(this->at->hooks().add(point, 0, meddles)); }
};

bool hooks_see_the_same(u64 seed, hook_point point) {
    hooked_side<plain_hooked> one_by_one{point};
    hooked_side<plain_hooked> batch{point};
    hooked_side<watched_hooked> slow{point};
    traffic::generator random{seed};
    for (u32 round = 0; round < 300; ++round) {
        std::vector<traffic::datagram_bytes> all(1 + random.below(40));
        for (auto& d : all) {
            random.next(d);
        }
        const moment now{instant{} + duration::from_milliseconds(round * 20), 1000};
        const auto fates = one_by_one.one_by_one(all, now);
        const auto expected = slow.one_by_one(all, now);
        batch.at_once(all, now);
        const auto out = slow.at.sent();
        if (fates != expected || one_by_one.at.sent() != out || batch.at.sent() != out) {
            MESSAGE("they differ in round " << round << " of seed " << seed);
            return false;
        }
    }
    CHECK(slow.meddles.calls > 300);
    CHECK(one_by_one.meddles.calls == slow.meddles.calls);
    CHECK(batch.meddles.calls == slow.meddles.calls);
    const auto& counters = slow.at->counters();
    return same_counters(one_by_one.at->counters(), counters) &&
           same_counters(batch.at->counters(), counters);
}

struct quintet {
    static constexpr direct_limits limits{.routes = 512, .hops = 512, .groups = 512};

    support::zeros memory{direct_table::memory_for(limits)};
    side<plain> fast;
    side<watched> slow;
    side<plain> fast_batch;
    side<watched> slow_batch;
    side<by_hops> hops_batch{stack_test::busy_world<by_hops>{
        {.seed = testing::fixed_seed, .routes = {memory.all(), limits}}}};

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
        const auto out = slow.at.sent();
        forwarded += out.size();
        return fates == expected && fast.at.sent() == out && fast_batch.at.sent() == out &&
               slow_batch.at.sent() == out && hops_batch.at.sent() == out;
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
        five.each([&](auto& s) { support::take_sent(s.output()); });
    }
    CHECK(five.forwarded > rounds);
    const auto& counters = five.slow.at->counters();
    return same_counters(five.fast.at->counters(), counters) &&
           same_counters(five.fast_batch.at->counters(), counters) &&
           same_counters(five.slow_batch.at->counters(), counters) &&
           same_counters(five.hops_batch.at->counters(), counters) &&
           five.fast.at.ears.udp.taken == five.slow.at.ears.udp.taken &&
           five.fast_batch.at.ears.udp.taken == five.slow.at.ears.udp.taken;
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
TEST_CASE("the accept branch equals the full path where hooks see forwarded packets") {
    for (const hook_point point :
         {hook_point::prerouting, hook_point::forward, hook_point::postrouting}) {
        for (u64 seed = 20; seed < 23; ++seed) {
            CHECK(hooks_see_the_same(seed, point));
        }
    }
}

}  // namespace scenario_fast_path
