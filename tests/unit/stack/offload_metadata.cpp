// Offload of less plain packets: segments in tunnels, segments that a device merged and verified,
// TCP longer than the total length field can express, checksums in the wrong place.
#include <doctest/doctest.h>

#include "support/tunnels.hpp"
#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>

#include <string>

namespace stack_offload_metadata {

namespace {

using namespace stack_test;
using support::flow;
using support::tunnel;
namespace flags = support::tcp_flags;

// A device that accepts every offload that its header can express.
struct able_device {
    template <class Packet>
    struct model : queue_output<256>::model<Packet> {
        [[nodiscard]] constexpr output_offloads offloads(const egress&) const noexcept {
            return {true, true, true};
        }
    };
};
// Sees packets before routing, and may move the place of a checksum.
struct watching {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool never_active = false;
        u32 seen = 0;
        bool moves = false;
        [[nodiscard]] constexpr bool active(hook_point p) const noexcept {
            return p == hook_point::prerouting;
        }
        constexpr hook_verdict run(hook_point, Packet& p, const hook_context&) noexcept {
            ++seen;
            if (moves) {
                p.writable_metadata().checksum_start = 12;
            }
            return hook_verdict::accept;
        }
    };
};
struct able_router : policies<based_on<linux_router>, buffers<fixed_pool<2048, 512, shared>>,
                              hooks<watching>, output<able_device>> {};
using router_world = world<able_router>;

// In several blocks.
router_world::packet_type large(router_world& b, const byte_vector& d) {
    auto made = b.packet({d.begin(), d.begin() + std::min<std::ptrdiff_t>(1900, std::ssize(d))});
    for (std::size_t at = 1900; at < d.size(); at += 1900) {
        const std::size_t end = std::min(d.size(), at + 1900);
        made.append(support::packet_of(b->buffers(),
                                       byte_vector{d.begin() + static_cast<std::ptrdiff_t>(at),
                                                   d.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
    return made;
}
byte_vector one_hop_on(byte_vector datagram) {
    ipv4::decrement_ttl(ipv4::view{datagram.data()});
    return datagram;
}
}  // namespace

TEST_CASE("segments in a tunnel are cut here, whatever the device takes") {
    const byte_vector payload = pattern(20'001);
    const flow f;
    const auto tunnels = support::tunnels_of(0x0800);
    REQUIRE(tunnels.size() == 14);
    for (const auto& [name, t] : tunnels) {
        CAPTURE(std::string{name});
        router_world b;
        auto p = large(b, t.wrap(f.datagram(f.identification, f.sequence, flags::psh, payload), 9));
        support::leave_to_device(p, t, segmentation_kind::tcp_ipv4, 20, 1'200);
        CHECK(b->receive(std::move(p), b.now) == fate::forwarded);
        std::vector<byte_vector> expected;
        for (const byte_vector& one : support::naive(f, flags::psh, payload, 1'200)) {
            expected.push_back(one_hop_on(t.wrap(one, static_cast<u16>(9 + expected.size()))));
        }
        REQUIRE(expected.size() == 17);
        CHECK(b.sent_by(3) == expected);
        CHECK(b->counters().drops() == 0);
        CHECK(b->counters()[mib::ipext_in_no_ect_pkts] == 17);
    }
}

TEST_CASE("segments in a tunnel that are larger than the MTU with the tunnel around them") {
    router_world b;
    const tunnel t = support::tunnels_of(0x0800)[7].t;  // VXLAN, DF outside
    auto p = large(b, t.wrap(flow{}.datagram(1, 1, flags::psh, pattern(20'000)), 9));
    support::leave_to_device(p, t, segmentation_kind::tcp_ipv4, 20, 1'460);
    CHECK(b->receive(std::move(p), b.now) == fate::dropped);
    check(b.sent_one(), support::right_sums(), support::icmp_is(3, 4, 1500));
    CHECK(b->counters()[drop_reason::too_big] == 1);
}

TEST_CASE("segments in a tunnel are delivered one by one") {
    router_world b;
    receive_queue<router_world::packet_type, 32> heard;
    REQUIRE(b->delivery().add_udp({.protocol = 17, .local_port = 8472}, heard));
    const tunnel t = support::tunnels_of(0x0800)[8].t;  // VXLAN with checksum
    const auto to_us = [&](const byte_vector& inner, u16 id) {
        byte_vector made = t.wrap(inner, id);
        const ipv4::view ip{made.data()};
        ip.set(ipv4::destination, "10.0.1.1"_ip);
        ipv4::set_checksum(ip);
        udp::set_checksum(ip[ipv4::source], ip[ipv4::destination], bytes{made}.subspan(20));
        return made;
    };
    const flow f;
    auto p = large(b, to_us(f.datagram(f.identification, f.sequence, 0, pattern(5'000)), 9));
    support::leave_to_device(p, t, segmentation_kind::tcp_ipv4, 20, 1'300);
    static_cast<void>(b->receive(std::move(p), b.now));
    CHECK(b->counters()[mib::udp_in_datagrams] == 4);
    std::vector<byte_vector> got, expected;
    while (heard.size() > 0) {
        got.push_back(support::content_of(heard.next().packet));
    }
    for (const byte_vector& one : support::naive(f, 0, pattern(5'000), 1'300)) {
        const byte_vector whole = to_us(one, 0);
        expected.emplace_back(whole.begin() + 28, whole.end());
    }
    REQUIRE(expected.size() == 4);
    CHECK(got == expected);
}

TEST_CASE("a packet that a device merged and verified is cut into its original packets") {
    for (const bool tcp : {true, false}) {
        CAPTURE(tcp);
        router_world b;
        const flow f{.tcp = tcp};
        auto p = large(b, f.datagram(f.identification, f.sequence, 0, pattern(9'001)));
        support::set_metadata(p, f, 1'000);
        p.writable_metadata().checksum = checksum_state::verified;
        p.writable_metadata().checksum_start = 0;
        p.writable_metadata().checksum_offset = 0;
        CHECK(b->receive(std::move(p), b.now) == fate::forwarded);
        std::vector<byte_vector> expected;
        for (const byte_vector& one : support::naive(f, 0, pattern(9'001), 1'000)) {
            expected.push_back(one_hop_on(one));
        }
        REQUIRE(expected.size() == 10);
        CHECK(b.sent_by(3) == expected);
    }
}

TEST_CASE("TCP longer than the total length field can express") {
    router_world b;
    constexpr u16 each = 1'448;
    const std::size_t size = 200'000;
    const flow f{.tcp_options = list({1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8})};
    byte_vector whole = f.datagram(f.identification, f.sequence, flags::psh, {});
    const byte_vector payload = pattern(size);
    whole.insert(whole.end(), payload.begin(), payload.end());
    const ipv4::view ip{whole.data()};
    ip.set(ipv4::total_length, 0);
    ipv4::set_checksum(ip);
    const auto packet = [&] {
        auto p = large(b, whole);
        support::set_metadata(p, f, each);
        support::make_pending(p);
        return p;
    };
    SUBCASE("leaves in segments, even by a device that cuts") {
        CHECK(b->receive(packet(), b.now) == fate::forwarded);
        std::vector<byte_vector> expected;
        for (const byte_vector& one : support::naive(f, flags::psh, payload, each)) {
            expected.push_back(one_hop_on(one));
        }
        REQUIRE(expected.size() == 139);
        CHECK(b.sent_by(3) == expected);
        CHECK(b->counters()[mib::ipext_in_octets] == size + 52);
        CHECK(b->counters()[mib::ipext_in_no_ect_pkts] == (size + each - 1) / each);
        CHECK(b->counters().drops() == 0);
    }
    SUBCASE("is too big like any other: one error, which quotes the zero") {
        REQUIRE(b->set_mtu(3, 1'400));
        CHECK(b->receive(packet(), b.now) == fate::dropped);
        const byte_vector error = b.sent_one();
        check(error, support::right_sums(), support::icmp_is(3, 4, 1'400));
        CHECK(load_be<u16>(error.data() + 28 + 2) == 0);
    }
    SUBCASE("without segments it is malformed") {
        auto p = packet();
        p.writable_metadata().segmentation = segmentation_kind::none;
        CHECK(b->receive(std::move(p), b.now) == fate::dropped);
        CHECK(b->counters()[drop_reason::length_below_header] == 1);
        CHECK(b->counters()[mib::ip_in_hdr_errors] == 1);
    }
    SUBCASE("of so many segments that it is not cut") {
        auto p = packet();
        p.writable_metadata().segment_size = 24;  // 8,334 segments
        CHECK(b->receive(std::move(p), b.now) == fate::dropped);
        CHECK(b->counters()[drop_reason::too_big] == 1);
    }
}

TEST_CASE("a checksum in the wrong place is refused before anybody sees the packet") {
    router_world b;
    for (const auto destination : {"10.0.2.2"_ip, "10.0.1.1"_ip}) {
        for (const auto& [start, offset] :
             {std::pair{0, 0}, {0, 2}, {8, 0}, {12, 0}, {0, 18}, {16, 4}, {20, 40}, {0xffff, 2}}) {
            CAPTURE(start);
            CAPTURE(offset);
            auto p = b.packet(support::datagram_of({.destination = destination,
                                                    .protocol = ipv4::protocols::udp,
                                                    .payload = pattern(40)}));
            p.writable_metadata().checksum = checksum_state::pending;
            p.writable_metadata().checksum_start = static_cast<u16>(start);
            p.writable_metadata().checksum_offset = static_cast<u16>(offset);
            CHECK(b->receive(std::move(p), b.now) == fate::dropped);
        }
    }
    CHECK(b->counters()[drop_reason::checksum_misplaced] == 16);
    CHECK(b->counters()[mib::ip_in_discards] == 16);
    CHECK(b->counters()[mib::ip_in_receives] == 16);
    CHECK(b->hooks().seen == 0);
    CHECK(b.is_quiet());
    // A hook is not believed either.
    b->hooks().moves = true;
    auto p = b.packet(support::datagram_of({.protocol = ipv4::protocols::udp}));
    p.writable_metadata().checksum = checksum_state::pending;
    p.writable_metadata().checksum_start = 20;
    CHECK(b->receive(std::move(p), b.now) == fate::dropped);
    CHECK(b->counters()[drop_reason::checksum_misplaced] == 17);
    CHECK(b->hooks().seen == 1);
}

}  // namespace stack_offload_metadata
