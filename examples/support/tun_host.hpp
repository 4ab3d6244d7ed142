// tun_host: a stack that owns the device sluice0 as 192.0.2.1, for the examples that need one.
//
// Expects: Linux, the right to make a TUN device; a Stack with tun::sender as its output. Does:
// opens the device, brings packets to the stack until INT, TERM or the example is done. Never:
// configures the kernel's end.
#pragma once

#include "complain.hpp"
#include "self_packets.hpp"

#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/port/tun.hpp>

#include <cstdio>
#include <memory>

namespace examples {

// setup(stack) -> bool before the first packet, report(stack) for each USR1, done(stack) -> bool
// after each batch. The exit code of the program.
template <class Stack, class Setup, class Report, class Done>
int run_tun_host(const char* program, Setup&& setup, Report&& report, Done&& done) {
    namespace tun = sluice::port::tun;
    auto device = tun::open("sluice0", {.interface = 2});
    if (!device) {
        return complain(program, device.error());
    }
    const auto seed = sluice::port::system_seed();
    if (!seed) {
        return complain(program, seed.error());
    }
    auto loop = sluice::port::poll_loop::open();
    if (!loop) {
        return complain(program, loop.error());
    }
    const auto s =
        std::make_unique<Stack>(typename Stack::parts{.output = device->sender(), .seed = *seed});
    if (!s->add_interface({.index = 2, .address = own_address}) || !setup(*s)) {
        return 1;
    }
    std::printf("%s: 192.0.2.1 on sluice0\n", program);
    std::fflush(stdout);
    while (loop->step(*s, *device)) {
        if (loop->last_signal() == sluice::port::signal_event::report) {
            report(*s);
        }
        if (done(*s)) {
            return 0;
        }
    }
    return loop->is_asked() ? 0 : 1;
}

}  // namespace examples
