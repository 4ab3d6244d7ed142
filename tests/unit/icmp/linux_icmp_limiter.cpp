// The limiter's token buckets against recorded Linux behaviour (scenarios ratelimit/*,
// forward/ratelimit-noroute, redirect/rate).
#include <doctest/doctest.h>

#include <sluice/icmp/linux_icmp_limiter.hpp>
#include <sluice/wire/literals.hpp>

namespace icmp_linux_icmp_limiter {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr hash_key secret{11, 12};
constexpr ipv4::address host = "10.0.1.2"_ip;
constexpr ipv4::address other = "10.0.1.3"_ip;

instant at_ms(i64 ms) {
    return {ms * 1'000'000};
}

// A large global bucket, so that the one for each host shows.
settings per_host_only() {
    settings s;
    s.icmp_msgs_per_sec = 10'000;
    s.icmp_msgs_burst = 5'000;
    return s;
}

struct sender {
    linux_icmp_limiter limiter{secret};
    settings s;

    icmp_allowance ask(instant now, u8 type = 3, u8 code = 2, ipv4::address to = host) {
        return limiter.allow_error({type, code, to, false}, s, now);
    }
    int count(icmp_allowance wanted, int messages, instant now, ipv4::address to = host) {
        int n = 0;
        for (int i = 0; i < messages; ++i)
            n += ask(now, 3, 2, to) == wanted ? 1 : 0;
        return n;
    }
};

TEST_CASE("limiter: each host gets six messages at once, then one a second") {
    sender t{.s = per_host_only()};
    CHECK(t.count(icmp_allowance::allowed, 10, at_ms(0)) == 6);
    CHECK(t.ask(at_ms(0)) == icmp_allowance::limited_host);
    CHECK(t.count(icmp_allowance::allowed, 10, at_ms(0), other) == 6);
    CHECK(t.count(icmp_allowance::allowed, 3, at_ms(1300)) == 1);
    CHECK(t.count(icmp_allowance::allowed, 3, at_ms(1999)) == 0);
    CHECK(t.count(icmp_allowance::allowed, 3, at_ms(2000)) == 1);
    CHECK(t.count(icmp_allowance::allowed, 10, at_ms(100'000)) == 6);
}

TEST_CASE("limiter: messages without a limit") {
    const struct {
        const char* name;
        u8 type;
        u8 code = 0;
        u32 mask = 6168;
        bool over_loopback = false;
        bool limited = false;
    } rows[] = {
        {.name = "protocol unreachable", .type = 3, .code = 2, .limited = true},
        {.name = "path MTU", .type = 3, .code = 4},
        {.name = "source quench", .type = 4, .limited = true},
        {.name = "time exceeded", .type = 11, .limited = true},
        {.name = "parameter problem", .type = 12, .limited = true},
        {.name = "echo reply", .type = 0},
        {.name = "redirect", .type = 5, .code = 1},
        {.name = "echo reply in the mask", .type = 0, .mask = 1, .limited = true},
        {.name = "not in the mask", .type = 3, .code = 2, .mask = 256},
        {.name = "a type above 18", .type = 43, .mask = ~0U},
        {.name = "the highest type", .type = 18, .mask = ~0U, .limited = true},
        {.name = "over loopback", .type = 3, .code = 2, .over_loopback = true},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        sender t{.s = per_host_only()};
        t.s.icmp_ratemask = row.mask;
        icmp_allowance last{};
        for (int i = 0; i < 7; ++i) {
            last =
                t.limiter.allow_error({row.type, row.code, host, row.over_loopback}, t.s, at_ms(0));
        }
        CHECK(last == (row.limited ? icmp_allowance::limited_host : icmp_allowance::allowed));
    }
}

TEST_CASE("a rate limit of 0 limits no host") {
    sender t{.s = per_host_only()};
    t.s.icmp_ratelimit = 0;
    CHECK(t.count(icmp_allowance::allowed, 1000, at_ms(0)) == 1000);
}

TEST_CASE("the bucket for all is debited at random and filled after 20 ms") {
    sender t;
    t.s.icmp_ratelimit = 0;
    const int first = t.count(icmp_allowance::allowed, 1000, at_ms(0));
    CHECK(first >= 25);
    CHECK(first <= 150);
    CHECK(t.ask(at_ms(19)) == icmp_allowance::limited_global);
    const int second = t.count(icmp_allowance::allowed, 1000, at_ms(20));
    CHECK(second > 5);
    CHECK(second < 70);
    // The size of a burst does not reveal how many messages went to other hosts.
    bool varies = false;
    for (i64 s = 10; s < 20; ++s) {
        const int later = t.count(icmp_allowance::allowed, 1000, at_ms(s * 1000));
        CHECK(later >= 25);
        CHECK(later <= 150);
        varies = varies || later != first;
    }
    CHECK(varies);

    t.s.icmp_msgs_per_sec = 0;
    CHECK(t.count(icmp_allowance::limited_global, 1000, at_ms(100'000)) >= 1000 - 150);
    CHECK(t.ask(at_ms(100'000)) == icmp_allowance::limited_global);
}

TEST_CASE("with nothing a second and no burst nothing passes") {
    sender t;
    t.s.icmp_msgs_per_sec = 0;
    t.s.icmp_msgs_burst = 0;
    CHECK(t.count(icmp_allowance::limited_global, 10, at_ms(0)) == 10);
    CHECK(t.ask(at_ms(0), 0, 0) == icmp_allowance::allowed);
    CHECK(t.ask(at_ms(0), 3, 4) == icmp_allowance::allowed);
}

TEST_CASE("limiter: unroutable packets cause five errors to a source, then one a second") {
    linux_icmp_limiter limiter{secret};
    settings s;
    s.icmp_ratemask = 0;
    s.icmp_ratelimit = 0;
    const auto count = [&](ipv4::address source, i64 ms) {
        int n = 0;
        for (int i = 0; i < 10; ++i)
            n += limiter.allow_unroutable(source, s, at_ms(ms)) ? 1 : 0;
        return n;
    };
    CHECK(count(host, 0) == 5);
    CHECK(count(other, 0) == 5);
    CHECK(count(host, 1100) == 1);
    CHECK(count(host, 99'000) == 5);
}

TEST_CASE("limiter: an address in another routing domain is another host") {
    sender t{.s = per_host_only()};
    const auto sent_to = [&](u16 domain) {
        int n = 0;
        for (int i = 0; i < 20; ++i)
            n += t.limiter.allow_error({.type = 3, .code = 1, .to = {host, domain}}, t.s,
                                       at_ms(0)) == icmp_allowance::allowed
                     ? 1
                     : 0;
        return n;
    };
    CHECK(sent_to(0) == 6);
    CHECK(sent_to(7) == 6);
    CHECK(sent_to(7) == 0);
    CHECK(sent_to(0) == 0);
    CHECK(t.limiter.allow_redirect({host, 7}, t.s, at_ms(0)) == redirect_allowance::send);
    CHECK(t.limiter.allow_redirect({host, 8}, t.s, at_ms(0)) == redirect_allowance::send);
    CHECK(t.limiter.allow_redirect({host, 8}, t.s, at_ms(0)) == redirect_allowance::too_soon);
}

TEST_CASE("limiter: an error about a missing route takes the tokens of two messages") {
    sender t{.s = per_host_only()};
    int sent = 0;
    for (int i = 0; i < 10; ++i) {
        sent += t.limiter.allow_unroutable(host, t.s, at_ms(0)) &&
                        t.ask(at_ms(0), 3, 0) == icmp_allowance::allowed
                    ? 1
                    : 0;
    }
    CHECK(sent == 2);
}

TEST_CASE("savings for missing routes outlast a small bucket for the host while no time passes") {
    sender t{.s = per_host_only()};
    t.s.icmp_ratelimit = 10;
    for (int i = 0; i < 4; ++i) {
        CHECK(t.limiter.allow_unroutable(host, t.s, at_ms(0)));
        CHECK(t.ask(at_ms(0), 3, 0) == icmp_allowance::allowed);
    }
    CHECK_FALSE(t.limiter.allow_unroutable(host, t.s, at_ms(0)));
}

TEST_CASE("redirects to a source double their distance, end with the ninth, and start anew after "
          "silence") {
    linux_icmp_limiter limiter{secret};
    const settings s;
    i64 ms = 1000;
    CHECK(limiter.allow_redirect(host, s, at_ms(ms)) == redirect_allowance::send);
    for (u32 n = 1; n < 9; ++n) {
        const i64 wait = 20 << n;
        CHECK(limiter.allow_redirect(host, s, at_ms(ms + wait)) == redirect_allowance::too_soon);
        ms += wait + 1;
        CHECK(limiter.allow_redirect(host, s, at_ms(ms)) == redirect_allowance::send);
    }
    CHECK(limiter.allow_redirect(host, s, at_ms(ms + 20'000)) == redirect_allowance::given_up);
    // This redirect arrived: the pause counts from here.
    CHECK(limiter.allow_redirect(host, s, at_ms(ms + 40'000)) == redirect_allowance::given_up);
    CHECK(limiter.allow_redirect(other, s, at_ms(ms + 40'000)) == redirect_allowance::send);
    CHECK(limiter.allow_redirect(host, s, at_ms(ms + 60'481)) == redirect_allowance::send);
}

TEST_CASE("limiter: with more hosts than places memory does not grow") {
    sender t{.s = per_host_only()};
    t.s.icmp_msgs_burst = 1'000'000;
    t.s.icmp_msgs_per_sec = 1'000'000;
    CHECK(t.count(icmp_allowance::allowed, 10, at_ms(0)) == 6);
    for (u32 i = 0; i < 128; ++i) {
        const ipv4::address one{0xc0000200U + i};
        CHECK(t.count(icmp_allowance::allowed, 8, at_ms(1), one) == 6);
    }
    CHECK(linux_icmp_limiter::memory_limit >= sizeof(linux_icmp_limiter));
    CHECK(linux_icmp_limiter::memory_limit <= 256 * 48);
}

TEST_CASE("times and settings at their limits") {
    sender t;
    t.s.icmp_ratelimit = ~0U;
    t.s.icmp_msgs_per_sec = ~0U;
    t.s.route_error_burst_ms = ~0U;
    t.s.route_redirect_load_ms = ~0U;
    t.s.route_redirect_number = 255;
    for (const instant now : {instant{}, at_ms(5), instant::never(), instant{}}) {
        CHECK(t.ask(now) != icmp_allowance::silenced);
        CHECK(t.limiter.allow_redirect(host, t.s, now) != redirect_allowance::given_up);
        (void)t.limiter.allow_unroutable(host, t.s, now);
    }
}

TEST_CASE("limiter: only the least recently used host is forgotten") {
    basic_icmp_limiter<4> limiter{secret};
    const settings s = per_host_only();
    const auto count = [&](u32 host_number, i64 ms) {
        int n = 0;
        for (int i = 0; i < 8; ++i) {
            n += limiter.allow_error({3, 2, ipv4::address{0xc0000200U + host_number}, false}, s,
                                     at_ms(ms)) == icmp_allowance::allowed
                     ? 1
                     : 0;
        }
        return n;
    };
    for (u32 i = 0; i < 4; ++i) {
        CHECK(count(i, 100 + i) == 6);
    }
    CHECK(count(4, 110) == 6);
    for (u32 i = 1; i < 5; ++i) {
        CHECK(count(i, 120) == 0);
    }
    CHECK(count(0, 120) == 6);
}

TEST_CASE("the first redirect to a host that was just sent another message goes at once") {
    sender t{.s = per_host_only()};
    CHECK(t.ask(at_ms(50)) == icmp_allowance::allowed);
    CHECK(t.limiter.allow_redirect(host, t.s, at_ms(50)) == redirect_allowance::send);
}

}  // namespace

}  // namespace icmp_linux_icmp_limiter
