// tun_host: a stack that owns the device sluice0 as 192.0.2.1, for the examples that need one.
//
//     examples::tun_host<stack> host{"ping_responder"};
//     while (host.step()) { ... }
//     return host.exit_code();
//
// Expects: Linux, the right to create a TUN device; a Stack with tun::sender as its output.
// Never:   configures the interface in the kernel.
#pragma once

#include "self_packets.hpp"

#include <sluice/port/or_exit.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/port/tun.hpp>

#include <cstdio>
#include <memory>

namespace examples {

namespace port = sluice::port;

template <class Stack>
class tun_host {
    using parts = typename Stack::parts;

public:
    // Ends the program if the system or the stack refuses.
    explicit tun_host(const char* program)
        : device_{port::or_exit(program, port::tun::open("sluice0", {.interface = 2}))},
          loop_{port::or_exit(program, port::poll_loop::open())},
          stack_{std::make_unique<Stack>(parts{
              .output = device_.sender(), .seed = port::or_exit(program, port::system_seed())})} {
        port::or_exit(program, stack_->add_interface({.index = 2, .address = own_address}));
        std::printf("%s: 192.0.2.1 on sluice0\n", program);
        std::fflush(stdout);
    }

    // Waits for packets or a signal, and lets the stack answer. False: end.
    [[nodiscard]] bool step() { return loop_.step(*stack_, device_); }
    // Whether USR1 came in the last step.
    [[nodiscard]] bool is_switched() const {
        return loop_.last_signal() == port::signal_event::report;
    }
    [[nodiscard]] int exit_code() const { return loop_.is_asked() ? 0 : 1; }
    [[nodiscard]] Stack& stack() { return *stack_; }

private:
    port::tun::device device_;
    port::poll_loop loop_;
    std::unique_ptr<Stack> stack_;
};

}  // namespace examples
