// fixed_stack: makes a stack on the heap, from nothing but the fixed seed of the tests.
#pragma once

#include <sluice/testing/fixed_seed.hpp>

#include <memory>

namespace support {

template <class Stack>
[[nodiscard]] std::unique_ptr<Stack> fixed_stack() {
    return std::make_unique<Stack>(typename Stack::parts{.seed = sluice::testing::fixed_seed});
}

}  // namespace support
