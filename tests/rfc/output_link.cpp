// A next hop whose link address is not known yet.
#include "rfc/record.hpp"
#include "unit/link/linked_world.hpp"

#include <doctest/doctest.h>

namespace rfc_output_link {

namespace {

using namespace link_test;

struct waiting : linked_world<pool> {
    fate forward(u8 number) {
        auto p = packet(datagram_of({.source = "10.0.1.2"_ip,
                                     .destination = "10.0.2.77"_ip,
                                     .ttl = 9,
                                     .payload = byte_vector(8, std::byte{number})}));
        return (**this).receive(std::move(p), {});
    }
    void wait_until(i64 milliseconds) {
        const instant then = link_test::at(milliseconds);
        link->poll(then,
                   [this, then](packet_type&& p) { (**this).link_failed(std::move(p), {then}); });
    }
};

TEST_CASE("output: packets wait for the link address; host unreachable only when there is none") {
    waiting b;
    for (u8 i = 0; i < 4; ++i) {
        CHECK_RFC("R1812-003", b.forward(i) == fate::forwarded);
    }
    CHECK_RFC("R1812-003", b.icmp_left(3, 1) == 0 && b.arp_left(1) == 1);
    for (const i64 t : {1'000, 2'000, 2'999}) {
        b.wait_until(t);
        CHECK_RFC("R1812-003", b.icmp_left(3, 1) == 0);
    }
    b.wait_until(3'000);
    CHECK_RFC("R1812-003", b.icmp_left(3, 1) == 4);
}

// Good advice: the neighbour answered a transport. Without it the link asks after five seconds.
TEST_CASE("routing: what a higher layer knows about a next hop saves the link a question") {
    for (const bool confirms : {false, true}) {
        waiting b;
        auto& known = b.link->neighbours();
        REQUIRE(known.learn({3, "10.0.2.77"_ip, peer_mac, false, true, true}, link_test::at(0)) !=
                nullptr);
        CHECK(b.forward(1) == fate::forwarded);
        if (confirms) known.confirm(3, "10.0.2.77"_ip, link_test::at(1'000));
        b.wait_until(5'100);
        CHECK_RFC("R1122-119", b.arp_left(1) == (confirms ? 0 : 1));
    }
}

}  // namespace

}  // namespace rfc_output_link
