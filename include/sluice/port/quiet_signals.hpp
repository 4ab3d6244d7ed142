// quiet_signals: keeps SIGPIPE and SIGXFSZ of a failed write from ending the program.
//
// While a quiet_signals object exists, the calling thread does not receive SIGPIPE (the reader is
// gone) and SIGXFSZ (the file may not grow). take_away() removes those that a write raised. The
// program's handlers stay as they are.
//
// Expects: POSIX; it exists around system calls of one thread.
// Never:   removes a signal that was pending before.
// Cost:    two system calls; two more after a failure.
#pragma once

#include <cerrno>
#include <ctime>

#include <signal.h>

namespace sluice::port::detail {

class quiet_signals {
public:
    quiet_signals() noexcept {
        sigset_t both;
        sigemptyset(&both);
        sigaddset(&both, SIGPIPE);
        sigaddset(&both, SIGXFSZ);
        sigemptyset(&pending_);
        ::pthread_sigmask(SIG_BLOCK, &both, &before_);
        // Only a blocked signal can have been pending.
        if (sigismember(&before_, SIGPIPE) != 0 || sigismember(&before_, SIGXFSZ) != 0) {
            ::sigpending(&pending_);
        }
    }
    quiet_signals(const quiet_signals&) = delete;
    quiet_signals& operator=(const quiet_signals&) = delete;
    ~quiet_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    // Takes away the signal of this errno. A signal that the system keeps stays blocked.
    void take_away(int error_number) noexcept {
        const int raised = error_number == EPIPE ? SIGPIPE : error_number == EFBIG ? SIGXFSZ : 0;
        if (raised != 0 && sigismember(&pending_, raised) == 0) {
            sigset_t one;
            sigemptyset(&one);
            sigaddset(&one, raised);
            const timespec now{};
            if (::sigtimedwait(&one, nullptr, &now) < 0 && errno != EAGAIN) {
                sigaddset(&before_, raised);
            }
        }
    }

private:
    sigset_t before_;
    sigset_t pending_;
};

}  // namespace sluice::port::detail
