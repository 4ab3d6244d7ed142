// Cutting by segmentation facts, against segments built one by one.
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
    std::vector<octets> pieces;
    rewrite::segment_result result;
};

template <bool References = false, class Source>
cut cut_up(typename Source::packet_type&& whole, Source& source) {
    cut c;
    c.result = rewrite::segment<References>(std::move(whole), source, [&](auto&& piece) {
        CHECK(piece.interface() == 2);
        const auto& facts = std::as_const(piece).facts();
        CHECK(facts.segmentation == segmentation_kind::none);
        CHECK(facts.checksum == checksum_state::unknown);
        CHECK(facts.mark == 77);
        c.pieces.push_back(content_of(piece));
        return true;
    });
    return c;
}

}  // namespace

TEST_CASE("pieces are those that would have been built one by one") {
    struct row {
        const char* name;
        flow f;
        u16 flags;
        std::size_t payload;
        u16 each;
    };
    const octets timestamps = list({1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8});
    const row rows[] = {
        {"TCP, all even", {}, psh | ack, 2920, 1460},
        {"TCP, the last short, FIN", {}, fin | psh | ack, 3001, 1000},
        {"TCP, CWR and ECE", {.tcp_options = timestamps}, cwr | ece | ack, 5000, 1448},
        {"TCP, IPv4 options", {.options = list({1, 1, 1, 1})}, psh | ack, 4001, 999},
        {"TCP, one segment", {}, fin | psh | cwr, 100, 1460},
        {"TCP, no payload", {}, fin | ack, 0, 1460},
        {"TCP, 64 K", {}, psh, 65'000, 1460},
        {"TCP, the least segments", {}, psh, 35, 1},
        {"UDP", {.tcp = false}, 0, 5000, 1200},
        {"UDP, odd", {.tcp = false}, 0, 5001, 1201},
        {"UDP without checksum", {.tcp = false, .udp_sum = false}, 0, 3000, 1000},
        {"UDP, 128 of them", {.tcp = false}, 0, 1280, 10},
    };
    static big_source buffers;
    static pool blocks;
    for (const row& r : rows) {
        CAPTURE(r.name);
        const octets payload = pattern(r.payload);
        const auto expected = naive(r.f, r.flags, payload, r.each);
        const octets whole = r.f.datagram(r.f.identification, r.f.sequence, r.flags, payload);
        for (const bool pending : {true, false}) {
            if (pending && !r.f.udp_sum) continue;
            CAPTURE(pending);
            auto packet = packet_of(buffers, whole);
            set_facts(packet, r.f, r.each);
            packet.writable_facts().mark = 77;
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
            head.writable_facts() = std::as_const(packet).facts();
            for (const cut& c :
                 {cut_up(std::move(packet), buffers), cut_up(std::move(head), blocks)}) {
                CHECK(c.result.complete);
                CHECK(c.result.created == expected.size());
                REQUIRE(c.pieces.size() == expected.size());
                for (std::size_t i = 0; i < expected.size(); ++i) {
                    CAPTURE(i);
                    CHECK_MESSAGE(c.pieces[i] == expected[i], "octets differ");
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
        octets payload = pattern(200);
        store_be<u16>(payload.data() + 100, 0);
        const auto field = f.headers() - (tcp ? 4 : 2);
        const octets second = naive(f, ack, payload, 100)[1];
        store_be<u16>(payload.data() + 100, load_be<u16>(second.data() + field));
        auto packet = packet_of(buffers, f.datagram(f.identification, f.sequence, ack, payload));
        set_facts(packet, f, 100);
        packet.writable_facts().mark = 77;
        const cut c = cut_up(std::move(packet), buffers);
        REQUIRE(c.pieces == naive(f, ack, payload, 100));
        CHECK(load_be<u16>(c.pieces[1].data() + field) == (tcp ? 0 : 0xffff));
    }
}

TEST_CASE("pieces refer to the octets of the whole") {
    static fixed_pool<4096, 8, shared> buffers;
    const flow f;
    const octets payload = pattern(3500);
    auto packet = packet_of(buffers, f.datagram(f.identification, f.sequence, psh, payload));
    set_facts(packet, f, 1000);
    packet.writable_facts().mark = 77;
    const cut c = cut_up<true>(std::move(packet), buffers);
    CHECK(c.pieces == naive(f, psh, payload, 1000));
    CHECK(buffers.available() == 8);
}

TEST_CASE("facts that do not fit the bytes create nothing") {
    static big_source buffers;
    const octets tcp = flow{}.datagram(1, 1, ack, pattern(3000));
    const octets udp = flow{.tcp = false}.datagram(1, 1, 0, pattern(3000));
    const octets big = flow{}.datagram(1, 1, ack, pattern(pipeline::most_tcp_segments + 1));
    struct row {
        const char* name;
        octets datagram;
        bool is_tcp;
        u16 each;
        std::size_t at;  // this octet gets this value
        u8 value;
        std::size_t size;
    };
    const row rows[] = {
        {"segments of nothing", tcp, true, 0, 0, 0x45, 3040},
        {"too many segments", big, true, 1, 0, 0x45, 8233},
        {"too many datagrams", udp, false, 23, 0, 0x45, 3028},
        {"UDP segments of nothing", udp, false, 0, 0, 0x45, 3028},
        {"TCP facts on UDP", udp, true, 100, 0, 0x45, 3028},
        {"UDP facts on TCP", tcp, false, 1000, 0, 0x45, 3040},
        {"not IPv4", tcp, true, 1000, 0, 0x65, 3040},
        {"header of 16 octets", tcp, true, 1000, 0, 0x44, 3040},
        {"a fragment", tcp, true, 1000, 6, 0x20, 3040},
        {"TCP header of 16 octets", tcp, true, 1000, 32, 0x40, 3040},
        {"TCP header beyond the end", tcp, true, 1000, 32, 0xf0, 60},
        {"cut in the TCP header", tcp, true, 1000, 0, 0x45, 39},
        {"cut in the IPv4 header", tcp, true, 1000, 0, 0x45, 19},
        {"nothing", tcp, true, 1000, 0, 0x45, 0},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto packet = packet_of(buffers, r.datagram);
        packet.data()[r.at] = static_cast<std::byte>(r.value);
        packet.trim(static_cast<u32>(r.size));
        set_facts(packet, {.tcp = r.is_tcp}, r.each);
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
        set_facts(p, f, 1000);
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
    p.writable_facts().segmentation = segmentation_kind::tcp_ipv4;
    p.writable_facts().segment_size = 12;
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
