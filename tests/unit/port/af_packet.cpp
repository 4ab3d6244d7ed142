// AF_PACKET at both ends of a wire: sent packets are received. Needs root; else skipped.
#include <sluice/link/concept.hpp>
#include <sluice/output/concept.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/port/af_packet.hpp>
#include <sluice/port/tun.hpp>

#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace port_af_packet {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;
using sluice::port::read_status;

namespace {

using pool = fixed_pool<2048, 512, shared>;
using packet = pool::packet_type;
using sender = ap::sender::model<packet>;
static_assert(output_policy<ap::sender, packet>);
static_assert(frame_sink<sender, packet>);

// Packets that cannot go on in further blocks.
struct inline_source {
    using packet_type = inline_packet<1024>;
    static constexpr std::size_t memory_limit = 0;
    static constexpr u32 block_capacity = 1024;
    packet_type take(u16 headroom) noexcept { return make_inline_packet<1024>(headroom); }
};

// Waits for that number of packets.
std::vector<packet> receive(ap::device& from, pool& buffers, std::size_t count) {
    std::vector<packet> all;
    while (all.size() < count && wait_readable(from.fd())) {
        packet batch[8];
        const auto got = from.receive(buffers, batch);
        for (std::size_t i = 0; i < got.count; ++i)
            all.push_back(std::move(batch[i]));
    }
    return all;
}

}  // namespace

TEST_CASE("errors of opening a packet socket") {
    CHECK(message(ap::open("").error()) == "open: No such device: a name has 1 to 15 characters");
    CHECK(ap::open("a-name-that-is-too-long").error().error_number == ENODEV);
    if (::geteuid() == 0) {
        CHECK(message(ap::open("no-such").error()) == "find no-such: No such device");
    }
    CHECK(ap::open_in_namespace("/no/such/ns", "va").error().what == std::string{"open"});
}

TEST_CASE("frames arrive as they were sent") {
    const veth_pair wire{"afp"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    auto a = ap::open_in_namespace(wire.ns.path(), "va");
    auto b = ap::open_in_namespace(wire.ns.path(), "vb", {.interface = 9});
    REQUIRE(a.has_value());
    REQUIRE(b.has_value());
    CHECK(b->hardware_address() == ethernet::address{{2, 0, 0, 0, 0, 0x0b}});
    CHECK(b->mtu() == 1500);
    CHECK(b->is_ethernet());
    static pool buffers;
    CHECK(b->receive(buffers).error() == read_status::would_block);
    sender out = a->sender();

    SUBCASE("of any size, in any number of pieces, of every packet type") {
        struct row {
            byte_vector frame;
            link_addressing type;
        };
        std::vector<row> rows;
        for (const std::size_t n : {1u, 46u, 1000u, 1499u, 1500u})
            rows.push_back({with_link_header(pattern(n)), link_addressing::host});
        rows.push_back({with_link_header(pattern(60), {255, 255, 255, 255, 255, 255}),
                        link_addressing::broadcast});
        rows.push_back(
            {with_link_header(pattern(60), {1, 0, 0x5e, 0, 0, 1}), link_addressing::multicast});
        rows.push_back(
            {with_link_header(pattern(60), {2, 0, 0, 0, 0, 0x77}), link_addressing::other_host});
        rows.push_back({with_link_header(pattern(60), {}, 0x0806), link_addressing::host});
        // Tags, which the kernel takes off.
        rows.push_back({with_link_header(pattern(60), {}, 0x8100), link_addressing::host});
        rows.push_back({with_link_header(pattern(60), {}, 0x88a8), link_addressing::host});
        for (const std::size_t pieces : {1u, 3u, 40u}) {
            for (const row& r : rows) {
                auto p = packet_of(buffers, {r.frame.begin(), r.frame.begin() + 14});
                const std::size_t step = (r.frame.size() - 14 + pieces - 1) / pieces;
                for (std::size_t i = 14; i < r.frame.size(); i += step) {
                    const auto from = r.frame.begin() + static_cast<std::ptrdiff_t>(i);
                    const auto left = r.frame.end() - from;
                    const auto n = std::min(left, static_cast<std::ptrdiff_t>(step));
                    p.append(packet_of(buffers, {from, from + n}));
                }
                REQUIRE(out.send_frame(p, 9, {}));
            }
            out.flush();
            const auto got = receive(*b, buffers, rows.size());
            REQUIRE(got.size() == rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i) {
                CAPTURE(i);
                CHECK(content_of(got[i]) == rows[i].frame);
                CHECK(got[i].addressing() == rows[i].type);
                CHECK(got[i].interface() == 9);
                CHECK(got[i].headroom() >= default_headroom - 4);
                CHECK_FALSE(got[i].has_metadata());
            }
        }
        CHECK(out.counters().sent == 3 * rows.size());
        CHECK(b->counters().received == 3 * rows.size());
        CHECK(a->receive(buffers).error() ==
              read_status::would_block);  // not the frames that it sent
    }
    SUBCASE("with unfinished checksums and larger than the MTU") {
        struct row {
            bool tcp;
            std::size_t payload;
            u16 segment_size;
        };
        for (const row& r : {row{.tcp = true, .payload = 100, .segment_size = 0},
                             row{.tcp = false, .payload = 99, .segment_size = 0},
                             row{.tcp = true, .payload = 60'001, .segment_size = 1448},
                             row{.tcp = false, .payload = 20'001, .segment_size = 1200}}) {
            CAPTURE(r.payload);
            const byte_vector frame = unfinished_frame(r.tcp, r.payload);
            auto p = packet_of(buffers, {frame.begin(), frame.begin() + 50});
            set_unfinished(p, r.tcp, r.segment_size);
            for (std::size_t i = 50; i < frame.size(); i += 1800) {
                const std::size_t end = std::min(frame.size(), i + 1800);
                p.append(packet_of(buffers, {frame.data() + i, frame.data() + end}));
            }
            REQUIRE(out.send_frame(p, 9, {}));
            out.flush();
            CHECK(out.counters().lost == 0);
            const auto got = receive(*b, buffers, 1);
            REQUIRE(got.size() == 1);
            CHECK(content_of(got[0]) == frame);
            const metadata& m = got[0].metadata();
            CHECK(m.checksum == checksum_state::pending);
            CHECK(m.checksum_start == 20);
            CHECK(m.checksum_offset == (r.tcp ? 16 : 6));
            CHECK(m.segment_size == r.segment_size);
            CHECK((m.segmentation != segmentation_kind::none) == (r.segment_size > 0));
        }
    }
    SUBCASE("unless they cannot be had whole") {
        const byte_vector frame = unfinished_frame(true, 3000);
        const auto send_large = [&] {
            auto p = packet_of(buffers, {frame.begin(), frame.begin() + 1800});
            set_unfinished(p, true, 1448);
            p.append(packet_of(buffers, {frame.begin() + 1800, frame.end()}));
            REQUIRE(out.send_frame(p, 9, {}));
            out.flush();
        };
        send_large();
        auto small = packet_of(buffers, with_link_header(pattern(50)));
        REQUIRE(out.send_frame(small, 9, {}));
        out.flush();
        inline_source inside;
        REQUIRE(wait_readable(b->fd()));
        CHECK(b->receive(inside).error() == read_status::thrown_away);
        CHECK(b->receive(inside)->size() == 64);
        CHECK(b->counters().too_long == 1);
        // A source that runs out within a frame.
        static fixed_pool<2048, 1> one;
        send_large();
        REQUIRE(wait_readable(b->fd()));
        CHECK(b->receive(one).error() == read_status::thrown_away);
        CHECK(b->counters().no_buffer == 1);
        CHECK(one.available() == 1);
    }
    SUBCASE("metadata that the header cannot express is refused") {
        auto p = packet_of(buffers, unfinished_frame(true, 100));
        p.writable_metadata().segmentation = segmentation_kind::tcp_ipv4;
        p.writable_metadata().segment_size = 50;
        CHECK_FALSE(out.send_frame(p, 9, {}));
        CHECK(out.counters().refused == 1);
        CHECK(p.size() == 166);
        auto beyond = packet_of(buffers, with_link_header(pattern(50)));
        beyond.writable_metadata().checksum = checksum_state::pending;
        beyond.writable_metadata().checksum_start = 49;
        CHECK_FALSE(out.send_frame(beyond, 9, {}));
    }
    SUBCASE("as long as the interface is there") {
        REQUIRE(wire.ns.ip("link set vb down"));
        CHECK(b->receive(buffers).error() == read_status::would_block);
        CHECK(b->counters().went_down == 1);
        auto p = packet_of(buffers, with_link_header(pattern(50)));
        sender back = b->sender();
        REQUIRE(back.send_frame(p, 9, {}));
        back.flush();
        CHECK(back.counters().lost == 1);
        CHECK(back.counters().last_error == ENETDOWN);
        REQUIRE(wire.ns.ip("link set vb up"));
        auto q = packet_of(buffers, with_link_header(pattern(50)));
        REQUIRE(out.send_frame(q, 9, {}));
        out.flush();
        CHECK(receive(*b, buffers, 1).size() == 1);
        REQUIRE(wire.ns.ip("link del vb"));
        CHECK(b->receive(buffers).error() == read_status::closed);
    }
    CHECK(buffers.available() == 512);
}

TEST_CASE("packets of an interface without link header") {
    const own_namespace ns{"afp3"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    auto tun = port::tun::open_in_namespace(ns.path(), "sl0");
    REQUIRE(tun.has_value());
    REQUIRE(ns.ip("link set sl0 addrgenmode none"));
    REQUIRE(ns.ip("link set sl0 up"));
    auto device = ap::open_in_namespace(ns.path(), "sl0");
    REQUIRE(device.has_value());
    CHECK_FALSE(device->is_ethernet());
    static pool buffers;
    const byte_vector datagram = datagram_of({.payload = pattern(77)});
    // Packets that the program behind the TUN device writes are received, and vice versa.
    port::tun::sender::model<packet> far = tun->sender();
    auto p = packet_of(buffers, datagram);
    REQUIRE(far.transmit(p, {}, {}));
    const auto got = receive(*device, buffers, 1);
    REQUIRE(got.size() == 1);
    CHECK(content_of(got[0]) == datagram);
    sender out = device->sender();
    auto q = packet_of(buffers, datagram);
    REQUIRE(out.transmit(q, {}, {}));
    out.flush();
    CHECK(out.counters().lost == 0);
    REQUIRE(wait_readable(tun->fd()));
    CHECK(content_of(*tun->receive(buffers)) == datagram);
}

TEST_CASE("two sockets of a group share the frames") {
    const veth_pair wire{"afpf"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    const ap::options grouped{.fanout =
                                  ap::fanout{.group = 7, .mode = ap::fanout_mode::round_robin}};
    auto a = ap::open_in_namespace(wire.ns.path(), "va");
    auto b = ap::open_in_namespace(wire.ns.path(), "vb", grouped);
    auto c = ap::open_in_namespace(wire.ns.path(), "vb", grouped);
    REQUIRE((a && b && c));
    CHECK_FALSE(ap::open_in_namespace(wire.ns.path(), "vb", {.fanout = ap::fanout{.group = 7}}));
    static pool buffers;
    sender out = a->sender();
    for (int i = 0; i < 10; ++i) {
        auto p = packet_of(buffers, with_link_header(pattern(50)));
        REQUIRE(out.send_frame(p, 1, {}));
    }
    out.flush();
    CHECK(receive(*b, buffers, 5).size() == 5);
    CHECK(receive(*c, buffers, 5).size() == 5);
}

}  // namespace port_af_packet
