// The intended differences from Linux (docs/linux.md), each recognised by a predicate.
#pragma once

#include "differential_trial.hpp"

namespace replay {

// The reason of the difference; nullptr: unexplained.
[[nodiscard]] const char* explanation_of(const trial& found);

}  // namespace replay
