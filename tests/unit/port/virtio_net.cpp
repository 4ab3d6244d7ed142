// The virtio-net header and its conversion from and to metadata.
#include <sluice/port/virtio_net.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

namespace port_virtio_net {
using namespace support;
namespace virtio = sluice::port::virtio_net;

namespace {

constexpr u8 needs = virtio::flags::needs_checksum;

// Ethernet, IPv4, TCP with those flags, 32 bytes of header.
byte_vector tcp_frame(u16 flags, std::size_t payload) {
    byte_vector segment(32 + payload);
    const tcp::view t{segment.data()};
    t.set(tcp::data_offset, 8);
    t.set(tcp::flags, flags);
    byte_vector frame(14);
    store_be<u16>(frame.data() + 12, 0x0800);
    const byte_vector ip = datagram_of({.protocol = 6, .payload = segment});
    frame.insert(frame.end(), ip.begin(), ip.end());
    return frame;
}

}  // namespace

TEST_CASE("ten bytes in the order of the machine") {
    std::byte raw[virtio::header_size];
    const virtio::header h{1, 0x81, 66, 1448, 34, 16};
    virtio::store(raw, h);
    CHECK(virtio::load(raw) == h);
    const bool little = std::endian::native == std::endian::little;
    CHECK(std::to_integer<int>(raw[4]) == (little ? 0xa8 : 0x05));
    CHECK(std::to_integer<int>(raw[8]) == (little ? 16 : 0));
}

TEST_CASE("virtio header: each field as metadata") {
    using enum virtio::error;
    using enum checksum_state;
    constexpr auto no = segmentation_kind::none;
    constexpr auto tcp = segmentation_kind::tcp_ipv4;
    constexpr auto tcp6 = segmentation_kind::tcp_ipv6;
    constexpr auto udp = segmentation_kind::udp;
    struct row {
        const char* name;
        virtio::header h = {};
        u32 size = 9000;
        virtio::error error = none;
        checksum_state checksum = unknown;
        segmentation_kind kind = no;
        u16 segment_size = 0;
    };
    const row rows[] = {
        {.name = "nothing", .size = 60},
        {.name = "found right", .h = {.flags = 2}, .size = 60, .checksum = verified},
        {.name = "unfinished", .h = {needs, 0, 0, 0, 34, 16}, .size = 100, .checksum = pending},
        {.name = "the last word", .h = {needs, 0, 0, 0, 34, 16}, .size = 52, .checksum = pending},
        {.name = "beyond the end",
         .h = {needs, 0, 0, 0, 34, 16},
         .size = 51,
         .error = checksum_outside},
        {.name = "far away",
         .h = {needs, 0, 0, 0, 0xffff, 0xfffe},
         .size = 100,
         .error = checksum_outside},
        {.name = "in the link header",
         .h = {needs, 0, 0, 0, 13, 16},
         .size = 100,
         .error = checksum_outside},
        {.name = "odd", .h = {needs, 0, 0, 0, 34, 17}, .size = 100, .error = checksum_outside},
        {.name = "TSO",
         .h = {needs, 1, 66, 1448, 34, 16},
         .checksum = pending,
         .kind = tcp,
         .segment_size = 1448},
        {.name = "TSO with ECN",
         .h = {needs, 0x81, 66, 1448, 34, 16},
         .checksum = pending,
         .kind = tcp,
         .segment_size = 1448},
        {.name = "TSO over IPv6", .h = {needs, 4, 86, 1428, 54, 16}, .error = unknown_kind},
        {.name = "TSO over IPv6 in IPv4",
         .h = {needs, 4, 86, 1428, 74, 16},
         .checksum = pending,
         .kind = tcp6,
         .segment_size = 1428},
        {.name = "TSO over IPv6, sum done", .h = {0, 4, 86, 1428, 0, 0}, .error = unknown_kind},
        {.name = "an unknown type", .h = {needs, 7, 66, 1448, 34, 16}, .error = unknown_kind},
        {.name = "TSO, sum done", .h = {0, 1, 66, 1448, 0, 0}, .kind = tcp, .segment_size = 1448},
        {.name = "LRO",
         .h = {2, 1, 54, 1448, 0, 0},
         .checksum = verified,
         .kind = tcp,
         .segment_size = 1448},
        {.name = "LRO and unfinished",
         .h = {3, 1, 54, 1448, 34, 16},
         .checksum = pending,
         .kind = tcp,
         .segment_size = 1448},
        {.name = "LRO of one segment",
         .h = {2, 1, 54, 1448, 0, 0},
         .size = 34 + 20 + 1448,
         .checksum = verified},
        {.name = "LRO, cut",
         .h = {2, 1, 54, 1448, 0, 0},
         .size = 34 + 19,
         .error = checksum_outside},
        {.name = "TSO, UDP's sum", .h = {needs, 1, 66, 1448, 34, 6}, .error = wrong_checksum},
        {.name = "TSO, sum of IPv4", .h = {needs, 1, 66, 1448, 30, 16}, .error = checksum_outside},
        {.name = "TSO of nothing", .h = {needs, 1, 66, 0, 34, 16}, .error = segment_size},
        {.name = "TSO of many segments",
         .h = {needs, 1, 66, 1, 34, 16},
         .size = 54 + 8192,
         .checksum = pending,
         .kind = tcp,
         .segment_size = 1},
        {.name = "TSO of too many",
         .h = {needs, 1, 66, 1, 34, 16},
         .size = 54 + 8193,
         .error = segment_size},
        {.name = "TSO of 0xffff", .h = {needs, 1, 66, 0xffff, 34, 16}, .error = segment_size},
        {.name = "TSO cut in its header",
         .h = {needs, 1, 66, 100, 34, 16},
         .size = 53,
         .error = checksum_outside},
        {.name = "ECN alone", .h = {needs, 0x80, 66, 1448, 34, 16}, .error = unknown_kind},
        {.name = "USO",
         .h = {needs, 5, 42, 1000, 34, 6},
         .checksum = pending,
         .kind = udp,
         .segment_size = 1000},
        {.name = "USO of nothing", .h = {needs, 5, 42, 0, 34, 6}, .error = segment_size},
        {.name = "USO too small", .h = {needs, 5, 42, 10, 34, 6}, .error = segment_size},
        {.name = "USO with ECN", .h = {needs, 0x85, 42, 1000, 34, 6}, .error = unknown_kind},
        {.name = "USO, nothing known", .h = {0, 5, 42, 1000, 0, 0}, .error = wrong_checksum},
        {.name = "fraglist GRO of UDP",
         .h = {2, 5, 42, 1000, 0, 0},
         .checksum = verified,
         .kind = udp,
         .segment_size = 1000},
        {.name = "UFO", .h = {needs, 3, 42, 1480, 34, 6}, .checksum = pending},
        {.name = "UFO of nothing", .h = {needs, 3, 42, 0, 34, 6}, .error = segment_size},
        {.name = "UFO, sum done", .h = {0, 3, 42, 1480, 0, 0}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto m = virtio::to_metadata(r.h, r.size, 14);
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

TEST_CASE("virtio header: metadata to header and back") {
    metadata m;
    const byte_vector frame = tcp_frame(0x010, 3000);
    CHECK(*virtio::of_metadata(m, frame, 14) == virtio::header{});
    m.checksum = checksum_state::verified;
    CHECK(*virtio::of_metadata(m, frame, 14) == virtio::header{});
    m.checksum = checksum_state::pending;
    m.checksum_start = 20;
    m.checksum_offset = 16;
    CHECK(*virtio::of_metadata(m, frame, 14) == virtio::header{needs, 0, 0, 0, 34, 16});
    CHECK(*virtio::of_metadata(m, frame, 0) == virtio::header{needs, 0, 0, 0, 20, 16});
    m.segmentation = segmentation_kind::tcp_ipv4;
    m.segment_size = 1448;
    const auto whole = virtio::of_metadata(m, frame, 14);
    CHECK(*whole == virtio::header{needs, 1, 66, 1448, 34, 16});
    CHECK(virtio::of_metadata(m, tcp_frame(0x090, 3000), 14)->gso == 0x81);
    const auto back = virtio::to_metadata(*whole, static_cast<u32>(frame.size()), 14);
    REQUIRE(back.has_value());
    CHECK(back->segment_size == 1448);
    CHECK(back->checksum_start == 20);
    m.segmentation = segmentation_kind::udp;
    CHECK(virtio::of_metadata(m, frame, 14).error() == virtio::error::wrong_checksum);
    m.checksum_offset = 6;
    CHECK(*virtio::of_metadata(m, frame, 14) == virtio::header{needs, 5, 42, 1448, 34, 6});
}

TEST_CASE("virtio header: metadata that it cannot express") {
    metadata m;
    m.checksum = checksum_state::pending;
    m.checksum_start = 20;
    m.checksum_offset = 16;
    const byte_vector frame = tcp_frame(0, 0);
    CHECK(virtio::of_metadata(m, const_bytes{frame}.first(51), 14).error() ==
          virtio::error::checksum_outside);
    CHECK(virtio::of_metadata(m, const_bytes{frame}.first(52), 14).has_value());
    m.checksum_start = 0xffff;
    CHECK(virtio::of_metadata(m, frame, 14).error() == virtio::error::checksum_outside);
    // The last place that sixteen bits can say, and the one behind it.
    const byte_vector large(0x10100);
    m.checksum_start = 0xffff - 14;
    CHECK(virtio::of_metadata(m, large, 14).has_value());
    m.checksum_start = 0xffff - 13;
    CHECK(virtio::of_metadata(m, large, 14).error() == virtio::error::checksum_outside);
    m.checksum_start = 20;
    m.segmentation = segmentation_kind::tcp_ipv4;
    CHECK(virtio::of_metadata(m, frame, 14).error() == virtio::error::segment_size);
    m.checksum = checksum_state::unknown;
    CHECK(virtio::of_metadata(m, frame, 14).error() == virtio::error::wrong_checksum);
}

}  // namespace port_virtio_net
