// Differences from Linux that are meant to stay (docs/linux.md), each recognised by a predicate.
#pragma once

#include "differential_trial.hpp"

namespace replay {

// The reason, or nullptr: it is a difference that nobody has explained.
[[nodiscard]] const char* explanation_of(const trial& found);

}  // namespace replay
