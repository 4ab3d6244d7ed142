// Packets whose first block has no bytes: the header behind it is made contiguous if there is room,
// and refused unread otherwise.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/packet/external_storage.hpp>

#include <memory>

namespace stack_headless {

namespace {

using namespace stack_test;

using source = heap_source<2048, 64>;
struct heap_router : policies<based_on<linux_router>, buffers<source>, output<queue_output<64>>> {};
using packet_type = source::packet_type;

u64 ecn_counted(world<heap_router>& b) {
    u64 sum = 0;
    for (u8 i = 0; i < 4; ++i) {
        sum += b->counters()[ecn_counter(i)];
    }
    return sum;
}

// A driver's frame that ends where the packet's head does, in front of the datagram.
struct full_frame {
    std::unique_ptr<std::byte[]> memory{new std::byte[14]{}};
    borrowed_frames<1> lender{[](void*, u64) noexcept {}, nullptr};

    packet_type in_front_of(packet_type&& rest) {
        auto p = lender.lend({memory.get(), 14}, 14, 0, 1);
        p.append(std::move(rest));
        p.set_interface(2);
        return p;
    }
};

TEST_CASE("a received packet whose first block is empty and full is refused unseen") {
    for (const byte_vector& d :
         {datagram_of({.tos = 3}), datagram_of({.destination = "10.0.1.1"_ip}), list({0x45, 0})}) {
        world<heap_router> b;
        full_frame frame;
        CHECK(b->receive(frame.in_front_of(b.packet(d)), b.now) == fate::dropped);
        CHECK(b->counters()[drop_reason::header_truncated] == 1);
        CHECK(ecn_counted(b) == 0);  // Linux counts once the header is there
        CHECK(b.is_quiet());
    }
}

TEST_CASE("a received packet whose first block is empty and has room is like any other") {
    world<heap_router> b;
    auto p = b->buffers().take(100);
    p.append(b.packet(datagram_of({.tos = 3})));
    p.set_interface(2);
    CHECK(b->receive(std::move(p), b.now) == fate::forwarded);
    check(b.sent_one(), support::ttl(63), support::right_sums());
    CHECK(ecn_counted(b) == 1);
}

TEST_CASE("sent and returned packets may begin behind an empty block") {
    world<heap_router> b;
    full_frame frame;
    CHECK_FALSE(b->send(frame.in_front_of(b.packet(datagram_of({}))), b.now).has_value());
    CHECK_FALSE(b->send_raw(frame.in_front_of(b.packet(datagram_of({}))),
                            {.destination = "10.0.1.9"_ip}, b.now)
                    .has_value());
    b->link_failed(frame.in_front_of(b.packet(datagram_of({}))), b.now);
    CHECK(b.is_quiet());

    // The counted type is that of the message, not a byte behind the header's block.
    auto p = b->buffers().take(20);
    REQUIRE(p.push(0) != nullptr);
    p.append(b.packet(support::echo_request(8)));
    REQUIRE(
        b->send(std::move(p), {.destination = "10.0.1.9"_ip, .protocol = 1}, b.now).has_value());
    CHECK(b->counters()[mib::icmp_out_echos] == 1);
    check(b.sent_one(), support::icmp_is(8, 0, 0x00070001), support::right_sums());
}

}  // namespace

}  // namespace stack_headless
