// quiet_signals removes the signals that a failed write raised, and no others.
#include <sluice/port/quiet_signals.hpp>

#include <doctest/doctest.h>

#include <initializer_list>

#include <pthread.h>
#include <signal.h>

namespace port_quiet_signals {
using sluice::port::detail::quiet_signals;

namespace {

bool is_pending(int number) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, number) == 1;
}

// Blocks some signals while it exists; at its end removes those that are pending.
class blocked {
public:
    explicit blocked(std::initializer_list<int> numbers) {
        sigemptyset(&set_);
        for (const int n : numbers)
            sigaddset(&set_, n);
        ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
    }
    blocked(const blocked&) = delete;
    blocked& operator=(const blocked&) = delete;
    ~blocked() {
        const timespec now{};
        while (::sigtimedwait(&set_, nullptr, &now) > 0) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t set_;
    sigset_t before_;
};

}  // namespace

TEST_CASE("the signal that belongs to the errno is removed") {
    quiet_signals quiet;
    ::pthread_kill(::pthread_self(), SIGPIPE);
    ::pthread_kill(::pthread_self(), SIGXFSZ);
    REQUIRE(is_pending(SIGPIPE));
    REQUIRE(is_pending(SIGXFSZ));
    quiet.take_away(EPIPE);
    CHECK_FALSE(is_pending(SIGPIPE));
    CHECK(is_pending(SIGXFSZ));
    quiet.take_away(EFBIG);
    CHECK_FALSE(is_pending(SIGXFSZ));
}

TEST_CASE("another errno removes no signal") {
    const blocked hangup{SIGHUP};
    quiet_signals quiet;
    ::pthread_kill(::pthread_self(), SIGPIPE);
    ::pthread_kill(::pthread_self(), SIGHUP);
    for (const int other : {EAGAIN, EIO, ENOSPC, 0}) {
        quiet.take_away(other);
        CHECK(is_pending(SIGPIPE));
        CHECK(is_pending(SIGHUP));
    }
    quiet.take_away(EPIPE);
    CHECK(is_pending(SIGHUP));
}

TEST_CASE("a signal that was pending before stays") {
    const blocked pipe{SIGPIPE};
    ::pthread_kill(::pthread_self(), SIGPIPE);
    {
        quiet_signals quiet;
        quiet.take_away(EPIPE);
        CHECK(is_pending(SIGPIPE));
    }
    CHECK(is_pending(SIGPIPE));
}

}  // namespace port_quiet_signals
