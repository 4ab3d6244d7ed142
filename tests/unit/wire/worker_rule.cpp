// Which worker gets a packet: the fields that count, both directions, fragments, the balance.
#include <sluice/testing/datagrams.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/worker_rule.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace wire_worker_rule {
using namespace sluice;
using testing::byte_vector;
using testing::datagram_of;

namespace {

constexpr hash_key secret{0x1122334455667788, 0x99aabbccddeeff00};
constexpr u16 mf = ipv4::words::more_fragments;

struct flow {
    u32 source = 0x0a000102;
    u32 destination = 0x0a000209;
    u8 protocol = ipv4::protocols::udp;
    u16 source_port = 4000;
    u16 destination_port = 53;

    flow back() const { return {destination, source, protocol, destination_port, source_port}; }
};

byte_vector packet_of(const flow& f, u16 flags_and_offset = 0, u8 options = 0) {
    byte_vector ports(12);
    store_be<u16>(ports.data(), f.source_port);
    store_be<u16>(ports.data() + 2, f.destination_port);
    return datagram_of({.source = ipv4::address{f.source},
                        .destination = ipv4::address{f.destination},
                        .protocol = f.protocol,
                        .flags_and_offset = flags_and_offset,
                        .options = byte_vector(options, std::byte{1}),
                        .payload = ports});
}

flow random_flow(std::mt19937& random) {
    constexpr u8 protocols[] = {1, 6, 17, 33, 47, 50, 132, 136, 253};
    return {static_cast<u32>(random()), static_cast<u32>(random()), protocols[random() % 9],
            static_cast<u16>(random()), static_cast<u16>(random())};
}

// The rule as wire/worker_rule.hpp states it, with the fields in a list and a sum in 64 bits.
u16 naive(const worker_rule& rule, const flow& f, bool is_whole) {
    constexpr u8 with_ports[] = {6, 17, 33, 132, 136};
    const u32 low = std::min(f.source, f.destination);
    const u32 high = std::max(f.source, f.destination);
    std::vector<u64> fields = {low >> 16, low & 0xffff, high >> 16, high & 0xffff, f.protocol};
    if (is_whole && std::find(std::begin(with_ports), std::end(with_ports), f.protocol) !=
                        std::end(with_ports)) {
        fields.push_back(std::min(f.source_port, f.destination_port));
        fields.push_back(std::max(f.source_port, f.destination_port));
    }
    u64 sum = rule.key(0);
    for (unsigned i = 0; i < fields.size(); ++i) {
        sum = (sum + fields[i] * rule.key(i + 1)) % (u64{1} << 32);
    }
    return static_cast<u16>(sum / 65536 * rule.workers() / 65536);
}

}  // namespace

TEST_CASE("as the naive rule, for whole datagrams and fragments, with options") {
    std::mt19937 random{1};
    for (int i = 0; i < 20'000; ++i) {
        const worker_rule rule{{random(), random()}, static_cast<u16>(1 + random() % 64)};
        const flow f = random_flow(random);
        const u8 options = static_cast<u8>(4 * (random() % 11));
        REQUIRE(rule.worker_of(packet_of(f, 0, options)) == naive(rule, f, true));
        for (const u16 word : {mf, u16{mf | 1}, u16{185}}) {
            REQUIRE(rule.worker_of(packet_of(f, word, options)) == naive(rule, f, false));
        }
        REQUIRE(rule.worker_of(packet_of(f, ipv4::words::dont_fragment)) == naive(rule, f, true));
    }
}

TEST_CASE("both directions are of one worker") {
    std::mt19937 random{2};
    const worker_rule rule{secret, 16};
    for (int i = 0; i < 5000; ++i) {
        const flow f = random_flow(random);
        CHECK(rule.worker_of(packet_of(f)) == rule.worker_of(packet_of(f.back())));
        CHECK(rule.worker_of(packet_of(f, mf)) == rule.worker_of(packet_of(f.back(), 7)));
    }
}

TEST_CASE("each field counts, ports only in whole datagrams") {
    const flow one{};
    const struct {
        const char* name;
        flow other;
        bool in_fragments;
    } rows[] = {
        {.name = "source", .other = {.source = 0x0a000103}, .in_fragments = true},
        {.name = "network of the source", .other = {.source = 0x0b000102}, .in_fragments = true},
        {.name = "destination", .other = {.destination = 0x0a000208}, .in_fragments = true},
        {.name = "network of the destination",
         .other = {.destination = 0x0b000209},
         .in_fragments = true},
        {.name = "protocol", .other = {.protocol = ipv4::protocols::tcp}, .in_fragments = true},
        {.name = "source port", .other = {.source_port = 4001}, .in_fragments = false},
        {.name = "destination port", .other = {.destination_port = 54}, .in_fragments = false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        int whole = 0;
        int fragments = 0;
        for (u64 seed = 0; seed < 200; ++seed) {
            const worker_rule rule{{seed, ~seed}, 64};
            whole += rule.worker_of(packet_of(one)) != rule.worker_of(packet_of(row.other)) ? 1 : 0;
            fragments +=
                rule.worker_of(packet_of(one, mf)) != rule.worker_of(packet_of(row.other, mf)) ? 1
                                                                                               : 0;
        }
        CHECK(whole > 180);
        CHECK((fragments > 180) == row.in_fragments);
        CHECK((fragments == 0) == !row.in_fragments);
    }
}

TEST_CASE("hostile bytes: a worker that exists, and no byte beyond the packet") {
    std::mt19937 random{3};
    for (int i = 0; i < 20'000; ++i) {
        const worker_rule rule{secret, static_cast<u16>(1 + random() % 5)};
        byte_vector bytes(random() % 70);
        for (std::byte& b : bytes) {
            b = static_cast<std::byte>(random());
        }
        if (!bytes.empty() && random() % 4 != 0) {
            bytes[0] = static_cast<std::byte>(0x45 + random() % 3);
        }
        CHECK(rule.worker_of(bytes) < rule.workers());
    }
    const worker_rule rule{{7, 7}, 64};
    const byte_vector whole = packet_of({});
    CHECK(rule.worker_of(whole) != 0);
    CHECK(rule.worker_of(const_bytes{whole}.first(24)) == rule.worker_of(whole));
    CHECK(rule.worker_of(const_bytes{whole}.first(23)) == 0);
    CHECK(rule.worker_of(const_bytes{whole}.first(19)) == 0);
    byte_vector of_version_6 = whole;
    of_version_6[0] = std::byte{0x65};
    CHECK(rule.worker_of(of_version_6) == 0);
    byte_vector short_header = whole;
    short_header[0] = std::byte{0x44};
    CHECK(rule.worker_of(short_header) == 0);
    // The total length says whether there are ports, whatever follows in the frame.
    byte_vector padded = whole;
    ipv4::view{padded.data()}.set(ipv4::total_length, 23);
    CHECK(rule.worker_of(padded) == naive(rule, {}, false));
    ipv4::view{padded.data()}.set(ipv4::total_length, 24);
    CHECK(rule.worker_of(padded) == naive(rule, {}, true));
    ipv4::view{padded.data()}.set(ipv4::total_length, 0);
    CHECK(rule.worker_of(padded) == naive(rule, {}, true));
    CHECK(worker_rule{secret, 0}.workers() == 1);
}

// Flows that differ in one field by one, or by 2^k: the load of no worker is far from its share, on
// average over secrets. The bound is three times the variance of independent choices.
TEST_CASE("chosen flows do not meet at one worker, without the secret") {
    constexpr u16 workers = 4;
    constexpr int flows = 256;
    constexpr int secrets = 200;
    const auto spread = [](auto&& nth) {
        double squares = 0;
        std::mt19937 random{4};
        for (int s = 0; s < secrets; ++s) {
            const worker_rule rule{{random(), random()}, workers};
            int load[workers] = {};
            for (int i = 0; i < flows; ++i) {
                ++load[rule.worker_of(packet_of(nth(static_cast<u32>(i))))];
            }
            for (const int l : load) {
                squares += (l - flows / workers) * (l - flows / workers);
            }
        }
        return squares / secrets / workers;
    };
    constexpr double variance = flows * 0.25 * 0.75;
    for (unsigned shift = 0; shift < 24; ++shift) {
        CAPTURE(shift);
        CHECK(spread([&](u32 i) { return flow{.source = i << shift}; }) < 3 * variance);
    }
    for (unsigned shift = 0; shift < 8; ++shift) {
        CAPTURE(shift);
        CHECK(spread([&](u32 i) { return flow{.source_port = static_cast<u16>(i << shift)}; }) <
              3 * variance);
    }
    CHECK(spread([](u32 i) { return flow{.source = 0x0a000000 + i, .destination = ~i}; }) <
          3 * variance);
}

// Also in constant evaluation.
static_assert(worker_rule{secret, 64}.worker_of(
                  "4500001c 00000000 40110000 0a000102 0a000209 0fa00035 00080000"_hex) ==
              worker_rule{secret, 64}.worker_of(
                  "4500001c 00000000 40110000 0a000209 0a000102 00350fa0 00080000"_hex));

}  // namespace wire_worker_rule
