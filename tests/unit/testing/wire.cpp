// The wire in memory: order and time, and each fault by itself, repeatable.
#include <sluice/testing/clock.hpp>
#include <sluice/testing/wire.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace testing_wire {
using namespace sluice;
using namespace sluice::testing;

namespace {

using pool = fixed_pool<256, 600>;
using packet = pool::packet_type;
using line = wire<pool, 512>;

struct lossy_line {
    std::unique_ptr<pool> buffers = std::make_unique<pool>();
    std::unique_ptr<line> wire;
    instant now{};

    explicit lossy_line(const wire_faults& faults, hash_key seed = {1, 2})
        : wire{std::make_unique<line>(*buffers, faults, seed)} {}

    void send(char mark, u32 size = 1, wire_end from = wire_end::left) {
        packet p = buffers->take();
        fill_bytes(p.put(size), size, static_cast<std::byte>(mark));
        wire->send(from, p, now);
    }
    std::string receive(wire_end at = wire_end::right) {
        std::string marks;
        while (packet p = wire->receive(at, 5, now)) {
            CHECK(p.interface() == 5);
            marks += static_cast<char>(p.data()[0]);
        }
        return marks;
    }
    std::string burst(i64 wait = 1000) {
        for (int i = 0; i < 200; ++i) {
            send(static_cast<char>('A' + i % 26));
        }
        now = now + duration::from_milliseconds(wait);
        return receive();
    }
};

}  // namespace

TEST_CASE("packets arrive in order, after the latency, at the other end") {
    lossy_line b{{.latency = 10_ms}};
    CHECK(b.wire->next_arrival() == instant::never());
    b.send('a');
    b.now = instant{} + 4_ms;
    b.send('b');
    b.send('z', 1, wire_end::right);
    CHECK(b.wire->next_arrival() == instant{} + 10_ms);
    b.now = instant{} + 10_ms;
    CHECK(b.receive() == "a");
    CHECK(b.receive(wire_end::left) == "");
    b.now = instant{} + 14_ms;
    CHECK(b.receive() == "b");
    CHECK(b.receive(wire_end::left) == "z");
    CHECK(b.wire->counters().delivered == 3);
    CHECK(b.buffers->available() == 600);
}

TEST_CASE("each fault occurs, and equal seeds repeat it") {
    struct row {
        const char* name;
        wire_faults faults;
        bool loses = false, doubles = false, reorders = false;
    };
    const row rows[] = {
        {.name = "none", .faults = {}},
        {.name = "loss", .faults = {.loss_per_mille = 300}, .loses = true},
        {.name = "duplication", .faults = {.duplicate_per_mille = 300}, .doubles = true},
        {.name = "jitter", .faults = {.jitter = 20_ms}, .reorders = true}};
    std::string in_order;
    for (int i = 0; i < 200; ++i) {
        in_order += static_cast<char>('A' + i % 26);
    }
    for (const row& r : rows) {
        CAPTURE(r.name);
        lossy_line b{r.faults};
        const std::string got = b.burst();
        const wire_counters& c = b.wire->counters();
        CHECK((got.size() < 200) == r.loses);
        CHECK((got.size() > 200) == r.doubles);
        CHECK((got.size() == 200 && got != in_order) == r.reorders);
        CHECK(c.sent + c.duplicated == c.delivered + c.lost + c.too_long + c.overflowed);
        CHECK(lossy_line{r.faults}.burst() == got);
        CHECK((lossy_line{r.faults, {3, 4}}.burst() != got) ==
              (r.loses || r.doubles || r.reorders));
    }
}

TEST_CASE("a packet above the MTU is lost, one without room overflows") {
    lossy_line b{{.mtu = 100}};
    b.send('a', 100);
    b.send('b', 101);
    CHECK(b.receive() == "a");
    CHECK(b.wire->counters().too_long == 1);
    for (int i = 0; i < 513; ++i) {
        b.send('c');
    }
    CHECK(b.wire->counters().overflowed == 1);
}

TEST_CASE("an output of a stack, with a tap") {
    lossy_line b{{}};
    struct seen {
        int packets = 0;
        u32 size = 0;
    } tapped;
    b.wire->set_tap(
        [](void* context, instant, wire_end, const packet& p) noexcept {
            ++static_cast<seen*>(context)->packets;
            static_cast<seen*>(context)->size += p.size();
        },
        &tapped);
    wire_output<line>::model<packet> output{*b.wire, wire_end::right};
    packet p = b.buffers->take();
    *p.put(1) = std::byte{'x'};
    p.metadata().mark = 9;
    CHECK(output.transmit(p, {}, {}));
    CHECK_FALSE(static_cast<bool>(p));
    const packet arrived = b.wire->receive(wire_end::left, 1, {});
    REQUIRE(static_cast<bool>(arrived));
    CHECK_FALSE(arrived.has_metadata());  // bytes alone cross a wire
    CHECK(tapped.packets == 1);
    CHECK(tapped.size == 1);
}

TEST_CASE("the clock advances by the given time, past midnight too") {
    manual_clock clock{{instant{} + 5_s, 86'399'999}};
    clock.advance(2_ms);
    CHECK(clock.now().now == instant{} + 5_s + 2_ms);
    CHECK(clock.now().midnight_ms == 1);
    clock.advance_to(instant{});
    clock.advance_to(instant::never());
    CHECK(clock.now().now == instant{} + 5_s + 2_ms);
    clock.advance_to(instant{} + 6_s);
    CHECK(clock.now().midnight_ms == 999);
}

TEST_CASE("the wire's time never goes back") {
    lossy_line b{{.latency = 10_ms}};
    b.now = instant{} + 20_ms;
    CHECK(b.receive() == "");
    b.now = instant{} + 5_ms;
    b.send('a');
    CHECK(b.wire->next_arrival() == instant{} + 30_ms);
}

}  // namespace testing_wire
