// worker: a stack with its ports and its link, and the loop that runs them in a thread of its own.
//
// It sleeps until packets, a change of an interface, a deadline or a request of another thread
// comes. It answers a request with a copy.
//
// Expects: the thread that made it calls start() and all others except run().
// Never:   spins; touches another worker.
#pragma once

#include "snapshot.hpp"
#include "stack.hpp"

#include <sluice/port/back_off.hpp>
#include <sluice/port/steady_clock.hpp>
#include <sluice/wire/worker_rule.hpp>

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
    // The first of several answers ARP and reports changes of interfaces. `shares`: how the workers
    // share frames.
    worker(const arguments& given, const std::vector<route_line>& routes, bool is_first,
           const sluice::worker_rule& shares, sluice::hash_key seed,
           std::optional<sluice::port::pcapng::writer> capture);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    // Opens the ports, or ends the program, and sets the stack up. False: the stack refuses the
    // arguments; the reason was printed.
    [[nodiscard]] bool prepare();
    // `ended`: a descriptor of eventfd(2), written when no interface is left.
    void start(int ended) {
        runs_ = true;
        thread_ = std::thread{[this, ended] { run(ended); }};
    }
    // Ends the thread and waits for it.
    void stop() {
        stopping_ = true;
        {
            std::unique_lock lock{mutex_};
            wait_until([this] { return !runs_; }, lock);
        }
        thread_.join();
    }
    // The state of the worker, running or stopped.
    [[nodiscard]] snapshot ask();
    // Replaces the routes, between two bursts of packets. Returns an error text, and then the old
    // routes stay; empty: none.
    [[nodiscard]] std::string change_routes(const std::vector<route_line>& to);

private:
    // For a port: when to try again after failures.
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
    // Calls `what` in the worker's thread, or in this one if that does not run.
    void do_there(const std::function<void()>& what);
    // Wakes the thread until the condition holds: a write may fail.
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
    sluice::worker_rule shares_;
    std::optional<capture_writer> capture_;
    // The order matters: packets in the link and in the stack may lie in memory of the ports or of
    // the stack.
    std::vector<std::unique_ptr<port>> ports_;
    exits exits_;
    fragment_memory fragments_;          // of the stack
    std::optional<kept_routes> routes_;  // holds the memory of the stack's table
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
    std::mutex mutex_;  // guards the members below
    std::condition_variable answered_;
    const std::function<void()>* asked_ = nullptr;
    bool runs_ = false;
};

}  // namespace router

#include "worker_loop.hpp"
#include "worker_setup.hpp"
