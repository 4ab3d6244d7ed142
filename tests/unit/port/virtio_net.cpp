// The virtio-net header and the facts it stands for.
#include <sluice/port/virtio_net.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

namespace port_virtio_net {
using namespace support;
namespace virtio = sluice::port::virtio_net;

namespace {

constexpr u8 needs = virtio::flags::needs_checksum;

// Ethernet, IPv4, TCP with those flags, 32 octets of header.
octets tcp_frame(u16 flags, std::size_t payload) {
    octets segment(32 + payload);
    const tcp::view t{segment.data()};
    t.set(tcp::data_offset, 8);
    t.set(tcp::flags, flags);
    octets frame(14);
    store_be<u16>(frame.data() + 12, 0x0800);
    const octets ip = datagram_of({.protocol = 6, .payload = segment});
    frame.insert(frame.end(), ip.begin(), ip.end());
    return frame;
}

}  // namespace

TEST_CASE("ten octets in the order of the machine") {
    std::byte octets[virtio::header_size];
    const virtio::header h{1, 0x81, 66, 1448, 34, 16};
    virtio::store(octets, h);
    CHECK(virtio::load(octets) == h);
    const bool little = std::endian::native == std::endian::little;
    CHECK(std::to_integer<int>(octets[4]) == (little ? 0xa8 : 0x05));
    CHECK(std::to_integer<int>(octets[8]) == (little ? 16 : 0));
}

TEST_CASE("what a header says") {
    struct row {
        const char* name;
        virtio::header h;
        u32 size;
        virtio::error error;
        checksum_state checksum;
        segmentation_kind kind;
        u16 segment_size;
    };
    using enum virtio::error;
    using enum checksum_state;
    constexpr auto no = segmentation_kind::none;
    constexpr auto tcp = segmentation_kind::tcp_ipv4;
    constexpr auto tcp6 = segmentation_kind::tcp_ipv6;
    constexpr auto udp = segmentation_kind::udp;
    const row rows[] = {
        {"nothing", {}, 60, none, unknown, no, 0},
        {"found right", {.flags = 2}, 60, none, verified, no, 0},
        {"unfinished", {needs, 0, 0, 0, 34, 16}, 100, none, pending, no, 0},
        {"the last word", {needs, 0, 0, 0, 34, 16}, 52, none, pending, no, 0},
        {"beyond the end", {needs, 0, 0, 0, 34, 16}, 51, checksum_outside, unknown, no, 0},
        {"far away", {needs, 0, 0, 0, 0xffff, 0xfffe}, 100, checksum_outside, unknown, no, 0},
        {"in the link header", {needs, 0, 0, 0, 13, 16}, 100, checksum_outside, unknown, no, 0},
        {"odd", {needs, 0, 0, 0, 34, 17}, 100, checksum_outside, unknown, no, 0},
        {"TSO", {needs, 1, 66, 1448, 34, 16}, 9000, none, pending, tcp, 1448},
        {"TSO with ECN", {needs, 0x81, 66, 1448, 34, 16}, 9000, none, pending, tcp, 1448},
        {"TSO over IPv6", {needs, 4, 86, 1428, 54, 16}, 9000, unknown_kind, unknown, no, 0},
        {"TSO over IPv6 in IPv4", {needs, 4, 86, 1428, 74, 16}, 9000, none, pending, tcp6, 1428},
        {"TSO over IPv6, sum done", {0, 4, 86, 1428, 0, 0}, 9000, unknown_kind, unknown, no, 0},
        {"an unknown type", {needs, 7, 66, 1448, 34, 16}, 9000, unknown_kind, unknown, no, 0},
        {"TSO, sum done", {0, 1, 66, 1448, 0, 0}, 9000, none, unknown, tcp, 1448},
        {"LRO", {2, 1, 54, 1448, 0, 0}, 9000, none, verified, tcp, 1448},
        {"LRO and unfinished", {3, 1, 54, 1448, 34, 16}, 9000, none, pending, tcp, 1448},
        {"LRO of one segment", {2, 1, 54, 1448, 0, 0}, 34 + 20 + 1448, none, verified, no, 0},
        {"LRO, cut", {2, 1, 54, 1448, 0, 0}, 34 + 19, checksum_outside, unknown, no, 0},
        {"TSO, UDP's sum", {needs, 1, 66, 1448, 34, 6}, 9000, wrong_checksum, unknown, no, 0},
        {"TSO, sum of IPv4", {needs, 1, 66, 1448, 30, 16}, 9000, checksum_outside, unknown, no, 0},
        {"TSO of nothing", {needs, 1, 66, 0, 34, 16}, 9000, segment_size, unknown, no, 0},
        {"TSO of so many", {needs, 1, 66, 1, 34, 16}, 54 + 8192, none, pending, tcp, 1},
        {"TSO of too many", {needs, 1, 66, 1, 34, 16}, 54 + 8193, segment_size, unknown, no, 0},
        {"TSO of 0xffff", {needs, 1, 66, 0xffff, 34, 16}, 9000, segment_size, unknown, no, 0},
        {"TSO cut in its header",
         {needs, 1, 66, 100, 34, 16},
         53,
         checksum_outside,
         unknown,
         no,
         0},
        {"ECN alone", {needs, 0x80, 66, 1448, 34, 16}, 9000, unknown_kind, unknown, no, 0},
        {"USO", {needs, 5, 42, 1000, 34, 6}, 9000, none, pending, udp, 1000},
        {"USO of nothing", {needs, 5, 42, 0, 34, 6}, 9000, segment_size, unknown, no, 0},
        {"USO too small", {needs, 5, 42, 10, 34, 6}, 9000, segment_size, unknown, no, 0},
        {"USO with ECN", {needs, 0x85, 42, 1000, 34, 6}, 9000, unknown_kind, unknown, no, 0},
        {"USO, nothing known", {0, 5, 42, 1000, 0, 0}, 9000, wrong_checksum, unknown, no, 0},
        {"fraglist GRO of UDP", {2, 5, 42, 1000, 0, 0}, 9000, none, verified, udp, 1000},
        {"UFO", {needs, 3, 42, 1480, 34, 6}, 9000, none, pending, no, 0},
        {"UFO of nothing", {needs, 3, 42, 0, 34, 6}, 9000, segment_size, unknown, no, 0},
        {"UFO, sum done", {0, 3, 42, 1480, 0, 0}, 9000, none, unknown, no, 0},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto m = virtio::to_facts(r.h, r.size, 14);
        CHECK(m.error() == r.error);
        CHECK(m.has_value() == (r.error == none));
        if (m && r.error == none) {
            CHECK(m->checksum == r.checksum);
            CHECK(m->segmentation == r.kind);
            CHECK(m->segment_size == r.segment_size);
            CHECK(m->checksum_start == (r.checksum == pending ? r.h.checksum_start - 14 : 0));
        }
    }
}

TEST_CASE("what facts become, and back") {
    metadata m;
    const octets frame = tcp_frame(0x010, 3000);
    CHECK(*virtio::of_facts(m, frame, 14) == virtio::header{});
    m.checksum = checksum_state::verified;
    CHECK(*virtio::of_facts(m, frame, 14) == virtio::header{});
    m.checksum = checksum_state::pending;
    m.checksum_start = 20;
    m.checksum_offset = 16;
    CHECK(*virtio::of_facts(m, frame, 14) == virtio::header{needs, 0, 0, 0, 34, 16});
    CHECK(*virtio::of_facts(m, frame, 0) == virtio::header{needs, 0, 0, 0, 20, 16});
    m.segmentation = segmentation_kind::tcp_ipv4;
    m.segment_size = 1448;
    const auto whole = virtio::of_facts(m, frame, 14);
    CHECK(*whole == virtio::header{needs, 1, 66, 1448, 34, 16});
    CHECK(virtio::of_facts(m, tcp_frame(0x090, 3000), 14)->gso == 0x81);
    const auto back = virtio::to_facts(*whole, static_cast<u32>(frame.size()), 14);
    REQUIRE(back.has_value());
    CHECK(back->segment_size == 1448);
    CHECK(back->checksum_start == 20);
    m.segmentation = segmentation_kind::udp;
    CHECK(virtio::of_facts(m, frame, 14).error() == virtio::error::wrong_checksum);
    m.checksum_offset = 6;
    CHECK(*virtio::of_facts(m, frame, 14) == virtio::header{needs, 5, 42, 1448, 34, 6});
}

TEST_CASE("facts that cannot be told") {
    metadata m;
    m.checksum = checksum_state::pending;
    m.checksum_start = 20;
    m.checksum_offset = 16;
    const octets frame = tcp_frame(0, 0);
    CHECK(virtio::of_facts(m, const_bytes{frame}.first(51), 14).error() ==
          virtio::error::checksum_outside);
    CHECK(virtio::of_facts(m, const_bytes{frame}.first(52), 14).has_value());
    m.checksum_start = 0xffff;
    CHECK(virtio::of_facts(m, frame, 14).error() == virtio::error::checksum_outside);
    // The last place that sixteen bits can say, and the one behind it.
    const octets large(0x10100);
    m.checksum_start = 0xffff - 14;
    CHECK(virtio::of_facts(m, large, 14).has_value());
    m.checksum_start = 0xffff - 13;
    CHECK(virtio::of_facts(m, large, 14).error() == virtio::error::checksum_outside);
    m.checksum_start = 20;
    m.segmentation = segmentation_kind::tcp_ipv4;
    CHECK(virtio::of_facts(m, frame, 14).error() == virtio::error::segment_size);
    m.checksum = checksum_state::unknown;
    CHECK(virtio::of_facts(m, frame, 14).error() == virtio::error::wrong_checksum);
}

}  // namespace port_virtio_net
