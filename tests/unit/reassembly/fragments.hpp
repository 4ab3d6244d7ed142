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

// What a fragment came to: h held, c complete, d duplicate, o overlap, i invalid, l a limit, t the
// whole is too long.
template <class Packet>
char letter(const reassembly_step<Packet>& step) {
    switch (step.kind) {
    case reassembly_result::held:
        return 'h';
    case reassembly_result::complete:
        return 'c';
    default:
        break;
    }
    switch (step.reason) {
    case drop_reason::fragment_duplicate:
        return 'd';
    case drop_reason::fragment_overlap:
        return 'o';
    case drop_reason::fragment_invalid:
        return 'i';
    case drop_reason::fragment_limit:
        return 'l';
    case drop_reason::reassembled_too_long:
        return 't';
    default:
        return '?';
    }
}

inline fragment_fields at(u32 start, u32 length, bool more = true) {
    return {.start = start, .length = length, .more = more};
}

}  // namespace reassembly_test
