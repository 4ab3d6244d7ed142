// signals: INT, TERM, USR1 and HUP as something to wait for.
//
// Expects: to be made before any thread. Does: from then on the four no longer end the program;
// wait() tells which came. False: the system has no descriptor for it (errno), and all is as it
// was. Never: runs a handler.
#pragma once

#include <sluice/port/descriptor.hpp>

#include <csignal>

#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>

namespace examples {

class signals {
public:
    signals() noexcept {
        sigset_t handled;
        sigemptyset(&handled);
        for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) {
            sigaddset(&handled, number);
        }
        signals_ = sluice::port::descriptor{::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK)};
        if (signals_) {
            ::sigprocmask(SIG_BLOCK, &handled, nullptr);
        }
    }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(signals_); }

    enum class event { end, report, reload, other, timeout, none };
    // Until a signal, `other` is readable, or that many milliseconds have passed (-1: for ever);
    // none: it could not be waited or read, after a pause.
    [[nodiscard]] event wait(int other, int milliseconds) const noexcept {
        pollfd waiting[2] = {{signals_.get(), POLLIN, 0}, {other, POLLIN, 0}};
        const int n = ::poll(waiting, 2, milliseconds);
        if (n == 0) {
            return event::timeout;
        }
        signalfd_siginfo what{};
        if (n > 0 && waiting[0].revents != 0 &&
            ::read(signals_.get(), &what, sizeof what) == sizeof what) {
            return what.ssi_signo == SIGUSR1  ? event::report
                   : what.ssi_signo == SIGHUP ? event::reload
                                              : event::end;
        }
        if (n > 0 && waiting[1].revents != 0) {
            return event::other;
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = 10'000'000};
        ::nanosleep(&pause, nullptr);
        return event::none;
    }

private:
    sluice::port::descriptor signals_;
};

}  // namespace examples
