// Protocol handlers: registered, replaced and removed; a handler's answer decides the fate of the
// packet.
#include <doctest/doctest.h>

#include "unit/stack/recorder.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace stack_handlers {

namespace {

using namespace stack_test;

TEST_CASE("handlers: a handler's answer decides the packet's fate") {
    world<> b;
    recorder h;
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    CHECK(b.receive(to_us) == fate::delivered);
    CHECK(h.calls == 1);
    CHECK((h.last == to_us));
    CHECK(h.info.source == "10.0.1.2"_ip);
    CHECK(h.info.local == "10.0.1.1"_ip);
    CHECK(h.info.interface == 2);
    CHECK_FALSE(h.info.broadcast_or_multicast);
    h.answer = handler_result::ignored();
    CHECK(b.receive(to_us) == fate::dropped);
    CHECK(b->counters()[drop_reason::ignored_by_handler] == 1);
    CHECK(b.is_quiet());
    h.answer = handler_result::unreachable();
    CHECK(b.receive(to_us) == fate::dropped);
    check(b.sent_one(), support::icmp_is(3, 2), support::quotes(to_us, to_us.size()));
    CHECK(b->counters()[mib::ip_in_delivers] == 2);
}

TEST_CASE("handlers: registered, replaced, restored") {
    world<> b;
    recorder first, second;
    CHECK(b->delivery().set_handler(1, &first).value() == nullptr);
    CHECK(b->delivery().set_handler(1, &second).value() == &first);
    const byte_vector ping = datagram_of(
        {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request()});
    CHECK(b.receive(ping) == fate::delivered);
    CHECK(second.calls == 1);
    CHECK(first.calls == 0);
    CHECK(b.is_quiet());
    CHECK(b->delivery().set_handler(1, nullptr).value() == &second);
    b.receive(ping);
    check(b.sent_one(), support::icmp_is(0, 0, 0x00070001));
    b.receive(to_us);
    check(b.sent_one(), support::icmp_is(3, 2));
}

TEST_CASE("handlers: a wrapping handler sees the packet before the built-in one") {
    world<> b;
    recorder h;
    h.answer = handler_result::built_in();
    REQUIRE(b->delivery().set_handler(1, &h).value() == nullptr);
    const byte_vector ping = datagram_of(
        {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request()});
    b.receive(ping);
    CHECK(h.calls == 1);
    CHECK((h.last == ping));
    check(b.sent_one(), support::icmp_is(0, 0, 0x00070001));
    CHECK(b->counters()[mib::icmp_in_echos] == 1);
    CHECK(b->counters()[mib::ip_in_delivers] == 1);
    // Protocols that the stack does not handle itself have no handler.
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    CHECK(b.receive(to_us) == fate::dropped);
    check(b.sent_one(), support::icmp_is(3, 2));
}

TEST_CASE("handlers: a handler that ignores a packet may name the drop reason") {
    world<> b;
    recorder h;
    h.answer = handler_result::ignored(drop_reason::transport_checksum);
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    CHECK(b.receive(to_us) == fate::dropped);
    CHECK(b->counters()[drop_reason::transport_checksum] == 1);
    CHECK(b->counters()[mib::ip_in_delivers] == 1);
}

TEST_CASE("handlers: after a raw tap took a copy, no error is sent") {
    world<> b;
    receive_queue<packet, 2> queue;
    REQUIRE(b->delivery().add_raw({.protocol = 253}, queue));
    CHECK(b.receive(to_us) == fate::absorbed);
    CHECK(b.is_quiet());
    CHECK((support::content_of(queue.next().packet) == to_us));
    b->delivery().remove(queue);
    CHECK(b.receive(to_us) == fate::dropped);
    CHECK(b.sent().size() == 1);
}

}  // namespace

}  // namespace stack_handlers
