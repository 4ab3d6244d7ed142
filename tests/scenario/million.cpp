// Sends a million random and mutated packets through a router and a host, one by one and in
// batches. Each has one fate, the fates agree with the counters, and all buffers return.
#include "support/busy_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

namespace scenario_million {
using namespace sluice;

namespace {

using world = stack_test::busy_world<policies<output<queue_output<512>>>>;

struct totals {
    u64 fed = 0;
    std::array<u64, 5> fates{};
};

void feed_alone(world& w, traffic::generator& random, totals& t) {
    traffic::datagram_bytes d;
    random.next(d);
    const fate f = w.receive(d);
    ++t.fed;
    ++t.fates[static_cast<std::size_t>(f)];
}

void feed_batch(world& w, traffic::generator& random, totals& t) {
    std::vector<world::packet_type> batch(64);
    for (auto& p : batch) {
        traffic::datagram_bytes d;
        random.next(d);
        p = w.packet(d);
    }
    w->receive(std::span{batch}, w.now);
    t.fed += batch.size();
}

void half_a_million(u64 seed, bool forwarding) {
    world w;
    w->set_ip_forward(forwarding);
    const std::size_t all_buffers = w->buffers().available();
    traffic::generator random{seed};
    totals t;
    while (t.fed < 500'000) {
        if (random.one_in(64)) {
            feed_batch(w, random, t);
        } else {
            feed_alone(w, random, t);
        }
        static_cast<void>(w.sent());
        REQUIRE(support::balanced(*w));
        w.pass(10_ms);
        static_cast<void>(w->poll(w.now));
        static_cast<void>(w.sent());
    }
    w.pass(100_s);
    static_cast<void>(w->poll(w.now));
    static_cast<void>(w.sent());
    CHECK(support::balanced(*w));
    CHECK(w->held() == 0);
    CHECK(w->buffers().available() == all_buffers);
    // Looped back packets are received again.
    CHECK(w->counters()[balance::received] >= t.fed);
    // 45.0.0.0/8 leads to lo, so its packets loop until their TTL ends.
    CHECK(w->counters()[balance::received] < t.fed * 8);
    CHECK(t.fates[static_cast<std::size_t>(fate::delivered)] > 100);
    CHECK(t.fates[static_cast<std::size_t>(fate::dropped)] > 100);
    CHECK(t.fates[static_cast<std::size_t>(fate::held)] > 100);
    CHECK((t.fates[static_cast<std::size_t>(fate::forwarded)] > 100) == forwarding);
}

}  // namespace

TEST_CASE("half a million through a router") {
    half_a_million(11, true);
}
TEST_CASE("half a million through a host") {
    half_a_million(12, false);
}

}  // namespace scenario_million
