// Drives a subject through a scenario and compares. Two passes: packet by packet, and with each
// run of consecutive `in` events as one batch. A scenario passes only if both do.
#pragma once

#include "compare.hpp"
#include "subject.hpp"

namespace replay {

enum class pass { single, batch };
[[nodiscard]] const char* name_of(pass how);

// What came out of `count` events, from `first`.
struct recorded {
    std::size_t first = 0;
    std::size_t count = 0;
    observation seen;
};

struct recording {
    std::vector<recorded> runs;
    std::size_t line = 0;     // of the operation that was not supported
    std::string unsupported;  // empty: all were
};

struct comparison {
    bool passed = false;
    std::string where;  // "FILE:LINE" of the first event that differs
    std::string event;  // its text, or what went wrong
    std::vector<difference> differences;
    compare_tally tally;
};

// A scenario with a defect is not to be recorded.
[[nodiscard]] recording record(const scenario& about, pass how, subject& under_test);

[[nodiscard]] comparison judge(const scenario& about, const recording& what,
                               const compare_options& options);

}  // namespace replay
