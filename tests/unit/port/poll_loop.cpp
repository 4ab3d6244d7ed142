// poll_loop and signals: bursts reach the stack, deadlines are kept, signals are reported, and a
// failing device is polled less often.
#include "waiting.hpp"

#include "support/datagrams.hpp"

#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/poll_loop.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <memory>

#include <sys/eventfd.h>

namespace port_poll_loop {

namespace {

using namespace sluice;
using port::device_state;
using port::read_status;
using port::signal_event;

using pool = fixed_pool<2048, 64>;
using packet = pool::packet_type;

struct discard {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;
        constexpr model(discard) noexcept {}
        bool transmit(Packet& p, const egress&, instant) noexcept {
            p.reset();
            return true;
        }
        void flush() noexcept {}
    };
};

// A device of the test: readable until the remaining packets are received.
struct device {
    using sender_type = discard;

    explicit device(int how_many = 0) : left{how_many} {
        if (how_many != 0) {
            make_readable();
        }
    }
    void make_readable() const {
        const u64 one = 1;
        REQUIRE(::write(event.get(), &one, sizeof one) == sizeof one);
    }
    [[nodiscard]] port::receive_batch receive(pool& from, std::span<packet> to) noexcept {
        ++calls;
        port::receive_batch done;
        while (done.count < to.size() && left > 0) {
            packet p = from.take();
            *p.put(1) = std::byte{0x45};
            to[done.count++] = std::move(p);
            --left;
        }
        if (left == 0 && !stuck) {
            u64 times = 0;
            static_cast<void>(::read(event.get(), &times, sizeof times));
        }
        done.end = done.count == to.size() ? read_status::none
                   : stuck                 ? read_status::failed
                                           : read_status::would_block;
        return done;
    }
    [[nodiscard]] sender_type sender() const noexcept { return {}; }
    [[nodiscard]] int fd() const noexcept { return event.get(); }
    [[nodiscard]] device_state state() const noexcept { return now; }
    [[nodiscard]] port::link_header link() const noexcept { return port::link_header::none; }

    int left;
    bool stuck = false;  // readable, without packets
    int calls = 0;
    device_state now = device_state::up;
    port::descriptor event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

// In place of a stack: counts.
struct host {
    using packet_type = packet;
    using buffer_source_type = pool;

    pool& buffers() noexcept { return memory; }
    void receive(std::span<packet> burst, moment) noexcept {
        for (packet& p : burst) {
            CHECK(p);
            p.reset();
            ++received;
        }
    }
    instant poll(moment now) noexcept {
        ++polls;
        return now.now + until_next;
    }

    pool memory{};
    int received = 0;
    int polls = 0;
    duration until_next = duration::from_milliseconds(60'000);
};

// The signals of this process act as before when the test is over.
struct signal_guard {
    sigset_t before{};
    signal_guard() { ::sigprocmask(SIG_SETMASK, nullptr, &before); }
    ~signal_guard() { ::sigprocmask(SIG_SETMASK, &before, nullptr); }
};

struct subject {
    signal_guard guard{};
    std::unique_ptr<host> stack = std::make_unique<host>();
    port::poll_loop loop = [] {
        auto made = port::poll_loop::open();
        REQUIRE(made.has_value());
        return std::move(*made);
    }();
};

}  // namespace

TEST_CASE("bursts of all readable devices reach the stack, some packets a step") {
    subject s;
    device busy{100};
    device quiet;
    device other{3};
    REQUIRE(s.loop.step(*s.stack, busy, quiet, other));
    CHECK(s.stack->received == 64 + 3);
    CHECK(quiet.calls == 0);
    REQUIRE(s.loop.step(*s.stack, busy, quiet, other));
    CHECK(s.stack->received == 103);
    CHECK(s.stack->polls == 2);
    CHECK(s.loop.last_signal() == signal_event::none);
    CHECK(s.stack->memory.available() == 64);
}

TEST_CASE("without packets a step ends at the stack's deadline") {
    subject s;
    device quiet;
    s.stack->until_next = duration::from_milliseconds(20);
    const instant begin = port::steady_clock::now_instant();
    REQUIRE(s.loop.step(*s.stack, quiet));
    CHECK((port::steady_clock::now_instant() - begin).milliseconds() >= 20);
    s.stack->until_next = duration::from_milliseconds(-5);  // work is left
    REQUIRE(s.loop.step(*s.stack, quiet));
    CHECK(s.stack->polls == 2);
    REQUIRE(s.loop.step(*s.stack));  // no device at all
}

TEST_CASE("signals: report, reload, end") {
    subject s;
    device quiet;
    for (const auto& [number, event] :
         {std::pair{SIGUSR1, signal_event::report}, {SIGHUP, signal_event::reload}}) {
        REQUIRE(::raise(number) == 0);
        REQUIRE(s.loop.step(*s.stack, quiet));
        CHECK(s.loop.last_signal() == event);
        CHECK_FALSE(s.loop.is_asked());
    }
    for (const int number : {SIGINT, SIGTERM}) {
        REQUIRE(::raise(number) == 0);
        CHECK_FALSE(s.loop.step(*s.stack, quiet));
        CHECK(s.loop.is_asked());
    }
    s.stack->until_next = {};
    REQUIRE(s.loop.step(*s.stack, quiet));
    CHECK(s.loop.last_signal() == signal_event::none);
}

TEST_CASE("an idle device is polled less; a deleted one ends the loop") {
    subject s;
    device broken;
    broken.stuck = true;
    broken.make_readable();
    device good{1};
    s.stack->until_next = duration::from_milliseconds(1);
    for (int i = 0; i < 40; ++i) {
        REQUIRE(s.loop.step(*s.stack, broken, good));
    }
    CHECK(broken.calls < 30);  // 8 at once, then in pauses that double
    CHECK(broken.calls >= 8);
    CHECK(s.stack->received == 1);
    broken.now = device_state::closed;
    CHECK(port_test::wait_until([&] { return !s.loop.step(*s.stack, broken, good); }));
    CHECK_FALSE(s.loop.is_asked());
}

TEST_CASE("a device that ran out of buffers, or is down, does not end the loop") {
    subject s;
    device down;
    down.stuck = true;
    down.make_readable();
    down.now = device_state::down;
    s.stack->until_next = {};
    for (int i = 0; i < 4; ++i) {
        CHECK(s.loop.step(*s.stack, down));
    }
    CHECK(down.calls == 4);
}

TEST_CASE("signals alone: none, then the pending ones") {
    signal_guard guard;
    auto signals = port::signals::open();
    REQUIRE(signals.has_value());
    CHECK(signals->next() == signal_event::none);
    REQUIRE(::raise(SIGHUP) == 0);
    REQUIRE(port_test::wait_readable(signals->fd()));
    CHECK(signals->next() == signal_event::reload);
    CHECK(signals->next() == signal_event::none);
}

}  // namespace port_poll_loop
