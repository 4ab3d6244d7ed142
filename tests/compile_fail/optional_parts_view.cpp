// A view of one size over a header with optional parts.
// first error: sluice: a header with optional parts has min_size, max_size and size_of\(\)
// errors: 2: g++ says it twice
#include <sluice/wire/gre.hpp>

bool run(sluice::const_bytes bytes) {
#ifdef SLUICE_COMPILE_FAIL
    return sluice::header_view<sluice::gre::layout, const std::byte>::checked(bytes).has_value();
#else
    return sluice::parts_view<sluice::gre::layout, const std::byte>::checked(bytes).has_value();
#endif
}
