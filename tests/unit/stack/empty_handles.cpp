// Empty handles in place of packets: at every entrance of a stack, and from policies that take a
// packet and return any answer. Each packet has one fate, the sums are right (support/world.hpp),
// and no byte is read.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/output/tee_output.hpp>

#include <vector>

namespace stack_empty_handles {

namespace {

using namespace stack_test;

template <class Ownership>
struct router_of : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64, Ownership>>,
                            hooks<hook_chain<8>>, output<queue_output<64>>> {};

template <class Ownership>
using packet_of_world = typename world<router_of<Ownership>>::packet_type;

const byte_vector to_us = datagram_of({.destination = "10.0.1.1"_ip});
const byte_vector passing = datagram_of({});

TEST_CASE_TEMPLATE("entrances: an empty handle is refused without effect", Ownership, unique,
                   shared) {
    world<router_of<Ownership>> b;
    using packet = packet_of_world<Ownership>;
    const auto& c = b->counters();
    CHECK(b->receive(packet{}, b.now) == fate::dropped);
    packet batch[3];
    batch[1] = b.packet(passing);
    b->receive(std::span{batch}, b.now);
    CHECK(c[balance::received] == 1);
    check(b.sent_one(), support::ttl(63));
    b->link_failed(packet{}, b.now);
    CHECK(c[balance::received] == 1);
    CHECK(c.drops() == 0);

    const auto refused = [&](const auto& result, routing::send_error why) {
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error() == why);
    };
    const send_request r{.destination = "10.0.1.9"_ip, .protocol = 253};
    refused(b->send(packet{}, r, b.now), routing::send_error::no_buffer);
    const auto route = b->route(flow_of(r), b.now);
    refused(b->send(packet{}, r, route.value(), b.now), routing::send_error::no_buffer);
    refused(b->send(packet{}, b.now), routing::send_error::invalid);
    refused(b->send_raw(packet{}, r, b.now), routing::send_error::no_buffer);
    CHECK(c[balance::originated] == 4);
    CHECK(c.drops() == 4);
    CHECK(b.is_quiet());
}

TEST_CASE_TEMPLATE("a failed send may be repeated with the rest of the packet", Ownership, unique,
                   shared) {
    world<router_of<Ownership>> b;
    auto p = b.packet(pattern(40));
    p.writable_metadata().mark = 3;
    const send_request nowhere{.destination = "99.0.0.1"_ip, .protocol = 253};
    const send_request there{.destination = "10.0.1.9"_ip, .protocol = 253};
    CHECK_FALSE(b->send(std::move(p), nowhere, b.now).has_value());
    CHECK(p.size() == 0);
    CHECK_FALSE(b->send(std::move(p), there, b.now).has_value());
    CHECK_FALSE(b->send(std::move(p), b.now).has_value());
    CHECK_FALSE(b->send_raw(std::move(p), there, b.now).has_value());
    CHECK(b->receive(std::move(p), b.now) == fate::dropped);
    b->link_failed(std::move(p), b.now);
    CHECK(b.is_quiet());
}

// Takes each packet and returns the answer that the test sets.
template <class Packet>
struct thief final : hook<Packet> {
    hook_verdict answer = hook_verdict::accept;
    std::vector<Packet> taken;
    u32 calls = 0;
    hook_verdict operator()(Packet& p, const hook_context&) noexcept override {
        ++calls;
        taken.push_back(std::move(p));
        return answer;
    }
};
template <class Packet>
struct bystander final : hook<Packet> {
    u32 calls = 0;
    hook_verdict operator()(Packet&, const hook_context&) noexcept override {
        ++calls;
        return hook_verdict::accept;
    }
};

TEST_CASE_TEMPLATE("hooks: a hook that takes the packet owns it, whatever its verdict", Ownership,
                   unique, shared) {
    using packet = packet_of_world<Ownership>;
    for (unsigned point = 0; point < hook_points; ++point) {
        for (const hook_verdict v : {hook_verdict::accept, hook_verdict::drop, hook_verdict::stolen,
                                     hook_verdict::queue, hook_verdict::repeat}) {
            CAPTURE(point);
            CAPTURE(static_cast<int>(v));
            world<router_of<Ownership>> b;
            thief<packet> first;
            bystander<packet> second;
            first.answer = v;
            const auto at = static_cast<hook_point>(point);
            REQUIRE(b->hooks().add(at, 0, first));
            REQUIRE(b->hooks().add(at, 1, second));
            static_cast<void>(b.receive(passing));
            static_cast<void>(b.receive(to_us));
            static_cast<void>(b.receive(datagram_of({.options = list({7, 7, 4, 0, 0, 0, 0})})));
            static_cast<void>(b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                                                     .protocol = 1,
                                                     .payload = support::echo_request()})));
            for (const ipv4::address to : {"10.0.1.9"_ip, "10.0.1.1"_ip, "10.0.1.255"_ip}) {
                static_cast<void>(
                    b->send(b.packet(pattern(30)), {.destination = to, .protocol = 253}, b.now));
            }
            CHECK(first.calls > 0);
            CHECK(first.calls == first.taken.size());  // not asked again without a packet
            CHECK(second.calls == 0);
            const auto& c = b->counters();
            CHECK(c[drop_reason::hook] == (v == hook_verdict::drop ? first.calls : 0));
        }
    }
}

// A hook policy of the user's own need not look whether the packet is still there.
struct careless_hooks {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool never_active = false;
        hook_point at{};
        hook_verdict answer{};
        [[nodiscard]] bool active(hook_point p) const noexcept { return p == at; }
        [[nodiscard]] hook_verdict run(hook_point, Packet& p, const hook_context&) noexcept {
            p.reset();
            return answer;
        }
    };
};
struct careless_router : policies<based_on<small_router>, hooks<careless_hooks>> {};

TEST_CASE("hooks: a policy that lets an empty handle pass") {
    for (unsigned point = 0; point < hook_points; ++point) {
        for (const hook_verdict v : {hook_verdict::accept, hook_verdict::drop, hook_verdict::stolen,
                                     hook_verdict::repeat}) {
            world<careless_router> b;
            b->hooks().at = static_cast<hook_point>(point);
            b->hooks().answer = v;
            static_cast<void>(b.receive(passing));
            static_cast<void>(b.receive(to_us));
            static_cast<void>(b->send(b.packet(pattern(30)),
                                      {.destination = "10.0.1.1"_ip, .protocol = 253}, b.now));
            const auto& c = b->counters();
            CHECK(c[balance::absorbed] + c[drop_reason::hook] > 0);
        }
    }
}

template <class Packet>
struct taking_handler final : protocol_handler<Packet> {
    handler_result answer;
    std::vector<Packet> taken;
    handler_result receive(Packet& p, const delivery_info&,
                           local_services<Packet>& services) noexcept override {
        taken.push_back(std::move(p));
        CHECK_FALSE(services.send_later(Packet{}));
        return answer;
    }
};

TEST_CASE_TEMPLATE("handlers: a handler that takes the packet owns it, whatever its answer",
                   Ownership, unique, shared) {
    using packet = packet_of_world<Ownership>;
    for (const handler_result& r :
         {handler_result::taken(), handler_result::ignored(), handler_result::unreachable(),
          handler_result::again(253), handler_result::again(17), handler_result::built_in()}) {
        for (const bool tapped : {false, true}) {
            CAPTURE(static_cast<int>(r.what));
            CAPTURE(tapped);
            world<router_of<Ownership>> b;
            taking_handler<packet> h;
            receive_queue<packet, 4> raw;
            h.answer = r;
            for (const u8 protocol : {u8{253}, u8{1}, u8{17}}) {
                REQUIRE(b->delivery().set_handler(protocol, &h).has_value());
            }
            if (tapped) {
                REQUIRE(b->delivery().add_raw({.protocol = 253}, raw));
            }
            const bool ignored = r.what == handler_result::kind::ignored;
            CHECK(b.receive(to_us) == (ignored ? fate::dropped : fate::delivered));
            CHECK(b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                                         .protocol = 17,
                                         .payload = support::udp_message(1, 2, pattern(9))})) ==
                  (ignored ? fate::dropped : fate::delivered));
            CHECK(h.taken.size() == 2);
            CHECK((support::content_of(h.taken[0]) == to_us));
            CHECK(b->counters()[drop_reason::ignored_by_handler] == (ignored ? 2u : 0u));
            CHECK(b.is_quiet());
        }
    }
}

// Leaves the packet, but not as it was.
template <class Packet>
struct cutting_handler final : protocol_handler<Packet> {
    handler_result answer;
    u32 pulled = 0;
    handler_result receive(Packet& p, const delivery_info&,
                           local_services<Packet>&) noexcept override {
        static_cast<void>(p.pull(pulled));
        return answer;
    }
};

TEST_CASE("handlers: a damaged datagram is refused without reading beyond its bytes") {
    // Behind 16 bytes stand zeros, and the address of a neighbour where a header has its source.
    const byte_vector misleading =
        datagram_of({.destination = "10.0.1.1"_ip,
                     .payload = list({0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 1, 2, 10, 0, 1, 1})});
    for (const u32 n : {1u, 16u, 20u, 30u, 36u}) {
        for (const handler_result& r : {handler_result::unreachable(), handler_result::again(253),
                                        handler_result::built_in(), handler_result::ignored()}) {
            CAPTURE(n);
            world<> b;
            cutting_handler<world<>::packet_type> h;
            h.answer = r;
            h.pulled = n;
            REQUIRE(b->delivery().set_handler(253, &h).has_value());
            CHECK(b.receive(misleading) == fate::dropped);
            CHECK(b.is_quiet());
        }
    }
}

// Takes the packet and says no, or leaves it and says yes.
template <class Packet>
struct lying_sink final : packet_sink<Packet> {
    bool takes = false;
    std::vector<Packet> taken;
    bool take(Packet& p, const delivery_info&) noexcept override {
        if (takes) {
            taken.push_back(std::move(p));
        }
        return !takes;
    }
};

TEST_CASE_TEMPLATE("endpoints that answer the opposite of their action", Ownership, unique,
                   shared) {
    using packet = packet_of_world<Ownership>;
    for (const bool takes : {false, true}) {
        CAPTURE(takes);
        world<router_of<Ownership>> b;
        lying_sink<packet> s;
        s.takes = takes;
        REQUIRE(b->delivery().add_raw({.protocol = 253}, s));
        REQUIRE(b->delivery().add_udp({.local_port = 7}, s));
        REQUIRE(b->delivery().add_ping({.local_port = 7}, s));
        REQUIRE(b->delivery().add_alert({.protocol = 253}, s));
        const auto message = support::udp_message(9, 7, pattern(9));
        static_cast<void>(b.receive(to_us));
        for (const ipv4::address to : {"10.0.1.1"_ip, "10.0.1.255"_ip}) {
            static_cast<void>(
                b.receive(datagram_of({.destination = to, .protocol = 17, .payload = message})));
        }
        static_cast<void>(
            b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                                   .protocol = 1,
                                   .payload = support::icmp_message(0, 0, 0x00070001)})));
        static_cast<void>(b.receive(datagram_of({.options = list({148, 4, 0, 0})})));
        CHECK(s.taken.size() == (takes ? 5 : 0));
        CHECK(b.is_quiet());
    }
}

// A delivery policy that takes the packet and answers that no endpoint wants it.
struct swallowing_delivery {
    template <class Packet>
    struct model : no_delivery::model<Packet> {
        [[nodiscard]] static delivery_count udp(Packet&& p, const delivery_info&) noexcept {
            p.reset();
            return {};
        }
    };
};
struct swallowing_router : policies<based_on<small_router>, delivery<swallowing_delivery>> {};

TEST_CASE("delivery: a policy that takes the packet and answers that no endpoint wants it") {
    world<swallowing_router> b;
    CHECK(b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                                 .protocol = 17,
                                 .payload = support::udp_message(9, 7, pattern(9))})) ==
          fate::dropped);
    CHECK(b.is_quiet());
}

// An output that takes the packet and says no.
struct losing_output {
    template <class Packet>
    struct model : queue_output<64>::model<Packet> {
        [[nodiscard]] bool transmit(Packet& p, const egress&, instant) noexcept {
            p.reset();
            return false;
        }
    };
};
struct losing_router : policies<based_on<small_router>, output<losing_output>> {};

TEST_CASE("outputs: one that takes the packet and refuses it") {
    world<losing_router> b;
    CHECK(b.receive(passing) == fate::dropped);
    CHECK(b.receive(datagram_of({.options = list({7, 7, 4, 0, 0, 0, 0})})) == fate::dropped);
    CHECK(b.receive(datagram_of(
              {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request()})) ==
          fate::delivered);
    CHECK(b->counters()[drop_reason::output_refused] == 3);
}

TEST_CASE("queues and outputs refuse an empty handle, so that no queue ends early") {
    using packet = world<>::packet_type;
    fixed_pool<2048, 64> pool;
    packet none;
    queue_output<4>::model<packet> queue;
    CHECK_FALSE(queue.transmit(none, {}, {}));
    auto some = support::packet_of(pool, passing);
    CHECK(queue.transmit(some, {}, {}));
    CHECK_FALSE(queue.transmit(none, {}, {}));
    CHECK(queue.size() == 1);
    tee_output<queue_output<4>, queue_output<4>>::model<packet> tee;
    CHECK_FALSE(tee.transmit(none, {}, {}));
    CHECK(tee.first.size() + tee.second.size() == 0);
    callback_output::model<packet> callback;
    callback.call = [](void*, packet&, const egress&, instant) noexcept { return true; };
    CHECK_FALSE(callback.transmit(none, {}, {}));
    receive_queue<packet, 4> waiting;
    CHECK_FALSE(waiting.take(none, {}));
    CHECK(waiting.size() == 0);
}

TEST_CASE("a packet that the link hands back may be too short for a header") {
    world<> b;
    for (std::size_t n = 0; n < passing.size(); ++n) {
        b->link_failed(
            b.packet({passing.begin(), passing.begin() + static_cast<std::ptrdiff_t>(n)}), b.now);
    }
    CHECK(b.is_quiet());
    CHECK(b->counters()[drop_reason::neighbour_unreachable] == passing.size());
    b->link_failed(b.packet(passing), b.now);
    check(b.sent_one(), support::icmp_is(3, 1));
}

}  // namespace

}  // namespace stack_empty_handles
