// A policy that is not wrapped in its slot is an error.
// first error: sluice: policies<...>: this type is no slot: wrap a policy in routes<>
#include <sluice/stack/policies.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::lpm_trie<16>> {};
#else
struct edge : sluice::policies<sluice::routes<sluice::lpm_trie<16>>> {};
#endif

using chosen = sluice::detail::resolved<edge>;
static_assert(sizeof(chosen::routes) > 0);
