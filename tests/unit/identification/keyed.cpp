// keyed_identification: no value comes twice, which flows share an order, packets with segments,
// and the memory that a program gives.
#include <doctest/doctest.h>

#include <sluice/identification/counter_identification.hpp>
#include <sluice/identification/keyed_identification.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>
#include <vector>

namespace identification_keyed {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr ipv4::address us = "10.0.1.1"_ip;
constexpr ipv4::address them = "10.0.2.2"_ip;
constexpr hash_key secret{0x1111, 0x2222};

static_assert(sizeof(basic_keyed_identification<256>) <= 256);
static_assert(sizeof(basic_keyed_identification<64>) <= 64);
static_assert(sizeof(flow_identification) > 65536 - 36);

// Notes every value, and whether one came twice.
struct used_values {
    std::vector<bool> seen = std::vector<bool>(65536);
    u32 twice = 0;

    void add(u16 first, u16 segments) {
        for (u32 i = 0; i < segments; ++i) {
            const auto id = static_cast<u16>(first + i);
            twice += seen[id] ? 1u : 0u;
            seen[id] = true;
        }
    }
};

TEST_CASE("keyed: a permutation of all 65,536 values, for any key") {
    for (const u64 key : {u64{0}, u64{1}, ~u64{0}, siphash(secret, 1), siphash(secret, 2)}) {
        used_values all;
        for (u32 position = 0; position < 65536; ++position)
            all.add(keyed_permutation(key, static_cast<u16>(position)), 1);
        CHECK(all.twice == 0);
    }
}

TEST_CASE("keyed: every part of the key changes the order") {
    const u64 key = siphash(secret, 3);
    for (unsigned bit = 0; bit < 64; ++bit) {
        CAPTURE(bit);
        u32 equal = 0;
        for (u32 position = 0; position < 1024; ++position) {
            const auto p = static_cast<u16>(position);
            equal += keyed_permutation(key, p) == keyed_permutation(key ^ u64{1} << bit, p);
        }
        CHECK(equal < 10);
    }
}

// Flows of a bucket take positions from one count, so that none meets a position twice.
TEST_CASE("keyed: flows in one bucket repeat nothing within 65,536 datagrams of all") {
    basic_keyed_identification<64> ids{secret};
    constexpr std::size_t flows = 24;
    std::vector<used_values> of(flows);
    for (u32 i = 0; i < 65536; ++i) {
        const u32 flow = (i * 7 + i / 100) % flows;
        of[flow].add(ids.next(us, ipv4::address{them.value + flow}, 17, 1, instant{}), 1);
    }
    for (const used_values& flow : of)
        CHECK(flow.twice == 0);
}

TEST_CASE("keyed: source, destination and protocol choose the order, or the destination alone") {
    const basic_keyed_identification<256> by_flow{secret};
    const basic_keyed_identification<256, identified_by::destination> by_host{secret};
    const u64 flow = by_flow.flow_key(us, them, 17);
    CHECK(by_flow.flow_key(us, them, 6) != flow);
    CHECK(by_flow.flow_key("10.0.1.2"_ip, them, 17) != flow);
    CHECK(by_flow.flow_key(us, "10.0.2.3"_ip, 17) != flow);
    const u64 host = by_host.flow_key(us, them, 17);
    CHECK(by_host.flow_key(us, them, 6) == host);
    CHECK(by_host.flow_key("10.0.1.2"_ip, them, 17) == host);
    CHECK(by_host.flow_key(us, "10.0.2.3"_ip, 17) != host);
}

TEST_CASE("keyed: all protocols to one destination repeat nothing, by destination") {
    auto ids = std::make_unique<destination_identification>(secret);
    used_values all;
    for (u32 i = 0; i < 65536; ++i)
        all.add(ids->next(us, them, static_cast<u8>(i % 3), 1, instant{}), 1);
    CHECK(all.twice == 0);
}

// A device counts up from the first identification.
TEST_CASE("keyed: a packet with segments takes successive values that nobody else gets") {
    auto ids = std::make_unique<flow_identification>(secret);
    used_values all;
    u32 taken = 0;
    for (u16 i = 0; taken + 45 <= 65536; ++i) {
        const auto segments = static_cast<u16>(i % 3 == 0 ? 45 : 1 + i % 7);
        all.add(ids->next(us, them, 17, segments, instant{}), segments);
        taken += segments;
    }
    CHECK(taken > 65400);
    CHECK(all.twice == 0);
}

// One datagram, then only packets with segments: the change can repeat one value at most.
TEST_CASE("keyed: the change to packets with segments repeats no value of theirs") {
    auto ids = std::make_unique<flow_identification>(secret);
    static_cast<void>(ids->next(us, them, 17, 1, instant{}));
    used_values all;
    for (u32 i = 0; i < 65535 / 45; ++i)
        all.add(ids->next(us, them, 17, 45, instant{}), 45);
    CHECK(all.twice == 0);
}

TEST_CASE("keyed: flows that count up begin at offsets that only the secret knows") {
    basic_keyed_identification<64> ids{secret};
    u32 near = 0;
    for (u32 i = 1; i <= 256; ++i) {
        const u16 one = ids.next(us, ipv4::address{them.value + i}, 17, 2, instant{});
        const u16 next = ids.next(us, ipv4::address{them.value + i + 1}, 17, 2, instant{});
        near += static_cast<u16>(next - one) < 256 ? 1u : 0u;
    }
    CHECK(near < 10);
}

TEST_CASE("counter: successive numbers, as many as a packet has segments") {
    counter_identification ids{secret};
    CHECK(ids.next(us, them, 17, 1, instant{}) == 0);
    CHECK(ids.next(them, us, 6, 5, instant{}) == 1);
    CHECK(ids.next(us, them, 17, 1, instant{}) == 6);
}

}  // namespace

}  // namespace identification_keyed
