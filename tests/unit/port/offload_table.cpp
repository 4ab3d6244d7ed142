// A stack's handling of every combination of virtio-net header and link addressing, from the port
// to the output; and whether this machine's kernel accepts the combinations that the table lists
// for Linux. The latter needs root; else skipped.
#include <sluice/packet/external_storage.hpp>
#include <sluice/port/af_packet_frame.hpp>
#include <sluice/port/tun.hpp>

#include "offload_rows.hpp"
#include "own_namespace.hpp"
#include "support/world.hpp"

#include <doctest/doctest.h>

namespace port_offload_table {
using namespace offload_test;
namespace ap = sluice::port::af_packet;

namespace {

struct plain_device {
    template <class Packet>
    struct model : queue_output<64>::model<Packet> {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;
    };
};
struct router
    : policies<based_on<linux_router>, buffers<heap_source<8192, 64>>, output<plain_device>> {};

struct marked {
    const char* name;
    u8 kernel;
    link_addressing type;
    drop_reason refused;
};
constexpr marked marks[] = {
    {.name = "host",
     .kernel = ap::abi::packet_types::host,
     .type = link_addressing::host,
     .refused = drop_reason::none},
    {.name = "broadcast",
     .kernel = ap::abi::packet_types::broadcast,
     .type = link_addressing::broadcast,
     .refused = drop_reason::not_addressed_to_host},
    {.name = "multicast",
     .kernel = ap::abi::packet_types::multicast,
     .type = link_addressing::multicast,
     .refused = drop_reason::not_addressed_to_host},
    {.name = "other host",
     .kernel = ap::abi::packet_types::other_host,
     .type = link_addressing::other_host,
     .refused = drop_reason::other_host},
};

template <class Packet>
void check_metadata(const Packet& p, const offload_packet& given) {
    const metadata& m = p.metadata();
    CHECK(p.has_metadata() == (given.what() == 's' || given.what() == 'p'));
    CHECK((m.checksum == checksum_state::pending) == given.is_pending());
    CHECK((m.segmentation != segmentation_kind::none) == (given.what() == 's'));
    if (given.what() == 's') {
        CHECK(m.segmentation ==
              (given.f.tcp ? segmentation_kind::tcp_ipv4 : segmentation_kind::udp));
        CHECK(m.segment_size == segment_size);
        CHECK((m.checksum == checksum_state::verified) == (given.row.flags == 2));
    }
}

}  // namespace

TEST_CASE("every combination of flags, GSO type, place of the checksum and link addressing") {
    for (const offload_row& row : offload_rows) {
        for (const place where : places) {
            const offload_packet given{row, where};
            for (const marked& m : marks) {
                for (const bool is_ethernet : {false, true}) {
                    CAPTURE(given.name());
                    CAPTURE(std::string{m.name});
                    CAPTURE(is_ethernet);
                    stack_test::world<router> b;
                    REQUIRE(b->set_mtu(3, 9'000));
                    byte_vector frame = given.given();
                    if (is_ethernet) {
                        frame.insert(frame.begin(), 14, std::byte{});
                        store_be<u16>(frame.data() + 12, ethernet::types::ipv4);
                    }
                    auto p = b.packet(frame);
                    const bool taken = ap::detail::set_arrival(
                        p, given.header(is_ethernet ? 14 : 0), {.type = m.kernel},
                        is_ethernet ? port::link_header::ethernet : port::link_header::none);
                    REQUIRE(taken == (given.what() != 'r'));
                    CHECK(p.addressing() == m.type);
                    if (!taken) {
                        CHECK_FALSE(p.has_metadata());
                        continue;
                    }
                    check_metadata(std::as_const(p), given);
                    REQUIRE(p.pull(is_ethernet ? 14 : 0));
                    static_cast<void>(b->receive(std::move(p), b.now));
                    std::vector<byte_vector> sent;
                    for (const auto& s : b.sent()) {
                        sent.push_back(s.datagram);
                    }
                    if (m.refused == drop_reason::none) {
                        CHECK(sent == given.expected());
                        CHECK(b->counters().drops() == 0);
                    } else {
                        CHECK(sent.empty());
                        CHECK(b->counters()[m.refused] == 1);
                    }
                }
            }
        }
    }
}

TEST_CASE("the kernel accepts the combinations that the offload table lists") {
    const port_test::own_namespace ns{"vnet"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    auto device = port::tun::open_in_namespace(ns.path(), "sl0", {.offload = true});
    REQUIRE(device.has_value());
    REQUIRE(ns.ip("addr add 10.9.0.1/24 dev sl0"));
    REQUIRE(ns.ip("link set sl0 up"));
    int asked = 0;
    for (const offload_row& row : offload_rows) {
        for (const place where : places) {
            const offload_packet given{row, where};
            CAPTURE(given.name());
            byte_vector frame(virtio::header_size);
            virtio::store(frame.data(), given.header());
            const byte_vector datagram = given.given();
            frame.insert(frame.end(), datagram.begin(), datagram.end());
            const bool taken =
                ::write(device->fd(), frame.data(), frame.size()) == std::ssize(frame);
            CHECK(taken == (given.linux_takes() == 'y'));
            ++asked;
        }
    }
    CHECK(asked == 176);
}

}  // namespace port_offload_table
