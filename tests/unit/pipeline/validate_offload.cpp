// validate, for packets with offload metadata: TCP longer than the total length field can express,
// and the place of a pending checksum. Linux iph_totlen, pskb_trim_rcsum.
#include <sluice/packet/external_storage.hpp>
#include <sluice/pipeline/validate.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <string>

namespace pipeline_validate_offload {
using namespace support;

namespace {

using big_source = heap_source<300'000, 4>;

// `size` bytes, of which the header says `total`.
big_source::packet_type sized(big_source& from, u32 size, u16 total, u16 fragment_word = 0) {
    byte_vector d = datagram_of({.protocol = ipv4::protocols::tcp,
                                 .flags_and_offset = fragment_word,
                                 .payload = pattern(20)});
    const ipv4::view ip{d.data()};
    ip.set(ipv4::total_length, total);
    ipv4::set_checksum(ip);
    d.resize(size);
    return packet_of(from, d);
}

}  // namespace

TEST_CASE("a total length of zero is the packet's own for TCP segments alone") {
    using enum segmentation_kind;
    static big_source buffers;
    const struct {
        const char* name;
        u32 size;
        u16 total = 0;
        segmentation_kind kind;
        drop_reason expected = drop_reason::none;
        u32 left = 0;
        u16 fragment_word = 0;
    } rows[] = {
        {.name = "BIG TCP", .size = 200'000, .kind = tcp_ipv4, .left = 200'000},
        {.name = "BIG TCP of one byte more", .size = 65'536, .kind = tcp_ipv4, .left = 65'536},
        {.name = "BIG TCP over IPv6 in a tunnel",
         .size = 200'000,
         .kind = tcp_ipv6,
         .left = 200'000},
        {.name = "small, and zero all the same", .size = 3'000, .kind = tcp_ipv4, .left = 3'000},
        {.name = "a header alone", .size = 20, .kind = tcp_ipv4, .left = 20},
        {.name = "zero for UDP segments",
         .size = 3'000,
         .kind = udp,
         .expected = drop_reason::length_below_header},
        {.name = "zero for a plain packet",
         .size = 3'000,
         .kind = none,
         .expected = drop_reason::length_below_header},
        {.name = "zero for a large plain packet",
         .size = 70'000,
         .kind = none,
         .expected = drop_reason::length_below_header},
        {.name = "zero for a fragment",
         .size = 3'000,
         .kind = tcp_ipv4,
         .expected = drop_reason::length_below_header,
         .fragment_word = 0x2000},
        {.name = "zero for a last fragment",
         .size = 3'000,
         .kind = tcp_ipv4,
         .expected = drop_reason::length_below_header,
         .fragment_word = 1},
        {.name = "more came than it says",
         .size = 70'000,
         .total = 3'000,
         .kind = tcp_ipv4,
         .left = 3'000},
        {.name = "more came than it can say",
         .size = 70'000,
         .total = 65'535,
         .kind = tcp_ipv4,
         .left = 65'535},
        {.name = "less came than it says",
         .size = 2'999,
         .total = 3'000,
         .kind = tcp_ipv4,
         .expected = drop_reason::length_beyond_packet},
        {.name = "one byte",
         .size = 3'000,
         .total = 1,
         .kind = tcp_ipv4,
         .expected = drop_reason::length_below_header},
    };
    for (const auto& r : rows) {
        CAPTURE(std::string{r.name});
        auto packet = sized(buffers, r.size, r.total, r.fragment_word);
        packet.metadata().segmentation = r.kind;
        packet.metadata().segment_size = 1'000;
        CHECK(pipeline::validator::check(packet) == r.expected);
        if (r.expected == drop_reason::none) {
            CHECK(packet.size() == r.left);
            CHECK(pipeline::revalidate(packet).has_value());
        }
    }
}

TEST_CASE("a pending checksum is behind the IPv4 header and within the total length") {
    static big_source buffers;
    const struct {
        const char* name;
        u16 start = 0, offset = 0;
        bool fine = false;
        checksum_state state = checksum_state::pending;
    } rows[] = {
        {.name = "of TCP", .start = 24, .offset = 16, .fine = true},
        {.name = "first behind the header", .start = 24, .fine = true},
        {.name = "the last word", .start = 24, .offset = 34, .fine = true},
        {.name = "half beyond the total length", .start = 24, .offset = 35},
        {.name = "in the padding", .start = 24, .offset = 36},
        {.name = "beyond the packet", .start = 24, .offset = 2'000},
        {.name = "far away", .start = 0xffff, .offset = 0xffff},
        {.name = "the version"},
        {.name = "the total length", .offset = 2},
        {.name = "the time to live", .start = 8},
        {.name = "the header's own checksum", .offset = 10},
        {.name = "the source address", .start = 12},
        {.name = "the destination address", .offset = 18},
        {.name = "an option", .start = 20},
        {.name = "the last byte of the options", .start = 23},
        {.name = "behind the header, summed from inside it", .start = 20, .offset = 20},
        {.name = "the version, and not pending", .fine = true, .state = checksum_state::unknown},
        {.name = "the version, and verified", .fine = true, .state = checksum_state::verified},
    };
    byte_vector d = datagram_of({.options = list({1, 1, 1, 1}), .payload = pattern(36)});
    d.resize(d.size() + 40);  // padded
    for (const auto& r : rows) {
        CAPTURE(std::string{r.name});
        auto packet = packet_of(buffers, d);
        packet.metadata().checksum = r.state;
        packet.metadata().checksum_start = r.start;
        packet.metadata().checksum_offset = r.offset;
        const auto expected = r.fine ? drop_reason::none : drop_reason::checksum_misplaced;
        CHECK(pipeline::validator::check(packet) == expected);
        CHECK(pipeline::validator::check<header_sum::unknown>(packet) == expected);
    }
}

}  // namespace pipeline_validate_offload
