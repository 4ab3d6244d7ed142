// How what is known of a neighbour ages, is confirmed, changes, and is displaced.
#include "support.hpp"

#include <doctest/doctest.h>

using namespace link_test;
using frames = std::vector<std::string>;
using table = neighbour_table<packet, 8>;

namespace {

constexpr auto nobody_fails = [](packet&&) { FAIL_CHECK("a packet came back"); };
constexpr ethernet::address first{{2, 0, 0, 0, 0, 1}};
constexpr ethernet::address second{{2, 0, 0, 0, 0, 2}};
constexpr ipv4::address peer = "10.0.2.77"_ip;

constexpr ipv4::address number(u32 n) {
    return ipv4::address{0x0a000000 + n};
}

}  // namespace

TEST_CASE("an address in use is confirmed by asking its owner alone") {
    bench<> b;
    b.send(datagram, 3, peer, at(0));
    b.hear(answer, 3, at(10));
    b.device.take();
    const auto state = [&] { return b.link.neighbours().find(3, peer)->state; };
    CHECK(state() == neighbour_state::reachable);
    b.link.poll(at(30'012), nobody_fails);
    CHECK(state() == neighbour_state::stale);
    b.send(datagram, 3, peer, at(31'000));
    CHECK(b.device.take() == frames{sent_datagram});  // sent at once all the same
    CHECK(state() == neighbour_state::probing);
    b.link.poll(at(36'000), nobody_fails);
    const std::string probe = "3 02000000024d" + std::string{request.substr(12)};
    CHECK(b.device.take() == frames{probe});
    SUBCASE("answered") {
        b.hear(answer, 3, at(36'001));
        CHECK(state() == neighbour_state::reachable);
    }
    SUBCASE("confirmed from above") {
        b.link.neighbours().confirm(3, peer, at(36'001));
        CHECK(state() == neighbour_state::reachable);
    }
    SUBCASE("silent") {
        b.link.poll(at(37'000), nobody_fails);
        b.link.poll(at(38'000), nobody_fails);
        CHECK(b.device.take() == frames{probe, probe});
        b.link.poll(at(39'000), nobody_fails);
        CHECK(state() == neighbour_state::failed);
        b.link.poll(at(100'000), nobody_fails);
        CHECK(b.link.neighbours().size() == 0);  // forgotten
    }
}

TEST_CASE("reachable is stale after its time even if nobody polled") {
    bench<> b;
    b.send(datagram, 3, peer, at(0));
    b.hear(answer, 3, at(10));
    b.send(datagram, 3, peer, at(30'010));
    CHECK(b.link.neighbours().find(3, peer)->state == neighbour_state::probing);
}

TEST_CASE("when another link address is believed") {
    struct row {
        const char* name;
        i64 milliseconds;
        bool forced;
        ethernet::address after;
    };
    for (const row& r : {row{"reply soon after", 999, false, first},
                         row{"reply a second after", 1000, false, second},
                         row{"announcement soon after", 1, true, second}}) {
        CAPTURE(r.name);
        table t{{1, 2}};
        REQUIRE(t.learn(1, peer, first, at(0), false, true, true) != nullptr);
        static_cast<void>(t.learn(1, peer, second, at(r.milliseconds), true, r.forced, false));
        CHECK(t.find(1, peer)->hardware == r.after);
    }
    table t{{1, 2}};
    REQUIRE(t.set_permanent(1, peer, first) != nullptr);
    CHECK(t.learn(1, peer, second, at(60'000), true, true, true) == nullptr);
    CHECK(t.find(1, peer)->hardware == first);
    CHECK(t.find(2, peer) == nullptr);
}

TEST_CASE("a scan displaces its own questions, not what is known") {
    table t{{1, 2}};
    for (u32 n = 0; n < 4; ++n) {
        REQUIRE(t.learn(1, number(n), first, at(0), true, true, true) != nullptr);
    }
    for (u32 n = 100; n < 10'000; ++n) {
        const auto use = t.use_for_output(1, number(n), at(1));
        REQUIRE(use.neighbour != nullptr);
        CHECK(use.ask);
    }
    CHECK(t.size() == 8);
    for (u32 n = 0; n < 4; ++n) {
        CHECK(t.find(1, number(n)) != nullptr);
    }
    CHECK(t.find(1, number(9'999)) != nullptr);  // the newest questions stand
    CHECK(t.find(1, number(9'995)) == nullptr);
}

TEST_CASE("senders that announce themselves displace nobody in use") {
    for (const bool one_is_idle : {false, true}) {
        CAPTURE(one_is_idle);
        table t{{1, 2}};
        for (u32 n = 0; n < 8; ++n) {
            const bool reachable = n != 0 || !one_is_idle;
            REQUIRE(t.learn(1, number(n), first, at(0), reachable, true, true) != nullptr);
        }
        for (u32 n = 100; n < 200; ++n) {
            static_cast<void>(t.learn(1, number(n), second, at(1), false, true, true));
        }
        CHECK((t.find(1, number(0)) == nullptr) == one_is_idle);
        for (u32 n = 1; n < 8; ++n) {
            CHECK(t.find(1, number(n)) != nullptr);
        }
    }
}

TEST_CASE("permanent entries are never displaced, packets of displaced ones are counted") {
    pool buffers;
    table t{{1, 2}};
    for (u32 n = 0; n < 7; ++n) {
        REQUIRE(t.set_permanent(1, number(n), first) != nullptr);
    }
    t.use_for_output(1, number(50), at(0)).neighbour->hold(buffers.take(), {});
    REQUIRE(t.use_for_output(1, number(51), at(0)).neighbour != nullptr);
    CHECK(t.abandoned() == 1);
    CHECK(buffers.available() == 64);
    REQUIRE(t.set_permanent(1, number(7), first) != nullptr);
    CHECK(t.use_for_output(1, number(52), at(0)).neighbour == nullptr);
    CHECK(t.set_permanent(1, number(8), first) == nullptr);
    t.erase(1, number(3));
    CHECK(t.find(1, number(3)) == nullptr);
    CHECK(t.use_for_output(1, number(52), at(0)).ask);
}
