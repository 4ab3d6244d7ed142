// fixed_seed: the seed of stacks in tests, so that each run repeats the last one.
//
// Expects: tests alone. On a network, a reader of this file could predict every number that the
//          stack draws.
#pragma once

#include <sluice/base/siphash.hpp>

namespace sluice::testing {

inline constexpr hash_key fixed_seed{0x736c'7569'6365, 0x7465'7374'696e'6773};

}  // namespace sluice::testing
