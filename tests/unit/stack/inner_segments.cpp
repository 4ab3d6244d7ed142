// Segments and pending checksums of removed outer headers do not apply to the inner packet; those
// of the inner packet stay, also in a copy that a handler had to make. Linux splits a packet into
// single datagrams before a tunnel over UDP gets it (udp_unexpected_gso).
#include "support/packet_checks.hpp"
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <sluice/delivery/receive_queue.hpp>

namespace stack_inner_segments {

namespace {

using namespace stack_test;

struct sharing_router : policies<based_on<small_router>, buffers<fixed_pool<2048, 64, shared>>> {};

// Takes one header off, once, and wants the bytes for itself before that or not.
template <class Packet>
struct tunnel_end final : protocol_handler<Packet> {
    u32 off = 20;
    bool writes = false;
    bool done = false;
    handler_result receive(Packet& p, const delivery_info&,
                           local_services<Packet>&) noexcept override {
        if (std::exchange(done, true)) return handler_result::built_in();
        if ((writes && !p.unshare()) || !p.pull(off)) return handler_result::ignored();
        return handler_result::again(ipv4::const_view{p.data()}[ipv4::protocol]);
    }
};

byte_vector udp_inside(std::size_t payload) {
    byte_vector message = support::udp_message(9, 7000, pattern(payload));
    udp::set_checksum("172.16.0.1"_ip, "10.0.1.1"_ip, message);
    return datagram_of({.source = "172.16.0.1"_ip,
                        .destination = "10.0.1.1"_ip,
                        .protocol = 17,
                        .payload = message});
}

TEST_CASE("inner segments: segments of the outer UDP do not apply to the inner datagram") {
    for (const checksum_state state : {checksum_state::unknown, checksum_state::verified}) {
        world<> b;
        using packet = world<>::packet_type;
        tunnel_end<packet> end;
        end.off = 28;
        receive_queue<packet, 8> at_7000;
        REQUIRE(b->delivery().set_handler(17, &end).has_value());
        REQUIRE(b->delivery().add_udp({.local_port = 7000}, at_7000));
        packet p =
            b.packet(datagram_of({.destination = "10.0.1.1"_ip,
                                  .protocol = 17,
                                  .payload = support::udp_message(9, 4789, udp_inside(300))}));
        p.metadata().checksum = state;
        p.metadata().segmentation = segmentation_kind::udp;
        p.metadata().segment_size = 100;
        CHECK(b->receive(std::move(p), b.now) == fate::delivered);
        const auto item = at_7000.next();
        REQUIRE(item.packet);
        CHECK(support::content_of(item.packet) == pattern(300));
        CHECK_FALSE(at_7000.next().packet);
    }
}

// IP in IP: the checksum that waits is that of the inner UDP, 20 bytes behind the inner header.
TEST_CASE_TEMPLATE("inner segments: a handler's own copy keeps the checksum offsets", Policies,
                   small_router, sharing_router) {
    for (const bool writes : {false, true}) {
        CAPTURE(writes);
        world<Policies> b;
        using packet = typename world<Policies>::packet_type;
        tunnel_end<packet> end;
        end.writes = writes;
        receive_queue<packet, 8> outer;  // has the same bytes as the handler
        receive_queue<packet, 8> at_7000;
        REQUIRE(b->delivery().set_handler(4, &end).has_value());
        REQUIRE(b->delivery().add_raw({.protocol = 4}, outer));
        REQUIRE(b->delivery().add_udp({.local_port = 7000}, at_7000));
        packet p = b.packet(
            datagram_of({.destination = "10.0.1.1"_ip, .protocol = 4, .payload = udp_inside(300)}));
        p.writable_metadata() = {.checksum = checksum_state::pending,
                                 .segmentation = segmentation_kind::udp,
                                 .segment_size = 200,
                                 .checksum_start = 40,
                                 .checksum_offset = 6};
        static_cast<void>(b->receive(std::move(p), b.now));
        const auto first = at_7000.next();
        const auto second = at_7000.next();
        REQUIRE(first.packet);
        REQUIRE(second.packet);
        const byte_vector all = pattern(300);
        CHECK(support::content_of(first.packet) == byte_vector(all.begin(), all.begin() + 200));
        CHECK(support::content_of(second.packet) == byte_vector(all.begin() + 200, all.end()));
    }
}

}  // namespace

}  // namespace stack_inner_segments
