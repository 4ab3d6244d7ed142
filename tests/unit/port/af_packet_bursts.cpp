// AF_PACKET by bursts: each frame of a system call with many frames is handled as a single one.
// Needs root; else skipped.
#include <sluice/port/af_packet.hpp>

#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <span>
#include <vector>

namespace port_af_packet_bursts {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;
using sluice::port::read_status;

namespace {

using pool = fixed_pool<2048, 128>;
using packet = pool::packet_type;
constexpr std::size_t burst = 32;  // as many as a sender gathers

struct both_ends {
    veth_pair wire;
    result<ap::device, port::port_error> near;
    result<ap::device, port::port_error> far;
    pool buffers;

    explicit both_ends(const char* purpose)
        : wire{purpose}, near{ap::open_in_namespace(wire.ns.path(), "va")},
          far{ap::open_in_namespace(wire.ns.path(), "vb")} {}

    std::vector<byte_vector> take(std::size_t count) {
        std::vector<byte_vector> all;
        while (all.size() < count && wait_readable(far->fd())) {
            packet batch[8];
            const auto got = far->receive(buffers, batch);
            for (std::size_t i = 0; i < got.count; ++i)
                all.push_back(content_of(batch[i]));
        }
        return all;
    }
};

}  // namespace

TEST_CASE("a full batch does not say whether more packets wait") {
    both_ends ends{"afb"};
    if (!ends.wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    REQUIRE((ends.near && ends.far));
    ap::sender::model<packet> out = ends.near->sender();
    for (int i = 0; i < 5; ++i) {
        auto p = packet_of(ends.buffers, with_link_header(pattern(60)));
        REQUIRE(out.send_frame(p, 1, {}));
    }
    out.flush();
    REQUIRE(wait_readable(ends.far->fd()));
    packet batch[4];
    CHECK(ends.far->receive(ends.buffers, std::span{batch}.first(0)).end == read_status::none);
    const auto full = ends.far->receive(ends.buffers, batch);
    CHECK(full.count == 4);
    CHECK(full.end == read_status::none);
    const auto rest = ends.far->receive(ends.buffers, batch);
    CHECK(rest.count == 1);
    CHECK(rest.end == read_status::would_block);
}

TEST_CASE("each frame of a full burst has its own metadata and is sent once") {
    both_ends ends{"afc"};
    if (!ends.wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    REQUIRE((ends.near && ends.far));
    ap::sender::model<packet> out = ends.near->sender();
    for (std::size_t i = 0; i < burst; ++i) {
        auto p = packet_of(ends.buffers, unfinished_frame(true, 100 + i));
        set_unfinished(p, true, 0);
        REQUIRE(out.send_frame(p, 1, {}));
    }
    out.flush();
    CHECK(out.counters().sent == burst);
    CHECK(out.counters().lost == 0);
    const auto got = ends.take(burst);
    REQUIRE(got.size() == burst);
    for (std::size_t i = 0; i < burst; ++i)
        CHECK(got[i] == unfinished_frame(true, 100 + i));
    CHECK(ends.buffers.available() == 128);
}

TEST_CASE("only the frame that is too long is lost") {
    both_ends ends{"afd"};
    if (!ends.wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    REQUIRE((ends.near && ends.far));
    ap::sender::model<packet> out = ends.near->sender();
    for (const std::size_t size : {60u, 1600u, 61u, 1601u, 1602u, 62u}) {
        auto p = packet_of(ends.buffers, with_link_header(pattern(size)));
        REQUIRE(out.send_frame(p, 1, {}));
    }
    out.flush();
    CHECK(out.counters().sent == 3);
    CHECK(out.counters().lost == 3);
    CHECK(out.counters().last_error == EMSGSIZE);
    const auto got = ends.take(3);
    REQUIRE(got.size() == 3);
    CHECK(got[2] == with_link_header(pattern(62)));
}

}  // namespace port_af_packet_bursts
