// signals: turns the signals that end, query or reload a program into a descriptor to poll.
//
// Expects: open() is called before the program starts threads.
// Never:   runs a handler. From open() on, INT, TERM, USR1 and HUP no longer end the program, and
//          they stay blocked when the object ends.
// Errors:  the system's, when it has no descriptor left; the signals then act as before.
// Source:  signalfd(2).
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>

#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

namespace sluice::port {

enum class signal_event : u8 {
    none,
    end,     // INT, TERM
    report,  // USR1
    reload   // HUP
};

class signals {
public:
    [[nodiscard]] static result<signals, port_error> open() noexcept {
        sigset_t handled;
        sigemptyset(&handled);
        for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) {
            sigaddset(&handled, number);
        }
        signals made;
        made.fd_ = descriptor{::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK)};
        if (!made.fd_) {
            return failure{port_error::last("make", "signalfd")};
        }
        ::sigprocmask(SIG_BLOCK, &handled, nullptr);
        return made;
    }

    // For poll(2): readable when a signal came.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    // The next signal. none: no signal waits, or it could not be read.
    [[nodiscard]] signal_event next() noexcept {
        signalfd_siginfo what{};
        if (::read(fd_.get(), &what, sizeof what) != static_cast<ssize_t>(sizeof what)) {
            return signal_event::none;
        }
        return what.ssi_signo == SIGUSR1  ? signal_event::report
               : what.ssi_signo == SIGHUP ? signal_event::reload
                                          : signal_event::end;
    }

private:
    signals() noexcept = default;

    descriptor fd_;
};

}  // namespace sluice::port
