// worker: a stack with its ports and its link, and the loop that runs them in a thread of its own.
//
// Expects: start() and everything else but run() called by the thread that made it. Does: sleeps
// until packets, a change of an interface, a deadline or a question comes. Never: spins; touches
// another worker: a question is answered with a copy.
#pragma once

#include "snapshot.hpp"
#include "stack.hpp"

#include <sluice/port/back_off.hpp>
#include <sluice/port/steady_clock.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>

namespace router {

class worker {
public:
    // The first of several answers ARP, and tells of interfaces that change.
    worker(const arguments& given, const std::vector<route_line>& routes, bool is_first,
           sluice::hash_key seed, std::optional<sluice::port::pcapng::writer> capture);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    // Opens the ports, or ends the program, and sets the stack up. False: the stack refuses what
    // was given, and that was said.
    [[nodiscard]] bool prepare();
    // `ended`: a descriptor of eventfd(2) that is written when nothing is left to route between.
    void start(int ended) {
        runs_ = true;
        thread_ = std::thread{[this, ended] { run(ended); }};
    }
    // Asks it to end, and waits until it has.
    void stop() {
        stopping_ = true;
        {
            std::unique_lock lock{mutex_};
            wait_until([this] { return !runs_; }, lock);
        }
        thread_.join();
    }
    // Of a worker that runs, or has stopped.
    [[nodiscard]] snapshot ask();
    // Other routes than before, between two bursts of packets. What is wrong; empty: nothing.
    // Otherwise those before stay.
    [[nodiscard]] std::string change_routes(const std::vector<route_line>& to);

private:
    // For a port: when what fails or gives nothing is tried again.
    struct rest {
        sluice::port::back_off reading;
        sluice::port::back_off looking;
        sluice::port::back_off flushing;
    };

    void run(int ended);
    void wait(sluice::instant deadline, sluice::instant now);
    void serve(port& from);
    [[nodiscard]] rest& rest_of(const port& p) { return rests_[p.index() - first_interface]; }
    void answer();
    [[nodiscard]] sluice::instant do_what_is_due(sluice::moment now);
    void follow(port& changed);
    void tell(const port& changed) const;
    [[nodiscard]] snapshot take_snapshot();
    // Does something in the worker's thread; in this one when that does not run.
    void do_there(const std::function<void()>& what);
    // Wakes it again and again: a write may fail.
    template <class Condition>
    void wait_until(Condition&& met, std::unique_lock<std::mutex>& lock) {
        do {
            const std::uint64_t one = 1;
            static_cast<void>(::write(wake_.get(), &one, sizeof one));
        } while (!answered_.wait_for(lock, std::chrono::milliseconds{100}, met));
    }

    const arguments& given_;
    const std::vector<route_line>& first_routes_;
    bool is_first_;
    std::optional<capture_writer> capture_;
    // In this order: packets in the link and in the stack may lie in the ports' memory or in the
    // stack's.
    std::vector<std::unique_ptr<port>> ports_;
    exits exits_;
    std::optional<kept_routes> routes_;  // with the memory of the stack's table
    std::unique_ptr<stack> stack_;
    std::optional<own_addresses> addresses_;
    std::unique_ptr<ethernet> link_;
    std::vector<packet> failed_;  // their next hop did not answer

    std::vector<pollfd> waiting_;
    std::vector<int> descriptors_;    // of one port
    std::vector<port*> waiting_for_;  // beside waiting_; nullptr: the wake-up
    std::vector<rest> rests_;         // beside ports_
    sluice::port::back_off polling_;

    sluice::port::descriptor wake_;  // of eventfd(2)
    std::thread thread_;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;  // of what follows
    std::condition_variable answered_;
    const std::function<void()>* asked_ = nullptr;
    bool runs_ = false;
};

}  // namespace router

#include "worker_loop.hpp"
#include "worker_setup.hpp"
