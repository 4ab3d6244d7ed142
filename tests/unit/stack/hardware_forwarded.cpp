// A packet that the device has already forwarded is not forwarded again. Linux offload_l3_fwd_mark.
#include "support/world.hpp"

#include <sluice/hooks/hook_chain.hpp>

namespace stack_hardware_forwarded {
using namespace stack_test;

namespace {

struct hooked_router : policies<based_on<small_router>, hooks<hook_chain<2>>> {};

template <class World>
fate receive_marked(World& b, const byte_vector& d, bool in_hardware) {
    auto p = b.packet(d);
    p.metadata().forwarded_in_hardware = in_hardware;
    return b->receive(std::move(p), b.now);
}

}  // namespace

TEST_CASE("forwarded in hardware: taken silently, and counted as forwarded") {
    world<> b;
    const byte_vector through = datagram_of({.destination = "10.0.2.9"_ip});
    CHECK(receive_marked(b, through, false) == fate::forwarded);
    CHECK(b.sent().size() == 1);
    CHECK(receive_marked(b, through, true) == fate::absorbed);
    CHECK(b.is_quiet());
    CHECK(b->counters()[mib::ip_forw_datagrams] == 2);
    CHECK(b->counters()[mib::ip_out_transmits] == 1);
    CHECK(b->counters()[balance::absorbed] == 1);
    CHECK(b->counters().drops() == 0);
}

TEST_CASE("forwarded in hardware: errors are answered and datagrams for us delivered as ever") {
    world<> b;
    CHECK(receive_marked(b, datagram_of({.destination = "10.0.2.9"_ip, .ttl = 1}), true) ==
          fate::dropped);
    check(b.sent_one(), support::destination("10.0.1.2"_ip));
    CHECK(receive_marked(b,
                         datagram_of({.destination = "10.0.1.1"_ip,
                                      .protocol = 1,
                                      .payload = support::echo_request()}),
                         true) == fate::delivered);
    CHECK(b.sent().size() == 1);
}

TEST_CASE("forwarded in hardware: the forward hook sees it and may drop it") {
    struct dropper final : hook<world<hooked_router>::packet_type> {
        u32 seen = 0;
        hook_verdict operator()(world<hooked_router>::packet_type&,
                                const hook_context&) noexcept override {
            return ++seen == 1 ? hook_verdict::accept : hook_verdict::drop;
        }
    };
    world<hooked_router> b;
    dropper d;
    REQUIRE(b->hooks().add(hook_point::forward, 0, d));
    const byte_vector through = datagram_of({.destination = "10.0.2.9"_ip});
    CHECK(receive_marked(b, through, true) == fate::absorbed);
    CHECK(receive_marked(b, through, true) == fate::dropped);
    CHECK(d.seen == 2);
}

}  // namespace stack_hardware_forwarded
