// conformance::port: tests the properties of every device (port/concept.hpp) on yours, with both
// sides of it.
//
//     struct my_harness {                  // the suite makes one for each case
//         my_device& device();             // with nothing in it
//         // The other side sends `count` packets. Returns them as the device must receive them.
//         std::vector<testing::byte_vector> offer(std::size_t count);
//         std::vector<testing::port_arrival> sent();  // optional: packets since the last call
//         bool remove();                   // optional: the device goes away; false: it cannot
//         bool set_up(bool up);            // optional: the interface goes down, or up again
//     };
//     const auto found = testing::conformance::port<my_harness>();  // prints faults
//
// A device may be one half: without a receiving half, offer() is not needed. sent() sees whether
// packets left with their bytes, and with the work that offloads() offers.
//
// Expects: a default-constructible harness; a device whose receive() takes any buffer_source.
#pragma once

#include <sluice/testing/conformance/port_transmit.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice::testing::conformance {

namespace detail {

template <class Harness>
using device_of = std::remove_reference_t<decltype(std::declval<Harness&>().device())>;

template <class Harness>
inline constexpr bool receives = port::receiver_for<device_of<Harness>, port_pool>;
template <class Harness>
inline constexpr bool transmits = port::transmitter_for<device_of<Harness>, port_packet>;

template <class Harness>
concept offers = requires(Harness& h, std::size_t count) {
    { h.offer(count) } -> std::same_as<std::vector<byte_vector>>;
};
// A member of another form would never be called: it is an error. So is a harness that offers
// packets to a device, or sees those that left it, if the device does not model this half of
// port/concept.hpp, for example for want of a noexcept.
template <class Harness>
concept may_offer = (receives<Harness> && offers<Harness>) ||
                    (!receives<Harness> && !requires { &Harness::offer; });
template <class Harness>
concept may_see_sent = !requires { &Harness::sent; } || (sees_sent<Harness> && transmits<Harness>);
template <class Harness>
concept may_remove = !requires { &Harness::remove; } || requires(Harness& h) {
    { h.remove() } -> std::same_as<bool>;
};
template <class Harness>
concept may_set_up = !requires { &Harness::set_up; } || requires(Harness& h, bool up) {
    { h.set_up(up) } -> std::same_as<bool>;
};

template <class Harness>
class port_suite {
public:
    port_suite(checker& check, const port_options& options) : check_{check}, options_{options} {}

    void run() {
        each_case(&port_suite::described, "a new device is up");
        if constexpr (receives<Harness>) {
            each_case(&port_suite::empty, "nothing waits");
            each_case(&port_suite::bursts, "packets come in bursts, at most as many as asked for");
            each_case(&port_suite::no_buffers, "without buffers nothing is received");
        }
        if constexpr (transmits<Harness>) {
            port_transmit_cases<Harness>{check_, options_, pool_}.run();
        }
        if constexpr (requires(Harness& h) { h.remove(); }) {
            each_case(&port_suite::removed, "the device goes away");
        }
        if constexpr (requires(Harness& h) { h.set_up(true); }) {
            each_case(&port_suite::down, "the interface goes down, and up again");
        }
    }

private:
    static constexpr std::size_t asked = 3;  // packets of a burst
    static constexpr int most_calls = 1000;  // of a device that throws all away

    void each_case(void (port_suite::*one)(Harness&), const char* about) {
        check_.begin(about);
        {
            Harness harness;
            (this->*one)(harness);
        }
        check_.clear_given();
        check_.equal(pool_.available(), port_buffers, "all buffers are back in the pool");
    }

    void described(Harness& harness) {
        auto& device = harness.device();
        check_.holds(device.fd() >= 0, "fd() is a descriptor");
        check_.equal(device.state(), port::device_state::up, "state() is up");
        check_.holds(device.link() != port::link_header::unknown, "link() names the header");
    }

    void empty(Harness& harness) {
        auto& device = harness.device();
        std::array<port_packet, asked> packets;
        const port::receive_batch got = device.receive(pool_, std::span{packets});
        check_.equal(got.count, std::size_t{0}, "nothing is received");
        check_.equal(got.thrown_away, std::size_t{0}, "nothing is thrown away");
        check_.holds(got.end == port::read_status::would_block || has_ended(device, got),
                     "receive() ends with would_block, or with closed when no packet can come");
        check_.holds(!wait_readable(device.fd(), {}) || has_ended(device, got),
                     "fd() is not readable while nothing waits");
        check_.equal(pool_.available(), port_buffers, "no buffer is kept");
    }
    // A device of finite contents ends instead of being empty.
    [[nodiscard]] static bool has_ended(const device_of<Harness>& device,
                                        const port::receive_batch& got) {
        return got.end == port::read_status::closed && device.state() == port::device_state::closed;
    }

    void bursts(Harness& harness) {
        const std::vector<byte_vector> offered = harness.offer(asked + 2);
        auto& device = harness.device();
        check_.holds(!offered.empty(), "offer() returns the packets that it sent");
        check_.equal(receive_into(device, {}).count, std::size_t{0},
                     "an empty span receives nothing");
        std::size_t next = 0;
        for (int calls = 0; calls < most_calls && next < offered.size() &&
                            check_.holds(wait_readable(device.fd(), options_.patience),
                                         "fd() is readable while a packet waits");
             ++calls) {
            const std::size_t before = next;
            std::array<port_packet, asked + 2> packets;
            const port::receive_batch got = receive_into(device, std::span{packets}.first(asked));
            for (std::size_t i = 0; i < packets.size(); ++i) {
                check_.holds(bool{packets[i]} == (i < got.count),
                             "the packets fill the span from the front, and nothing behind it");
                if (packets[i] && next < offered.size()) {
                    received(packets[i], offered[next], next);
                    ++next;
                }
            }
            check_.clear_given();
            if (next == before && !got.has_progressed()) {
                break;  // it is readable, but gives nothing
            }
        }
        check_.equal(next, offered.size(), "each packet is received");
        if constexpr (requires { device.counters().received; }) {
            check_.holds(device.counters().received >= next, "counters() count received packets");
        }
    }
    void received(const port_packet& p, const byte_vector& expected, std::size_t number) {
        check_.given("packet", number);
        check_.same_bytes(content_of(p), expected,
                          "packets are received in order, with their bytes");
        check_.equal(p.interface(), options_.interface, "a received packet has its interface");
    }
    // Calls receive(), and checks that its answer fits the span.
    port::receive_batch receive_into(device_of<Harness>& device, std::span<port_packet> to) {
        const port::receive_batch got = device.receive(pool_, to);
        check_.holds(got.count + got.thrown_away <= to.size(),
                     "receive() returns at most as many packets as the span holds");
        if (got.end == port::read_status::none) {
            check_.holds(got.count + got.thrown_away == to.size(),
                         "receive() ends without a reason only when the span is full");
        }
        return got;
    }

    void no_buffers(Harness& harness) {
        const std::vector<byte_vector> offered = harness.offer(1);
        auto& device = harness.device();
        std::array<port_packet, port_buffers + 64> kept;
        for (port_packet& each : kept) {
            each = take_urgent(pool_, 0);
        }
        check_.holds(wait_readable(device.fd(), options_.patience),
                     "fd() is readable while a packet waits");
        std::array<port_packet, asked> packets;
        const port::receive_batch got = receive_into(device, std::span{packets});
        check_.equal(got.count, std::size_t{0}, "without buffers no packet is received");
        check_.holds(got.end == port::read_status::no_buffer || got.thrown_away != 0,
                     "receive() ends with no_buffer, or counts the packet as thrown away");
        kept = {};
        if (got.thrown_away == 0) {
            const bool came = wait_until(options_.patience, [&] {
                return device.receive(pool_, std::span{packets}).count != 0;
            });
            check_.holds(came && content_of(packets[0]) == offered[0],
                         "a packet that found no buffer waits, and is received later");
        }
    }

    void removed(Harness& harness) {
        auto& device = harness.device();
        if (!harness.remove()) {
            return;
        }
        if constexpr (receives<Harness>) {
            std::array<port_packet, asked> packets;
            check_.holds(
                wait_until(
                    options_.patience,
                    [&] { return is_failure(device.receive(pool_, std::span{packets}).end); }),
                "receive() reports that the device went away");
        }
        if constexpr (transmits<Harness>) {
            transmit_to_removed(harness);
        }
        check_.equal(device.state(), port::device_state::closed,
                     "state() is closed after a failed call");
    }
    [[nodiscard]] static bool is_failure(port::read_status s) noexcept {
        using enum port::read_status;
        return s == closed || s == refused || s == failed;
    }
    void transmit_to_removed(Harness& harness) {
        port_transmitter<Harness> out{harness, options_};
        const byte_vector sent = with_link_header(
            out.link(),
            udp_datagram_of({.source = options_.source, .destination = options_.destination}, 4000,
                            4001, pattern(20)));
        port_packet p = packet_of(pool_, sent);
        const bool taken = out.transmit(p, {});
        out.flush();
        if (!taken) {
            check_.same_bytes(content_of(p), sent, "a refused packet keeps its bytes");
        } else if constexpr (port_transmitter<Harness>::counts) {
            check_.equal(u64{out.model().counters().lost}, u64{1},
                         "a packet that a removed device accepted is counted as lost");
        }
    }

    void down(Harness& harness) {
        auto& device = harness.device();
        if (check_.holds(harness.set_up(false), "set_up(false) brings the interface down")) {
            check_.equal(device.state(), port::device_state::down, "state() is down");
        }
        if (check_.holds(harness.set_up(true), "set_up(true) brings the interface up")) {
            check_.equal(device.state(), port::device_state::up, "state() is up again");
        }
    }

    checker& check_;
    const port_options options_;
    port_pool pool_;
};

}  // namespace detail

template <class Harness>
    requires std::default_initializable<Harness> &&
             (detail::receives<Harness> || detail::transmits<Harness>) &&
             detail::may_offer<Harness> && detail::may_see_sent<Harness> &&
             detail::may_remove<Harness> && detail::may_set_up<Harness>
suite_result port(const reporter& report = print_broken, const port_options& options = {}) {
    checker check{"port", report};
    detail::port_suite<Harness>{check, options}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
