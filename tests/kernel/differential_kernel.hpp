// The kernel of this machine as a subject: for each plan a network namespace, TUN devices, sockets
// and the counters of /proc/net. Expects root and iproute2. The program moves into the namespace
// and never back, so that the original one stays unchanged.
#pragma once

#include "differential_plan.hpp"

namespace replay {

struct kernel_run {
    std::vector<observation> seen;      // one an event
    std::vector<std::size_t> refused;   // configuration lines that the kernel would not take
    std::vector<std::size_t> rejected;  // events of the same kind
    std::string trouble;                // what went wrong with the machine; empty: nothing
};

// Why this machine cannot do it; empty: it can.
[[nodiscard]] std::string kernel_missing();

// Stops after the configuration when some of it was refused.
[[nodiscard]] kernel_run run_on_kernel(const scenario& about);

// Milliseconds since midnight UT, as timestamps have them.
[[nodiscard]] std::uint32_t midnight_milliseconds();

}  // namespace replay
