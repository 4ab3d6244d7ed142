// A pending checksum, finished in software.
#include <sluice/packet/external_storage.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/wire/tcp.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <tuple>

namespace rewrite_segment_checksum {
using namespace support;

namespace {

using pool = fixed_pool<2048, 64, shared>;

// `message` as UDP in its IPv4 header, with a link header of `link` bytes in front; the sum of the
// pseudo header is in the field.
byte_vector pending_udp(const byte_vector& data, std::size_t link = 0) {
    datagram_fields f{.protocol = ipv4::protocols::udp, .payload = udp_message(1, 2, data)};
    const u64 pseudo = checksum::pseudo_header(f.source, f.destination, f.protocol,
                                               static_cast<u32>(f.payload.size()));
    store_be<u16>(f.payload.data() + 6, checksum::fold(pseudo));
    byte_vector made = pattern(link);
    const byte_vector ip = datagram_of(f);
    made.insert(made.end(), ip.begin(), ip.end());
    return made;
}

pool::packet_type pending_packet(pool& from, const byte_vector& content) {
    auto p = packet_of(from, content);
    p.writable_metadata().checksum = checksum_state::pending;
    p.writable_metadata().checksum_start = 20;
    p.writable_metadata().checksum_offset = 6;
    return p;
}

bool udp_is_right(const byte_vector& datagram) {
    const datagram_fields f;
    const byte_vector message = payload_of(datagram);
    return udp::const_view{message.data()}[udp::checksum] != 0 &&
           udp::checksum_ok(f.source, f.destination, message);
}

}  // namespace

TEST_CASE("a pending checksum becomes the right one") {
    static pool buffers;
    for (const std::size_t size : {0u, 1u, 2u, 3u, 100u, 101u, 1400u}) {
        for (const u32 link : {0u, 14u, 18u}) {
            CAPTURE(size);
            CAPTURE(link);
            auto p = pending_packet(buffers, pending_udp(pattern(size), link));
            CHECK(rewrite::finish_checksum(p, link));
            CHECK(std::as_const(p).metadata().checksum == checksum_state::unknown);
            REQUIRE(p.pull(link));
            CHECK(udp_is_right(content_of(p)));
            CHECK(rewrite::finish_checksum(p));  // once is enough
            CHECK(udp_is_right(content_of(p)));
        }
    }
}

TEST_CASE("a sum of zero is stored as all ones") {
    static pool buffers;
    // Data that make the sum 0xffff: the complement of the sum without them.
    byte_vector data(2);
    const byte_vector without = pending_udp(data);
    store_be<u16>(data.data(),
                  checksum::finish(checksum::partial(const_bytes{without}.subspan(20))));
    auto p = pending_packet(buffers, pending_udp(data));
    CHECK(rewrite::finish_checksum(p));
    CHECK(load_be<u16>(p.data() + 26) == 0xffff);
    CHECK(udp_is_right(content_of(p)));
}

TEST_CASE("a pending checksum over several blocks, and over shared bytes") {
    static pool buffers;
    const byte_vector whole = pending_udp(pattern(1001));
    auto head = pending_packet(buffers, {whole.begin(), whole.begin() + 23});
    head.append(packet_of(buffers, {whole.begin() + 23, whole.begin() + 500}));
    head.append(packet_of(buffers, {whole.begin() + 500, whole.end()}));
    CHECK(rewrite::finish_checksum(head));
    CHECK(udp_is_right(content_of(head)));

    auto first = pending_packet(buffers, whole);
    auto second = first.clone();
    CHECK(rewrite::finish_checksum(first));
    CHECK(udp_is_right(content_of(first)));
    CHECK(content_of(second) == whole);
}

TEST_CASE("the field is behind all of the IPv4 header, whatever the header says of its length") {
    static pool buffers;
    datagram_fields f{.protocol = ipv4::protocols::udp, .options = list({1, 1, 1, 1})};
    f.payload = udp_message(1, 2, pattern(10));
    const byte_vector whole = datagram_of(f);
    for (const auto& [first, start, fine] : {std::tuple{0x46, 20, false},
                                             {0x46, 22, false},
                                             {0x46, 24, true},
                                             {0x4f, 24, false},
                                             {0x40, 18, false},
                                             {0x40, 20, true},
                                             {0x00, 0, false}}) {
        CAPTURE(first);
        CAPTURE(start);
        auto p = pending_packet(buffers, whole);
        p.writable()[0] = static_cast<std::byte>(first);
        p.writable_metadata().checksum_start = static_cast<u16>(start);
        CHECK(rewrite::finish_checksum(p) == fine);
    }
    auto little = pending_packet(buffers, {whole.begin(), whole.begin() + 19});
    little.writable_metadata().checksum_start = 0;
    little.writable_metadata().checksum_offset = 0;
    CHECK_FALSE(rewrite::finish_checksum(little));
    CHECK_FALSE(rewrite::finish_checksum(little, 18));
    CHECK_FALSE(rewrite::finish_checksum(little, 0xffff));
}

TEST_CASE("wrong checksum metadata is refused; without a pending checksum nothing changes") {
    static pool buffers;
    const byte_vector whole = pending_udp(pattern(10));
    struct row {
        const char* name;
        u16 start, offset;
        bool fine = false;
    };
    for (const row& r :
         {row{.name = "the last word", .start = 20, .offset = 16, .fine = true},
          row{.name = "beyond the end", .start = 20, .offset = 18},
          row{.name = "at the end", .start = 36, .offset = 2},
          row{.name = "far away", .start = 65'535, .offset = 65'534},
          row{.name = "at an odd place", .start = 20, .offset = 7},
          row{.name = "odd start", .start = 21, .offset = 6, .fine = true},
          row{.name = "the version", .start = 0, .offset = 0},
          row{.name = "the source address", .start = 12, .offset = 0},
          row{.name = "the destination address", .start = 0, .offset = 16},
          row{.name = "from the IPv4 header on", .start = 18, .offset = 8},
          row{.name = "first behind the IPv4 header", .start = 20, .offset = 0, .fine = true}}) {
        CAPTURE(r.name);
        auto p = pending_packet(buffers, whole);
        p.writable_metadata().checksum_start = r.start;
        p.writable_metadata().checksum_offset = r.offset;
        CHECK(rewrite::finish_checksum(p) == r.fine);
        CHECK((content_of(p) == whole) == !r.fine);
    }
    auto plain = packet_of(buffers, whole);
    CHECK(rewrite::finish_checksum(plain));
    CHECK_FALSE(plain.has_metadata());
    CHECK(content_of(plain) == whole);
}

}  // namespace rewrite_segment_checksum
