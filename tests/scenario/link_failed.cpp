// The link returns a packet whose next hop did not answer. The stack sends host unreachable to the
// packet's source if an error about it may be sent. RFC 1812 section 5.2.7.1.
#include <doctest/doctest.h>

#include "support/busy_world.hpp"

namespace scenario_link_failed {

using namespace stack_test;

namespace {

struct failing_world : busy_world<linux_router> {
    static byte_vector datagram(ipv4::address from, ipv4::address to, u8 protocol = 17,
                                u16 word = 0) {
        return datagram_of({.source = from,
                            .destination = to,
                            .ttl = 9,
                            .protocol = protocol,
                            .identification = 0,
                            .flags_and_offset = word,
                            .payload = byte_vector(40)});
    }
    std::size_t fail(packet_type&& p) {
        (**this).link_failed(std::move(p), {});
        CHECK((**this).counters()[drop_reason::neighbour_unreachable] == 1);
        return (**this).output().size();
    }
};

}  // namespace

TEST_CASE("the sender of a forwarded packet gets host unreachable") {
    failing_world w;
    CHECK(w->receive(w.packet(w.datagram("10.0.1.2"_ip, "20.1.1.1"_ip)), {}) == fate::forwarded);
    auto sent = w->output().next();
    CHECK(sent.to.interface == 3);
    CHECK(w.fail(std::move(sent.packet)) == 1);
    const auto error = w->output().next();
    CHECK(error.to == egress{2, link_destination::unicast, "10.0.1.2"_ip});
    const std::byte* answer = error.packet.data();
    CHECK(ipv4::const_view{answer}[ipv4::source] == "10.0.1.1"_ip);
    CHECK(answer[20] == std::byte{3});
    CHECK(answer[21] == std::byte{1});
    CHECK(checksum::verify(error.packet.head().subspan(20)));
    // It quotes the datagram as it left: one hop fewer.
    CHECK(ipv4::const_view{answer + 28}[ipv4::ttl] == 8);
}

TEST_CASE("no ICMP error is sent about a packet that permits none") {
    failing_world w;
    SUBCASE("about a later fragment") {
        CHECK(w.fail(w.packet(w.datagram("10.0.1.2"_ip, "20.1.1.1"_ip, 17, 4))) == 0);
    }
    SUBCASE("about what came as a link-layer broadcast") {
        auto p = w.packet(w.datagram("10.0.1.2"_ip, "20.1.1.1"_ip));
        p.set_addressing(link_addressing::broadcast);
        CHECK(w.fail(std::move(p)) == 0);
    }
    SUBCASE("about an ICMP error") {
        auto p = w.packet(w.datagram("10.0.1.2"_ip, "20.1.1.1"_ip, ipv4::protocols::icmp));
        p.data()[20] = std::byte{3};
        CHECK(w.fail(std::move(p)) == 0);
    }
}

TEST_CASE("an empty handle is nothing") {
    failing_world w;
    w->link_failed({}, {});
    CHECK(w->counters().drops() == 0);
    CHECK(w->output().size() == 0);
}

}  // namespace scenario_link_failed
