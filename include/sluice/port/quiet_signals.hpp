// quiet_signals: a write that fails must not end the program: while one lives, SIGPIPE (the reader
// is gone) and SIGXFSZ (the file may not grow) do not reach the calling thread, and those that the
// write raised are taken away. The program's own dispositions stay as they are.
//
// Expects: POSIX; to live around system calls of one thread. Never: takes away a signal that was
// pending before. Cost: two system calls; two more after a failure.
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
        // Only what was blocked can have been pending.
        if (sigismember(&before_, SIGPIPE) != 0 || sigismember(&before_, SIGXFSZ) != 0) {
            ::sigpending(&pending_);
        }
    }
    quiet_signals(const quiet_signals&) = delete;
    quiet_signals& operator=(const quiet_signals&) = delete;
    ~quiet_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    // Takes the signal away that goes with this errno; one that the system keeps stays blocked.
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
