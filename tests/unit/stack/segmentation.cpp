// Packets with segmentation metadata and pending checksums: whole to an output that finishes them,
// in segments with a finished checksum to any other. At the end of each test buffers and sums are
// checked (support/world.hpp).
#include <doctest/doctest.h>

#include "support/segments.hpp"
#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace stack_segmentation {

namespace {

using namespace stack_test;
using support::flow;
namespace flags = support::tcp_flags;

// A queue to a device with the offloads that the test sets.
struct some_device {
    template <class Packet>
    struct model : queue_output<128>::model<Packet> {
        output_offloads can{};
        [[nodiscard]] constexpr output_offloads offloads(const egress&) const noexcept {
            return can;
        }
    };
};
struct plain_device {
    template <class Packet>
    struct model : queue_output<128>::model<Packet> {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;
    };
};
template <class Output, class Ownership = shared>
struct router
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 256, Ownership>>, output<Output>> {
};
using some_router = router<some_device>;
using plain_router = router<plain_device, unique>;

constexpr output_offloads everything{true, true, true};

// In several blocks.
template <class World>
typename World::packet_type large(World& b, const byte_vector& d, u16 interface = 2) {
    constexpr std::size_t each = 1900;
    auto made = b.packet({d.begin(), d.begin() + std::min<std::ptrdiff_t>(each, std::ssize(d))});
    for (std::size_t at = each; at < d.size(); at += each) {
        const std::size_t end = std::min(d.size(), at + each);
        made.append(support::packet_of(b->buffers(),
                                       byte_vector{d.begin() + static_cast<std::ptrdiff_t>(at),
                                                   d.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
    made.set_interface(interface);
    return made;
}

// As from a local sender or a virtual machine: payload bytes, to be cut to `each`.
template <class World>
typename World::packet_type segmented(World& b, const flow& f, std::size_t payload, u16 each,
                                      bool pending = true) {
    auto p = large(b, f.datagram(f.identification, f.sequence, flags::psh, pattern(payload)));
    support::set_metadata(p, f, each);
    if (pending) {
        support::make_pending(p);
    }
    return p;
}

// Puts neighbouring fragments together again.
std::vector<byte_vector> reassembled(const std::vector<byte_vector>& pieces) {
    std::vector<byte_vector> made;
    for (const byte_vector& piece : pieces) {
        const u16 word = ipv4::const_view{piece.data()}[ipv4::flags_and_offset];
        if ((word & ipv4::words::offset) == 0) {
            made.push_back(piece);
        } else {
            REQUIRE_FALSE(made.empty());
            CHECK(made.back().size() - 20 == 8u * (word & ipv4::words::offset));
            made.back().insert(made.back().end(), piece.begin() + 20, piece.end());
        }
        if ((word & ipv4::words::more_fragments) == 0) {
            const ipv4::view ip{made.back().data()};
            ip.set(ipv4::total_length, static_cast<u16>(made.back().size()));
            ip.set(ipv4::flags_and_offset, 0);
            ipv4::set_checksum(ip);
        }
    }
    return made;
}

flow one_hop_on(flow f) {
    f.ttl = 63;
    return f;
}

TEST_CASE("60 KB of TCP go whole to a device that segments, and in segments to others") {
    const flow f;
    const auto segments = support::naive(one_hop_on(f), flags::psh, pattern(60'000), 1460);
    const struct {
        const char* name;
        output_offloads can;
        bool pending;
        bool whole = false;
    } rows[] = {
        {.name = "all", .can = everything, .pending = true, .whole = true},
        {.name = "TCP alone", .can = {true, true, false}, .pending = true, .whole = true},
        {.name = "UDP alone", .can = {true, false, true}, .pending = true},
        {.name = "checksums alone", .can = {true, false, false}, .pending = true},
        {.name = "cuts, but sums nothing", .can = {false, true, true}, .pending = true},
        {.name = "nothing", .can = {}, .pending = true},
        {.name = "all, but the checksum is there already", .can = everything, .pending = false},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        world<some_router> b;
        b->output().can = r.can;
        auto p = segmented(b, f, 60'000, 1460, r.pending);
        const byte_vector before = support::content_of(p);
        CHECK(b->receive(std::move(p), b.now) == fate::forwarded);
        const auto& c = b->counters();
        CHECK(c[mib::ip_in_receives] == 1);
        CHECK(c[mib::ipext_in_no_ect_pkts] == segments.size());
        CHECK(c[mib::ip_forw_datagrams] == 1);
        CHECK(c[mib::ip_out_transmits] == 1);  // the device counts on
        CHECK(c[mib::ipext_out_octets] == 60'040);
        CHECK(c[balance::copied] == (r.whole ? 0 : segments.size()));
        if (r.whole) {
            REQUIRE(b->output().size() == 1);
            auto item = b->output().next();
            const metadata& item_metadata = std::as_const(item.packet).metadata();
            CHECK(item_metadata.segmentation == segmentation_kind::tcp_ipv4);
            CHECK(item_metadata.segment_size == 1460);
            CHECK(item_metadata.checksum == checksum_state::pending);
            byte_vector aged = before;
            ipv4::decrement_ttl(ipv4::view{aged.data()});
            CHECK(support::content_of(item.packet) == aged);
        } else {
            CHECK(b.sent_by(3) == segments);
        }
    }
}

TEST_CASE("UDP segments, and an output without any offload that takes single blocks alone") {
    const flow f{.tcp = false};
    world<plain_router> b;
    CHECK(b->receive(segmented(b, f, 5'001, 1'200), b.now) == fate::forwarded);
    CHECK(b.sent_by(3) == support::naive(one_hop_on(f), 0, pattern(5'001), 1'200));
    CHECK(b->receive(segmented(b, flow{}, 5'001, 1'200), b.now) == fate::forwarded);
    CHECK(b.sent_by(3) == support::naive(one_hop_on({}), flags::psh, pattern(5'001), 1'200));

    world<some_router> cuts;
    cuts->output().can = everything;
    CHECK(cuts->receive(segmented(cuts, f, 5'001, 1'200), cuts.now) == fate::forwarded);
    CHECK(cuts.sent().size() == 1);
}

TEST_CASE("segments larger than the MTU") {
    world<some_router> b;
    b->output().can = everything;  // it would cut, but into segments that are too large
    REQUIRE(b->set_mtu(3, 1000).has_value());
    SUBCASE("with DF: one error, of the MTU") {
        CHECK(b->receive(segmented(b, {}, 20'000, 1460), b.now) == fate::dropped);
        const byte_vector error = b.sent_one();
        check(error, support::right_sums(), support::destination("10.0.1.2"_ip),
              support::icmp_is(3, 4, 1000));
        CHECK(b->counters()[drop_reason::too_big] == 1);
        // What is quoted begins as the whole began.
        CHECK(load_be<u16>(error.data() + 28 + 2) == 20'040);
    }
    SUBCASE("with DF: segments that just fit") {
        CHECK(b->receive(segmented(b, {}, 20'000, 960), b.now) == fate::forwarded);
        CHECK(b.sent().size() == 1);
    }
    SUBCASE("without DF, or where it is overruled: each segment is fragmented") {
        for (const bool df : {false, true}) {
            flow f{.fragment_word = df ? ipv4::words::dont_fragment : u16{0}};
            auto p = segmented(b, f, 20'000, 1460);
            p.writable_metadata().ignore_df = df;
            const auto created = b->counters()[mib::ip_frag_creates];
            CHECK(b->receive(std::move(p), b.now) == fate::forwarded);
            const auto pieces = b.sent_by(3);
            f.fragment_word = 0;
            const auto segments = support::naive(one_hop_on(f), flags::psh, pattern(20'000), 1460);
            for (const byte_vector& piece : pieces) {
                check(piece, support::right_sums());
                CHECK(piece.size() <= 1000);
            }
            CHECK(reassembled(pieces) == segments);
            CHECK(b->counters()[mib::ip_frag_creates] - created == 2 * segments.size());
        }
        CHECK(b->counters()[mib::ip_frag_oks] == 2 * 14);
    }
}

TEST_CASE("wrong segmentation metadata: dropped if the stack has to segment") {
    world<some_router> b;
    auto p = segmented(b, {}, 3000, 1460);
    p.writable_metadata().segment_size = 0;
    CHECK(b->receive(std::move(p), b.now) == fate::dropped);  // DF, and too large as it is
    CHECK(b->counters()[drop_reason::too_big] == 1);
    CHECK(b.sent().size() == 1);
    p = segmented(b, {}, 1000, 1460);
    p.writable_metadata().segmentation = segmentation_kind::udp;
    CHECK(b->receive(std::move(p), b.now) == fate::dropped);
    CHECK(b->counters()[drop_reason::offload_failed] == 1);
    p = segmented(b, {}, 1000, 1460);
    p.writable_metadata().segmentation = segmentation_kind::none;
    p.writable_metadata().checksum_offset = 2000;
    CHECK(b->receive(std::move(p), b.now) == fate::dropped);
    CHECK(b->counters()[drop_reason::checksum_misplaced] == 1);
    CHECK(b.is_quiet());
}

TEST_CASE("no buffer for some of the segments") {
    world<plain_router> b;
    auto p = segmented(b, {}, 10'000, 1000);
    std::vector<world<plain_router>::packet_type> hostages;
    while (b->buffers().available() > 4) {
        hostages.push_back(b->buffers().take());
    }
    CHECK(b->receive(std::move(p), b.now) == fate::dropped);
    CHECK(b->counters()[drop_reason::offload_failed] == 1);
    const auto segments = support::naive(one_hop_on({}), flags::psh, pattern(10'000), 1000);
    const auto sent = b.sent_by(3);
    CHECK(sent == std::vector<byte_vector>{segments.begin(), segments.begin() + 4});
}

// Neighbours with a pending checksum, and the right packets on the wire.
TEST_CASE("a pending checksum is finished before fragmentation, or for an output that cannot") {
    flow f{.tcp = false, .fragment_word = 0};
    const byte_vector wire = one_hop_on(f).datagram(f.identification, 0, 0, pattern(1400));
    const struct {
        const char* name;
        output_offloads can = {};
        u32 mtu = 1500;
        bool finished = false;
    } rows[] = {
        {.name = "whole, the device sums", .can = everything},
        {.name = "whole, the device sums and cuts nothing", .can = {true, false, false}},
        {.name = "whole, the device does nothing", .finished = true},
        {.name = "in fragments, whatever the device does",
         .can = everything,
         .mtu = 700,
         .finished = true},
        {.name = "in fragments", .mtu = 700, .finished = true},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        world<some_router> b;
        b->output().can = r.can;
        REQUIRE(b->set_mtu(3, r.mtu).has_value());
        auto p = segmented(b, f, 1400, 0);
        p.writable_metadata().segmentation = segmentation_kind::none;
        CHECK(b->receive(std::move(p), b.now) == fate::forwarded);
        if (r.finished) {
            byte_vector expected = wire;
            ipv4::set_checksum(ipv4::view{expected.data()});
            CHECK(reassembled(b.sent_by(3)) == std::vector<byte_vector>{expected});
        } else {
            REQUIRE(b->output().size() == 1);
            const auto item = b->output().next();
            CHECK(item.packet.metadata().checksum == checksum_state::pending);
            CHECK(support::content_of(item.packet) != wire);
        }
    }
}

TEST_CASE("on delivery a pending checksum counts as right, and UDP segments are delivered singly") {
    world<some_router> b;
    receive_queue<world<some_router>::packet_type, 16> heard;
    REQUIRE(b->delivery().add_udp({.protocol = 17, .local_port = 53}, heard));
    const flow f{.tcp = false};
    const auto to_us = [&](std::size_t payload, u16 each, checksum_state state) {
        auto p = segmented(b, f, payload, each);
        const ipv4::view ip{p.writable()};
        ip.set(ipv4::destination, "10.0.1.1"_ip);
        ipv4::set_checksum(ip);
        support::make_pending(p);
        p.writable_metadata().checksum = state;
        if (each == 0) {
            p.writable_metadata().segmentation = segmentation_kind::none;
        }
        return p;
    };
    CHECK(b->receive(to_us(100, 0, checksum_state::pending), b.now) == fate::delivered);
    CHECK(b->receive(to_us(100, 0, checksum_state::unknown), b.now) == fate::dropped);
    CHECK(b->counters()[drop_reason::udp_checksum] == 1);
    CHECK(heard.size() == 1);
    static_cast<void>(b->receive(to_us(5'000, 1'200, checksum_state::pending), b.now));
    CHECK(b->counters()[mib::udp_in_datagrams] == 6);
    CHECK(b->counters()[mib::ip_in_delivers] == 3);
    byte_vector all;
    while (heard.size() > 0) {
        const byte_vector got = support::content_of(heard.next().packet);
        CHECK(got.size() <= 1'200);
        all.insert(all.end(), got.begin(), got.end());
    }
    byte_vector expected = pattern(100);
    const byte_vector rest = pattern(5'000);
    expected.insert(expected.end(), rest.begin(), rest.end());
    CHECK(all == expected);
}

TEST_CASE("an echo request with a pending checksum gets a right answer") {
    world<some_router> b;
    auto p = b.packet(support::datagram_of({.destination = "10.0.1.1"_ip,
                                            .protocol = ipv4::protocols::icmp,
                                            .payload = list({8, 0, 0, 0, 1, 2, 3, 4, 5, 6})}));
    p.writable_metadata().checksum = checksum_state::pending;
    p.writable_metadata().checksum_start = 20;
    p.writable_metadata().checksum_offset = 2;
    CHECK(b->receive(std::move(p), b.now) == fate::delivered);
    check(b.sent_one(), support::right_sums(), support::icmp_is(0, 0, 0x01020304));
}

TEST_CASE("packets over the loopback interface keep their pending checksum") {
    world<some_router> b;
    receive_queue<world<some_router>::packet_type, 4> heard;
    REQUIRE(b->delivery().add_udp({.protocol = 17, .local_port = 53}, heard));
    auto p = b.packet(list({0, 9, 0, 53, 0, 12, 0xff, 0xff, 1, 2, 3, 4}));
    p.writable_metadata().checksum = checksum_state::pending;
    p.writable_metadata().checksum_start = 20;
    p.writable_metadata().checksum_offset = 6;
    REQUIRE(b->send(std::move(p), {.destination = "10.0.1.1"_ip, .protocol = 17}, b.now));
    REQUIRE(heard.size() == 1);
    const auto item = heard.next();
    CHECK(support::content_of(item.packet) == list({1, 2, 3, 4}));
    CHECK(item.packet.metadata().checksum == checksum_state::pending);
}

}  // namespace

}  // namespace stack_segmentation
