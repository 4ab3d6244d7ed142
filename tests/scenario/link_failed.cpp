// The link hands back a packet whose next hop did not answer: its sender is told that the host is
// unreachable, if an error about it may be sent. RFC 1812 section 5.2.7.1.
#include "support/fixed_stack.hpp"
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace scenario_link_failed {
using namespace sluice;
using namespace sluice::literals;

namespace {

using router = stack<linux_router>;
using packet = router::packet_type;

struct fixture {
    fixture() { world::configure(*at, ears); }
    std::unique_ptr<router> at = support::fixed_stack<router>();
    world::ears<router> ears;

    packet datagram(ipv4::address from, ipv4::address to, u8 protocol = 17, u16 word = 0) {
        packet p = at->buffers().take();
        std::byte* octets = p.put(60);
        fill_bytes(octets, 60, std::byte{0});
        const ipv4::view ip{octets};
        ip.set(ipv4::version, 4);
        ip.set(ipv4::ihl, 5);
        ip.set(ipv4::total_length, 60);
        ip.set(ipv4::flags_and_offset, word);
        ip.set(ipv4::ttl, 9);
        ip.set(ipv4::protocol, protocol);
        ip.set(ipv4::source, from);
        ip.set(ipv4::destination, to);
        ipv4::set_checksum(ip);
        p.set_interface(2);
        return p;
    }
    std::size_t fail(packet&& p) {
        at->link_failed(std::move(p), {});
        CHECK(at->counters()[drop_reason::neighbour_unreachable] == 1);
        return at->output().size();
    }
};

}  // namespace

TEST_CASE("the sender of a forwarded packet is told: host unreachable") {
    fixture f;
    CHECK(f.at->receive(f.datagram("10.0.1.2"_ip, "20.1.1.1"_ip), {}) == fate::forwarded);
    auto sent = f.at->output().next();
    CHECK(sent.to.interface == 3);
    CHECK(f.fail(std::move(sent.packet)) == 1);
    const auto error = f.at->output().next();
    CHECK(error.to == egress{2, link_destination::unicast, "10.0.1.2"_ip});
    const std::byte* octets = error.packet.data();
    CHECK(ipv4::const_view{octets}[ipv4::source] == "10.0.1.1"_ip);
    CHECK(octets[20] == std::byte{3});
    CHECK(octets[21] == std::byte{1});
    CHECK(checksum::verify(error.packet.head().subspan(20)));
    // It quotes the datagram as it left: one hop fewer.
    CHECK(ipv4::const_view{octets + 28}[ipv4::ttl] == 8);
    CHECK(world::balanced(*f.at));
}

TEST_CASE("nobody is told where no error may be sent") {
    fixture f;
    const auto all = f.at->buffers().available();
    SUBCASE("about a later fragment") {
        CHECK(f.fail(f.datagram("10.0.1.2"_ip, "20.1.1.1"_ip, 17, 4)) == 0);
    }
    SUBCASE("about what came as a link-layer broadcast") {
        packet p = f.datagram("10.0.1.2"_ip, "20.1.1.1"_ip);
        p.set_type(packet_type::broadcast);
        CHECK(f.fail(std::move(p)) == 0);
    }
    SUBCASE("about an ICMP error") {
        packet p = f.datagram("10.0.1.2"_ip, "20.1.1.1"_ip, ipv4::protocols::icmp);
        p.data()[20] = std::byte{3};
        CHECK(f.fail(std::move(p)) == 0);
    }
    CHECK(world::balanced(*f.at));
    CHECK(f.at->buffers().available() == all);
}

TEST_CASE("an empty handle is nothing") {
    fixture f;
    f.at->link_failed({}, {});
    CHECK(f.at->counters().drops() == 0);
    CHECK(f.at->output().size() == 0);
}

}  // namespace scenario_link_failed
