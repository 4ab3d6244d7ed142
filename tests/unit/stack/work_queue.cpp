// Packets that handlers send within a call: they leave before the call returns, within a bound, and
// without recursion.
#include <doctest/doctest.h>

#include "unit/stack/recorder.hpp"

namespace stack_work_queue {

namespace {

using namespace stack_test;

// Sends the received packet back, within receive.
struct mirror final : protocol_handler<packet> {
    ipv4::address to;
    u32 calls = 0;
    u32 depth = 0;
    u32 deepest = 0;
    u32 copies = 1;
    u32 refused = 0;

    handler_result receive(packet& p, const delivery_info&, services& s) noexcept override {
        ++calls;
        ++depth;
        deepest = depth > deepest ? depth : deepest;
        const byte_vector got = support::content_of(p);
        for (u32 i = 0; i < copies; ++i) {
            packet out = s.buffer();
            std::byte* at = out ? out.put(static_cast<u32>(got.size())) : nullptr;
            if (at == nullptr) continue;
            copy_bytes(at, got.data(), got.size());
            const ipv4::view ip{at};
            ip.set(ipv4::source, "10.0.1.1"_ip);
            ip.set(ipv4::destination, to);
            ipv4::set_checksum(ip);
            refused += s.send_later(std::move(out)) ? 0u : 1u;
        }
        --depth;
        return handler_result::taken();
    }
};

byte_vector towards(ipv4::address to) {
    return datagram_of({.destination = to, .payload = pattern(8)});
}

TEST_CASE("work queue: packets that a handler sends leave before the call returns") {
    world<> b;
    mirror m;
    m.to = "10.0.1.2"_ip;
    REQUIRE(b->delivery().set_handler(253, &m).has_value());
    CHECK(b.receive(to_us) == fate::delivered);
    check(b.sent_one(), support::right_sums(), support::destination("10.0.1.2"_ip),
          support::source("10.0.1.1"_ip), support::payload(pattern(16)));
}

// Each call does a bounded amount of work; the rest waits, and poll() returns `now`.
TEST_CASE(
    "work queue: a handler that answers itself forever ends within bounds, without recursion") {
    world<> b;
    mirror m;
    m.to = "10.0.1.1"_ip;
    REQUIRE(b->delivery().set_handler(253, &m).has_value());
    CHECK(b.receive(to_us) == fate::delivered);
    for (const u32 copies : {1u, 2u, 40u}) {
        CAPTURE(copies);
        m.copies = copies;
        for (int i = 0; i < 5; ++i) {
            m.calls = 0;
            CHECK(b->poll(b.now) == b.now.now);
            CHECK(m.calls > 10);
            CHECK(m.calls <= 256);
            CHECK(m.deepest == 1);
            CHECK(b->held() > 0);
            CHECK(b->held() <= 64);
        }
    }
    CHECK(b.is_quiet());
    // Others are served meanwhile, and nothing is left once it stops.
    m.copies = 0;
    CHECK(b.receive(towards("10.0.2.9"_ip)) == fate::forwarded);
    CHECK(b.sent().size() == 1);
    CHECK(b->held() == 0);
    CHECK(b->poll(b.now) == instant::never());
}

TEST_CASE("work queue: more than the work queue holds is refused to the handler") {
    struct large_router : policies<based_on<small_router>, buffers<fixed_pool<2048, 200>>,
                                   output<queue_output<256>>> {};
    world<large_router> b;
    mirror m;
    m.to = "10.0.1.2"_ip;
    m.copies = 100;
    REQUIRE(b->delivery().set_handler(253, &m).has_value());
    b.receive(to_us);
    CHECK(m.refused == 36);
    CHECK(b.sent().size() == 64);
    CHECK(b->counters()[drop_reason::work_queue_full] == 36);
    CHECK(b->counters()[mib::ip_out_discards] == 36);
}

}  // namespace

}  // namespace stack_work_queue
