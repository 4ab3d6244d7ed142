// A security policy that refuses on input, on forwarding and on output; and a handler that needs no
// policy.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace stack_security {

namespace {

using namespace stack_test;

// Refuses at one point packets of one protocol.
struct refusing {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        security_point at = security_point::in;
        u8 protocol = 0;
        u32 asked[3]{};
        security_context last{};

        drop_reason refusal(security_point p, const Packet& packet,
                            const security_context& c) noexcept {
            ++asked[static_cast<unsigned>(p)];
            last = c;
            return p == at && ipv4::const_view{packet.data()}[ipv4::protocol] == protocol
                       ? drop_reason::security_policy
                       : drop_reason::none;
        }
    };
};
struct guarded : policies<based_on<small_router>, security<refusing>> {};
using guarded_world = world<guarded>;
using packet = guarded_world::packet_type;

byte_vector towards(ipv4::address to, u8 protocol = 253) {
    return datagram_of({.destination = to, .protocol = protocol, .payload = pattern(8)});
}

struct taker final : protocol_handler<packet> {
    u32 calls = 0;
    bool exempt = false;
    handler_result receive(packet&, const delivery_info&,
                           local_services<packet>&) noexcept override {
        ++calls;
        return handler_result::taken();
    }
    bool needs_no_policy() const noexcept override { return exempt; }
};

TEST_CASE("security: a packet refused on input reaches no tap or handler, and no error is sent") {
    guarded_world b;
    taker h;
    receive_queue<packet, 4> tap;
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    REQUIRE(b->delivery().add_raw({.protocol = 253}, tap));
    b->security().protocol = 253;
    CHECK(b.receive(towards("10.0.1.1"_ip)) == fate::dropped);
    CHECK(b->counters()[drop_reason::security_policy] == 1);
    CHECK(b->security().last.in == 2);
    CHECK(h.calls == 0);
    CHECK(tap.size() == 0);
    for (const u8 protocol : {u8{1}, u8{2}, u8{17}, u8{99}}) {
        INFO(protocol);
        b->security().protocol = protocol;
        CHECK(b.receive(towards("10.0.1.1"_ip, protocol)) == fate::dropped);
    }
    CHECK(b->counters()[drop_reason::security_policy] == 5);
    CHECK(b.is_quiet());
    CHECK(b.receive(towards("10.0.1.1"_ip)) == fate::delivered);
    CHECK(h.calls == 1);
    CHECK(tap.size() == 1);
}

TEST_CASE("security: a handler that needs no policy gets refused packets, taps do not") {
    guarded_world b;
    taker h;
    h.exempt = true;
    receive_queue<packet, 4> tap;
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    REQUIRE(b->delivery().add_raw({.protocol = 253}, tap));
    b->security().protocol = 253;
    CHECK(b.receive(towards("10.0.1.1"_ip)) == fate::delivered);
    CHECK(h.calls == 1);
    CHECK(tap.size() == 0);
}

TEST_CASE("security: a packet refused for forwarding is dropped, also in a batch") {
    guarded_world b;
    b->security().at = security_point::forward;
    b->security().protocol = 253;
    CHECK(b.receive(towards("10.0.2.9"_ip)) == fate::dropped);
    packet batch[3]{b.packet(towards("10.0.2.9"_ip)), b.packet(towards("10.0.2.9"_ip, 254)),
                    b.packet(towards("10.0.2.9"_ip))};
    b->receive(batch, b.now);
    CHECK(b->counters()[drop_reason::security_policy] == 3);
    check(b.sent_one(), support::protocol(254));
    CHECK(b->security().asked[1] == 4);
    CHECK(b->security().last.out == 3);
}

TEST_CASE("security: a packet refused on output is reported to its sender") {
    guarded_world b;
    b->security().at = security_point::out;
    b->security().protocol = 253;
    const send_request to{.destination = "10.0.2.9"_ip, .protocol = 253};
    CHECK(b->send(b.packet(pattern(8)), to, b.now).error() == routing::send_error::not_permitted);
    CHECK(b->send(b.packet(towards("10.0.2.9"_ip)), b.now).error() ==
          routing::send_error::not_permitted);
    CHECK(b->send_raw(b.packet(towards("10.0.2.9"_ip)), to, b.now).error() ==
          routing::send_error::not_permitted);
    CHECK(b->counters()[drop_reason::security_policy] == 3);
    CHECK(b.is_quiet());
    REQUIRE(b->send(b.packet(towards("10.0.2.9"_ip, 254)), b.now).has_value());
    CHECK(b.sent().size() == 1);
    // What the stack says itself is asked about too.
    b->security().protocol = ipv4::protocols::icmp;
    b.receive(towards("10.0.1.1"_ip, 99));
    CHECK(b.is_quiet());
    CHECK(b->counters()[drop_reason::security_policy] == 4);
}

}  // namespace

}  // namespace stack_security
