// result, duration and instant.
#include <doctest/doctest.h>

#include <sluice/base/result.hpp>
#include <sluice/base/time.hpp>

namespace base_values {

namespace {

using namespace sluice;

enum class reason : u8 { none, bad, worse };

struct move_only {
    constexpr explicit move_only(int v) noexcept : value(v) {}
    move_only(move_only&&) noexcept = default;
    move_only& operator=(move_only&&) noexcept = default;
    int value;
};

constexpr result<int, reason> half(int n) {
    if (n % 2 != 0) return failure{reason::bad};
    return n / 2;
}

constexpr result<void, reason> check(bool fine) {
    if (!fine) return failure{reason::worse};
    return {};
}

TEST_CASE("a result carries the value or the reason") {
    CHECK(half(4).has_value());
    CHECK(*half(4) == 2);
    CHECK(half(4).value() == 2);
    CHECK(half(4).error() == reason::none);
    CHECK_FALSE(half(3));
    CHECK(half(3).error() == reason::bad);
    CHECK(check(true).has_value());
    CHECK(check(true).error() == reason::none);
    CHECK_FALSE(check(false));
    CHECK(check(false).error() == reason::worse);
    static_assert(*half(8) == 4);
    static_assert(!check(false));
}

TEST_CASE("a result gives up a value that only moves") {
    result<move_only, reason> r = move_only{7};
    CHECK(r->value == 7);
    const move_only taken = std::move(r).value();
    CHECK(taken.value == 7);
    result<int, reason> changed = 1;
    *changed = 5;
    CHECK(changed.value() == 5);
}

TEST_CASE("time: units, order, sums and differences") {
    static_assert(30_s == duration{30'000'000'000});
    static_assert(5_ms == duration{5'000'000});
    static_assert((1500_ms).milliseconds() == 1500);
    static_assert(1_s == 1000_ms);
    const instant t = instant{} + 2_s;
    CHECK(t.nanoseconds == 2'000'000'000);
    CHECK(t - instant{} == 2_s);
    CHECK(instant{} - t < duration{});
    CHECK(1_s + 500_ms == 1500_ms);
    CHECK((86'400_s - 1_ms).milliseconds() == 86'399'999);
    CHECK(1_s - 1500_ms == 500_ms * -1);
    CHECK(20_ms * 512 == 10'240_ms);
    CHECK(t < t + 1_ms);
    CHECK(instant::never() > t + 86'400_s * 36'500);
    CHECK(moment{}.midnight_ms == 0);
}

}  // namespace

}  // namespace base_values
