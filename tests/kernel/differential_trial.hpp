// Gives one plan to the kernel and to the stack, and searches for its smallest part that still
// shows the difference.
#pragma once

#include "differential_plan.hpp"
#include "replay.hpp"

namespace replay {

struct trial {
    plan round;      // without the lines that the kernel refused
    scenario about;  // with the kernel's results
    comparison bad;  // of the pass that differs
    const char* how = "";
    std::string unsteady;  // why there is nothing to compare

    [[nodiscard]] bool differs() const { return unsteady.empty() && !bad.passed; }
    // Index of the event (the first of a batch) that differs.
    [[nodiscard]] std::size_t event() const;
};

[[nodiscard]] trial try_plan(const plan& round);

// Removes events, then configuration, as long as a difference of the same kind stays.
[[nodiscard]] trial minimise(const trial& found);

}  // namespace replay
