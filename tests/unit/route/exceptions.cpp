// The table of exceptions, filled by an attacker, and against a map.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/route/bounded_exceptions.hpp>
#include <sluice/wire/literals.hpp>

#include <map>
#include <memory>
#include <set>

namespace route_exceptions {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr instant start = instant{} + 1000_s;

exception_key host(u32 n) {
    return {ipv4::address{"10.0.0.0"_ip.value + n}, "192.0.2.1"_ip, 2};
}

TEST_CASE("exceptions: in a full bucket the oldest give way to the newest") {
    bounded_exceptions<1> table(hash_key{1, 2});
    std::set<std::size_t> sizes;
    instant now = start;
    for (u32 n = 0; n < 200; ++n) {
        now = now + 1_ms;
        table.learn(host(n), {.mtu = 1000, .expires = now + 600_s}, now);
        REQUIRE(table.size() <= table.capacity);
        if (n >= 10) sizes.insert(table.size());
        for (u32 back = 0; back < 5 && back <= n; ++back)
            REQUIRE(table.find(host(n - back), now) != nullptr);
    }
    // A random number of entries stays: six to ten.
    CHECK(sizes.size() > 2);
    CHECK(*sizes.begin() >= 6);
}

TEST_CASE("exceptions: an entry learned again counts as new") {
    bounded_exceptions<1> table(hash_key{1, 2});
    instant now = start;
    for (u32 n = 0; n < 100; ++n) {
        now = now + 1_ms;
        table.learn(host(n), {.mtu = 1000, .expires = now + 600_s}, now);
        if (n > 0) REQUIRE(table.find(host(1000), now) != nullptr);
        now = now + 1_ms;
        table.learn(host(1000), {.mtu = 1000, .expires = now + 600_s}, now);
    }
}

TEST_CASE("exceptions: expired ones make room before others are forgotten") {
    bounded_exceptions<1> table(hash_key{1, 2});
    for (u32 n = 0; n < 3; ++n)
        table.learn(host(n), {.mtu = 1000, .expires = start + 1_s}, start + 10_ms);
    for (u32 n = 10; n < 13; ++n)
        table.learn(host(n), {.mtu = 1000, .expires = start + 600_s}, start);
    for (u32 n = 20; n < 23; ++n)
        table.learn(host(n), {.mtu = 1000, .expires = start + 600_s}, start + 2_s);
    for (const u32 n : {10u, 11u, 12u, 20u, 21u, 22u})
        CHECK(table.find(host(n), start + 2_s) != nullptr);
    CHECK(table.size() == 6);
}

TEST_CASE("exceptions: two tables with other keys forget other destinations") {
    const auto kept = [](hash_key key) {
        auto table = std::make_unique<bounded_exceptions<8>>(key);
        std::set<u32> found;
        for (u32 n = 0; n < 400; ++n)
            table->learn(host(n), {.mtu = 1000, .expires = start + 600_s},
                         start + duration{static_cast<i64>(n)});
        for (u32 n = 0; n < 400; ++n)
            if (table->find(host(n), start + 1_s) != nullptr) found.insert(n);
        return found;
    };
    CHECK(kept({1, 2}) == kept({1, 2}));
    CHECK(kept({1, 2}) != kept({1, 3}));
}

// As long as no bucket overflows the table is a map.
TEST_CASE("exceptions: against a map") {
    auto table = std::make_unique<bounded_exceptions<256>>(hash_key{3, 4});
    std::map<u32, route_exception> model;
    keyed_random random{hash_key{5, 6}};
    instant now = start;
    for (int step = 0; step < 5000; ++step) {
        now = now + duration::from_milliseconds(random.below(200));
        const u32 n = random.below(100);
        const route_exception news{.gateway = {random.below(3)},
                                   .mtu = static_cast<u16>(random.below(2) * 1000),
                                   .mtu_locked = random.below(2) == 0,
                                   .expires = now + duration::from_seconds(random.below(9) + 1)};
        table->learn(host(n), news, now);
        if (model[n].expires <= now) model[n] = {};
        if (!news.gateway.is_unspecified()) model[n].gateway = news.gateway;
        if (news.mtu != 0) model[n].mtu = news.mtu;
        if (news.mtu != 0) model[n].mtu_locked = news.mtu_locked;
        model[n].expires = news.expires;
        if (random.below(20) == 0) REQUIRE(table->expire(now) > now);
        for (const auto& [of, e] : model) {
            const route_exception* found = table->find(host(of), now);
            REQUIRE((found != nullptr) == (e.expires > now));
            if (found == nullptr) continue;
            REQUIRE(found->gateway == e.gateway);
            REQUIRE(found->mtu == e.mtu);
            REQUIRE(found->mtu_locked == e.mtu_locked);
        }
    }
}

}  // namespace

}  // namespace route_exceptions
