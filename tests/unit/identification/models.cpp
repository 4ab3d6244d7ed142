// Promises of each model beyond the concept.
#include <doctest/doctest.h>

#include <sluice/identification/linux_identification.hpp>
#include <sluice/identification/random_identification.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>
#include <vector>

namespace identification_models {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr ipv4::address us = "10.0.1.1"_ip;
constexpr ipv4::address them = "10.0.2.2"_ip;
constexpr hash_key secret{0x1111, 0x2222};

TEST_CASE("linux: one flow counts up while time stands still, by the segments taken") {
    auto ids = std::make_unique<linux_identification>(secret);
    const u16 first = ids->next(us, them, 17, 1, instant{});
    CHECK(ids->next(us, them, 17, 10, instant{}) == static_cast<u16>(first + 1));
    CHECK(ids->next(us, them, 17, 1, instant{}) == static_cast<u16>(first + 11));
    CHECK(ids->next(us, them, 17, 1, instant{}) == static_cast<u16>(first + 12));
}

TEST_CASE("linux: flows differ in every part and in the key") {
    auto ids = std::make_unique<linux_identification>(secret);
    auto others = std::make_unique<linux_identification>(hash_key{0x1111, 0x2223});
    const u16 base = ids->next(us, them, 17, 1, instant{});
    CHECK(ids->next(us, them, 1, 1, instant{}) != base);
    CHECK(ids->next(them, us, 17, 1, instant{}) != base);
    CHECK(ids->next(us, "10.0.2.3"_ip, 17, 1, instant{}) != base);
    CHECK(others->next(us, them, 17, 1, instant{}) != base);
}

TEST_CASE("linux: with time the step is random, and never back") {
    auto ids = std::make_unique<linux_identification>(secret);
    instant now = instant{} + 1_s;
    u16 last = ids->next(us, them, 17, 1, now);
    int steps_of_one = 0;
    for (int i = 0; i < 200; ++i) {
        now = now + 100_ms;
        const u16 id = ids->next(us, them, 17, 1, now);
        const u16 step = static_cast<u16>(id - last);
        CHECK(step >= 1);
        CHECK(step <= 100);
        steps_of_one += step == 1 ? 1 : 0;
        last = id;
    }
    CHECK(steps_of_one < 20);
}

TEST_CASE("linux: flows that share a counter do not see each other's values") {
    // One counter for all flows: only the offset of a flow distinguishes them.
    basic_identification<1> ids{secret};
    const u16 mine = ids.next(us, them, 17, 1, instant{});
    const u16 theirs = ids.next(us, "10.0.2.3"_ip, 17, 1, instant{});
    CHECK(theirs != static_cast<u16>(mine + 1));
    CHECK(ids.next(us, them, 17, 1, instant{}) == static_cast<u16>(mine + 2));
}

TEST_CASE("linux: a clock that wraps or stops does no harm") {
    basic_identification<1> ids{secret};
    for (const instant now : {instant{}, instant::never(), instant{1}, instant::never()}) {
        const u16 a = ids.next(us, them, 17, 65535, now);
        const u16 b = ids.next(us, them, 17, 1, now);
        CHECK(static_cast<u16>(b - a) == 65535);
    }
}

TEST_CASE("random: each cycle of 65536 has every value once, and cycles differ") {
    random_identification ids{secret};
    std::vector<u16> first(65536);
    std::vector<bool> seen(65536);
    for (u16& id : first) {
        id = ids.next(us, them, 17, 1, instant{});
        CHECK_FALSE(seen[id]);
        seen[id] = true;
    }
    u32 equal = 0;
    u32 neighbours = 0;
    std::vector<bool> again(65536);
    for (std::size_t i = 0; i < first.size(); ++i) {
        const u16 id = ids.next(us, them, 17, 1, instant{});
        CHECK_FALSE(again[id]);
        again[id] = true;
        equal += id == first[i] ? 1U : 0U;
        neighbours += i > 0 && static_cast<u16>(first[i] - first[i - 1]) == 1 ? 1U : 0U;
    }
    CHECK(equal < 20);
    CHECK(neighbours < 20);
}

TEST_CASE("linux: every bit of the two addresses makes another flow, and 16 bits begin it") {
    const auto first = [](ipv4::address source, ipv4::address destination) {
        return std::make_unique<linux_identification>(secret)->next(source, destination, 17, 1,
                                                                    instant{});
    };
    const u16 base = first(us, them);
    int high = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
        CAPTURE(bit);
        const u16 other_source = first(ipv4::address{us.value ^ 1U << bit}, them);
        const u16 other_destination = first(us, ipv4::address{them.value ^ 1U << bit});
        CHECK(other_source != base);
        CHECK(other_destination != base);
        high += (other_source >> 15) + (other_destination >> 15);
    }
    CHECK(high > 16);
    CHECK(high < 48);
}

}  // namespace

}  // namespace identification_models
