// tun_loop: brings packets from TUN devices to a stack, in batches, and sleeps in between.
//
// Expects: Linux; devices that outlive the loop; one thread. Does: poll(2) on all devices and on
// the signals INT, TERM and USR1, until a packet or a signal comes or the stack's next deadline is
// there. Never: spins.
#pragma once

#include <sluice/port/back_off.hpp>
#include <sluice/port/tun.hpp>

#include <array>
#include <csignal>
#include <span>
#include <vector>

#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>

namespace examples {

enum class loop_end { asked, device_gone };

class tun_loop {
public:
    // From now on the three signals no longer end the program: run() looks at them. They end it as
    // before where the system has no descriptor for that.
    tun_loop() noexcept {
        sigset_t handled;
        sigemptyset(&handled);
        for (const int number : {SIGINT, SIGTERM, SIGUSR1}) {
            sigaddset(&handled, number);
        }
        signals_ = sluice::port::descriptor{::signalfd(-1, &handled, SFD_CLOEXEC)};
        if (signals_) {
            ::sigprocmask(SIG_BLOCK, &handled, nullptr);
        }
    }

    // Until INT or TERM, a device is gone, or `done()` after a batch; `report()` for each USR1.
    template <class Stack, class Report, class Done>
    loop_end run(Stack& stack, std::span<sluice::port::tun::device> devices, Report&& report,
                 Done&& done) {
        std::vector<pollfd> waiting{{signals_.get(), POLLIN, 0}};
        std::vector<sluice::port::back_off> rests(devices.size());
        for (const auto& device : devices) {
            waiting.push_back({device.fd(), POLLIN, 0});
        }
        for (;;) {
            const sluice::moment now = sluice::port::tun::device::now();
            sluice::instant deadline = stack.poll(now);
            for (std::size_t i = 0; i < devices.size(); ++i) {
                const bool is_resting = rests[i].is_resting(now.now);
                waiting[i + 1].fd = is_resting ? -1 : devices[i].fd();
                deadline = is_resting && rests[i].until() < deadline ? rests[i].until() : deadline;
            }
            if (::poll(waiting.data(), waiting.size(), wait_time(deadline, now.now)) < 0) {
                const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
                ::nanosleep(&pause, nullptr);
                continue;
            }
            if (waiting[0].revents != 0) {
                signalfd_siginfo what{};
                const auto n = ::read(signals_.get(), &what, sizeof what);
                if (n == sizeof what && what.ssi_signo != SIGUSR1) {
                    return loop_end::asked;
                }
                if (n == sizeof what) {
                    report();
                }
            }
            for (std::size_t i = 0; i < devices.size(); ++i) {
                if (waiting[i + 1].revents != 0 && !serve(stack, devices[i], rests[i])) {
                    return loop_end::device_gone;
                }
            }
            if (done()) {
                return loop_end::asked;
            }
        }
    }

private:
    // In milliseconds, rounded up; -1: for ever.
    static int wait_time(sluice::instant deadline, sluice::instant now) noexcept {
        if (deadline == sluice::instant::never()) {
            return -1;
        }
        const auto left = (deadline - now).milliseconds() + 1;
        return left < 0 ? 0 : left > 60'000 ? 60'000 : static_cast<int>(left);
    }

    // One batch from a device to the stack; false when the device is gone. A device that gives
    // nothing though it is readable (no buffer is free, reading fails) rests.
    template <class Stack>
    static bool serve(Stack& stack, sluice::port::tun::device& from, sluice::port::back_off& rest) {
        std::array<typename Stack::packet_type, 64> batch;
        const auto got = from.receive(stack.buffers(), batch);
        stack.receive(std::span{batch}.first(got.count), from.now());
        rest.note({.succeeded = got.has_progressed(), .at = from.now().now});
        return got.end != sluice::port::read_status::closed || from.is_attached();
    }

    sluice::port::descriptor signals_;
};

}  // namespace examples
