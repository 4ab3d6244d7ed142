// run_until: moves virtual time for stacks that wires connect.
//
// A `plug` connects one end of a wire to an interface of a stack. Time jumps to the next arrival or
// to the next deadline of a stack, whichever comes first.
//
//     run_until(clock, clock.now().now + 1_s, plug{wire, wire_end::left, left, 2},
//               plug{wire, wire_end::right, right, 2});
//
// Expects: a plug for each end of each wire; wires at the clock's time; stacks that come to rest.
// Never:   passes the given end, or moves back.
// Cost:    that of the stacks, and per step a call of poll() for each plug.
#pragma once

#include <sluice/testing/clock.hpp>
#include <sluice/testing/wire.hpp>

#include <utility>

namespace sluice::testing {

template <class Wire, class Stack>
struct plug {
    Wire& line;
    wire_end end;
    Stack& stack;
    u16 interface;
    bool is_on = true;  // false: packets that arrive here are lost, and the stack is not polled
};

namespace detail {

template <class Plug>
[[nodiscard]] constexpr instant next_event(const Plug& at, moment now) {
    const instant arrival = at.line.next_arrival();
    const instant deadline = at.is_on ? at.stack.poll(now) : instant::never();
    return arrival < deadline ? arrival : deadline;
}
template <class Plug>
constexpr void receive_all(const Plug& at, moment now) {
    while (auto packet = at.line.receive(at.end, at.interface, now.now)) {
        if (at.is_on) {
            static_cast<void>(at.stack.receive(std::move(packet), now));
        }
    }
}

}  // namespace detail

template <class... Plugs>
constexpr void run_until(manual_clock& clock, instant end, const Plugs&... plugs) {
    for (instant next = clock.now().now; next <= end;) {
        clock.advance_to(next);
        (detail::receive_all(plugs, clock.now()), ...);
        next = instant::never();
        const auto consider = [&next](instant t) { next = t < next ? t : next; };
        (consider(detail::next_event(plugs, clock.now())), ...);
    }
    clock.advance_to(end);
}

}  // namespace sluice::testing
