// poll: reassembly that expires, the error about it, and deadlines.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_time {

namespace {

using namespace stack_test;

const byte_vector all = pattern(64);
byte_vector piece(u16 word, std::size_t from, ipv4::address to = "10.0.1.1"_ip) {
    return datagram_of(
        {.destination = to,
         .flags_and_offset = word,
         .payload = byte_vector(all.begin() + static_cast<std::ptrdiff_t>(from),
                                all.begin() + static_cast<std::ptrdiff_t>(from) + 32)});
}
moment later(moment t, duration d) {
    return {t.now + d, t.midnight_ms};
}

TEST_CASE("time: nothing waits at first") {
    world<> b;
    CHECK(b->poll(b.now) == instant::never());
}

TEST_CASE("time: time exceeded is sent only with the first fragment, and quotes it") {
    world<> b;
    const byte_vector first = piece(0x2000, 0);
    CHECK(b.receive(first) == fate::held);
    CHECK(b->held() == 1);
    CHECK(b->poll(later(b.now, 29_s)) == b.now.now + 30_s);
    CHECK(b.is_quiet());
    CHECK(b->poll(later(b.now, 30_s)) == instant::never());
    check(b.sent_one(), support::right_sums(), support::icmp_is(11, 1), support::tos(0xc0),
          support::quotes(first, first.size()), support::source("10.0.1.1"_ip));
    CHECK(b->held() == 0);
    CHECK(b->counters()[drop_reason::fragment_timeout] == 1);
    CHECK(b->counters()[mib::ip_reasm_timeout] == 1);
}

TEST_CASE("time: no error without the first fragment, or about a broadcast or multicast") {
    world<> b;
    CHECK(b.receive(piece(0x0004, 32)) == fate::held);
    CHECK(b.receive(piece(0x2000, 0, "10.0.1.255"_ip)) == fate::held);
    CHECK(b.receive(piece(0x2000, 0, "224.0.0.1"_ip)) == fate::held);
    CHECK(b->poll(later(b.now, 31_s)) == instant::never());
    CHECK(b.is_quiet());
    CHECK(b->counters()[mib::ip_reasm_timeout] == 3);
}

TEST_CASE("time: later fragments do not renew the deadline; the switch changes it") {
    world<> b;
    b->change([](settings& s) { s.ipfrag_time = 10; });
    CHECK(b.receive(piece(0x2000, 0)) == fate::held);
    const instant deadline = b.now.now + 10_s;
    CHECK(b->poll(b.now) == deadline);
    b.now = later(b.now, 9_s);
    CHECK(b.receive(piece(0x2004, 32)) == fate::held);
    CHECK(b->poll(b.now) == deadline);
    CHECK(b->poll({deadline, 0}) == instant::never());
    CHECK(b.sent().size() == 1);
    CHECK(b->counters()[drop_reason::fragment_timeout] == 2);
}

TEST_CASE("time: a datagram completed in time is delivered, in either order") {
    for (const bool reversed : {false, true}) {
        CAPTURE(reversed);
        world<> b;
        const byte_vector pieces[] = {piece(0x2000, 0), piece(0x0004, 32)};
        CHECK(b.receive(pieces[reversed ? 1 : 0]) == fate::held);
        b.receive(pieces[reversed ? 0 : 1]);
        // no endpoint has the protocol: the whole datagram is refused and quoted
        const byte_vector error = b.sent_one();
        const byte_vector whole = datagram_of({.destination = "10.0.1.1"_ip, .payload = all});
        check(error, support::icmp_is(3, 2), support::quotes(whole, whole.size()));
        CHECK(b->poll(b.now) == instant::never());
    }
}

TEST_CASE("time: no error without a route back to the sender") {
    world<> b;
    CHECK(b.receive(piece(0x2000, 0)) == fate::held);
    REQUIRE(b->remove_address(2, "10.0.1.1/24"_net).has_value());
    CHECK(b->poll(later(b.now, 30_s)) == instant::never());
    CHECK(b.is_quiet());
}

}  // namespace

}  // namespace stack_time
