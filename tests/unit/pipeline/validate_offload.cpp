// validate, of packets that devices were to finish: TCP longer than a total length can say, and
// where a pending checksum may be. Linux iph_totlen, pskb_trim_rcsum.
#include <sluice/packet/external_storage.hpp>
#include <sluice/pipeline/validate.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <string>

namespace pipeline_validate_offload {
using namespace support;

namespace {

using big_source = heap_source<300'000, 4>;

// `size` octets, of which the header says `total`.
big_source::packet_type sized(big_source& from, u32 size, u16 total, u16 fragment_word = 0) {
    octets d = datagram_of({.protocol = ipv4::protocols::tcp,
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
        u16 total;
        segmentation_kind kind;
        drop_reason expected;
        u32 left;
        u16 fragment_word = 0;
    } rows[] = {
        {"BIG TCP", 200'000, 0, tcp_ipv4, drop_reason::none, 200'000},
        {"BIG TCP of one octet more", 65'536, 0, tcp_ipv4, drop_reason::none, 65'536},
        {"BIG TCP over IPv6 in a tunnel", 200'000, 0, tcp_ipv6, drop_reason::none, 200'000},
        {"small, and zero all the same", 3'000, 0, tcp_ipv4, drop_reason::none, 3'000},
        {"a header alone", 20, 0, tcp_ipv4, drop_reason::none, 20},
        {"zero for UDP segments", 3'000, 0, udp, drop_reason::length_below_header, 0},
        {"zero for a plain packet", 3'000, 0, none, drop_reason::length_below_header, 0},
        {"zero for a large plain packet", 70'000, 0, none, drop_reason::length_below_header, 0},
        {"zero for a fragment", 3'000, 0, tcp_ipv4, drop_reason::length_below_header, 0, 0x2000},
        {"zero for a last fragment", 3'000, 0, tcp_ipv4, drop_reason::length_below_header, 0, 1},
        {"more came than it says", 70'000, 3'000, tcp_ipv4, drop_reason::none, 3'000},
        {"more came than it can say", 70'000, 65'535, tcp_ipv4, drop_reason::none, 65'535},
        {"less came than it says", 2'999, 3'000, tcp_ipv4, drop_reason::length_beyond_packet, 0},
        {"one octet", 3'000, 1, tcp_ipv4, drop_reason::length_below_header, 0},
    };
    for (const auto& r : rows) {
        CAPTURE(std::string{r.name});
        auto packet = sized(buffers, r.size, r.total, r.fragment_word);
        packet.facts().segmentation = r.kind;
        packet.facts().segment_size = 1'000;
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
        u16 start, offset;
        bool fine;
        checksum_state state = checksum_state::pending;
    } rows[] = {
        {"of TCP", 24, 16, true},
        {"first behind the header", 24, 0, true},
        {"the last word", 24, 34, true},
        {"half beyond the total length", 24, 35, false},
        {"in the padding", 24, 36, false},
        {"beyond the packet", 24, 2'000, false},
        {"far away", 0xffff, 0xffff, false},
        {"the version", 0, 0, false},
        {"the total length", 0, 2, false},
        {"the time to live", 8, 0, false},
        {"the header's own checksum", 0, 10, false},
        {"the source address", 12, 0, false},
        {"the destination address", 0, 18, false},
        {"an option", 20, 0, false},
        {"the last octet of the options", 23, 0, false},
        {"behind the header, summed from inside it", 20, 20, false},
        {"the version, and not pending", 0, 0, true, checksum_state::unknown},
        {"the version, and verified", 0, 0, true, checksum_state::verified},
    };
    octets d = datagram_of({.options = list({1, 1, 1, 1}), .payload = pattern(36)});
    d.resize(d.size() + 40);  // padded
    for (const auto& r : rows) {
        CAPTURE(std::string{r.name});
        auto packet = packet_of(buffers, d);
        packet.facts().checksum = r.state;
        packet.facts().checksum_start = r.start;
        packet.facts().checksum_offset = r.offset;
        const auto expected = r.fine ? drop_reason::none : drop_reason::checksum_misplaced;
        CHECK(pipeline::validator::check(packet) == expected);
        CHECK(pipeline::validator::check<header_sum::unknown>(packet) == expected);
    }
}

}  // namespace pipeline_validate_offload
