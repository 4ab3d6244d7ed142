// A field where a part of a header is needed: it has no flag.
// first error: sluice: optional_parts<Fixed, Parts...>: each of the parts must be part_if<flag
// errors: 3: the compilers look for the flag in spite of it
#include <sluice/wire/optional_parts.hpp>

struct has_key final : sluice::field<bool, 0, 1, "has_key"> {};
struct rest final : sluice::field<sluice::u8, 1, 7, "rest"> {};
struct key final : sluice::field<sluice::u32, 0, 32, "key"> {};
struct fixed final : sluice::header_layout<has_key, rest> {};
#ifdef SLUICE_COMPILE_FAIL
struct layout final : sluice::optional_parts<fixed, key> {};
#else
struct layout final : sluice::optional_parts<fixed, sluice::part_if<has_key, key>> {};
#endif

bool run(sluice::const_bytes bytes) {
    return sluice::parts_view<layout, const std::byte>::checked(bytes).has_value();
}
