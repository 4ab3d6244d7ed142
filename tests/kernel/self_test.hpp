// Tests the comparison with the subject's own results: every single change of the expectation of a
// passing scenario (a byte, a value, a missing line, an extra line) must make it fail.
#pragma once

#include "replay.hpp"

namespace replay {

struct mutation_count {
    std::uint64_t tried = 0;
    std::uint64_t noticed = 0;
};

struct self_test_result {
    std::size_t scenarios = 0;
    std::map<std::string, mutation_count> kinds;
    std::vector<std::string> unnoticed;  // "FILE:LINE: KIND: LINE TEXT"
};

// Number of changes that a scenario would take, about.
[[nodiscard]] std::size_t mutation_cost(const scenario& about);

// Adds the changes of one scenario to `result`, unless it does not pass as it is.
void mutate(const scenario& about, subject_factory make, const compare_options& options,
            self_test_result& result);

}  // namespace replay
