// How a neighbour entry ages, is confirmed, changes, and is displaced.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_neighbour_states {
using namespace link_test;
using frames = std::vector<std::string>;
using table = neighbour_table<packet, 8>;

namespace {

constexpr auto none_fails = [](packet&&) { FAIL_CHECK("a packet came back"); };
constexpr ethernet::address first{{2, 0, 0, 0, 0, 1}};
constexpr ethernet::address second{{2, 0, 0, 0, 0, 2}};
constexpr ipv4::address peer = "10.0.2.77"_ip;
constexpr neighbour_times exactly{.spread = false};

constexpr ipv4::address number(u32 n) {
    return ipv4::address{0x0a000000 + n};
}

}  // namespace

TEST_CASE("an address in use is confirmed by asking its owner alone") {
    linked_host<> b{exactly};
    b.send(datagram_hex, 3, peer, at(0));
    b.hear(answer, 3, at(10));
    b.device.take();
    const auto state = [&] { return b.link.neighbours().find(3, peer)->state; };
    CHECK(state() == neighbour_state::reachable);
    b.link.poll(at(30'012), none_fails);
    CHECK(state() == neighbour_state::stale);
    b.send(datagram_hex, 3, peer, at(31'000));
    CHECK(b.device.take() == frames{sent_datagram});  // sent at once all the same
    CHECK(state() == neighbour_state::delayed);
    b.link.poll(at(36'000), none_fails);
    CHECK(state() == neighbour_state::probing);
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
        b.link.poll(at(37'000), none_fails);
        b.link.poll(at(38'000), none_fails);
        CHECK(b.device.take() == frames{probe, probe});
        b.link.poll(at(39'000), none_fails);
        CHECK(state() == neighbour_state::failed);
        b.send(datagram_hex, 3, peer, at(39'001));  // asked anew, of all
        CHECK(b.device.take() == frames{"3 " + std::string{request}});
        CHECK(state() == neighbour_state::incomplete);
    }
    SUBCASE("silent, and then all are asked") {
        neighbour_times times = exactly;
        times.broadcast_probes = 1;
        b.link.neighbours().set_times(times);
        b.link.poll(at(37'000), none_fails);
        b.link.poll(at(38'000), none_fails);
        b.link.poll(at(39'000), none_fails);
        CHECK(b.device.take() == frames{probe, probe, "3 " + std::string{request}});
        b.link.poll(at(40'000), none_fails);
        CHECK(state() == neighbour_state::failed);
    }
    SUBCASE("another link address answers") {
        b.hear(
            "0200000002010200000002ee080600010800060400020200000002ee0a00024d0200000002010a000201",
            3, at(37'001));
        CHECK(state() == neighbour_state::reachable);
        b.send(datagram_hex, 3, peer, at(37'002));
        CHECK(b.device.take() ==
              frames{"3 0200000002ee0200000002010800" + std::string{datagram_hex}});
    }
}

TEST_CASE("a reachable entry becomes stale in time even without a poll") {
    linked_host<> b{exactly};
    b.send(datagram_hex, 3, peer, at(0));
    b.hear(answer, 3, at(10));
    b.send(datagram_hex, 3, peer, at(30'010));
    CHECK(b.link.neighbours().find(3, peer)->state == neighbour_state::delayed);
}

TEST_CASE("when a changed link address is accepted") {
    struct row {
        const char* name;
        i64 milliseconds;
        bool solicited = false;
        bool forced = false;
        ethernet::address after;
        neighbour_state state;
    };
    constexpr auto reachable = neighbour_state::reachable;
    constexpr auto stale = neighbour_state::stale;
    for (const row& r : {row{.name = "reply soon after",
                             .milliseconds = 999,
                             .solicited = true,
                             .after = first,
                             .state = reachable},
                         row{.name = "reply a second after",
                             .milliseconds = 1000,
                             .solicited = true,
                             .after = second,
                             .state = reachable},
                         row{.name = "broadcast reply a second after",
                             .milliseconds = 1000,
                             .after = second,
                             .state = stale},
                         row{.name = "announcement soon after",
                             .milliseconds = 1,
                             .forced = true,
                             .after = second,
                             .state = stale}}) {
        CAPTURE(r.name);
        table t{{1, 2}};
        REQUIRE(t.learn({1, peer, first, true, true, true}, at(0)) != nullptr);
        static_cast<void>(t.learn({1, peer, second, r.solicited, r.forced}, at(r.milliseconds)));
        CHECK(t.find(1, peer)->hardware == r.after);
        CHECK(t.find(1, peer)->state == r.state);
    }
    table t{{1, 2}};
    REQUIRE(t.set_permanent(1, peer, first, at(0)) != nullptr);
    CHECK(t.learn({1, peer, second, true, true, true}, at(60'000)) == nullptr);
    CHECK(t.find(1, peer)->hardware == first);
    CHECK(t.find(2, peer) == nullptr);
}

TEST_CASE("a repeated claim confirms nothing and does not move the time that locks") {
    table t{{1, 2}, exactly};
    REQUIRE(t.learn({1, peer, first, true, true, true}, at(0)) != nullptr);
    REQUIRE(t.learn({1, peer, first, false, true}, at(900)) != nullptr);
    CHECK(t.find(1, peer)->state == neighbour_state::reachable);
    CHECK(t.find(1, peer)->updated == at(0));
    CHECK(t.find(1, peer)->deadline == at(30'000));
    REQUIRE(t.learn({1, peer, first, true}, at(950)) != nullptr);
    CHECK(t.find(1, peer)->deadline == at(30'950));
    CHECK(t.learn({1, peer, second, true}, at(1000)) != nullptr);
}

TEST_CASE("no entry is made where no request may be sent") {
    table t{{1, 2}, {.broadcast_requests = 0}};
    CHECK(t.use_for_output(1, peer, at(0)).neighbour == nullptr);
    CHECK(t.size() == 0);
}

TEST_CASE("stale neighbours are kept while they are few, however old") {
    for (const u32 known : {3u, 4u, 7u}) {
        CAPTURE(known);
        table t{{1, 2}, exactly};
        for (u32 n = 0; n < known; ++n) {
            REQUIRE(t.learn({1, number(n), first, false, true, true}, at(0)) != nullptr);
        }
        CHECK(t.use_for_output(1, number(0), at(59'000)).neighbour != nullptr);
        static_cast<void>(t.poll(at(60'000), [](const auto&, ethernet::address) {}, none_fails));
        CHECK(t.size() == 3);
        CHECK(t.find(1, number(0)) != nullptr);
    }
}

}  // namespace link_neighbour_states
