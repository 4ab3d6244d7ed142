// Segmentation by metadata, against segments built one by one.
#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/rewrite/segment.hpp>

#include "support/segments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace rewrite_segment {
using namespace support;
using namespace support::tcp_flags;

namespace {

using big_source = heap_source<70'000, 64>;
using pool = fixed_pool<2048, 512, shared>;

struct cut {
    std::vector<byte_vector> pieces;
    rewrite::segment_result result;
};

template <bool References = false, class Source>
cut cut_up(typename Source::packet_type&& whole, Source& source) {
    cut c;
    c.result = rewrite::segment<References>(std::move(whole), source, [&](auto&& piece) {
        CHECK(piece.interface() == 2);
        const auto& piece_metadata = std::as_const(piece).metadata();
        CHECK(piece_metadata.segmentation == segmentation_kind::none);
        CHECK(piece_metadata.checksum == checksum_state::unknown);
        CHECK(piece_metadata.mark == 77);
        c.pieces.push_back(content_of(piece));
        return true;
    });
    return c;
}

}  // namespace

TEST_CASE("segments equal packets built one by one") {
    struct row {
        const char* name;
        flow f = {};
        u16 flags = 0;
        std::size_t payload;
        u16 each;
    };
    const byte_vector timestamps = list({1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8});
    const row rows[] = {
        {.name = "TCP, all even", .flags = psh | ack, .payload = 2920, .each = 1460},
        {.name = "TCP, the last short, FIN",
         .flags = fin | psh | ack,
         .payload = 3001,
         .each = 1000},
        {.name = "TCP, CWR and ECE",
         .f = {.tcp_options = timestamps},
         .flags = cwr | ece | ack,
         .payload = 5000,
         .each = 1448},
        {.name = "TCP, IPv4 options",
         .f = {.options = list({1, 1, 1, 1})},
         .flags = psh | ack,
         .payload = 4001,
         .each = 999},
        {.name = "TCP, one segment", .flags = fin | psh | cwr, .payload = 100, .each = 1460},
        {.name = "TCP, no payload", .flags = fin | ack, .payload = 0, .each = 1460},
        {.name = "TCP, 64 K", .flags = psh, .payload = 65'000, .each = 1460},
        {.name = "TCP, the least segments", .flags = psh, .payload = 35, .each = 1},
        {.name = "UDP", .f = {.tcp = false}, .payload = 5000, .each = 1200},
        {.name = "UDP, odd", .f = {.tcp = false}, .payload = 5001, .each = 1201},
        {.name = "UDP without checksum",
         .f = {.tcp = false, .udp_sum = false},
         .payload = 3000,
         .each = 1000},
        {.name = "UDP, 128 of them", .f = {.tcp = false}, .payload = 1280, .each = 10},
    };
    static big_source buffers;
    static pool blocks;
    for (const row& r : rows) {
        CAPTURE(r.name);
        const byte_vector payload = pattern(r.payload);
        const auto expected = naive(r.f, r.flags, payload, r.each);
        const byte_vector whole = r.f.datagram(r.f.identification, r.f.sequence, r.flags, payload);
        for (const bool pending : {true, false}) {
            if (pending && !r.f.udp_sum) continue;
            CAPTURE(pending);
            auto packet = packet_of(buffers, whole);
            set_metadata(packet, r.f, r.each);
            packet.writable_metadata().mark = 77;
            if (pending) make_pending(packet);
            const u32 longest = static_cast<u32>(r.f.headers()) +
                                std::min(static_cast<u32>(r.payload), u32{r.each});
            CHECK(pipeline::segmented_length(packet) == longest);
            CHECK(buffers.available() == 63);
            // Into blocks of the pool, from a list of blocks of the pool.
            auto head = packet_of(blocks, {whole.begin(), whole.begin() + 1});
            std::size_t used = 1;
            for (std::size_t n = 3; used < whole.size(); n = std::min<std::size_t>(n * 5, 1801)) {
                const std::size_t end = std::min(whole.size(), used + n);
                head.append(packet_of(blocks, {packet.data() + used, packet.data() + end}));
                used = end;
            }
            head.writable_metadata() = std::as_const(packet).metadata();
            for (const cut& c :
                 {cut_up(std::move(packet), buffers), cut_up(std::move(head), blocks)}) {
                CHECK(c.result.complete);
                CHECK(c.result.created == expected.size());
                REQUIRE(c.pieces.size() == expected.size());
                for (std::size_t i = 0; i < expected.size(); ++i) {
                    CAPTURE(i);
                    CHECK_MESSAGE(c.pieces[i] == expected[i], "bytes differ");
                }
            }
            CHECK(buffers.available() == 64);
            CHECK(blocks.available() == 512);
        }
    }
}

TEST_CASE("a UDP checksum of zero is sent as all ones, a TCP checksum as it is") {
    static big_source buffers;
    for (const bool tcp : {true, false}) {
        const flow f{.tcp = tcp};
        byte_vector payload = pattern(200);
        store_be<u16>(payload.data() + 100, 0);
        const auto field = f.headers() - (tcp ? 4 : 2);
        const byte_vector second = naive(f, ack, payload, 100)[1];
        store_be<u16>(payload.data() + 100, load_be<u16>(second.data() + field));
        auto packet = packet_of(buffers, f.datagram(f.identification, f.sequence, ack, payload));
        set_metadata(packet, f, 100);
        packet.writable_metadata().mark = 77;
        const cut c = cut_up(std::move(packet), buffers);
        REQUIRE(c.pieces == naive(f, ack, payload, 100));
        CHECK(load_be<u16>(c.pieces[1].data() + field) == (tcp ? 0 : 0xffff));
    }
}

TEST_CASE("pieces refer to the bytes of the whole") {
    static fixed_pool<4096, 8, shared> buffers;
    const flow f;
    const byte_vector payload = pattern(3500);
    auto packet = packet_of(buffers, f.datagram(f.identification, f.sequence, psh, payload));
    set_metadata(packet, f, 1000);
    packet.writable_metadata().mark = 77;
    const cut c = cut_up<true>(std::move(packet), buffers);
    CHECK(c.pieces == naive(f, psh, payload, 1000));
    CHECK(buffers.available() == 8);
}

TEST_CASE("wrong segmentation metadata creates no segment") {
    static big_source buffers;
    static const byte_vector tcp = flow{}.datagram(1, 1, ack, pattern(3000));
    const byte_vector udp = flow{.tcp = false}.datagram(1, 1, 0, pattern(3000));
    const byte_vector big = flow{}.datagram(1, 1, ack, pattern(pipeline::most_tcp_segments + 1));
    struct row {
        const char* name;
        byte_vector datagram = tcp;
        bool is_tcp;
        u16 each = 1000;
        std::size_t at = 0;  // this byte gets this value
        u8 value = 0x45;
        std::size_t size = 3040;
    };
    const row rows[] = {
        {.name = "segments of nothing", .is_tcp = true, .each = 0},
        {.name = "too many segments", .datagram = big, .is_tcp = true, .each = 1, .size = 8233},
        {.name = "too many datagrams", .datagram = udp, .is_tcp = false, .each = 23, .size = 3028},
        {.name = "UDP segments of nothing",
         .datagram = udp,
         .is_tcp = false,
         .each = 0,
         .size = 3028},
        {.name = "TCP metadata on UDP", .datagram = udp, .is_tcp = true, .each = 100, .size = 3028},
        {.name = "UDP metadata on TCP", .is_tcp = false},
        {.name = "not IPv4", .is_tcp = true, .value = 0x65},
        {.name = "header of 16 bytes", .is_tcp = true, .value = 0x44},
        {.name = "a fragment", .is_tcp = true, .at = 6, .value = 0x20},
        {.name = "TCP header of 16 bytes", .is_tcp = true, .at = 32, .value = 0x40},
        {.name = "TCP header beyond the end", .is_tcp = true, .at = 32, .value = 0xf0, .size = 60},
        {.name = "cut in the TCP header", .is_tcp = true, .size = 39},
        {.name = "cut in the IPv4 header", .is_tcp = true, .size = 19},
        {.name = "nothing", .is_tcp = true, .size = 0},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto packet = packet_of(buffers, r.datagram);
        packet.data()[r.at] = static_cast<std::byte>(r.value);
        packet.trim(static_cast<u32>(r.size));
        set_metadata(packet, {.tcp = r.is_tcp}, r.each);
        CHECK(pipeline::segmented_length(packet) == r.size);
        const cut c = cut_up(std::move(packet), buffers);
        CHECK(c.result.created == 0);
        CHECK_FALSE(c.result.complete);
        CHECK(buffers.available() == 64);
    }
}

TEST_CASE("cutting ends where the sink or the source ends") {
    static fixed_pool<8192, 3> few;
    const flow f;
    const auto whole = [&] {
        auto p = packet_of(few, f.datagram(1, 1, ack, pattern(5000)));
        set_metadata(p, f, 1000);
        return p;
    };
    u32 seen = 0;
    const auto stopped = rewrite::segment(whole(), few, [&](auto&&) { return ++seen < 3; });
    CHECK(stopped.created == 2);
    CHECK_FALSE(stopped.complete);
    std::vector<decltype(whole())> kept;
    const auto starved = rewrite::segment(whole(), few, [&](auto&& piece) {
        kept.push_back(std::move(piece));
        return true;
    });
    CHECK(starved.created == 2);
    CHECK_FALSE(starved.complete);
    kept.clear();
    CHECK(few.available() == 3);
}

namespace {

// One TCP packet of two segments, in constant evaluation.
consteval bool cuts_in_constant_evaluation() {
    struct source {
        using packet_type = inline_packet<256>;
        constexpr packet_type take(u16 headroom) { return make_inline_packet<256>(headroom); }
    };
    auto p = make_inline_packet<256>();
    fill_bytes(p.put(60), 60, std::byte{});
    const ipv4::view ip{p.data()};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, 5);
    ip.set(ipv4::protocol, 6);
    tcp::view{p.data() + 20}.set(tcp::data_offset, 5);
    p.writable_metadata().segmentation = segmentation_kind::tcp_ipv4;
    p.writable_metadata().segment_size = 12;
    source from;
    u32 total = 0;
    const auto r = rewrite::segment(std::move(p), from, [&](auto&& piece) {
        total += piece.size();
        return ipv4::checksum_ok(ipv4::const_view{piece.data()});
    });
    return r.complete && r.created == 2 && total == 100;
}
static_assert(cuts_in_constant_evaluation());

}  // namespace

}  // namespace rewrite_segment
