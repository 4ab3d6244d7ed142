// Packets that the kernel merged and verified (fraglist GRO): they have segments and no pending
// checksum, and the stack cuts them into the sent packets. Needs root and ethtool; else skipped.
#include <sluice/packet/external_storage.hpp>
#include <sluice/port/af_packet.hpp>

#include "support/segments.hpp"
#include "support/world.hpp"
#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace port_offload_merged {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;

namespace {

struct plain_device {
    template <class Packet>
    struct model : queue_output<64>::model<Packet> {
        static constexpr bool takes_gso = false;
    };
};
struct router
    : policies<based_on<linux_router>, buffers<heap_source<20'000, 64>>, output<plain_device>> {};

using router_world = stack_test::world<router>;
using packet = router_world::packet_type;

// vb merges packets that are sent at once and arrive within a tick.
bool merges(const veth_pair& wire) {
    const std::string inside = "ip netns exec " + wire.ns.name + " ";
    return wire.made && run(inside + "ethtool -K vb gro on rx-gro-list on") &&
           run(inside + "sh -c 'echo 20000000 > /sys/class/net/vb/gro_flush_timeout && "
                        "echo 2 > /sys/class/net/vb/napi_defer_hard_irqs'");
}

// The one frame that the kernel made of these. When it hands over what it holds in between, because
// the sender was held up, they are sent again.
packet merged_of(router_world& b, const std::vector<byte_vector>& sent, std::size_t headers,
                 ap::device& far, ap::device& device) {
    ap::sender::model<packet> out = far.sender();
    for (int tries = 0; tries < 500; ++tries) {
        std::size_t left = 0;
        for (const byte_vector& one : sent) {
            auto p = packet_of(b->buffers(), with_link_header(one));
            REQUIRE(out.send_frame(p, 1, {}));
            left += one.size() - headers;
        }
        out.flush();
        for (bool is_first = true; left > 0; is_first = false) {
            REQUIRE(wait_readable(device.fd()));
            auto frame = device.receive(b->buffers());
            REQUIRE(frame.has_value());
            const std::size_t payload = frame->size() - 14 - headers;
            REQUIRE(payload <= left);
            if (is_first && payload == left) {
                return std::move(*frame);
            }
            left -= payload;
        }
    }
    return {};
}

}  // namespace

TEST_CASE("packets that the kernel merged and verified leave as they were sent") {
    const veth_pair wire{"afgl"};
    if (!merges(wire)) {
        support::skip("needs root, ip netns, veth and ethtool");
        return;
    }
    auto far = ap::open_in_namespace(wire.ns.path(), "va");
    auto device = ap::open_in_namespace(wire.ns.path(), "vb",
                                        {.interface = 2, .protocol = ethernet::types::ipv4});
    REQUIRE((far && device));
    const struct {
        flow f;
        u16 each;
        segmentation_kind kind;
    } rows[] = {
        {.f = {}, .each = 1'000, .kind = segmentation_kind::tcp_ipv4},
        {.f = {},
         .each = 3,
         .kind = segmentation_kind::tcp_ipv4},  // fewer bytes than any sender's own segments
        {.f = {.tcp = false}, .each = 1'000, .kind = segmentation_kind::udp},
    };
    for (const auto& r : rows) {
        CAPTURE(r.f.tcp);
        CAPTURE(r.each);
        router_world b;
        const auto sent = naive(r.f, tcp_flags::ack, pattern(5u * r.each), r.each);
        REQUIRE(sent.size() == 5);
        auto merged = merged_of(b, sent, r.f.headers(), *far, *device);
        REQUIRE(merged);
        const metadata& m = std::as_const(merged).metadata();
        CHECK(m.segmentation == r.kind);
        CHECK(m.segment_size == r.each);
        CHECK(m.checksum == checksum_state::verified);
        CHECK(device->counters().refused == 0);
        REQUIRE(merged.pull(14));
        CHECK(b->receive(std::move(merged), b.now) == fate::forwarded);
        std::vector<byte_vector> left;
        for (const auto& s : b.sent()) {
            left.push_back(s.datagram);
        }
        std::vector<byte_vector> expected = sent;
        for (byte_vector& one : expected) {
            ipv4::decrement_ttl(ipv4::view{one.data()});
        }
        CHECK(left == expected);
    }
}

}  // namespace port_offload_merged
