// What an observer could compute from identifications: whether the next value, another host's
// values or another host's speed follow from those seen. Each test is a measure that broken models
// fail: a counter for all, a counter for each flow, and an order with a rule.
//
// The seeds are fixed. For a policy of truly random values, one measure exceeds six standard
// deviations with a probability below 1.1e-7 (chi-square of 255 degrees; a normal one: 2e-9).
#include <doctest/doctest.h>

#include <sluice/identification/counter_identification.hpp>
#include <sluice/identification/keyed_identification.hpp>
#include <sluice/identification/linux_identification.hpp>
#include <sluice/identification/random_identification.hpp>
#include <sluice/wire/literals.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace identification_statistics {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr ipv4::address us = "10.0.1.1"_ip;
constexpr ipv4::address them = "10.0.2.2"_ip;
constexpr double too_far = 6;

// The order of a Feistel network of four rounds, with a true hash.
struct feistel_of_four {
    explicit feistel_of_four(hash_key k) noexcept : key(k) {}
    u16 next(ipv4::address, ipv4::address, u8, u16, instant) noexcept {
        u32 left = count >> 8;
        u32 right = count++ & 0xff;
        for (u64 round = 0; round < 4; ++round) {
            const u32 mixed = static_cast<u32>(siphash(key, round << 8 | right) >> 56);
            left = std::exchange(right, left ^ mixed);
        }
        return static_cast<u16>(left << 8 | right);
    }
    hash_key key;
    u16 count = 0;
};

// An order of rounds like those of keyed_permutation, but three.
struct three_rounds {
    explicit three_rounds(hash_key k) noexcept : key(siphash(k, 1)) {}
    u16 next(ipv4::address, ipv4::address, u8, u16, instant) noexcept {
        u32 x = count++;
        for (const u32 odd : {0x9e37u, 0xb529u, 0x68e3u}) {
            x = static_cast<u16>((x + static_cast<u32>(key >> odd % 48)) * odd);
            x ^= x >> 7;
        }
        return static_cast<u16>(x);
    }
    u64 key;
    u16 count = 0;
};

using histogram = std::array<u32, 256>;

// Standard deviations from what equally likely classes would give.
double deviation(const histogram& counted) {
    double all = 0;
    for (const u32 n : counted)
        all += n;
    double sum = 0;
    for (const u32 n : counted)
        sum += (n - all / 256) * (n - all / 256) / (all / 256);
    return (sum - 255) / std::sqrt(2 * 255.0);
}
// The same for two samples of equal size of one unknown distribution.
double deviation(const histogram& one, const histogram& other) {
    double sum = 0;
    double classes = -1;
    for (std::size_t i = 0; i < one.size(); ++i) {
        const double a = one[i];
        const double b = other[i];
        sum += a + b > 0 ? (a - b) * (a - b) / (a + b) : 0;
        classes += a + b > 0 ? 1 : 0;
    }
    return (sum - classes) / std::sqrt(2 * std::max(classes, 1.0));
}

struct byte_histograms {
    std::array<histogram, 4> of{};

    void add(u16 from, u16 to) {
        const u32 step = static_cast<u16>(to - from);
        const u32 bits = u32{to} ^ from;
        ++of[0][step >> 8];
        ++of[1][step & 0xff];
        ++of[2][bits >> 8];
        ++of[3][bits & 0xff];
    }
    [[nodiscard]] double farthest() const {
        double most = 0;
        for (const histogram& h : of)
            most = std::max(most, deviation(h));
        return most;
    }
};

template <class Policy>
std::vector<u16> sequence(u64 key, std::size_t size) {
    const auto ids = std::make_unique<Policy>(hash_key{key, ~key});
    std::vector<u16> all(size);
    for (u16& id : all)
        id = ids->next(us, them, 17, 1, instant{});
    return all;
}

// Does a value follow from an earlier one of the same flow? 24 orders, 9 distances, 4 measures: the
// probability of a false alarm is below 1e-4.
template <class Policy>
double next_from_last() {
    double most = 0;
    for (u64 key = 1; key <= 24; ++key) {
        const auto seen = sequence<Policy>(key, 65536);
        for (const std::size_t apart : {1u, 2u, 3u, 16u, 256u, 257u, 512u, 4096u, 32768u}) {
            byte_histograms h;
            for (std::size_t i = apart; i < seen.size(); ++i)
                h.add(seen[i - apart], seen[i]);
            most = std::max(most, h.farthest());
        }
    }
    return most;
}

// Serial correlation, as a line through the pairs would show.
template <class Policy>
double correlation() {
    double most = 0;
    for (u64 key = 1; key <= 24; ++key) {
        const auto seen = sequence<Policy>(key, 65536);
        for (const std::size_t apart : {1u, 2u, 3u, 7u, 256u}) {
            double sum = 0;
            const std::size_t pairs = seen.size() - apart;
            for (std::size_t i = 0; i < pairs; ++i)
                sum += (seen[i] - 32767.5) * (seen[i + apart] - 32767.5);
            const double of_one = 65536.0 * 65536.0 / 12;
            most = std::max(most, std::abs(sum / of_one) / std::sqrt(double(pairs)));
        }
    }
    return most;
}

// Do the values to one destination follow from those to another at the same time?
template <class Policy>
double one_from_another() {
    double most = 0;
    for (u64 key = 1; key <= 24; ++key) {
        const auto ids = std::make_unique<Policy>(hash_key{key, ~key});
        byte_histograms h;
        for (int i = 0; i < 30'000; ++i) {
            const u16 one = ids->next(us, them, 17, 1, instant{});
            h.add(one, ids->next(us, "10.0.2.3"_ip, 17, 1, instant{}));
        }
        most = std::max(most, h.farthest());
    }
    return most;
}

// The number of different values among the first ones to 65,536 destinations.
template <class Policy>
double different_firsts() {
    const auto ids = std::make_unique<Policy>(hash_key{5, 6});
    std::set<u16> seen;
    for (u32 i = 0; i < 65536; ++i)
        seen.insert(ids->next(us, ipv4::address{them.value + i}, 17, 1, instant{}));
    const double expected = 65536 * (1 - std::exp(-1.0));
    const double apart = std::sqrt(65536 * (std::exp(-1.0) - 2 * std::exp(-2.0)));
    return std::abs(static_cast<double>(seen.size()) - expected) / apart;
}

// An idle scan: does a host that looks at its own flow see that another flow sends three datagrams
// between two of its own? The measures are those of next_from_last(), and how often a step occurs.
template <class Policy>
double idle_scan() {
    double most = 0;
    for (u64 key = 1; key <= 24; ++key) {
        std::array<byte_histograms, 2> seen{};
        for (std::size_t busy = 0; busy < 2; ++busy) {
            const auto ids = std::make_unique<Policy>(hash_key{key, ~key});
            u16 last = ids->next(us, them, 1, 1, instant{});
            for (int probe = 0; probe < 10'000; ++probe) {
                for (std::size_t other = 0; other < 3 * busy; ++other)
                    static_cast<void>(ids->next(us, "203.0.113.9"_ip, 6, 1, instant{}));
                const u16 id = ids->next(us, them, 1, 1, instant{});
                seen[busy].add(last, id);
                last = id;
            }
        }
        for (std::size_t i = 0; i < 4; ++i)
            most = std::max(most, deviation(seen[0].of[i], seen[1].of[i]));
    }
    return most;
}

// The shortest time in milliseconds after which a value comes again, at 546 datagrams per second
// during ten minutes: 65,536 in RFC 791's two minutes.
template <class Policy>
i64 soonest_repetition() {
    const auto ids = std::make_unique<Policy>(hash_key{8, 9});
    std::vector<i64> used(65536, -1'000'000);
    i64 soonest = 1'000'000;
    for (i64 i = 0; i < 546 * 600; ++i) {
        const i64 milliseconds = i * 1000 / 546;
        const instant now = instant{} + 1_ms * milliseconds;
        const u16 id = ids->next(us, them, 17, 1, now);
        soonest = std::min(soonest, milliseconds - used[id]);
        used[id] = milliseconds;
    }
    return soonest;
}

// All flows in one bucket: where an order says least.
struct one_bucket : basic_keyed_identification<64> {
    using basic_keyed_identification::basic_keyed_identification;
    u16 next(ipv4::address s, ipv4::address d, u8 protocol, u16 segments, instant now) noexcept {
        return next_of(flow_key(s, d, protocol) & ~u64{0xf000'0000}, segments, now);
    }
};

TEST_CASE("statistics: the next value of a flow does not follow from those before") {
    CHECK(next_from_last<flow_identification>() < too_far);
    CHECK(next_from_last<destination_identification>() < too_far);
    CHECK(next_from_last<random_identification>() < too_far);
    CHECK(next_from_last<counter_identification>() > too_far);
    CHECK(next_from_last<linux_identification>() > too_far);
    CHECK(next_from_last<feistel_of_four>() > too_far);
    CHECK(next_from_last<three_rounds>() > too_far);
}

TEST_CASE("statistics: values of a flow are not correlated") {
    CHECK(correlation<flow_identification>() < too_far);
    CHECK(correlation<destination_identification>() < too_far);
    CHECK(correlation<random_identification>() < too_far);
    CHECK(correlation<counter_identification>() > too_far);
    CHECK(correlation<linux_identification>() > too_far);
}

TEST_CASE("statistics: values to one destination say nothing of those to another") {
    CHECK(one_from_another<flow_identification>() < too_far);
    CHECK(one_from_another<one_bucket>() < too_far);
    CHECK(one_from_another<destination_identification>() < too_far);
    CHECK(one_from_another<counter_identification>() > too_far);
    CHECK(one_from_another<linux_identification>() > too_far);
    CHECK(one_from_another<basic_identification<1>>() > too_far);
}

TEST_CASE("statistics: first values are as different as random ones, no more and no less") {
    CHECK(different_firsts<flow_identification>() < too_far);
    CHECK(different_firsts<one_bucket>() < too_far);
    CHECK(different_firsts<destination_identification>() < too_far);
    CHECK(different_firsts<counter_identification>() > too_far);
}

TEST_CASE("statistics: an idle scan does not see the traffic of others") {
    CHECK(idle_scan<flow_identification>() < too_far);
    CHECK(idle_scan<one_bucket>() < too_far);
    CHECK(idle_scan<destination_identification>() < too_far);
    CHECK(idle_scan<counter_identification>() > too_far);
    CHECK(idle_scan<basic_identification<1>>() > too_far);
}

TEST_CASE("statistics: a flow repeats no value within two minutes, at 546 datagrams per second") {
    CHECK(soonest_repetition<flow_identification>() >= 120'000);
    CHECK(soonest_repetition<destination_identification>() >= 120'000);
    CHECK(soonest_repetition<counter_identification>() >= 120'000);
    const i64 linux_repeats = soonest_repetition<linux_identification>();
    CHECK(linux_repeats > 80'000);
    CHECK(linux_repeats < 90'000);
    CHECK(soonest_repetition<random_identification>() < 120'000);
}

}  // namespace

}  // namespace identification_statistics
