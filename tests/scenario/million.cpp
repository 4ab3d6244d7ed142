// A million random and mutated packets, alone and in batches, through a router and a host: each has
// one fate, the fates add up to what the counters say, and all buffers come home.
#include "support/fixed_stack.hpp"
#include "support/surroundings.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>

namespace scenario_million {
using namespace sluice;

namespace {

using subject = stack<policies<output<queue_output<512>>>>;

struct totals {
    u64 fed = 0;
    std::array<u64, 5> fates{};
};

void feed_alone(subject& s, traffic::generator& random, totals& t, moment now) {
    traffic::datagram_bytes d;
    random.next(d);
    const fate f = s.receive(traffic::packet_of(s, d), now);
    ++t.fed;
    ++t.fates[static_cast<std::size_t>(f)];
}

void feed_batch(subject& s, traffic::generator& random, totals& t, moment now) {
    std::vector<subject::packet_type> batch(64);
    for (auto& p : batch) {
        traffic::datagram_bytes d;
        random.next(d);
        p = traffic::packet_of(s, d);
    }
    s.receive(std::span{batch}, now);
    t.fed += batch.size();
}

void drain(subject& s) {
    while (s.output().size() > 0) {
        static_cast<void>(s.output().next());
    }
}

void half_a_million(u64 seed, bool forwarding) {
    const auto s = support::fixed_stack<subject>();
    traffic::ears<subject> ears;
    traffic::configure(*s, ears);
    s->set_ip_forward(forwarding);
    const std::size_t all_buffers = s->buffers().available();
    traffic::generator random{seed};
    totals t;
    moment now{};
    while (t.fed < 500'000) {
        if (random.one_in(64)) {
            feed_batch(*s, random, t, now);
        } else {
            feed_alone(*s, random, t, now);
        }
        drain(*s);
        REQUIRE(support::balanced(*s));
        now.now = now.now + 10_ms;
        static_cast<void>(s->poll(now));
        drain(*s);
    }
    now.now = now.now + 100_s;
    static_cast<void>(s->poll(now));
    drain(*s);
    CHECK(support::balanced(*s));
    CHECK(s->held() == 0);
    CHECK(s->buffers().available() == all_buffers);
    // What comes back from ourselves is received again.
    CHECK(s->counters()[balance::received] >= t.fed);
    // 45.0.0.0/8 leads to lo, so what is for it goes round until its TTL ends.
    CHECK(s->counters()[balance::received] < t.fed * 8);
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
