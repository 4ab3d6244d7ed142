// allocations_in: how often a function asks for memory of the heap.
//
// counted.cpp replaces the operators new and delete of the program. Nothing is asserted within the
// function: a check of doctest may allocate.
//
// Expects: one thread.
#pragma once

#include <sluice/base/integer.hpp>

namespace allocation_test {

// Allocations since the program began.
[[nodiscard]] sluice::u64 allocations() noexcept;

template <class F>
[[nodiscard]] sluice::u64 allocations_in(F&& f) {
    const sluice::u64 before = allocations();
    f();
    return allocations() - before;
}

}  // namespace allocation_test
