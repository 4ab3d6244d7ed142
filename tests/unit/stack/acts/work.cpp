// work: a deferred packet keeps its place in the queue or is dropped; a call knows its depth and
// its time.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/work.hpp>

namespace acts_work {

namespace {

using namespace acts_test;

struct roomy : policies<based_on<small>, buffers<fixed_pool<1024, 128>>> {};

TEST_CASE("work: deferred packets wait in order") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    packet first = packet_of(c, datagram_of({.identification = 1}));
    packet second = packet_of(c, datagram_of({.identification = 2}), 3);
    standing before = standing_of(c);
    CHECK(acts::put_off(c, {.packet = std::move(first)}) == fate::held);
    CHECK(acts::put_off(c, {.packet = std::move(second), .kind = work_kind::link_failure}) ==
          fate::held);
    before.waits = 2;
    CHECK(standing_of(c) == before);
    auto item = c.later.pop();
    CHECK(item.kind == work_kind::receive);
    CHECK(content_of(item.packet) == datagram_of({.identification = 1}));
    item = c.later.pop();
    CHECK(item.kind == work_kind::link_failure);
    CHECK(item.packet.interface() == 3);
}

TEST_CASE("work: the queue holds 64 packets, and the next is dropped") {
    core<roomy> c{{.seed = testing::fixed_seed}};
    for (int i = 0; i < 64; ++i)
        REQUIRE(acts::put_off(c, {.packet = packet_of(c, datagram_of({}))}) == fate::held);
    CHECK(acts::put_off(c, {.packet = packet_of(c, datagram_of({}))}) == fate::dropped);
    CHECK(c.later.size() == 64);
    CHECK(c.device.buffers.available() == 64);
    CHECK(c.books.counters[drop_reason::work_queue_full] == 1);
    CHECK(c.books.counters.drops() == 1);
}

TEST_CASE("work: a call within a call is nested, and time does not go back") {
    core<small> c{{.seed = testing::fixed_seed}};
    const u32 touched = c.tables.touched;
    const u32 generation = c.tables.route_generation();
    {
        const acts::call outer{c, {instant{} + 20_s, 20'000}};
        CHECK_FALSE(c.calls.is_nested());
        {
            const acts::call inner{c, {instant{} + 10_s, 10'000}};
            CHECK(c.calls.is_nested());
            CHECK(c.calls.now.now == instant{} + 20_s);
            CHECK(c.calls.now.midnight_ms == 20'000);
        }
        CHECK_FALSE(c.calls.is_nested());
    }
    CHECK(c.calls.depth == 0);
    CHECK(c.tables.touched != touched);
    CHECK(c.tables.route_generation() == generation);
    const acts::call later{c, {instant{} + 5_s, 5'000}};  // a new one says its own time
    CHECK(c.calls.now.now == instant{} + 5_s);
}

}  // namespace

}  // namespace acts_work
