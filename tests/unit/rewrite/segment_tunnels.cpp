// Segmentation of packets in tunnels, against tunnel packets built one by one; and packets that
// cannot be segmented.
#include <sluice/packet/external_storage.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/rewrite/segment.hpp>

#include "support/tunnels.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace rewrite_segment_tunnels {
using namespace support;
using namespace support::tcp_flags;

namespace {

using big_source = heap_source<70'000, 128>;
constexpr u16 outer_id = 0xffff;  // counts over

template <bool References = false, class Source>
std::vector<byte_vector> pieces_of(typename Source::packet_type&& whole, Source& source) {
    std::vector<byte_vector> made;
    const auto r = rewrite::segment<References>(std::move(whole), source, [&](auto&& piece) {
        CHECK(std::as_const(piece).metadata().checksum == checksum_state::unknown);
        made.push_back(content_of(piece));
        return true;
    });
    CHECK(r.complete == !made.empty());
    return made;
}

void check_tunnels(int type, segmentation_kind kind, const flow& f, std::size_t inner_header) {
    static big_source buffers;
    static fixed_pool<2048, 256, shared> blocks;
    const bool six = type == 0x86dd;
    const byte_vector payload = pattern(3001);
    constexpr u16 each = 1000;
    const u16 flags = f.tcp ? u16(fin | psh | cwr | ack) : u16{0};
    const auto inside = [&](const byte_vector& datagram) {
        return six ? over_ipv6(datagram) : datagram;
    };
    const auto tunnels = tunnels_of(type);
    REQUIRE(tunnels.size() == 14);
    for (const auto& [name, t] : tunnels) {
        CAPTURE(std::string{name});
        std::vector<byte_vector> expected;
        for (const byte_vector& datagram : naive(f, flags, payload, each)) {
            expected.push_back(
                t.wrap(inside(datagram), static_cast<u16>(outer_id + expected.size())));
        }
        const byte_vector whole =
            t.wrap(inside(f.datagram(f.identification, f.sequence, flags, payload)), outer_id);
        auto packet = packet_of(buffers, whole);
        leave_to_device(packet, t, kind, inner_header, each);
        REQUIRE(expected.size() == 4);
        CHECK(pipeline::segmented_length(packet) == expected[0].size());
        CHECK(pipeline::segment_count(packet) == 4);
        CHECK_FALSE(pipeline::is_plain_to_device(packet));
        // The same in blocks, cut at odd places, for pieces that refer to them.
        const byte_vector left = content_of(packet);
        auto list = packet_of(blocks, {left.begin(), left.begin() + 33});
        for (std::size_t at = 33; at < left.size(); at += 777) {
            const std::size_t end = std::min(left.size(), at + 777);
            list.append(packet_of(blocks, {packet.data() + at, packet.data() + end}));
        }
        list.writable_metadata() = std::as_const(packet).metadata();
        CHECK(pieces_of(std::move(packet), buffers) == expected);
        CHECK(pieces_of<true>(std::move(list), blocks) == expected);
        CHECK(buffers.available() == 128);
        CHECK(blocks.available() == 256);
    }
}

}  // namespace

TEST_CASE("TCP in tunnels is cut into the packets that the tunnel would have sent") {
    check_tunnels(0x0800, segmentation_kind::tcp_ipv4, {}, 20);
    check_tunnels(0x0800, segmentation_kind::tcp_ipv4,
                  {.options = list({1, 1, 1, 1}), .tcp_options = list({1, 1, 1, 1})}, 24);
}

TEST_CASE("TCP over IPv6 in tunnels of IPv4") {
    check_tunnels(0x86dd, segmentation_kind::tcp_ipv6, {.identification = 0}, 40);
}

TEST_CASE("UDP segments in tunnels") {
    check_tunnels(0x0800, segmentation_kind::udp, {.tcp = false}, 20);
}

TEST_CASE("a pending checksum inside is finished, and those of the tunnel stay right") {
    static big_source buffers;
    const auto tunnels = tunnels_of(0x0800);
    REQUIRE(tunnels.size() == 14);
    for (const auto& [name, t] : tunnels) {
        CAPTURE(std::string{name});
        const byte_vector right = t.wrap(flow{}.datagram(1, 2, ack, pattern(777)), 3);
        auto packet = packet_of(buffers, right);
        leave_to_device(packet, t, segmentation_kind::none, 20, 0);
        CHECK(content_of(packet) != right);
        CHECK(rewrite::finish_checksum(packet));
        CHECK(content_of(packet) == right);
    }
}

TEST_CASE("an unknown tunnel is not segmented") {
    using namespace tunnel_parts;
    static big_source buffers;
    constexpr u8 gre = ipv4::protocols::gre;
    constexpr u8 udp = ipv4::protocols::udp;
    const byte_vector inner = flow{}.datagram(7, 8, ack, pattern(3000));
    const tunnel ipip{};
    const tunnel vxlan_of_ip{.protocol = udp, .own = joined({vxlan(), mac_header(0x0800)})};
    struct row {
        const char* name;
        tunnel t;
        std::function<void(byte_vector&)> change = [](byte_vector&) {};  // of all bytes
        int start = 0;                                                   // added to the right one
        segmentation_kind kind = segmentation_kind::tcp_ipv4;
    };
    const auto set = [](std::size_t at, int value) {
        return [=](byte_vector& o) { o[at] = static_cast<std::byte>(value); };
    };
    const row rows[] = {
        {.name = "GRE with sequence numbers",
         .t = {.protocol = gre, .own = list({0x10, 0, 8, 0, 0, 0, 0, 1})}},
        {.name = "GRE with a route",
         .t = {.protocol = gre, .own = list({0x40, 0, 8, 0, 0, 0, 0, 0})}},
        {.name = "GRE of version 1",
         .t = {.protocol = gre, .own = list({0x20, 1, 8, 0, 0, 0, 0, 1})}},
        {.name = "GRE that says IPv6", .t = {.protocol = gre, .own = list({0, 0, 0x86, 0xdd})}},
        {.name = "GRE that ends elsewhere",
         .t = {.protocol = gre, .own = list({0, 0, 8, 0, 0, 0, 0, 1})}},
        {.name = "GRE cut", .t = {.protocol = gre, .own = list({0, 0})}},
        {.name = "GRE cut in its key", .t = {.protocol = gre, .own = list({0x20, 0, 0x65, 0x58})}},
        {.name = "UDP cut", .t = {.protocol = udp, .own = list({0, 0, 0, 0})}},
        {.name = "a tunnel in a tunnel", .t = {.own = ipip.wrap({}, 1)}},
        {.name = "IPv4 that the outer header calls IPv6", .t = {.protocol = ipv4::protocols::ipv6}},
        {.name = "another protocol outside", .t = {.protocol = ipv4::protocols::esp}},
        {.name = "TCP outside, and more inside", .t = {.protocol = 6, .own = pattern(20)}},
        {.name = "a fragment outside", .t = {.fragment_word = 0x2000}},
        {.name = "inner version", .t = ipip, .change = set(20, 0x65)},
        {.name = "inner header length", .t = ipip, .change = set(20, 0x46)},
        {.name = "inner total length", .t = ipip, .change = set(23, 0)},
        {.name = "inner protocol", .t = ipip, .change = set(29, 17)},
        {.name = "inner fragment", .t = ipip, .change = set(26, 0x20)},
        {.name = "inner checksum", .t = ipip, .change = set(30, 0)},
        {.name = "inner data offset", .t = vxlan_of_ip, .change = set(50 + 20 + 12, 0x40)},
        {.name = "start after the TCP header", .t = vxlan_of_ip, .start = 20},
        {.name = "start before it", .t = vxlan_of_ip, .start = -2},
        {.name = "start at the inner header", .t = vxlan_of_ip, .start = -20},
        {.name = "start in the tunnel's header", .t = vxlan_of_ip, .start = -30},
        {.name = "UDP metadata", .t = vxlan_of_ip, .kind = segmentation_kind::udp},
        {.name = "IPv6 metadata", .t = vxlan_of_ip, .kind = segmentation_kind::tcp_ipv6},
        {.name = "headers too long", .t = {.protocol = udp, .own = byte_vector(460)}},
    };
    for (const row& r : rows) {
        CAPTURE(std::string{r.name});
        byte_vector whole = r.t.wrap(inner, 1);
        r.change(whole);
        auto packet = packet_of(buffers, whole);
        leave_to_device(packet, r.t, r.kind, 20, 1000);
        metadata& m = packet.metadata();
        m.checksum_start = static_cast<u16>(m.checksum_start + r.start);
        const u32 size = packet.size();
        CHECK(pipeline::segmented_length(packet) == size);
        CHECK(pipeline::segment_count(packet) == 1);
        CHECK(pieces_of(std::move(packet), buffers).empty());
        CHECK(buffers.available() == 128);
    }
}

TEST_CASE("random headers in front of a transport header do no harm") {
    static big_source buffers;
    u64 state = 1;
    const auto random = [&state](u32 below) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<u32>((state >> 33) % below);
    };
    u32 cut = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto tunnels = tunnels_of(0x0800);
        const tunnel& t = tunnels[random(static_cast<u32>(tunnels.size()))].t;
        byte_vector whole = t.wrap(flow{}.datagram(7, 8, ack, pattern(random(600))), 1);
        for (u32 n = random(3); n > 0; --n) {
            whole[random(whole.size() < 90 ? static_cast<u32>(whole.size()) : 90)] =
                static_cast<std::byte>(random(256));
        }
        auto packet = packet_of(buffers, whole);
        leave_to_device(packet, t, segmentation_kind::tcp_ipv4, 20, 0);
        metadata& m = packet.metadata();
        m.segmentation = static_cast<segmentation_kind>(random(4));
        m.segment_size = static_cast<u16>(random(300));
        m.checksum_start = static_cast<u16>(m.checksum_start + random(3) * 4 - 4);
        packet.trim(random(2) == 0 ? packet.size() : 20 + random(700));
        const u32 count = pipeline::segment_count(packet);
        const auto r = rewrite::segment(std::move(packet), buffers, [](auto&&) { return true; });
        CHECK((r.created == 0 || r.created == count));
        cut += r.complete ? 1 : 0;
    }
    CHECK(cut > 500);
    CHECK(buffers.available() == 128);
}

}  // namespace rewrite_segment_tunnels
