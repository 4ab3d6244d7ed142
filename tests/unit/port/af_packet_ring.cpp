// AF_PACKET's rings: frames that lie in shared memory until released. Needs root; else skipped.
#include <sluice/link/concept.hpp>
#include <sluice/output/concept.hpp>
#include <sluice/port/af_packet_ring.hpp>
#include <sluice/port/af_packet_ring_send.hpp>

#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace port_af_packet_ring {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;
using sluice::port::read_status;

namespace {

using pool = fixed_pool<2048, 512>;
using packet = pool::packet_type;
using ring = ap::ring<64>;
static_assert(output_policy<ap::ring_sender, packet>);
static_assert(frame_sink<ap::ring_sender::model<packet>, packet>);

constexpr ap::ring_options small{.block_bytes = 1u << 17, .blocks = 2};

result<ring, port::port_error> open_ring(const veth_pair& wire, const char* name,
                                         const ap::ring_options& size = {}) {
    return port::in_namespace(wire.ns.path(),
                              [&] { return ring::open(name, {.interface = 9}, size); });
}

template <class Packet, class Receive>
std::vector<Packet> receive_all(int fd, std::size_t count, Receive&& receive) {
    std::vector<Packet> all;
    while (all.size() < count && wait_readable(fd)) {
        Packet batch[8];
        const auto got = receive(std::span{batch});
        for (std::size_t i = 0; i < got.count; ++i)
            all.push_back(std::move(batch[i]));
    }
    return all;
}

// A frame in several blocks.
packet long_packet(pool& buffers, const byte_vector& frame, std::size_t head) {
    auto p = packet_of(buffers, {frame.data(), frame.data() + std::min(head, frame.size())});
    for (std::size_t i = head; i < frame.size(); i += 1800)
        p.append(packet_of(buffers,
                           {frame.data() + i, frame.data() + std::min(frame.size(), i + 1800)}));
    return p;
}

}  // namespace

TEST_CASE("frames of a receive ring") {
    const veth_pair wire{"afr"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    CHECK_FALSE(open_ring(wire, "vb", {.block_bytes = 100'000}));
    CHECK_FALSE(open_ring(wire, "vb", {.blocks = 0}));
    auto a = ap::open_in_namespace(wire.ns.path(), "va");
    auto b = open_ring(wire, "vb");
    REQUIRE(a.has_value());
    REQUIRE(b.has_value());
    static pool buffers;
    ap::sender::model<packet> out = a->sender();
    ring::packet_type none[4];
    CHECK(b->receive(none).end == read_status::would_block);

    struct row {
        byte_vector frame;
        link_addressing type;
        u16 segment_size;
    };
    const row rows[] = {
        {.frame = with_link_header(pattern(1)), .type = link_addressing::host, .segment_size = 0},
        {.frame = with_link_header(pattern(1500)),
         .type = link_addressing::host,
         .segment_size = 0},
        {.frame = with_link_header(pattern(60), {255, 255, 255, 255, 255, 255}),
         .type = link_addressing::broadcast,
         .segment_size = 0},
        {.frame = with_link_header(pattern(60), {2, 0, 0, 0, 0, 0x77}),
         .type = link_addressing::other_host,
         .segment_size = 0},
        {.frame = with_link_header(pattern(60), {}, 0x8100),
         .type = link_addressing::host,
         .segment_size = 0},
        {.frame = unfinished_frame(true, 60'001),
         .type = link_addressing::host,
         .segment_size = 1448},
    };
    const auto send = [&] {
        for (const row& r : rows) {
            auto p = long_packet(buffers, r.frame, 70);
            if (r.segment_size > 0) set_unfinished(p, true, r.segment_size);
            REQUIRE(out.send_frame(p, 1, {}));
        }
        out.flush();
    };
    const auto compare = [&](const auto& got) {
        REQUIRE(got.size() == std::size(rows));
        for (std::size_t i = 0; i < std::size(rows); ++i) {
            CAPTURE(i);
            CHECK(content_of(got[i]) == rows[i].frame);
            CHECK(got[i].addressing() == rows[i].type);
            CHECK(got[i].interface() == 9);
            CHECK(got[i].headroom() >= default_headroom - 4);
            CHECK(got[i].metadata().segment_size == rows[i].segment_size);
        }
    };
    SUBCASE("lent: writable, with headroom, and given back") {
        for (int i = 0; i < 3; ++i) {
            send();
            auto got = receive_all<ring::packet_type>(
                b->fd(), std::size(rows), [&](auto batch) { return b->receive(batch); });
            compare(got);
            CHECK(b->blocks_held() >= 1);
            for (auto& p : got) {
                fill_bytes(p.push(default_headroom - 4), default_headroom - 4, std::byte{0xa5});
            }
            compare([&] {
                for (auto& p : got)
                    REQUIRE(p.pull(default_headroom - 4));
                return std::move(got);
            }());
        }
        CHECK(b->receive(none).count == 0);
        CHECK(b->blocks_held() == 0);
    }
    SUBCASE("copied") {
        send();
        compare(receive_all<packet>(b->fd(), std::size(rows),
                                    [&](auto batch) { return b->receive(buffers, batch); }));
        CHECK(b->blocks_held() == 0);
        CHECK(b->counters().received == std::size(rows));
    }
    SUBCASE("the interface goes") {
        REQUIRE(wire.ns.ip("link set vb down"));
        CHECK(b->receive(none).end == read_status::would_block);
        CHECK(b->counters().went_down == 1);
        REQUIRE(wire.ns.ip("link del vb"));
        CHECK(b->receive(none).end == read_status::closed);
    }
    CHECK(buffers.available() == 512);
}

TEST_CASE("packets that are kept keep their blocks") {
    const veth_pair wire{"afk"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    auto a = ap::open_in_namespace(wire.ns.path(), "va");
    auto b = open_ring(wire, "vb", small);
    REQUIRE((a && b));
    static pool buffers;
    ap::sender::model<packet> out = a->sender();
    const auto send = [&](int count, std::size_t size = 1400) {
        for (int i = 0; i < count; ++i) {
            auto p = packet_of(buffers, with_link_header(pattern(size)));
            REQUIRE(out.send_frame(p, 1, {}));
        }
        out.flush();
    };
    send(1, 100);
    auto kept =
        receive_all<ring::packet_type>(b->fd(), 1, [&](auto batch) { return b->receive(batch); });
    REQUIRE(kept.size() == 1);
    const byte_vector before = content_of(kept[0]);
    // The other block takes some of these; the rest is dropped.
    std::vector<ring::packet_type> more(64);
    send(256);
    CHECK(wait_until([&] { return b->receive(more).count != 0; }));
    CHECK(more[0].size() == 1414);
    for (int i = 0; i < 1000 && b->counters().kernel_drops == 0; ++i)
        send(1);
    CHECK(b->counters().kernel_drops > 0);
    CHECK(b->counters().kernel_freezes > 0);
    CHECK(b->counters().kernel_freezes <= b->counters().kernel_drops);
    CHECK(content_of(kept[0]) == before);
    // After the rest of the other block, the walk does not reach the kept block again.
    more.clear();
    more.resize(300);
    const std::size_t left = b->receive(more).count;
    for (std::size_t i = 0; i < left; ++i) {
        CHECK(more[i].size() == 1414);
        more[i].reset();
    }
    for (int i = 0; i < 3; ++i) {
        const auto again = b->receive(more);
        CHECK(again.count == 0);
        CHECK(again.end == read_status::would_block);
    }
    CHECK(b->blocks_held() >= 1);
    kept.clear();
    static_cast<void>(b->receive(more));
    more.clear();
    CHECK(b->blocks_held() <= 1);
    // And on it goes, from the beginning.
    send(3);
    CHECK(receive_all<ring::packet_type>(b->fd(), 3, [&](auto batch) {
              return b->receive(batch);
          }).size() == 3);
}

TEST_CASE("as many packets are lent as were asked for, the others wait") {
    const veth_pair wire{"afl"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    using tiny = ap::ring<4>;
    auto a = ap::open_in_namespace(wire.ns.path(), "va");
    auto b = port::in_namespace(wire.ns.path(), [] { return tiny::open("vb"); });
    REQUIRE((a && b));
    static pool buffers;
    ap::sender::model<packet> out = a->sender();
    for (u8 i = 0; i < 10; ++i) {
        auto p = packet_of(buffers, with_link_header({10, std::byte{i}}));
        REQUIRE(out.send_frame(p, 1, {}));
    }
    out.flush();
    u8 next = 0;
    for (const std::size_t expected : {4u, 4u, 2u}) {
        auto got = receive_all<tiny::packet_type>(b->fd(), expected,
                                                  [&](auto batch) { return b->receive(batch); });
        REQUIRE(got.size() == expected);
        tiny::packet_type none[1];
        // Frames of a block that the kernel still fills do not wait yet.
        const auto right = expected == 4 ? read_status::no_buffer : read_status::would_block;
        CHECK(wait_until([&] { return b->receive(none).end == right; }));
        for (auto& p : got)
            CHECK(p.data()[20] == std::byte{next++});
    }
}

TEST_CASE("frames of a transmit ring") {
    const veth_pair wire{"aft"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    auto a = port::in_namespace(wire.ns.path(),
                                [] { return ap::transmit_ring::open("va", {.frames = 32}); });
    auto b = ap::open_in_namespace(wire.ns.path(), "vb");
    REQUIRE((a && b));
    static pool buffers;
    ap::ring_sender::model<packet> out = a->sender();
    const auto take = [&](std::size_t count) {
        return receive_all<packet>(b->fd(), count,
                                   [&](auto batch) { return b->receive(buffers, batch); });
    };
    for (int round = 0; round < 3; ++round) {
        for (const std::size_t size : {1u, 60u, 1000u, 1500u}) {
            auto p = long_packet(buffers, with_link_header(pattern(size)), 30);
            REQUIRE(out.send_frame(p, 1, {}));
        }
        out.flush();
        const auto got = take(4);
        REQUIRE(got.size() == 4);
        CHECK(content_of(got[3]) == with_link_header(pattern(1500)));
        CHECK(content_of(got[0]) == with_link_header(pattern(1)));
    }
    SUBCASE("more than it has slots: sent in between") {
        for (int i = 0; i < 100; ++i) {
            auto p = packet_of(buffers, with_link_header(pattern(60)));
            REQUIRE(out.send_frame(p, 1, {}));
        }
        out.flush();
        CHECK(take(100).size() == 100);
    }
    SUBCASE("what is sent while the interface is down is lost, and no more") {
        const auto before = out.counters();
        REQUIRE(wire.ns.ip("link set va down"));
        for (int i = 0; i < 40; ++i) {
            auto p = packet_of(buffers, with_link_header(pattern(60)));
            CHECK(out.send_frame(p, 1, {}));
        }
        out.flush();
        CHECK(out.waiting() == 0);
        CHECK(out.counters().lost == before.lost + 40);
        CHECK(out.counters().sent == before.sent);
        CHECK(out.counters().last_error == ENETDOWN);
        REQUIRE(wire.ns.ip("link set va up"));
        auto p = packet_of(buffers, with_link_header(pattern(61)));
        CHECK(out.send_frame(p, 1, {}));
        out.flush();
        CHECK(take(1).size() == 1);
    }
    SUBCASE("frames that the other end does not take are lost, those behind them are not") {
        const auto before = out.counters();
        REQUIRE(wire.ns.ip("link set vb mtu 500"));
        for (const std::size_t size : {60u, 1000u, 61u, 1000u, 1001u, 62u, 1000u}) {
            auto p = packet_of(buffers, with_link_header(pattern(size)));
            CHECK(out.send_frame(p, 1, {}));
        }
        out.flush();
        CHECK(out.waiting() == 0);
        CHECK(out.counters().lost == before.lost + 4);
        CHECK(out.counters().sent == before.sent + 3);
        const auto got = take(3);
        REQUIRE(got.size() == 3);
        CHECK(content_of(got[2]) == with_link_header(pattern(62)));
    }
    SUBCASE("unfinished checksums are finished") {
        auto p = packet_of(buffers, unfinished_frame(false, 301));
        set_unfinished(p, false, 0);
        REQUIRE(out.send_frame(p, 1, {}));
        out.flush();
        auto got = take(1);
        REQUIRE(got.size() == 1);
        CHECK_FALSE(got[0].has_metadata());
        const datagram_fields f;
        const byte_vector frame = content_of(got[0]);
        CHECK(udp::checksum_ok(f.source, f.destination, const_bytes{frame}.subspan(34)));
    }
    SUBCASE("what it cannot send stays with the caller") {
        auto large = long_packet(buffers, with_link_header(pattern(3000)), 1000);
        CHECK_FALSE(out.send_frame(large, 1, {}));
        CHECK(out.counters().last_error == EMSGSIZE);
        auto gso = packet_of(buffers, unfinished_frame(true, 1000));
        set_unfinished(gso, true, 500);
        CHECK_FALSE(out.send_frame(gso, 1, {}));
        CHECK(out.counters().last_error == EINVAL);
        const u64 before = out.counters().sent;
        auto nothing = buffers.take();
        CHECK_FALSE(out.send_frame(nothing, 1, {}));
        CHECK(static_cast<bool>(nothing));
        CHECK(out.counters().last_error == EINVAL);
        CHECK(out.counters().refused == 3);
        CHECK(out.counters().sent == before);
    }
    CHECK(buffers.available() == 512);
}

}  // namespace port_af_packet_ring
