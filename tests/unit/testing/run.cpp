// run_until: time jumps to arrivals and deadlines, and stops at the given end.
#include <sluice/testing/run.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace testing_run {
using namespace sluice;
using namespace sluice::testing;

namespace {

using pool = fixed_pool<256, 16>;
using line = wire<pool, 16>;

// Answers each packet but the last one, and wants to be polled at a time.
struct host {
    line& to;
    wire_end end;
    int answers = 0;
    instant deadline = instant::never();
    std::vector<i64> received{};
    std::vector<i64> polled{};

    void receive(pool::packet_type&& packet, moment now) {
        CHECK(packet.interface() == 7);
        received.push_back(now.now.nanoseconds / 1'000'000);
        if (answers-- > 0) {
            to.send(end, packet, now.now);
        }
    }
    instant poll(moment now) {
        if (now.now >= deadline) {
            polled.push_back(now.now.nanoseconds / 1'000'000);
            deadline = instant::never();
        }
        return deadline;
    }
};

using times = std::vector<i64>;

struct two_hosts {
    pool buffers;
    line cable{buffers, {.latency = 10_ms}};
    host left{cable, wire_end::left};
    host right{cable, wire_end::right};
    manual_clock clock;

    two_hosts() {
        auto packet = buffers.take();
        REQUIRE(packet.put(1) != nullptr);
        *packet.writable() = std::byte{1};
        cable.send(wire_end::left, packet, {});
    }
    void run(duration time, bool right_is_on = true) {
        run_until(clock, clock.now().now + time, plug{cable, wire_end::left, left, 7},
                  plug{cable, wire_end::right, right, 7, right_is_on});
    }
};

}  // namespace

TEST_CASE("run_until: each packet is received when it arrives, and what it causes later") {
    two_hosts t;
    t.left.answers = 1;
    t.right.answers = 2;
    t.run(1_s);
    CHECK(t.right.received == times{10, 30});
    CHECK(t.left.received == times{20, 40});
    CHECK(t.clock.now().now == instant{} + 1_s);
    CHECK(t.cable.next_arrival() == instant::never());
}

TEST_CASE("run_until: packets that arrive after the end wait for the next call") {
    two_hosts t;
    t.run(9_ms);
    CHECK(t.right.received.empty());
    CHECK(t.clock.now().now == instant{} + 9_ms);
    t.run(1_ms);
    CHECK(t.right.received == times{10});
}

TEST_CASE("run_until: a stack is polled at its deadline, between arrivals") {
    two_hosts t;
    t.right.answers = 1;
    t.left.deadline = instant{} + 15_ms;
    t.right.deadline = instant{} + 900_ms;
    t.run(500_ms);
    CHECK(t.left.polled == times{15});
    CHECK(t.left.received == times{20});
    CHECK(t.right.polled.empty());
}

TEST_CASE("run_until: a stack that is off receives nothing, and its packets are lost") {
    two_hosts t;
    t.right.deadline = instant{} + 15_ms;
    t.run(1_s, false);
    CHECK(t.right.received.empty());
    CHECK(t.right.polled.empty());
    CHECK(t.cable.under_way() == 0);
    t.run(1_s);
    CHECK(t.right.received.empty());
    CHECK(t.buffers.available() == 16);
}

}  // namespace testing_run
