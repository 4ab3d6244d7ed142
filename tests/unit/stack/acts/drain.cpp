// drain: queued work is done in order, within the budget, and outputs are flushed.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/drain.hpp>

namespace acts_drain {

namespace {

using namespace acts_test;

// As queue_output, and counts the bursts.
struct counting_output {
    template <class Packet>
    class model : public queue_output<16>::model<Packet> {
    public:
        u32 flushes = 0;
        constexpr void flush() noexcept { ++flushes; }
    };
};
struct counted : policies<based_on<small>, output<counting_output>> {};

void wait(core<counted>& c, u8 ttl) {
    REQUIRE(acts::put_off(c, {.packet = packet_of(c, datagram_of({.ttl = ttl}))}) == fate::held);
}

TEST_CASE("drain: in order, and no more than the budget") {
    core<counted> c{{.seed = testing::fixed_seed}};
    furnish(c);
    for (const u8 ttl : {u8{10}, u8{20}, u8{30}})
        wait(c, ttl);
    CHECK(acts::has_work(c));
    std::size_t budget = 2;
    acts::drain(c, budget);
    CHECK(budget == 0);
    CHECK(c.later.size() == 1);
    const auto left = sent(c);
    REQUIRE(left.size() == 2);
    check(left[0].datagram, support::ttl(9));
    check(left[1].datagram, support::ttl(19));
    CHECK(c.device.output.flushes == 0);
    budget = 5;
    acts::drain(c, budget);
    CHECK(budget == 4);
    CHECK_FALSE(acts::has_work(c));
}

TEST_CASE("drain: an outer call runs the queue at its end, a nested one does not") {
    core<counted> c{{.seed = testing::fixed_seed}};
    furnish(c);
    {
        const acts::entrance outer{c, c.calls.now};
        wait(c, 10);
        {
            const acts::entrance inner{c, c.calls.now};
        }
        CHECK(c.later.size() == 1);
        CHECK(c.device.output.flushes == 0);
    }
    CHECK(c.later.empty());
    CHECK(c.device.output.flushes == 1);
    check(sent_one(c), support::ttl(9));
}

TEST_CASE("drain: expired fragments are handled once for any number of requests") {
    core<counted> c{{.seed = testing::fixed_seed}};
    furnish(c);
    c.calls.wants_poll = true;
    CHECK(acts::has_work(c));
    std::size_t budget = 3;
    acts::drain(c, budget);
    CHECK(budget == 2);
    CHECK_FALSE(c.calls.wants_poll);
}

TEST_CASE("drain: a failed link is reported only to the sender of a valid packet") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector d = datagram_of({});
    acts::fail_link(c, packet_of(c, d), acts::no_answer);
    check(sent_one(c), support::icmp_is(3, 1), support::quotes(d, 36));
    byte_vector bad = d;
    bad[10] ^= std::byte{1};
    acts::fail_link(c, packet_of(c, bad), acts::no_answer);
    CHECK(c.device.output.size() == 0);
    CHECK(c.books.counters[drop_reason::neighbour_unreachable] == 2);
    CHECK(c.books.counters.drops() == 2);
}

}  // namespace

}  // namespace acts_drain
