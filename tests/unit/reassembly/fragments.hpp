// The fragments of testing/, for the tests of reassembly.
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/testing/fragments.hpp>

namespace reassembly_test {

using namespace sluice;
using namespace sluice::testing;

inline constexpr hash_key secret{0x0123456789abcdef, 0xfedcba9876543210};

template <class Packet>
bool held(const reassembly_step<Packet>& step) {
    return step.kind == reassembly_result::held;
}

}  // namespace reassembly_test
