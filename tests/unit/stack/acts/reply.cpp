// reply: what lies behind a received header goes back to its sender, by the route, with the options
// turned round; or is refused and counted.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/reply.hpp>
#include <sluice/stack/stack.hpp>

namespace acts_reply {

namespace {

using namespace acts_test;
using routing::send_error;

constexpr delivery_info asked{.source = "10.0.1.2"_ip,
                              .destination = "10.0.2.1"_ip,
                              .local = "10.0.2.1"_ip,
                              .interface = 2,
                              .protocol = 253,
                              .ttl = 3,
                              .tos = 0x10};

struct replying_core {
    core<small> c;
    replying_core() : c(core<small>::parts{.seed = testing::fixed_seed}) { furnish(c); }

    packet received(const byte_vector& payload) {
        return packet_of(c, datagram_of({.source = asked.source,
                                         .destination = asked.destination,
                                         .ttl = 3,
                                         .protocol = 253,
                                         .tos = 0x10,
                                         .payload = payload}));
    }
    std::size_t free() const { return c.device.buffers.available(); }
};

TEST_CASE("reply: to the sender, from the asked address, with TTL and DF of this host") {
    replying_core k;
    CHECK(acts::reply(k.c, k.received(pattern(30)), asked).has_value());
    check(sent_one(k.c), support::right_sums(), support::source("10.0.2.1"_ip),
          support::destination("10.0.1.2"_ip), support::ttl(64), support::tos(0x10),
          support::protocol(253), support::flags_and_offset(0x4000), support::payload(pattern(30)));
    acts::change_switches(k.c.tables, [](settings& s) {
        s.ip_no_pmtu_disc = 1;
        s.ip_default_ttl = 99;
    });
    CHECK(acts::reply(k.c, k.received(pattern(30)), asked).has_value());
    check(sent_one(k.c), support::flags_and_offset(0), support::ttl(99));
}

TEST_CASE("reply: a group or broadcast was asked: the route chooses the source") {
    replying_core k;
    delivery_info info = asked;
    info.destination = "10.0.1.255"_ip;
    info.local = {};
    CHECK(acts::reply(k.c, k.received(pattern(30)), info).has_value());
    check(sent_one(k.c), support::source("10.0.1.1"_ip));
}

TEST_CASE("reply: no route, no buffer, no datagram") {
    replying_core k;
    const std::size_t all = k.free();
    delivery_info far = asked;
    far.source = "192.0.2.1"_ip;
    CHECK(acts::reply(k.c, k.received(pattern(30)), far).error() ==
          send_error::network_unreachable);
    CHECK(acts::reply(k.c, packet{}, asked).error() == send_error::invalid);
    delivery_info from_anybody = asked;
    from_anybody.source = {};
    CHECK(acts::reply(k.c, k.received(pattern(30)), from_anybody).error() == send_error::invalid);
    packet short_one = k.c.device.buffers.take();
    fill_bytes(short_one.put(19), 19, std::byte{0x45});
    CHECK(acts::reply(k.c, std::move(short_one), asked).error() == send_error::invalid);
    packet broken = k.c.device.buffers.take();
    fill_bytes(broken.put(20), 20, std::byte{0x4f});
    CHECK(acts::reply(k.c, std::move(broken), asked).error() == send_error::no_buffer);
    CHECK(k.free() == all);
    CHECK(k.c.device.output.size() == 0);
    CHECK(k.c.books.counters[balance::originated] == 5);
    CHECK(k.c.books.counters.drops() == 5);
}

struct answering final : protocol_handler<packet> {
    bool was_sent = false;
    u32 calls = 0;
    handler_result receive(packet& p, const delivery_info& info,
                           local_services<packet>& services) noexcept override {
        ++calls;
        was_sent = services.reply(std::move(p), info);
        return handler_result::taken();
    }
};

TEST_CASE("reply: from within a handler it waits, and leaves with the options turned round") {
    stack<small> s{{.seed = testing::fixed_seed}};
    REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    s.change([](settings& all) { all.all.accept_source_route = true; });
    answering h;
    REQUIRE(s.delivery().set_handler(253, &h).has_value());
    // A loose source route that ended here, by 10.0.1.9.
    const byte_vector route = list({131, 7, 8, 10, 0, 1, 9, 0});
    const byte_vector d = datagram_of({.source = "10.0.1.2"_ip,
                                       .destination = "10.0.1.1"_ip,
                                       .protocol = 253,
                                       .options = route,
                                       .payload = pattern(12)});
    CHECK(s.receive(support::packet_of(s.buffers(), d, 2), {instant{} + 5_s, 0}) ==
          fate::delivered);
    CHECK(h.was_sent);
    const auto sent = support::take_sent(s.output());
    REQUIRE(sent.size() == 1);
    check(sent[0].datagram, support::right_sums(), support::destination("10.0.1.9"_ip),
          support::payload(pattern(12)));
    CHECK(byte_vector(sent[0].datagram.begin() + 20, sent[0].datagram.begin() + 28) ==
          list({131, 7, 4, 10, 0, 1, 2, 0}));
    CHECK(support::balanced(s));
}

TEST_CASE("reply: to a broadcast or multicast address, never") {
    replying_core k;
    const std::size_t all = k.free();
    for (const ipv4::address from :
         {"10.0.1.255"_ip, "255.255.255.255"_ip, "224.0.0.1"_ip, "239.1.2.3"_ip}) {
        delivery_info info = asked;
        info.source = from;
        CHECK_FALSE(acts::reply(k.c, k.received(pattern(30)), info).has_value());
        info.local = {};
        CHECK_FALSE(acts::reply(k.c, k.received(pattern(30)), info).has_value());
    }
    CHECK(k.free() == all);
    CHECK(k.c.device.output.size() == 0);
    CHECK(k.c.later.size() == 0);
}

TEST_CASE("reply: a datagram from 0.0.0.0 does not set a handler to answer itself") {
    stack<small> s{{.seed = testing::fixed_seed}};
    REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    answering h;
    REQUIRE(s.delivery().set_handler(253, &h).has_value());
    const byte_vector d = datagram_of(
        {.source = {}, .destination = "255.255.255.255"_ip, .protocol = 253, .payload = {}});
    static_cast<void>(s.receive(support::packet_of(s.buffers(), d, 2), {}));
    CHECK(h.calls == 1);
    CHECK_FALSE(h.was_sent);
    CHECK(s.poll({}) == instant::never());
}

}  // namespace

}  // namespace acts_reply
