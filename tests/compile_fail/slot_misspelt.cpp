// A slot that is misspelt is no template, and the compiler suggests the right one.
// build error: route.{1,60}did you mean .{0,10}routes
#include <sluice/stack/policies.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::route<sluice::lpm_trie<16>>> {};
#else
struct edge : sluice::policies<sluice::routes<sluice::lpm_trie<16>>> {};
#endif

using chosen = sluice::detail::resolved<edge>;
static_assert(sizeof(chosen::routes) > 0);
