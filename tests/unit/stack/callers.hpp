// A stack with a caller at every place where it calls foreign code: hooks, security policy,
// handler, sinks, output, observer. One of the places calls back.
#pragma once

#include <doctest/doctest.h>

#include "support/packet_checks.hpp"
#include "support/world.hpp"

#include <sluice/delivery/registry.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>

#include <array>
#include <memory>
#include <string>

namespace stack_test {

enum class place : unsigned {
    prerouting,
    local_in,
    forward,
    local_out,
    postrouting,
    security_in,
    security_forward,
    security_out,
    handler,
    handler_error,
    believer,
    tap,
    sink,
    listener,
    alert,
    transmit,
    flush,
    observer,
    count
};

// 14 calls with up to 5 packets' work each, of 256 items, each of which passes a place some times.
inline constexpr unsigned bound = 14 * 257 * 12;

// Called from each place; calls the entrance under test, but never from within that call.
struct caller {
    void (*act)(void*) = nullptr;
    void* context = nullptr;
    place at = place::count;
    unsigned calls = 0;
    unsigned depth = 0;
    unsigned deepest = 0;

    void reached(place p) {
        if (p != at || act == nullptr) return;
        ++calls;
        deepest = ++depth > deepest ? depth : deepest;
        if (calls < bound) act(context);
        --depth;
    }
};
inline caller now_at;  // one stack at a time

struct watching {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        drop_reason refusal(security_point p, const Packet&, const security_context&) noexcept {
            now_at.reached(static_cast<place>(static_cast<unsigned>(place::security_in) +
                                              static_cast<unsigned>(p)));
            return drop_reason::none;
        }
    };
};
struct calling_output {
    template <class Packet>
    struct model : queue_output<256>::model<Packet> {
        bool transmit(Packet& p, const egress& to, instant now) noexcept {
            now_at.reached(place::transmit);
            return queue_output<256>::model<Packet>::transmit(p, to, now);
        }
        void flush() noexcept { now_at.reached(place::flush); }
    };
};
struct calling_observer {
    static constexpr bool never_observes = false;
    void observe(const trace_event&) noexcept { now_at.reached(place::observer); }
};

struct watched
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 400>>, output<calling_output>,
               security<watching>, hooks<hook_chain<16>>, observers<calling_observer>> {};
// Without the policies that turn the accept branch off.
struct plain : policies<based_on<linux_router>, buffers<fixed_pool<2048, 400>>,
                        output<calling_output>, hooks<hook_chain<16>>> {};

template <class Policies>
struct calling_world : world<Policies> {
    using stack_type = stack<Policies>;
    using packet_type = typename stack_type::packet_type;

    struct calling_hook final : hook<packet_type> {
        place at{};
        hook_verdict operator()(packet_type&, const hook_context&) noexcept override {
            now_at.reached(at);
            return hook_verdict::accept;
        }
    };
    struct calling_handler final : protocol_handler<packet_type> {
        handler_result receive(packet_type&, const delivery_info&,
                               local_services<packet_type>&) noexcept override {
            now_at.reached(place::handler);
            return handler_result::taken();
        }
        bool error(const icmp_error_notice&) noexcept override {
            now_at.reached(place::handler_error);
            return true;
        }
        bool believes(const icmp_error_notice&) const noexcept override {
            now_at.reached(place::believer);
            return true;
        }
    };
    struct calling_sink final : packet_sink<packet_type> {
        explicit calling_sink(place p) : at(p) {}
        place at;
        bool take(packet_type& p, const delivery_info&) noexcept override {
            now_at.reached(at);
            p.reset();
            return true;
        }
        void error(const icmp_error_notice&) noexcept override { now_at.reached(place::listener); }
        bool believes(const icmp_error_notice&) const noexcept override { return false; }
    };

    calling_world() {
        auto& b = *this;
        for (unsigned i = 0; i < hook_points; ++i) {
            hooks[i].at = static_cast<place>(i);
            REQUIRE(b->hooks().add(static_cast<hook_point>(i), 0, hooks[i]));
        }
        REQUIRE(b->delivery().set_handler(253, &handler).has_value());
        REQUIRE(b->delivery().add_raw({.protocol = 253}, tap));
        REQUIRE(b->delivery().add_udp({.local_port = 7000, .reuse = true}, sink));
        REQUIRE(b->delivery().add_alert({.protocol = 99}, alert));
    }
    ~calling_world() { now_at = {}; }

    [[nodiscard]] byte_vector to(ipv4::address a, u8 protocol = 253,
                                 byte_vector payload = pattern(8), byte_vector options = {}) {
        return datagram_of({.destination = a,
                            .ttl = 9,
                            .protocol = protocol,
                            .options = std::move(options),
                            .payload = std::move(payload)});
    }
    // Traffic that reaches every place.
    void run() {
        auto& b = *this;
        const byte_vector sent_datagram = datagram_of(
            {.source = "10.0.1.1"_ip, .destination = "10.0.2.9"_ip, .payload = pattern(8)});
        b.receive(to("10.0.1.1"_ip));
        b.receive(to("10.0.1.1"_ip, 17, support::udp_message(9, 7000, pattern(4))));
        b.receive(to("10.0.1.255"_ip, 17, support::udp_message(9, 7000, pattern(4))));
        b.receive(to("10.0.1.1"_ip, 1, support::echo_request()));
        b.receive(to("10.0.1.1"_ip, 77));
        b.receive(to("10.0.2.9"_ip));
        b.receive(to("10.0.2.9"_ip, 99, pattern(8), list({148, 4, 0, 0})));
        b.receive(to("10.0.1.1"_ip, 1, support::icmp_message(3, 1, 0, sent_datagram)));
        packet_type batch[4]{b.packet(to("10.0.2.9"_ip)), b.packet(to("10.0.2.9"_ip)),
                             b.packet(to("10.0.1.1"_ip)), b.packet(to("10.0.2.9"_ip))};
        b->receive(batch, b.now);
        static_cast<void>(b->poll(b.now));
    }

    std::array<calling_hook, hook_points> hooks;
    calling_handler handler;
    calling_sink tap{place::tap}, sink{place::sink}, alert{place::alert}, other{place::tap};
    calling_hook another;
    udp_endpoint<stack_type> socket{**this};
};

template <class Policies>
calling_world<Policies>& world_of(void* p) {
    return *static_cast<calling_world<Policies>*>(p);
}
inline constexpr send_request any{.destination = "10.0.2.9"_ip, .protocol = 253};
inline constexpr send_request self{.destination = "10.0.1.1"_ip, .protocol = 253};
inline constexpr moment old{};  // never taken: time does not go back

}  // namespace stack_test
