// Which quoted TCP segments a connection recognizes. RFC 5927 section 4.1, Linux tcp_v4_err.
#include <doctest/doctest.h>

#include <sluice/pipeline/path_mtu.hpp>
#include <sluice/wire/literals.hpp>

#include "support/datagrams.hpp"

namespace pipeline_path_mtu {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;

byte_vector segment_of(u32 sequence) {
    byte_vector tcp(20);
    store_be<u32>(tcp.data() + 4, sequence);
    return support::datagram_of({.protocol = ipv4::protocols::tcp, .payload = tcp});
}

TEST_CASE("path MTU rules: a quoted segment, the sequence numbers from unacknowledged to next") {
    const struct {
        u32 sequence, unacknowledged, next;
        bool known;
    } rows[] = {
        {.sequence = 1000, .unacknowledged = 1000, .next = 5000, .known = true},
        {.sequence = 4999, .unacknowledged = 1000, .next = 5000, .known = true},
        {.sequence = 5000, .unacknowledged = 1000, .next = 5000, .known = true},
        {.sequence = 5001, .unacknowledged = 1000, .next = 5000, .known = false},
        {.sequence = 999, .unacknowledged = 1000, .next = 5000, .known = false},
        {.sequence = 0, .unacknowledged = 1000, .next = 5000, .known = false},
        {.sequence = 1000, .unacknowledged = 1000, .next = 1000, .known = true},
        {.sequence = 1001, .unacknowledged = 1000, .next = 1000, .known = false},
        {.sequence = 0xfffffff0, .unacknowledged = 0xfffffff0, .next = 16, .known = true},
        {.sequence = 3, .unacknowledged = 0xfffffff0, .next = 16, .known = true},
        {.sequence = 17, .unacknowledged = 0xfffffff0, .next = 16, .known = false},
        {.sequence = 0xffffffef, .unacknowledged = 0xfffffff0, .next = 16, .known = false},
    };
    for (const auto& r : rows) {
        CAPTURE(r.sequence);
        CAPTURE(r.unacknowledged);
        CHECK(pipeline::quotes_sent_segment(segment_of(r.sequence), {r.unacknowledged, r.next}) ==
              r.known);
    }
}

TEST_CASE(
    "path MTU rules: a quoted segment, too short a quote, another protocol, a later fragment") {
    const pipeline::sent_sequence all{.unacknowledged = 0, .next = 0xffffffff};
    const byte_vector whole = segment_of(7);
    CHECK(pipeline::quotes_sent_segment(const_bytes{whole}.first(28), all));
    for (const std::size_t size : {0u, 1u, 19u, 20u, 27u}) {
        CAPTURE(size);
        CHECK_FALSE(pipeline::quotes_sent_segment(const_bytes{whole}.first(size), all));
    }
    byte_vector other = whole;
    ipv4::view{other.data()}.set(ipv4::protocol, ipv4::protocols::udp);
    CHECK_FALSE(pipeline::quotes_sent_segment(other, all));
    other = whole;
    ipv4::view{other.data()}.set(ipv4::fragment_offset, 1);
    CHECK_FALSE(pipeline::quotes_sent_segment(other, all));
    other = whole;
    ipv4::view{other.data()}.set(ipv4::ihl, 4);
    CHECK_FALSE(pipeline::quotes_sent_segment(other, all));
}

TEST_CASE("path MTU rules: a quoted segment, behind options of the quoted header") {
    byte_vector tcp(8);
    store_be<u32>(tcp.data() + 4, 77);
    const byte_vector quoted = support::datagram_of({.protocol = ipv4::protocols::tcp,
                                                     .options = byte_vector(8, std::byte{1}),
                                                     .payload = tcp});
    CHECK(pipeline::quotes_sent_segment(quoted, {77, 77}));
    CHECK_FALSE(pipeline::quotes_sent_segment(quoted, {78, 79}));
}

}  // namespace

}  // namespace pipeline_path_mtu
