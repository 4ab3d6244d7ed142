// poll_loop: passes packets from devices to a stack, and sleeps in between.
//
//     auto loop = port::poll_loop::open();
//     while (loop->step(router, *left, *right)) {}
//
// Each step sleeps until a device is readable, a signal comes or the stack's next deadline is
// reached. Then it receives a burst of each readable device and runs the stack's timers. The
// program does its own work between two steps; last_signal() returns the signal of the last step.
//
// Expects: one thread; the same devices, in the same order, in each step; devices that outlive the
//          step. The host is a stack, or an ethernet_stack (link/ethernet_stack.hpp).
// Never:   spins: a device that is readable but yields no packet rests (back_off.hpp), and so does
//          a poll(2) that fails.
// Cost:    one poll(2) a step and a receive of up to 64 packets a readable device.
#pragma once

#include <sluice/port/back_off.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/signals.hpp>
#include <sluice/port/steady_clock.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <poll.h>
#include <time.h>

namespace sluice::port {

class poll_loop {
public:
    static constexpr std::size_t most_devices = 16;
    static constexpr std::size_t burst = 64;  // packets of one device in a step

    [[nodiscard]] static result<poll_loop, port_error> open() noexcept {
        auto signals = port::signals::open();
        if (!signals) {
            return failure{signals.error()};
        }
        return poll_loop{std::move(*signals)};
    }

    // False: end the program. INT or TERM came, or a device is closed (see is_asked()).
    template <class Host, class... Devices>
        requires(receiver_for<Devices, typename Host::buffer_source_type> && ...)
    [[nodiscard]] bool step(Host& host, Devices&... devices) noexcept {
        static_assert(sizeof...(Devices) <= most_devices,
                      "sluice: poll_loop: too many devices for one loop");
        const moment now = steady_clock::now();
        std::array<pollfd, sizeof...(Devices) + 1> waiting{pollfd{signals_.fd(), POLLIN, 0},
                                                           pollfd{devices.fd(), POLLIN, 0}...};
        instant deadline = host.poll(now);
        for (std::size_t i = 0; i < sizeof...(Devices); ++i) {
            if (rests_[i].is_resting(now.now)) {
                waiting[i + 1].fd = -1;
                deadline = rests_[i].until() < deadline ? rests_[i].until() : deadline;
            }
        }
        signal_ = signal_event::none;
        if (::poll(waiting.data(), waiting.size(), milliseconds_to(deadline, now.now)) < 0) {
            const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
            ::nanosleep(&pause, nullptr);
            return true;
        }
        if (waiting[0].revents != 0) {
            signal_ = signals_.next();
            if (signal_ == signal_event::end) {
                return false;
            }
        }
        std::size_t i = 0;
        bool all_there = true;
        ((all_there = (waiting[i + 1].revents == 0 || serve(host, devices, rests_[i])) && all_there,
          ++i),
         ...);
        return all_there;
    }

    // The signal of the last step.
    [[nodiscard]] signal_event last_signal() const noexcept { return signal_; }
    // Whether INT or TERM ended the loop; otherwise a device is closed.
    [[nodiscard]] bool is_asked() const noexcept { return signal_ == signal_event::end; }

    // The timeout of poll(2): rounded up, at most a minute.
    [[nodiscard]] static int milliseconds_to(instant deadline, instant now) noexcept {
        constexpr i64 longest = 60'000;
        const i64 left =
            deadline == instant::never() ? longest : (deadline - now).milliseconds() + 1;
        return static_cast<int>(left < 0 ? 0 : left > longest ? longest : left);
    }

private:
    explicit poll_loop(port::signals&& s) noexcept : signals_{std::move(s)} {}

    // False: the device is closed.
    template <class Host, class Device>
    [[nodiscard]] static bool serve(Host& host, Device& from, back_off& rest) noexcept {
        std::array<typename Host::packet_type, burst> packets;
        const receive_batch got = from.receive(host.buffers(), std::span{packets});
        const moment now = steady_clock::now();
        host.receive(std::span{packets}.first(got.count), now);
        rest.note({.succeeded = got.has_progressed(), .at = now.now});
        return got.has_progressed() || got.end == read_status::would_block ||
               got.end == read_status::no_buffer || from.state() != device_state::closed;
    }

    port::signals signals_;
    signal_event signal_ = signal_event::none;
    std::array<back_off, most_devices> rests_{};
};

}  // namespace sluice::port
