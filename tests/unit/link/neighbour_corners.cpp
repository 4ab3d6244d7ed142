// Special cases of neighbour entries: a flush, the lock after a change, deadlines between two
// grains, confirmations of entries that cannot be confirmed.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_neighbour_corners {
using namespace link_test;

namespace {

using table = neighbour_table<packet, 16>;
constexpr ipv4::address them = "10.0.2.77"_ip;
constexpr ethernet::address first{{2, 0, 0, 0, 2, 0x4d}};
constexpr ethernet::address second{{2, 0, 0, 0, 2, 0x4e}};
constexpr ethernet::address third{{2, 0, 0, 0, 2, 0x4f}};
constexpr neighbour_times exact{.spread = false};

// Counts the requests and the given up packets of poll().
struct counted {
    unsigned asked = 0;
    unsigned failed = 0;

    instant poll(table& t, instant now) {
        return t.poll(
            now, [this](const auto&, ethernet::address) { ++asked; },
            [this](packet&&) { ++failed; });
    }
};

neighbour_state state_of(const table& t, ipv4::address a = them, u16 interface = 3) {
    const auto* e = t.find(interface, a);
    return e != nullptr ? e->state : neighbour_state::none;
}

}  // namespace

// Linux neigh_changeaddr and neigh_ifdown: the link went, so all that was known of it.
TEST_CASE("neighbour corners: a flush takes every entry of its interface, permanent ones too") {
    table t{{1, 2}, exact};
    REQUIRE(t.set_permanent(3, them, first, at(0)) != nullptr);
    REQUIRE(t.set_permanent(2, them, first, at(0)) != nullptr);
    REQUIRE(t.learn({3, "10.0.2.78"_ip, second, true, false, true}, at(0)) != nullptr);
    REQUIRE(t.learn({2, "10.0.1.78"_ip, second, true, false, true}, at(0)) != nullptr);
    REQUIRE(t.use_for_output(3, "10.0.2.79"_ip, at(0)).ask);
    CHECK(t.size() == 5);
    t.flush(3);
    CHECK(t.find(3, them) == nullptr);
    CHECK(t.find(3, "10.0.2.78"_ip) == nullptr);
    CHECK(t.find(3, "10.0.2.79"_ip) == nullptr);
    CHECK(state_of(t, them, 2) == neighbour_state::permanent);
    CHECK(state_of(t, "10.0.1.78"_ip, 2) == neighbour_state::reachable);
    CHECK(t.size() == 2);
}

TEST_CASE(
    "neighbour corners: a flush returns waiting packets, and an erased entry is resolved anew") {
    pool buffers;
    table t{{1, 2}, exact};
    for (const u16 interface : {u16{2}, u16{3}}) {
        const auto use = t.use_for_output(interface, them, at(0));
        REQUIRE(use.ask);
        CHECK_FALSE(t.hold(*use.neighbour, buffers.take(0), {}));
    }
    t.flush(3);
    CHECK(t.held() == 1);
    CHECK(t.abandoned() == 1);
    CHECK(buffers.available() == 63);
    t.erase(2, them);
    CHECK(t.held() == 0);
    CHECK(t.abandoned() == 2);
    CHECK(t.use_for_output(2, them, at(1)).ask);
    // An operator's entry goes by erase() too, and only from its interface.
    REQUIRE(t.set_permanent(3, them, first, at(2)) != nullptr);
    t.erase(2, them);
    CHECK(state_of(t) == neighbour_state::permanent);
    t.erase(3, them);
    CHECK(t.find(3, them) == nullptr);
}

// Linux neigh_update: `updated` moves with the link address, however it was learned; arp_process
// looks at it for all that is not forced.
TEST_CASE("neighbour corners: a forced change locks as any other") {
    table t{{1, 2}, exact};
    REQUIRE(t.learn({3, them, first, true, false, true}, at(0)) != nullptr);
    REQUIRE(t.learn({3, them, second, false, true, false}, at(5000)) != nullptr);
    CHECK(t.learn({3, them, third, false, false, false}, at(5999)) == nullptr);
    CHECK(t.find(3, them)->hardware == second);
    CHECK(t.learn({3, them, third, true, false, false}, at(5999)) == nullptr);
    CHECK(state_of(t) == neighbour_state::stale);
    // Forced is not locked out.
    REQUIRE(t.learn({3, them, first, false, true, false}, at(5999)) != nullptr);
    CHECK(t.learn({3, them, third, false, false, false}, at(6998)) == nullptr);
    REQUIRE(t.learn({3, them, third, false, false, false}, at(7000)) != nullptr);
    CHECK(t.find(3, them)->hardware == third);
}

TEST_CASE("neighbour corners: a forced claim of the same address does not move the lock") {
    table t{{1, 2}, exact};
    REQUIRE(t.learn({3, them, first, false, true, true}, at(0)) != nullptr);
    REQUIRE(t.learn({3, them, first, false, true, false}, at(900)) != nullptr);
    REQUIRE(t.learn({3, them, second, false, false, false}, at(1001)) != nullptr);
    CHECK(t.find(3, them)->hardware == second);
}

// A caller sleeps until the deadline that poll() gave. What is due is done then, and the next one
// lies ahead: or the caller would turn without rest.
TEST_CASE("neighbour corners: poll() acts at every deadline that it returned") {
    for (const i64 offset : {0, 1, 999'999, 1'000'000, 3'999'999, 4'000'000, 4'000'001}) {
        CAPTURE(offset);
        neighbour_times times = exact;
        times.first_probe = duration{5'000'000'000 + offset};
        times.retransmit = duration{1'000'000'000 + offset};
        table t{{1, 2}, times};
        counted n;
        instant now{instant{}.nanoseconds + offset};
        REQUIRE(t.use_for_output(3, them, now).ask);
        const instant began = now;
        for (unsigned i = 0; i < 2; ++i) {
            const instant next = n.poll(t, now);
            REQUIRE(next > now);
            now = next;
            const instant after = n.poll(t, now);
            CHECK(n.asked == i + 1);
            CHECK(after > now);
        }
        // Never early, and at most 4 ms late each time.
        const duration passed = now - began;
        CHECK(passed.nanoseconds >= 2 * times.retransmit.nanoseconds);
        CHECK(passed.nanoseconds <= 2 * times.retransmit.nanoseconds + 8'000'000);
        now = n.poll(t, now);
        static_cast<void>(n.poll(t, now));
        CHECK(state_of(t) == neighbour_state::failed);
    }
}

TEST_CASE("neighbour corners: polls at the returned deadlines meet every deadline") {
    table t{{1, 2}, exact};
    counted n;
    for (u32 i = 0; i < 8; ++i)
        REQUIRE(
            t.use_for_output(3, ipv4::address{them.value + i}, instant{i64{i} * 1'300'001}).ask);
    instant now{9 * 1'300'001};
    unsigned polls = 0;
    while (n.asked < 16 && polls < 64) {
        const instant next = n.poll(t, now);
        REQUIRE(next > now);
        now = next;
        ++polls;
    }
    CHECK(n.asked == 16);
    // Two rounds of eight questions within 10.4 ms: three grains each at most, and the first poll.
    CHECK(polls <= 10);
}

// Linux neigh_confirm says that somebody answered: of one whose link address is unknown, or who
// failed, that is hearsay of another; what the operator set is not aged.
TEST_CASE("neighbour corners: only usable entries are confirmed") {
    table t{{1, 2}, exact};
    counted n;
    REQUIRE(t.use_for_output(3, them, at(0)).ask);
    t.confirm(3, them, at(1));
    CHECK(state_of(t) == neighbour_state::incomplete);
    CHECK_FALSE(t.find(3, them)->is_usable());
    for (i64 ms = 0; ms <= 4000; ms += 1000)
        static_cast<void>(n.poll(t, at(ms + 8)));
    CHECK(state_of(t) == neighbour_state::failed);
    t.confirm(3, them, at(4100));
    CHECK(state_of(t) == neighbour_state::failed);
    CHECK(t.use_for_output(3, them, at(4200)).ask);

    REQUIRE(t.set_permanent(3, "10.0.2.78"_ip, first, at(0)) != nullptr);
    t.confirm(3, "10.0.2.78"_ip, at(1));
    CHECK(state_of(t, "10.0.2.78"_ip) == neighbour_state::permanent);
    // It adds no entry, and does not change another interface's entry.
    t.confirm(3, "10.0.2.90"_ip, at(1));
    CHECK(t.find(3, "10.0.2.90"_ip) == nullptr);
    REQUIRE(t.learn({3, "10.0.2.79"_ip, second, false, true, true}, at(5000)) != nullptr);
    t.confirm(2, "10.0.2.79"_ip, at(5001));
    CHECK(state_of(t, "10.0.2.79"_ip) == neighbour_state::stale);
    t.confirm(3, "10.0.2.79"_ip, at(5001));
    CHECK(state_of(t, "10.0.2.79"_ip) == neighbour_state::reachable);
    // For its whole time from then on.
    static_cast<void>(n.poll(t, at(35'000)));
    CHECK(state_of(t, "10.0.2.79"_ip) == neighbour_state::reachable);
    static_cast<void>(n.poll(t, at(35'005)));
    CHECK(state_of(t, "10.0.2.79"_ip) == neighbour_state::stale);
}

}  // namespace link_neighbour_corners
